import { appError } from '@nowcast/contract';
import type { Disk } from './disk.ts';
import { FrameScanner } from './frame-scanner.ts';
import { visitEntries } from './frame.ts';
import { type Segment, positionBefore } from './segment.ts';

export interface EntryVisit {
  partition: number;
  from: number;
  visit: (offset: number, payload: Uint8Array) => void | Promise<void>;
}

/** Visits the partition's entries in one segment, up to its durable end at the time of the call. */
export async function readEntries(disk: Disk, segment: Segment, wanted: EntryVisit): Promise<void> {
  const file = await disk.open(segment.path, 'read');
  try {
    const range = { from: positionBefore(segment, wanted.partition, wanted.from), to: segment.end };
    const scanner = new FrameScanner(file, segment.sync, range);
    for (;;) {
      if (scanner.take()) {
        const waiting = visitFrame(scanner, wanted);
        if (waiting !== undefined) await waiting;
      } else if (!(await scanner.fill())) {
        break;
      }
    }
    if (scanner.position !== range.to) {
      throw appError('log.failed', `${segment.path} can no longer be read at byte ${scanner.position}`);
    }
  } finally {
    await file.close();
  }
}

/** A promise only when the visitor gave one. */
function visitFrame(
  scanner: FrameScanner,
  { partition, from, visit }: EntryVisit,
): Promise<void> | undefined {
  const { bytes, at } = scanner;
  let waiting: Promise<void> | undefined;
  visitEntries(bytes, at, (entryPartition, offset, start, end) => {
    if (entryPartition !== partition || offset < from) return true;
    const step = () => visit(offset, bytes.subarray(start, end));
    const result = waiting === undefined ? step() : waiting.then(step);
    if (result !== undefined) waiting = result;
    return true;
  });
  return waiting;
}
