import type { PointColumns, PointsRequest } from '@nowcast/ports';
import type { ChunkReader } from './chunk-reader.ts';
import type { Manifest } from './manifest.ts';
import { dayMs, hourMs } from './schema.ts';

/**
 * Pages of points. The newest fifty points of a thousand series may lie in a thousand chunks, so reading chunk after
 * chunk until there are fifty points reads them all, and sorting what was read sorts millions. Instead:
 *
 * 1. Only chunks that reach beyond a border are read. Each chunk has a point at its last time and a chunk of `limit`
 *    points has them all behind its first time, so the `limit`th of the last times and the latest of those first times
 *    are borders that surely have the page on their near side. The engine finds them in the same statement, from the
 *    newest stretch alone when that is enough: planning a statement costs more than the border does.
 * 2. `exactPageRange` decodes the times of these chunks and finds the time of the page's last point. Only what lies
 *    before it is decoded, copied and sorted.
 *
 * All this with the ends exchanged for the oldest points.
 */
type Page = NonNullable<PointsRequest['page']>;

interface Range {
  from: number;
  to: number;
}

/** Growing stretches from the page's end of the range on, beginning where there is anything at all; the last is all. */
export function* pageStretches(manifest: Manifest, whole: Range, { order }: Page): Generator<Range> {
  const hours = manifest.touchedHours();
  const oldest = hours.reduce((least, hour) => Math.min(least, hour), Number.POSITIVE_INFINITY);
  const latest = hours.reduce((most, hour) => Math.max(most, hour + hourMs), Number.NEGATIVE_INFINITY);
  const near =
    order === 'desc'
      ? { ...whole, from: Math.max(whole.from, Math.min(whole.to, latest) - dayMs) }
      : { ...whole, to: Math.min(whole.to, Math.max(whole.from, oldest) + dayMs) };
  if (near.from > whole.from || near.to < whole.to) yield near;
  yield whole;
}

/** Leaves out the chunks that cannot have points of the page, of those that `conditions` let through. */
export function pageCondition(
  request: PointsRequest,
  page: Page,
  stretch: Range,
  conditions: string,
): string {
  const { limit, order } = page;
  const newest = order === 'desc';
  const isInside = (time: string) =>
    `${time} >= ${Math.ceil(request.from)} AND ${time} < ${Math.floor(request.to)}`;
  // Chunk borders are whole milliseconds, rounded down. A chunk that reaches out of the range on the near side counts
  // for the point at its other end.
  const [near, far] = newest ? ['until', 'start'] : ['start', 'until'];
  const nearest = `if(${isInside(near)}, ${near}, ${far})`;
  const isFull = `n >= ${limit} AND ${isInside('start')} AND ${isInside('until')}`;
  const sign = newest ? '-' : '';
  const end = newest ? stretch.from : stretch.to;
  const borders = `if(count() < ${limit}, ${end}, ${sign}(groupArraySorted(${limit})(${sign}(${nearest}))[${limit}])),
    if(countIf(${isFull}) = 0, ${end}, ${newest ? 'max' : 'min'}If(${far}, ${isFull}))`;
  const border = `SELECT ${newest ? 'greatest' : 'least'}(${end}, ${borders}) FROM chunks WHERE ${conditions} AND ${isInside(nearest)}`;
  return `${near} ${newest ? '>=' : '<='} (${border})`;
}

/** The range of times that the page's points have, the last one's included; undefined: there are not so many points. */
export function exactPageRange(
  reader: ChunkReader,
  request: PointsRequest,
  { limit, order }: Page,
): Range | undefined {
  const { from, to } = request;
  const newest = order === 'desc';
  const first = new FirstTimes(limit, newest);
  const { start, until } = reader.borders();
  const rows = Uint32Array.from({ length: reader.rows }, (_, row) => row);
  rows.sort((a, b) => (newest ? until[b]! - until[a]! : start[a]! - start[b]!));
  for (const row of rows) {
    if (!first.mayHold(newest ? until[row]! + 1 : start[row]!)) break;
    const times = reader.timesOf(row);
    for (let k = 0; k < times.length; k++) {
      const time = times[newest ? times.length - 1 - k : k]!;
      if (newest ? time >= to : time < from) continue;
      if ((newest ? time < from : time >= to) || !first.mayHold(time)) break;
      first.add(time);
    }
  }
  const edge = first.edge();
  if (edge === undefined) return undefined;
  return newest ? { from: Math.max(from, edge), to } : { from, to: Math.min(to, nextUp(edge)) };
}

/** Finds the time of the `limit`th of very many, without keeping or sorting more than a few of them. */
class FirstTimes {
  readonly #limit: number;
  readonly #newest: boolean;
  readonly #times: Float64Array;
  #count = 0;
  #edge: number;

  constructor(limit: number, newest: boolean) {
    this.#limit = limit;
    this.#newest = newest;
    this.#times = new Float64Array(2 * limit + 1024);
    this.#edge = newest ? Number.NEGATIVE_INFINITY : Number.POSITIVE_INFINITY;
  }

  /** Whether a point of this time may be among the first; one of the very time of the last is of no matter. */
  mayHold(time: number): boolean {
    return this.#newest ? time > this.#edge : time < this.#edge;
  }

  add(time: number): void {
    this.#times[this.#count++] = time;
    if (this.#count === this.#times.length) this.#prune();
  }

  /** Time of the last of the first `limit`; undefined when there are fewer. */
  edge(): number | undefined {
    if (this.#count < this.#limit) return undefined;
    this.#prune();
    return this.#edge;
  }

  #prune(): void {
    const times = this.#times.subarray(0, this.#count).sort();
    if (this.#newest) times.copyWithin(0, this.#count - this.#limit);
    this.#count = this.#limit;
    this.#edge = times[this.#newest ? 0 : this.#limit - 1]!;
  }
}

const number = new Float64Array(1);
const bits = new BigInt64Array(number.buffer);

/** The smallest double above a time; times are not negative. */
function nextUp(time: number): number {
  number[0] = time;
  bits[0]! += 1n;
  return number[0];
}

/** Sorted by (time, value) from the page's end on; all that share the time of the `limit`th are in. */
export function inPageOrder(points: PointColumns, { order }: Page): PointColumns {
  const sign = order === 'asc' ? 1 : -1;
  const { timestamps, values } = points;
  const rows = Uint32Array.from({ length: points.length }, (_, i) => i);
  rows.sort((a, b) => sign * (timestamps[a]! - timestamps[b]! || values[a]! - values[b]! || a - b));
  const numbers = (column: Float64Array) =>
    column.length === 0 ? column : Float64Array.from(rows, (row) => column[row]!);
  const texts = (column: PointColumns['messages']) =>
    column === undefined ? undefined : Array.from(rows, (row) => column[row]);
  return {
    length: rows.length,
    series: rows.map((row) => points.series[row]!),
    timestamps: numbers(timestamps),
    values: numbers(values),
    receivedAt: numbers(points.receivedAt),
    dataIds: texts(points.dataIds),
    actors: texts(points.actors),
    messages: texts(points.messages),
  };
}
