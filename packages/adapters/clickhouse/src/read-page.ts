import type { PointColumns, PointsRequest } from '@nowcast/ports';
import { chunkConditions, chunkParams, pointsOptions } from './chunk-sql.ts';
import type { ChunkReader } from './chunk-reader.ts';
import type { Manifest } from './manifest.ts';
import { readNative } from './native-reader.ts';
import { hourMs } from './schema.ts';
import type { SqlConnection } from './sql-connection.ts';

/**
 * Pages of points. The newest fifty points of a thousand series may lie in a thousand chunks, so reading chunk after
 * chunk until there are fifty points reads them all, and sorting what was read sorts millions. Instead:
 *
 * 1. `surePageRange` asks for the borders of chunks alone, over a stretch that grows while too few points are certain:
 *    a chunk has one point at its first time, one at its last, and the others in between. From the border at which
 *    `limit` points are certain, the rest of the range can be left out.
 * 2. The chunks that reach into what is left are read; fewer than `limit` of them begin outside, unless many end at the
 *    very same time.
 * 3. `exactPageRange` decodes their times alone and finds the time of the page's last point. Only what lies before it
 *    is decoded, copied and sorted.
 */
type Page = NonNullable<PointsRequest['page']>;

interface Range {
  from: number;
  to: number;
}

/** Stretches looked at in turn, ms. */
const stretches = [hourMs, 16 * hourMs, 20 * 24 * hourMs, Number.POSITIVE_INFINITY];

/** The part of the range, in whole milliseconds, that surely holds the page; undefined: nothing is sure. */
export async function surePageRange(
  connection: SqlConnection,
  manifest: Manifest,
  request: PointsRequest,
  page: Page,
): Promise<Range | undefined> {
  const newest = page.order === 'desc';
  const whole = { from: Math.floor(request.from), to: Math.ceil(request.to) };
  for (const stretch of stretchesOf(manifest, whole, newest)) {
    const sql = bordersStatement(manifest, request, page);
    const found = readNative(
      await connection.query(sql, chunkParams(request, stretch), pointsOptions(request)),
    );
    if ((found.numbers('points')[0] ?? 0) < page.limit) continue;
    const border = found.numbers('border')[0]!;
    // A chunk that is seen only because it ends here may begin anywhere; others that end before it are not seen.
    const isSeen = newest ? border >= stretch.from : border < stretch.to;
    if (isSeen) return newest ? { ...whole, from: border } : { ...whole, to: border + 1 };
  }
  return undefined;
}

/** Growing stretches from the page's end of the range on, beginning where there is anything at all. */
function* stretchesOf(manifest: Manifest, whole: Range, newest: boolean): Generator<Range> {
  const hours = manifest.touchedHours();
  const oldest = hours.reduce((least, hour) => Math.min(least, hour), Number.POSITIVE_INFINITY);
  const latest = hours.reduce((most, hour) => Math.max(most, hour + hourMs), Number.NEGATIVE_INFINITY);
  for (const stretch of stretches) {
    const range = newest
      ? { ...whole, from: Math.max(whole.from, Math.min(whole.to, latest) - stretch) }
      : { ...whole, to: Math.min(whole.to, Math.max(whole.from, oldest) + stretch) };
    yield range;
    if (range.from <= whole.from && range.to >= whole.to) return;
  }
}

/**
 * The border from which on `limit` points are certain, and how many are. Borders are whole milliseconds, rounded down;
 * only those whose points surely lie inside the range count.
 */
function bordersStatement(manifest: Manifest, request: PointsRequest, page: Page): string {
  const newest = page.order === 'desc';
  const [near, far] = newest ? ['until', 'start'] : ['start', 'until'];
  const isInside = (border: string) =>
    `${border} >= ${Math.ceil(request.from)} AND ${border} < ${Math.floor(request.to)}`;
  return `SELECT ${newest ? 'min' : 'max'}(border) AS border, sum(points) AS points FROM (
    SELECT border, points, sum(points) OVER (ORDER BY border ${newest ? 'DESC' : 'ASC'} ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW) - points AS before
    FROM (
      SELECT arrayJoin([(${near}, toUInt64(${isInside(near)})), (${far}, toUInt64(if(n > 1 AND ${isInside(far)}, if(${isInside(near)}, n - 1, 1), 0)))]) AS pair,
        pair.1 AS border, pair.2 AS points
      FROM chunks WHERE ${chunkConditions(manifest, request)}
    ) WHERE points > 0
  ) WHERE before < ${page.limit}`;
}

/** The range of times that the page's points have, the last one's included. */
export function exactPageRange(reader: ChunkReader, request: PointsRequest, { limit, order }: Page): Range {
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
  if (edge === undefined) return request;
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
