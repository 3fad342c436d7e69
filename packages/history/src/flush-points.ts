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

/** Points after which the sort lets other work run; two milliseconds. */
const slicePoints = 16_384;
/** Points beyond which the columns of a flush are not kept for the next one: 24 bytes each. */
const mostKept = 2_000_000;

/**
 * The columns one flush is sorted in, used again by the next: they are the largest arrays on the path of a point, and
 * V8 answers every 64 MB of new ones with a collection of the whole heap. One flush at a time.
 */
export class FlushScratch {
  #timestamps = new Float64Array(0);
  #values = new Float64Array(0);
  #receivedAt = new Float64Array(0);

  take(count: number): Pick<SortedPoints, 'timestamps' | 'values' | 'receivedAt'> {
    if (count > this.#timestamps.length || this.#timestamps.length > mostKept) {
      const capacity = count > mostKept ? count : Math.min(mostKept, Math.ceil(count * 1.25));
      this.#timestamps = new Float64Array(capacity);
      this.#values = new Float64Array(capacity);
      this.#receivedAt = new Float64Array(capacity);
    }
    return {
      timestamps: this.#timestamps.subarray(0, count),
      values: this.#values.subarray(0, count),
      receivedAt: this.#receivedAt.subarray(0, count),
    };
  }
}

/**
 * Groups the tail's points `[from, to)` by series with one counting sort, then puts each series in time order.
 * Yields between slices of work: a flush may hold a million points, and live views must not wait for them.
 * Equal times are ordered by value, the same rule that decides "first" and "last" everywhere
 * (docs/decisions/0004-ties-in-time.md). The result is valid until `scratch` is used again.
 */
export function* sortPoints(
  tail: Tail,
  from: number,
  to: number,
  seriesCount: number,
  localOf: (handle: number) => number,
  scratch: FlushScratch,
): Generator<void, SortedPoints> {
  const count = to - from;
  const next = new Uint32Array(seriesCount + 1);
  for (let at = from; at < to; at += slicePoints) {
    tail.scan(at, Math.min(at + slicePoints, to), (handles) => countSeries(handles, localOf, next));
    yield;
  }
  const { locals, starts } = series(next, seriesCount, count);
  for (let local = 1; local <= seriesCount; local++) next[local]! += next[local - 1]!;
  const records = tail.recordsIn(from, to);
  const sorted: SortedPoints = {
    count,
    locals,
    starts,
    ...scratch.take(count),
    dataIds: column(records, (extras) => extras.dataIds, count),
    actors: column(records, (extras) => extras.actors, count),
    messages: column(records, (extras) => extras.messages, count),
  };
  yield* place(tail, next, localOf, records, sorted);
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

function countSeries(handles: Uint32Array, localOf: (handle: number) => number, next: Uint32Array): void {
  for (let i = 0; i < handles.length; i++) next[localOf(handles[i]!) + 1]!++;
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
  next: Uint32Array,
  localOf: (handle: number) => number,
  records: readonly TailRecord[],
  out: SortedPoints,
): Generator<void, void> {
  const targets = new Targets();
  let sinceYield = 0;
  for (const record of records) {
    const { start, count, extras, receivedAt } = record;
    const into = extras === undefined ? undefined : targets.of(count);
    tail.scan(start, start + count, (handles, timestamps, values, position) => {
      placeRun(handles, timestamps, values, next, localOf, out, receivedAt, into?.subarray(position - start));
    });
    if (extras !== undefined) placeTexts(extras, targets.of(count), out);
    sinceYield += count;
    if (sinceYield < slicePoints) continue;
    sinceYield = 0;
    yield;
  }
}

/** Where the points of one record went, for the few records that bring texts. */
class Targets {
  #array = new Uint32Array(0);

  of(count: number): Uint32Array {
    if (count > this.#array.length) this.#array = new Uint32Array(count * 2);
    return this.#array;
  }
}

function placeRun(
  handles: Uint32Array,
  timestamps: Float64Array,
  values: Float64Array,
  next: Uint32Array,
  localOf: (handle: number) => number,
  out: SortedPoints,
  receivedAt: number,
  targets: Uint32Array | undefined,
): void {
  const outTimes = out.timestamps;
  const outValues = out.values;
  const outReceived = out.receivedAt;
  for (let i = 0; i < handles.length; i++) {
    const target = next[localOf(handles[i]!)]!++;
    outTimes[target] = timestamps[i]!;
    outValues[target] = values[i]!;
    outReceived[target] = receivedAt;
    if (targets !== undefined) targets[i] = target;
  }
}

function placeTexts(extras: PointExtras, targets: Uint32Array, out: SortedPoints): void {
  for (let i = 0; i < extras.rows.length; i++) {
    const target = targets[extras.rows[i]!]!;
    if (out.dataIds !== undefined) out.dataIds[target] = extras.dataIds[i];
    if (out.actors !== undefined) out.actors[target] = extras.actors[i];
    if (out.messages !== undefined) out.messages[target] = extras.messages[i];
  }
}

/** Moves a point at most this far on average before a full sort is the cheaper way. */
const mostMovesPerPoint = 16;

/**
 * Senders that take turns deliver a series nearly in order, a few points displaced by a few places: insertion is the
 * cheapest sort for that. Points that lie far from their place (a backfill) are sorted by an index.
 */
function orderByTime(points: SortedPoints, start: number, end: number): void {
  const { timestamps, values, receivedAt, dataIds, actors, messages } = points;
  let moves = (end - start) * mostMovesPerPoint;
  const texts = [dataIds, actors, messages].filter((column) => column !== undefined);
  for (let i = start + 1; i < end; i++) {
    const time = timestamps[i]!;
    const value = values[i]!;
    let at = i;
    while (
      at > start &&
      (timestamps[at - 1]! > time || (timestamps[at - 1] === time && values[at - 1]! > value))
    )
      at--;
    if (at === i) continue;
    moves -= i - at;
    if (moves < 0) return sortByIndex(points, start, end);
    const received = receivedAt[i]!;
    for (let k = i; k > at; k--) {
      timestamps[k] = timestamps[k - 1]!;
      values[k] = values[k - 1]!;
      receivedAt[k] = receivedAt[k - 1]!;
    }
    timestamps[at] = time;
    values[at] = value;
    receivedAt[at] = received;
    for (const column of texts) moveText(column, i, at);
  }
}

function moveText(column: TextColumn, from: number, to: number): void {
  const text = column[from];
  column.copyWithin(to + 1, to, from);
  column[to] = text;
}

function sortByIndex(points: SortedPoints, start: number, end: number): void {
  const { timestamps, values } = points;
  const order = Array.from({ length: end - start }, (_, i) => start + i).sort(
    (a, b) => timestamps[a]! - timestamps[b]! || values[a]! - values[b]!,
  );
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
