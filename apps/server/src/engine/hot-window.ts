import { type PartitionState, textBytesPerPoint } from './partition-state.ts';
import type { Pins } from './pins.ts';

/**
 * How much of what is flushed stays in memory: the newest `hotMs` by receipt time, `hotPoints` at most and no more text
 * than they stand for, and whatever a snapshot or the next tick still needs (`seen`: positions that views and rules
 * have reached). The age counts from the newest receipt of all partitions, or the last points of one that falls silent
 * would never leave, nor the log behind them, which all of them share.
 */
export function trimHotWindow(
  states: readonly PartitionState[],
  pins: Pins,
  seen: readonly (readonly number[])[],
  limits: { hotPoints: number; hotMs: number },
): void {
  const newest = Math.max(...states.map(({ lastReceivedAt }) => lastReceivedAt));
  for (const { tail } of states) {
    const { partition } = tail;
    const most = Math.min(pins.evictable(partition), ...seen.map((positions) => positions[partition]!));
    const byCount = tail.end - limits.hotPoints;
    const byAge = tail.firstPositionReceivedAfter(newest - limits.hotMs);
    const byTexts = tail.firstPositionWithTexts(limits.hotPoints * textBytesPerPoint);
    const position = Math.min(most, Math.max(byCount, byAge, byTexts));
    // Also where no point leaves: records that brought none may.
    if (position >= tail.first) tail.evict(tail.recordStart(position));
  }
}

/** First log offset whose points are still in the tail, or what comes next when it is empty. */
export function firstHotOffset(state: PartitionState): number {
  return state.tail.firstOffset ?? state.nextOffset;
}

/** No point that the warehouse has is newer than this, epoch ms; −Infinity when it has none, +Infinity: unknown. */
export function newestFlushed({ tail, flushedPosition }: PartitionState): number {
  let newest = tail.evictedNewest;
  if (flushedPosition > tail.first) {
    tail.scan(tail.first, flushedPosition, (_handles, timestamps) => {
      for (let i = 0; i < timestamps.length; i++) if (timestamps[i]! > newest) newest = timestamps[i]!;
    });
  }
  return newest;
}
