import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { crc32c } from '@node-rs/crc32';
import type { OffsetVector } from '@nowcast/ports';
import { type Disk, type DiskFile, writeFully } from './disk.ts';
import { syncBytes } from './frame.ts';

/**
 * One file of the log. Its header says which offsets come next in every partition, so that the offsets go on even
 * when all older segments were cut away.
 *
 *   0  magic        8  "NOWCLOG" and the version, one byte
 *   8  crc          4  CRC32C of everything behind it
 *  12  partitions   4
 *  16  index        8  number in the file's name: 1, 2, …
 *  24  sync         8  random marker of this segment's frames
 *  32  base            partitions × 8: next offset of each partition
 */
const magic = Buffer.from('NOWCLOG\u0001', 'latin1');
const fixedHeaderBytes = 32;
const markEveryBytes = 2 ** 20;

export interface Segment {
  readonly index: number;
  readonly path: string;
  readonly sync: Buffer;
  /** Next offset of each partition where the segment begins, and at its durable end. */
  readonly base: OffsetVector;
  next: OffsetVector;
  /** Position behind the last byte that is known to be on the disk. */
  end: number;
  /** Places to start reading from: the first frame, then about one every mebibyte; ascending. */
  readonly marks: Mark[];
  /** Reads in progress; the file stays while there are any. */
  readers: number;
}

interface Mark {
  position: number;
  next: OffsetVector;
}

export function segmentHeaderBytes(partitions: number): number {
  return fixedHeaderBytes + partitions * 8;
}

const namePattern = /^(\d{12})\.log$/;

export function segmentName(index: number): string {
  return `${String(index).padStart(12, '0')}.log`;
}

export function segmentIndexOf(name: string): number | undefined {
  const match = namePattern.exec(name);
  return match === null ? undefined : Number(match[1]);
}

/**
 * Creates a segment and makes it durable, file and directory, before anything is written to it: a frame can only be
 * acknowledged in a file that a power cut leaves behind. A spare gets its name once its new header is durable.
 */
export async function createSegment(
  disk: Disk,
  directory: string,
  at: { index: number; base: OffsetVector; spare?: string | undefined },
): Promise<{ segment: Segment; file: DiskFile }> {
  const path = join(directory, segmentName(at.index));
  const sync = randomBytes(syncBytes);
  const header = encodeHeader(at.index, sync, at.base);
  const file = await disk.open(at.spare ?? path, at.spare === undefined ? 'create' : 'write');
  try {
    await writeFully(file, [header], header.byteLength, 0);
    await file.sync();
    if (at.spare !== undefined) await disk.rename(at.spare, path);
    await disk.syncDirectory(directory);
  } catch (error) {
    await file.close().catch(() => undefined);
    await disk.unlink(path).catch(() => undefined);
    throw error;
  }
  return { segment: newSegment(at.index, path, sync, at.base), file };
}

export function newSegment(index: number, path: string, sync: Buffer, base: OffsetVector): Segment {
  const end = segmentHeaderBytes(base.length);
  const marks = [{ position: end, next: base }];
  return { index, path, sync, base, next: base, end, marks, readers: 0 };
}

/** Moves the durable end of the segment to `end`, where `next` comes next. */
export function advanceSegment(segment: Segment, end: number, next: OffsetVector): void {
  segment.end = end;
  segment.next = next;
  if (end - segment.marks.at(-1)!.position >= markEveryBytes) segment.marks.push({ position: end, next });
}

/** Last known place at or before offset `from` of the partition. */
export function positionBefore(segment: Segment, partition: number, from: number): number {
  let low = 0;
  let high = segment.marks.length - 1;
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if (segment.marks[middle]!.next[partition]! <= from) low = middle;
    else high = middle - 1;
  }
  return segment.marks[low]!.position;
}

function encodeHeader(index: number, sync: Buffer, base: OffsetVector): Buffer {
  const header = Buffer.alloc(segmentHeaderBytes(base.length));
  magic.copy(header);
  header.writeUInt32LE(base.length, 12);
  header.writeBigUInt64LE(BigInt(index), 16);
  sync.copy(header, 24);
  base.forEach((offset, i) => header.writeBigUInt64LE(BigInt(offset), fixedHeaderBytes + i * 8));
  header.writeUInt32LE(crc32c(header.subarray(12)), 8);
  return header;
}

/** The header's contents; `undefined` when it is not whole, not ours, or not the one its name says. */
export function decodeHeader(
  bytes: Buffer,
  index: number,
  partitions: number,
): { sync: Buffer; base: number[] } | undefined {
  const whole = bytes.byteLength === segmentHeaderBytes(partitions) && bytes.subarray(0, 8).equals(magic);
  if (!whole || bytes.readUInt32LE(8) !== crc32c(bytes.subarray(12))) return undefined;
  if (bytes.readUInt32LE(12) !== partitions || bytes.readBigUInt64LE(16) !== BigInt(index)) return undefined;
  const base: number[] = [];
  for (let at = fixedHeaderBytes; at < bytes.byteLength; at += 8) {
    base.push(Number(bytes.readBigUInt64LE(at)));
  }
  return { sync: Buffer.from(bytes.subarray(24, 32)), base };
}
