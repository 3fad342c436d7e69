import { type PartitionState, textBytesPerPoint } from './partition-state.ts';
import type { Pins } from './pins.ts';

/**
 * How much of what is flushed stays in memory: the newest `hotMs` by receipt time, `hotPoints` at most and no more text
 * than they stand for, and whatever a snapshot or the next tick still needs (`advanced`: what the views have seen). A
 * rule over log records alone, so a replay keeps the same points.
 */
export function trimHotWindow(
  state: PartitionState,
  pins: Pins,
  advanced: number,
  limits: { hotPoints: number; hotMs: number },
): void {
  const { tail } = state;
  const most = Math.min(pins.evictable(tail.partition), advanced);
  const byCount = tail.end - limits.hotPoints;
  const byAge = firstReceivedAfter(state, state.lastReceivedAt - limits.hotMs);
  const byTexts = tail.firstPositionWithTexts(limits.hotPoints * textBytesPerPoint);
  const position = Math.min(most, Math.max(byCount, byAge, byTexts));
  // Also where no point leaves: records that brought none may.
  if (position >= tail.first) tail.evict(tail.recordStart(position));
}

function firstReceivedAfter(state: PartitionState, time: number): number {
  return state.tail.firstPositionReceivedAfter(time);
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
