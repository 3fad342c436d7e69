import type { PointExtras } from '@nowcast/contract';
import type { Tail, TailRecord } from '@nowcast/head';

/** The points of a flush, grouped by series (ascending local index), each series ascending in (time, value). */
export interface SortedPoints {
  count: number;
  /** Local index of each series that has points, and where its points begin; one more entry closes the last. */
  locals: Uint32Array;
  starts: Uint32Array;
  timestamps: Float64Array;
  values: Float64Array;
  receivedAt: Float64Array;
  dataIds: (string | undefined)[] | undefined;
  actors: (string | undefined)[] | undefined;
  messages: (string | undefined)[] | undefined;
}

/** Points after which the sort lets other work run; a few milliseconds. */
const slicePoints = 65_536;

/**
 * Groups the tail's points `[from, to)` by series with one counting sort, then puts each series in time order.
 * Yields between slices of work: a flush may hold a million points, and live views must not wait for them.
 * Equal times are ordered by value, the same rule that decides "first" and "last" everywhere
 * (docs/decisions/0004-ties-in-time.md).
 */
export function* sortPoints(
  tail: Tail,
  from: number,
  to: number,
  seriesCount: number,
  localOf: (handle: number) => number,
): Generator<void, SortedPoints> {
  const count = to - from;
  const next = new Uint32Array(seriesCount + 1);
  for (let at = from; at < to; at += slicePoints) {
    tail.scan(at, Math.min(at + slicePoints, to), (handles) => {
      for (let i = 0; i < handles.length; i++) next[localOf(handles[i]!) + 1]!++;
    });
    yield;
  }
  const { locals, starts } = series(next, seriesCount, count);
  for (let local = 1; local <= seriesCount; local++) next[local]! += next[local - 1]!;
  const records = tail.recordsIn(from, to);
  const sorted: SortedPoints = {
    count,
    locals,
    starts,
    timestamps: new Float64Array(count),
    values: new Float64Array(count),
    receivedAt: new Float64Array(count),
    dataIds: column(records, (extras) => extras.dataIds, count),
    actors: column(records, (extras) => extras.actors, count),
    messages: column(records, (extras) => extras.messages, count),
  };
  yield* place(tail, from, to, next, localOf, records, sorted);
  let sinceYield = 0;
  for (let s = 0; s < locals.length; s++) {
    orderByTime(sorted, starts[s]!, starts[s + 1]!);
    sinceYield += starts[s + 1]! - starts[s]!;
    if (sinceYield < slicePoints) continue;
    sinceYield = 0;
    yield;
  }
  return sorted;
}

function series(
  counts: Uint32Array,
  seriesCount: number,
  total: number,
): { locals: Uint32Array; starts: Uint32Array } {
  let present = 0;
  for (let local = 0; local < seriesCount; local++) if (counts[local + 1]! > 0) present++;
  const locals = new Uint32Array(present);
  const starts = new Uint32Array(present + 1);
  let start = 0;
  for (let local = 0, s = 0; local < seriesCount; local++) {
    const n = counts[local + 1]!;
    if (n === 0) continue;
    locals[s] = local;
    starts[s++] = start;
    start += n;
  }
  starts[present] = total;
  return { locals, starts };
}

type TextColumn = (string | undefined)[];

/** An empty column when any record fills it, else nothing: unused columns cost nothing further down. */
function column(
  records: readonly TailRecord[],
  pick: (extras: PointExtras) => TextColumn,
  count: number,
): TextColumn | undefined {
  const used = records.some(
    (record) => record.extras !== undefined && pick(record.extras).some((text) => text !== undefined),
  );
  return used ? Array.from<string | undefined>({ length: count }) : undefined;
}

function* place(
  tail: Tail,
  from: number,
  to: number,
  next: Uint32Array,
  localOf: (handle: number) => number,
  records: readonly TailRecord[],
  out: SortedPoints,
): Generator<void, void> {
  const targets = new Uint32Array(to - from);
  for (let at = from; at < to; at += slicePoints) {
    tail.scan(at, Math.min(at + slicePoints, to), (handles, timestamps, values, position) => {
      for (let i = 0; i < handles.length; i++) {
        const target = next[localOf(handles[i]!)]!++;
        out.timestamps[target] = timestamps[i]!;
        out.values[target] = values[i]!;
        targets[position - from + i] = target;
      }
    });
    yield;
  }
  let sinceYield = 0;
  for (const record of records) {
    sinceYield += record.count;
    if (sinceYield >= slicePoints) {
      sinceYield = 0;
      yield;
    }
    const start = record.start - from;
    for (let i = start; i < start + record.count; i++) out.receivedAt[targets[i]!] = record.receivedAt;
    record.extras?.rows.forEach((row, i) => {
      const target = targets[start + row]!;
      if (out.dataIds !== undefined) out.dataIds[target] = record.extras!.dataIds[i];
      if (out.actors !== undefined) out.actors[target] = record.extras!.actors[i];
      if (out.messages !== undefined) out.messages[target] = record.extras!.messages[i];
    });
  }
}

function orderByTime(points: SortedPoints, start: number, end: number): void {
  const { timestamps, values } = points;
  const compare = (a: number, b: number) => timestamps[a]! - timestamps[b]! || values[a]! - values[b]!;
  let ordered = true;
  for (let i = start + 1; i < end && ordered; i++) ordered = compare(i - 1, i) <= 0;
  if (ordered) return;
  const order = Array.from({ length: end - start }, (_, i) => start + i).sort(compare);
  for (const numbers of [timestamps, values, points.receivedAt]) {
    numbers.set(
      order.map((i) => numbers[i]!),
      start,
    );
  }
  for (const texts of [points.dataIds, points.actors, points.messages]) {
    if (texts === undefined) continue;
    const moved = order.map((i) => texts[i]);
    for (let i = 0; i < moved.length; i++) texts[start + i] = moved[i];
  }
}
