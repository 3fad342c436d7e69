import { join } from 'node:path';
import { appError } from '@nowcast/contract';
import type { OffsetVector } from '@nowcast/ports';
import type { Disk, DiskFile } from './disk.ts';
import { FrameScanner, findLaterGroup, findMarker } from './frame-scanner.ts';
import { visitEntries } from './frame.ts';
import {
  type Segment,
  advanceSegment,
  decodeHeader,
  newSegment,
  segmentHeaderBytes,
  segmentIndexOf,
  segmentName,
} from './segment.ts';

/**
 * What a start finds, and what it may conclude. Every frame of every segment is read and checked.
 *
 * - The last segment may end in anything: the write in progress when the process or the power went. That was never
 *   acknowledged and is cut off, so that its place and its offsets can be used again.
 * - A bad frame that had been synced before a later one was written (see `groupStart` in frame.ts), an older segment
 *   that ends before the offsets at which the next one begins, a missing segment: these are damage to acknowledged
 *   records. Going on would lose them silently and reuse offsets; so the start is refused with the place.
 * - A segment marked as failed (an fsync failed) is cut at the end that had been synced before. What the page cache
 *   shows behind it may never have reached the disk: after a failed fsync Linux calls those pages clean.
 *
 * Complete frames that nobody was told about (killed between write and sync) are kept, and synced before anybody sees
 * them.
 */
export interface Recovered {
  segments: Segment[];
  /** Write handle of the last segment; none when there is no segment to go on in. */
  active: DiskFile | undefined;
  /** Bytes of a torn write that were cut off. */
  cutBytes: number;
  /** Marks of failed segments: to be removed once there is a new segment to go on in. */
  failedMarks: string[];
}

const failedPattern = /^(\d{12})\.failed-at-(\d+)$/;

/** Name of the mark that says: nothing behind `end` in this segment is known to be on the disk. */
export function failedMarkName(segment: Segment): string {
  return `${segmentName(segment.index).replace('.log', '')}.failed-at-${segment.end}`;
}

export async function recoverSegments(disk: Disk, directory: string, partitions: number): Promise<Recovered> {
  const names = await disk.list(directory);
  const failedMarks = await cutFailedSegments(disk, directory, names);
  const indexes = names
    .map(segmentIndexOf)
    .filter((index) => index !== undefined)
    .sort((a, b) => a - b);
  const segments: Segment[] = [];
  let cutBytes = 0;
  for (const [i, index] of indexes.entries()) {
    if (i > 0 && index !== indexes[i - 1]! + 1) throw missing(directory, indexes[i - 1]! + 1);
    const isLast = i === indexes.length - 1;
    const found = await recoverSegment(disk, { directory, index, isLast, partitions });
    cutBytes += found.cutBytes;
    if (found.segment === undefined) continue;
    const before = segments.at(-1);
    if (before !== undefined && !sameVector(before.next, found.segment.base)) {
      throw corrupt(before.path, before.end, 'a frame is damaged or missing, and the next segment exists');
    }
    segments.push(found.segment);
  }
  const last = segments.at(-1);
  const active = last === undefined ? undefined : await syncEnd(disk, directory, last);
  return { segments, active, cutBytes, failedMarks };
}

async function cutFailedSegments(disk: Disk, directory: string, names: readonly string[]): Promise<string[]> {
  const marks: string[] = [];
  for (const name of names) {
    const match = failedPattern.exec(name);
    if (match === null) continue;
    const end = Number(match[2]);
    const file = await disk.open(join(directory, `${match[1]}.log`), 'write');
    try {
      if ((await file.size()) > end) await file.truncate(end);
      await file.sync();
    } finally {
      await file.close();
    }
    marks.push(join(directory, name));
  }
  return marks;
}

async function recoverSegment(
  disk: Disk,
  at: { directory: string; index: number; isLast: boolean; partitions: number },
): Promise<{ segment: Segment | undefined; cutBytes: number }> {
  const path = join(at.directory, segmentName(at.index));
  const file = await disk.open(path, 'read');
  try {
    const size = await file.size();
    const header = Buffer.alloc(Math.min(size, segmentHeaderBytes(at.partitions)));
    await file.read(header, 0, header.byteLength, 0);
    const decoded = decodeHeader(header, at.index, at.partitions);
    if (decoded === undefined) {
      if (!at.isLast || size > segmentHeaderBytes(at.partitions)) {
        throw corrupt(path, 0, 'the header is damaged');
      }
      // Created but never used: frames are only written once the header is durable.
      await disk.unlink(path);
      await disk.syncDirectory(at.directory);
      return { segment: undefined, cutBytes: size };
    }
    const segment = newSegment(at.index, path, decoded.sync, decoded.base);
    await scanSegment(file, segment, size);
    return { segment, cutBytes: at.isLast ? await tornBytes(file, segment, size) : 0 };
  } finally {
    await file.close();
  }
}

async function scanSegment(file: DiskFile, segment: Segment, size: number): Promise<void> {
  const scanner = new FrameScanner(file, segment.sync, { from: segment.end, to: size });
  for (;;) {
    if (!scanner.take()) {
      if (await scanner.fill()) continue;
      return;
    }
    const next = [...segment.next];
    const isInOrder = visitEntries(scanner.bytes, scanner.at, (partition, offset) => {
      if (next[partition] !== offset) return false;
      next[partition] = offset + 1;
      return true;
    });
    if (!isInOrder) throw corrupt(segment.path, segment.end, 'the offsets in this frame are out of order');
    advanceSegment(segment, scanner.position, next);
  }
}

/**
 * What follows the last good frame of the last segment: how much of it an unfinished write left. None, when it is
 * only what an older life of the file (see spare-segments.ts) left there.
 */
async function tornBytes(file: DiskFile, segment: Segment, size: number): Promise<number> {
  if ((await findMarker(file, segment.sync, segment.end, size)) === undefined) return 0;
  const later = await findLaterGroup(file, segment.sync, segment.end, size);
  if (later === undefined) return size - segment.end;
  throw corrupt(segment.path, segment.end, `a frame is damaged, and one written after it stands at ${later}`);
}

/** Cuts what is no frame and makes the rest durable: the process before may have died between write and sync. */
async function syncEnd(disk: Disk, directory: string, last: Segment): Promise<DiskFile> {
  const file = await disk.open(last.path, 'write');
  try {
    if ((await file.size()) > last.end) await file.truncate(last.end);
    await file.sync();
    await disk.syncDirectory(directory);
    return file;
  } catch (error) {
    await file.close();
    throw error;
  }
}

function sameVector(a: OffsetVector, b: OffsetVector): boolean {
  return a.length === b.length && a.every((offset, i) => offset === b[i]);
}

function corrupt(path: string, position: number, what: string): Error {
  return appError(
    'log.failed',
    `${path} is corrupt at byte ${position}: ${what}. Acknowledged records may be damaged, so nothing was changed ` +
      'and the log does not start: restore a backup, or keep a copy of the file and have it examined',
    { details: { path, position } },
  );
}

function missing(directory: string, index: number): Error {
  const path = join(directory, segmentName(index));
  return appError('log.failed', `${path} is missing, later segments exist: put it back or restore a backup`, {
    details: { path, position: 0 },
  });
}
