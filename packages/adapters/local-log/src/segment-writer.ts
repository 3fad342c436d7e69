import { join } from 'node:path';
import { appError } from '@nowcast/contract';
import type { AppError } from '@nowcast/kernel';
import type { LogEntry } from '@nowcast/ports';
import { type Disk, type DiskFile, isDiskFull, writeFully } from './disk.ts';
import { GroupEncoder } from './frame.ts';
import type { LogAlarm, LogStats } from './log-stats.ts';
import { observe } from './log-stats.ts';
import { failedMarkName } from './recovery.ts';
import { type Segment, advanceSegment, createSegment } from './segment.ts';
import type { SpareSegments } from './spare-segments.ts';

/**
 * Puts groups of calls on the disk, one group at a time: a vectored write, then an fdatasync.
 *
 * When the disk is full the group is cut off again and the next one may try: the file is as if nothing had happened.
 * When anything else fails, above all an fsync, nothing is written any more. After a failed fsync nobody knows what
 * the disk holds, and a second fsync that succeeds proves nothing: the kernel has dropped the pages and called them
 * clean. So the segment gets a mark saying where its certain part ends, the next start cuts it there and goes on in a
 * new segment, and until then every append is refused.
 */
export class SegmentWriter {
  readonly #disk: Disk;
  readonly #directory: string;
  readonly #segments: Segment[];
  readonly #spares: SpareSegments;
  readonly #segmentBytes: number;
  readonly #stats: LogStats;
  readonly #onAlarm: (alarm: LogAlarm) => void;
  readonly #encoder = new GroupEncoder();
  #file: DiskFile;
  #failure: AppError | undefined;
  #isFull = false;
  /** The file got shorter: the next sync must cover that too, or a power cut brings the refused bytes back. */
  #wasCut = false;

  constructor(options: {
    disk: Disk;
    directory: string;
    /** All segments, oldest first; the last one is written to. */
    segments: Segment[];
    spares: SpareSegments;
    file: DiskFile;
    segmentBytes: number;
    stats: LogStats;
    onAlarm: (alarm: LogAlarm) => void;
  }) {
    this.#disk = options.disk;
    this.#directory = options.directory;
    this.#segments = options.segments;
    this.#file = options.file;
    this.#spares = options.spares;
    this.#segmentBytes = options.segmentBytes;
    this.#stats = options.stats;
    this.#onAlarm = options.onAlarm;
  }

  /** Makes the calls durable and returns the offsets of each. All of them, or none and an error. */
  async write(calls: readonly (readonly LogEntry[])[]): Promise<number[][]> {
    if (this.#failure !== undefined) throw this.#failure;
    if (this.#active.end >= this.#segmentBytes) await this.#roll();
    const segment = this.#active;
    const at = { sync: segment.sync, groupStart: segment.end, next: segment.next };
    const group = this.#encoder.encode(calls, at);
    const startedMs = performance.now();
    try {
      await writeFully(this.#file, group.buffers, group.byteLength, segment.end);
      await (this.#wasCut ? this.#file.sync() : this.#file.datasync());
    } catch (error) {
      throw await this.#takeBack(error);
    }
    advanceSegment(segment, segment.end + group.byteLength, group.next);
    this.#isFull = false;
    this.#wasCut = false;
    this.#stats.fsyncs += 1;
    observe(this.#stats.fsyncSeconds, (performance.now() - startedMs) / 1000);
    this.#stats.bytes += group.byteLength;
    observe(this.#stats.groupCalls, calls.length);
    return group.offsets;
  }

  /** Everything that was acknowledged is on the disk already; this is the end of the file handle. */
  close(): Promise<void> {
    return this.#file.close();
  }

  get #active(): Segment {
    return this.#segments.at(-1)!;
  }

  async #roll(): Promise<void> {
    const { index, next } = this.#active;
    try {
      const { segment, file } = await createSegment(this.#disk, this.#directory, {
        index: index + 1,
        base: next,
        spare: this.#spares.take(),
      });
      const previous = this.#file;
      this.#file = file;
      this.#segments.push(segment);
      await previous.close();
    } catch (error) {
      throw isDiskFull(error) ? await this.#full(error) : this.#fail(error);
    }
  }

  /** The file as it was before the group, if the disk lets us; the error its callers get. */
  async #takeBack(cause: unknown): Promise<AppError> {
    const segment = this.#active;
    this.#wasCut = true;
    try {
      await this.#file.truncate(segment.end);
    } catch (error) {
      if (isDiskFull(cause)) return this.#failSegment(segment, error);
    }
    return isDiskFull(cause) ? this.#full(cause) : this.#failSegment(segment, cause);
  }

  async #full(cause: unknown): Promise<AppError> {
    await this.#spares.dropAll();
    this.#stats.full += 1;
    const message = `the disk of ${this.#directory} is full: free some space; appends then go on by themselves`;
    if (!this.#isFull) this.#onAlarm({ kind: 'full', path: this.#directory, message, cause });
    this.#isFull = true;
    return appError('log.full', message, { cause });
  }

  async #failSegment(segment: Segment, cause: unknown): Promise<AppError> {
    const failure = this.#fail(cause);
    try {
      const mark = await this.#disk.open(join(this.#directory, failedMarkName(segment)), 'create');
      await mark.close();
      await this.#disk.syncDirectory(this.#directory);
    } catch {
      // The disk refuses even the mark. The cut above, or the checksums at the next start, have to do.
    }
    return failure;
  }

  #fail(cause: unknown): AppError {
    const { path, end } = this.#active;
    const reason = cause instanceof Error ? cause.message : String(cause);
    const message =
      `writing ${path} failed at byte ${end} (${reason}): nothing is acknowledged any more. ` +
      'Check the disk, then restart: the start verifies every record that was acknowledged';
    this.#failure = appError('log.failed', message, { cause });
    this.#stats.failed = true;
    this.#onAlarm({ kind: 'failed', path, message, cause });
    return this.#failure;
  }
}
