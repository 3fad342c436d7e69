import type { QueryGrid } from '@nowcast/aggregate';
import { GatheredRuns, type SeriesIndex, type Tail } from '@nowcast/head';
import { inOneTurn } from '@nowcast/kernel/slices';
import { CounterPoints, storedPoints } from './counter-points.ts';
import type { CounterRows } from './counter-rows.ts';
import { type Piece, statePartsOf } from './piece.ts';
import type { Selection } from './selection.ts';
import { Cells, mostCells } from './cells/cells.ts';

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
 * Adds the tail's points of the selected series, and for counters the points of the pieces and `rows` too: a counter
 * must be fed in time order.
 */
export function foldTail(
  grid: QueryGrid,
  selection: Selection,
  index: SeriesIndex,
  tails: readonly Tail[],
  span: TailSpan,
  pieces: readonly Piece[],
  rows: CounterRows,
): void {
  if (grid.parts.growth) {
    foldCounters(grid, selection, index, tails, span, pieces, rows);
    return;
  }
  if (scanTails(grid, selection, index, tails, span)) return;
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

/** A series' points are found by going back from one to the last, which costs this many times a look at each point. */
const walkCost = 40;

/**
 * Most series are asked for: their points are met sooner by looking at all that the tails hold. False when that is not
 * so, or cannot be.
 */
function scanTails(
  grid: QueryGrid,
  { handles, units }: Selection,
  index: SeriesIndex,
  tails: readonly Tail[],
  span: TailSpan,
): boolean {
  const { from, to, buckets } = grid.spec;
  if (grid.parts.uniques || !Number.isFinite(to - from)) return false;
  if (handles.length < 2 || handles.length * walkCost < index.size) return false;
  const borders = buckets.boundaries(from, to);
  if (grid.unitCount * (borders.length - 1) > mostCells) return false;
  const unitOf = new Int32Array(index.size).fill(-1);
  for (let i = 0; i < handles.length; i++) unitOf[handles[i]!] = units[i]!;
  const cells = new Cells(statePartsOf(grid), grid.unitCount, borders.length - 1);
  for (const tail of tails) {
    const first = firstSince(tail, startOf(span, tail), from);
    const end = endOf(span, tail);
    if (end <= first) continue;
    tail.scan(first, end, (handles, timestamps, values) => {
      const points = { handles, timestamps, values };
      eachBucket(timestamps, grid.spec, borders, (bucket, begin, past) =>
        cells.addScanned(bucket, unitOf, points, begin, past),
      );
    });
  }
  grid.mergeStates(cells.columns(), borders);
  return true;
}

/** Calls `visit` with runs of points in a row that lie in the range and in one bucket: they come nearly in time order. */
function eachBucket(
  timestamps: Float64Array,
  { from, to }: { from: number; to: number },
  borders: Float64Array,
  visit: (bucket: number, begin: number, end: number) => void,
): void {
  let bucket = 0;
  for (let i = 0; i < timestamps.length;) {
    const time = timestamps[i]!;
    if (time < from || time >= to) {
      i++;
      continue;
    }
    while (time < borders[bucket]!) bucket--;
    while (time >= borders[bucket + 1]!) bucket++;
    const low = Math.max(from, borders[bucket]!);
    const high = Math.min(to, borders[bucket + 1]!);
    let end = i + 1;
    while (end < timestamps.length && timestamps[end]! >= low && timestamps[end]! < high) end++;
    visit(bucket, i, end);
    i = end;
  }
}

/** Points that are gathered at a time: a few megabytes, however much a tail holds. */
const gatheredAtOnce = 500_000;

function foldCounters(
  grid: QueryGrid,
  { handles, units }: Selection,
  index: SeriesIndex,
  tails: readonly Tail[],
  span: TailSpan,
  pieces: readonly Piece[],
  rows: CounterRows,
): void {
  const stored = storedPoints(pieces);
  const points = new CounterPoints();
  const runs = new GatheredRuns(index, tails);
  const ends = tails.map((tail) => endOf(span, tail));
  const starts = tails.map((tail) => firstSince(tail, startOf(span, tail), span.reach));
  const arrived = tails.reduce((sum, _tail, i) => sum + Math.max(0, ends[i]! - starts[i]!), 0);
  const ofOne = arrived / Math.max(1, index.size);
  // As if nobody else had sent anything: these may be the few that send much.
  const step = Math.max(1, Math.floor((gatheredAtOnce * handles.length) / Math.max(1, arrived)));
  for (let first = 0; first < handles.length; first += step) {
    const some = handles.subarray(first, first + step);
    inOneTurn(runs.gather(some, some.length, starts, ends, ofOne * some.length));
    for (let i = 0; i < some.length; i++) {
      const unit = units[first + i]!;
      const { from, to, timestamps, values } = runs.run(i);
      points.clear();
      stored.addTo(points, unit);
      for (let k = from; k < to; k++)
        if (timestamps[k]! >= span.reach) points.add(timestamps[k]!, values[k]!);
      points.sort();
      rows.addInTurn(unit, points, grid);
    }
  }
}

/** The first position from `start` on before which everything is older than `since`, or one a little before it. */
function firstSince(tail: Tail, start: number, since: number): number {
  let first = Math.max(start, tail.first);
  for (const record of tail.records()) {
    if (record.newest >= since) break;
    first = Math.max(first, record.start + record.count);
  }
  return first;
}
