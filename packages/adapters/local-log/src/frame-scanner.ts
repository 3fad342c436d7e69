import type { DiskFile } from './disk.ts';
import { frameHeaderBytes, frameLengthAt, groupStartAt, isFrameIntact, syncBytes } from './frame.ts';

const blockBytes = 4 * 2 ** 20;

/**
 * Reads the frames of a segment in order, in large blocks, so that replay is bound by the disk and the checksum.
 * `take` is synchronous as long as the block lasts: a promise a frame would cost more than a small frame itself.
 *
 * ```ts
 * for (;;) {
 *   if (scanner.take()) use(scanner.bytes, scanner.at, scanner.length);
 *   else if (!(await scanner.fill())) break; // at `scanner.position`: the end, or something that is no frame
 * }
 * ```
 */
export class FrameScanner {
  /** Where the next frame begins in the file. */
  position: number;
  /** The frame that `take` found: `length` bytes at `at` of `bytes`, valid until the next `fill`. */
  bytes = Buffer.alloc(0);
  at = 0;
  length = 0;
  readonly #file: DiskFile;
  readonly #sync: Buffer;
  readonly #end: number;
  /** File position of `bytes[0]`, and how much of `bytes` is filled. */
  #blockStart: number;
  #filled = 0;
  #needed = frameHeaderBytes;

  constructor(file: DiskFile, sync: Buffer, range: { from: number; to: number }) {
    this.#file = file;
    this.#sync = sync;
    this.position = range.from;
    this.#blockStart = range.from;
    this.#end = range.to;
  }

  /** Steps over the next frame; `false` when it is not in memory yet, or there is none. */
  take(): boolean {
    const at = this.position - this.#blockStart;
    const available = this.#filled - at;
    this.#needed = frameHeaderBytes;
    if (available < frameHeaderBytes) return false;
    const length = frameLengthAt(this.bytes, at, this.#sync, this.#end - this.position);
    this.#needed = length ?? 0;
    if (length === undefined || available < length) return false;
    if (!isFrameIntact(this.bytes, at, length)) {
      this.#needed = 0;
      return false;
    }
    this.at = at;
    this.length = length;
    this.position += length;
    return true;
  }

  /** Brings more of the file in after `take` said no; `false` when that cannot help. */
  async fill(): Promise<boolean> {
    if (this.#needed === 0 || this.position + this.#needed > this.#end) return false;
    const keep = this.#filled - (this.position - this.#blockStart);
    const wanted = Math.max(Math.min(blockBytes, this.#end - this.position), this.#needed);
    const previous = this.bytes;
    if (previous.byteLength < wanted) this.bytes = Buffer.allocUnsafeSlow(wanted);
    previous.copy(this.bytes, 0, this.#filled - keep, this.#filled);
    this.#blockStart = this.position;
    this.#filled = keep;
    const read = await this.#file.read(this.bytes, keep, wanted - keep, this.position + keep);
    this.#filled += read;
    return this.#filled >= this.#needed;
  }
}

/**
 * Looks behind the bad frame at `bad` for an intact one whose group began after it: proof that the bad one had once
 * been synced. Returns the proof's position.
 */
export async function findLaterGroup(
  file: DiskFile,
  sync: Buffer,
  bad: number,
  fileEnd: number,
): Promise<number | undefined> {
  for (let from = bad + 1; ;) {
    const candidate = await findMarker(file, sync, from, fileEnd);
    if (candidate === undefined) return undefined;
    const scanner = new FrameScanner(file, sync, { from: candidate, to: fileEnd });
    while (!scanner.take()) if (!(await scanner.fill())) break;
    const isFrame = scanner.position > candidate;
    if (isFrame && groupStartAt(scanner.bytes, scanner.at) > bad) return candidate;
    from = isFrame ? scanner.position : candidate + 1;
  }
}

/** Position of the next marker of the segment at or behind `from`. */
export async function findMarker(
  file: DiskFile,
  sync: Buffer,
  from: number,
  fileEnd: number,
): Promise<number | undefined> {
  const block = Buffer.allocUnsafeSlow(Math.min(blockBytes, Math.max(fileEnd - from, syncBytes)));
  for (let start = from; start + syncBytes <= fileEnd; start += block.byteLength - syncBytes + 1) {
    const length = await file.read(block, 0, Math.min(block.byteLength, fileEnd - start), start);
    const found = block.subarray(0, length).indexOf(sync);
    if (found !== -1) return start + found;
  }
  return undefined;
}
