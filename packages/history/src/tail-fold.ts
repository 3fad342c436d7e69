import type { QueryGrid } from '@nowcast/aggregate';
import type { SeriesIndex, Tail } from '@nowcast/head';
import type { Piece } from './piece.ts';
import type { Selection } from './selection.ts';

/** Whether memory holds every point with an event time at or after `from`. */
export function tailReaches(tails: readonly Tail[], from: number): boolean {
  return tails.every((tail) => from > tail.evictedNewest);
}

/** Which of the tail's points belong to an answer. */
export interface TailSpan {
  /** First position in each tail; undefined: all that is retained. */
  start: readonly number[] | undefined;
  /** Position in each tail to stop before; undefined: all there is when the fold happens. */
  end: readonly number[] | undefined;
  /**
   * Epoch ms: points before it are left out, so that an answer does not depend on how much happens to be in memory.
   * Lies before the grid's range for counters, which look back.
   */
  reach: number;
}

export function startOf(span: TailSpan, tail: Tail): number {
  return span.start?.[tail.partition] ?? tail.first;
}

export function endOf(span: TailSpan, tail: Tail): number {
  return span.end?.[tail.partition] ?? tail.end;
}

/**
 * Adds the tail's points of the selected series, and for counters the points of the pieces too: a counter must be fed
 * in time order.
 */
export function foldTail(
  grid: QueryGrid,
  selection: Selection,
  index: SeriesIndex,
  tails: readonly Tail[],
  span: TailSpan,
  pieces: readonly Piece[],
): void {
  if (grid.parts.growth) {
    foldCounters(grid, selection, index, tails, span, pieces);
    return;
  }
  const { handles, units } = selection;
  const { from, to } = grid.spec;
  const withActors = grid.parts.uniques;
  for (let i = 0; i < handles.length; i++) {
    const unit = units[i]!;
    const tail = tails[index.partitionOf(handles[i]!)]!;
    const add = (timestamp: number, value: number, position: number) => {
      if (timestamp < from || timestamp >= to) return;
      grid.addPoint(unit, timestamp, value, withActors ? tail.textsAt(position)?.actor : undefined);
    };
    tail.walk(handles[i]!, startOf(span, tail), endOf(span, tail), add, from);
  }
}

interface CounterPoint {
  timestamp: number;
  value: number;
}

function foldCounters(
  grid: QueryGrid,
  selection: Selection,
  index: SeriesIndex,
  tails: readonly Tail[],
  span: TailSpan,
  pieces: readonly Piece[],
): void {
  const { handles, units } = selection;
  const stored = storedPoints(pieces);
  for (let i = 0; i < handles.length; i++) {
    const unit = units[i]!;
    const points = stored.get(unit) ?? [];
    const tail = tails[index.partitionOf(handles[i]!)]!;
    const keep = (timestamp: number, value: number) => {
      if (timestamp >= span.reach) points.push({ timestamp, value });
    };
    tail.walk(handles[i]!, startOf(span, tail), endOf(span, tail), keep, span.reach);
    points.sort((a, b) => a.timestamp - b.timestamp || a.value - b.value);
    for (const { timestamp, value } of points) grid.addPoint(unit, timestamp, value);
  }
}

/** Points of the pieces by unit. */
function storedPoints(pieces: readonly Piece[]): Map<number, CounterPoint[]> {
  const byUnit = new Map<number, CounterPoint[]>();
  for (const { points, selection } of pieces) {
    if (points === undefined) continue;
    for (let i = 0; i < points.length; i++) {
      const unit = selection.units[points.series[i]!]!;
      let list = byUnit.get(unit);
      if (list === undefined) byUnit.set(unit, (list = []));
      list.push({ timestamp: points.timestamps[i]!, value: points.values[i]! });
    }
  }
  return byUnit;
}
