import { derivedDataId, type ResolvedQuery } from '@nowcast/aggregate';
import { appError, type PointRecord } from '@nowcast/contract';
import type { SeriesIndex, Tail } from '@nowcast/head';
import type { PointColumns, QueryLimits, Warehouse } from '@nowcast/ports';
import { byStableId } from './selection.ts';
import type { HeadSource } from './sources.ts';
import { endOf, startOf, tailReaches, type TailSpan } from './tail-fold.ts';

/** One point on its way into a page of records. */
interface Row {
  handle: number;
  timestamp: number;
  value: number;
  receivedAt: number;
  dataId: string | undefined;
  actor: string | undefined;
  message: string | undefined;
}

export interface RecordPage {
  /** In the query's order: newest first unless it says `asc`. */
  rows: { handle: number; record: PointRecord }[];
  /** Where the next page begins; undefined on the last one. */
  cursor: string | undefined;
}

/**
 * Pages of the points themselves (`agg=none`): the warehouse's and the tail's, at one vector, in (time, receipt,
 * series, value) order. A cursor names the last time of a page and how many records of that time it has shown, so
 * points that arrive between two pages shift nothing that was already read.
 */
export async function readRecords(
  sources: { index: SeriesIndex; head: HeadSource; warehouse: Warehouse },
  tenant: string,
  query: ResolvedQuery,
  limits: QueryLimits,
  until?: readonly number[],
): Promise<RecordPage> {
  const { index, head } = sources;
  const handles = index.match(tenant, query.metricType, query.where);
  const limit = query.limit ?? 100;
  const start = parseCursor(query.cursor);
  const range = pageRange(query, start);
  const page = { limit: limit + start.skip + 1, order: query.order };
  const span = { end: until, reach: range.from };
  let rows: Row[];
  if (tailReaches(head.tails, range.from)) {
    rows = tailRows(index, head, handles, { ...span, start: undefined }, range.to, page);
  } else {
    const pin = head.pin();
    try {
      const stored = await storedRows(sources, tenant, query, handles, range, page.limit, pin.at, limits);
      rows = stored.concat(tailRows(index, head, handles, { ...span, start: pin.positions }, range.to, page));
    } finally {
      pin.release();
    }
  }
  const named = nameRows(index, rows);
  if (query.order === 'desc') named.reverse();
  const shown = named.slice(start.skip, start.skip + limit);
  const more = named.length > start.skip + limit;
  return {
    rows: shown.map((row) => ({ handle: row.handle, record: toRecord(index, row) })),
    cursor: more ? nextCursor(shown, start) : undefined,
  };
}

interface NamedRow extends Row {
  dataId: string;
}

/**
 * Gives every row its id and puts the rows in the order of pages and feeds alike: (time, receipt, id). A point without
 * a data id is named by its series, its time and its ordinal among points of both, in (receipt, value) order.
 */
function nameRows(index: SeriesIndex, rows: Row[]): NamedRow[] {
  rows.sort((a, b) => compareRows(index, a, b));
  let seen = new Map<number, number>();
  let time = Number.NaN;
  const named = rows.map((row): NamedRow => {
    if (row.timestamp !== time) seen = new Map();
    time = row.timestamp;
    const ordinal = seen.get(row.handle) ?? 0;
    seen.set(row.handle, ordinal + 1);
    return { ...row, dataId: row.dataId ?? derivedDataId(index.idOf(row.handle), row.timestamp, ordinal) };
  });
  return named.sort(
    (a, b) => a.timestamp - b.timestamp || a.receivedAt - b.receivedAt || (a.dataId < b.dataId ? -1 : 1),
  );
}

function compareRows(index: SeriesIndex, a: Row, b: Row): number {
  if (a.timestamp !== b.timestamp) return a.timestamp - b.timestamp;
  if (a.receivedAt !== b.receivedAt) return a.receivedAt - b.receivedAt;
  if (a.handle !== b.handle) return index.idOf(a.handle) < index.idOf(b.handle) ? -1 : 1;
  return a.value - b.value;
}

interface Cursor {
  /** Event time at which to go on; undefined: from the range's end. */
  at: number | undefined;
  /** Records of that very time to pass over. */
  skip: number;
}

function parseCursor(text: string | undefined): Cursor {
  if (text === undefined) return { at: undefined, skip: 0 };
  const match = /^(-?\d+(?:\.\d+)?)~(\d{1,9})$/.exec(text);
  if (match === null)
    throw appError('query.invalid', 'the cursor is not one this server gave; leave it out to begin again');
  return { at: Number(match[1]), skip: Number(match[2]) };
}

function nextCursor(page: readonly Row[], start: Cursor): string {
  const at = page.at(-1)!.timestamp;
  const shown = page.filter((row) => row.timestamp === at).length;
  return `${at}~${at === start.at ? start.skip + shown : shown}`;
}

function pageRange(query: ResolvedQuery, { at }: Cursor): { from: number; to: number } {
  if (at === undefined) return { from: query.from, to: query.to };
  // The page goes on at the very time the last one ended; `to` is exclusive, so it lies just behind it.
  if (query.order === 'asc') return { from: Math.max(query.from, at), to: query.to };
  return { from: query.from, to: Math.min(query.to, nextUp(at)) };
}

/** The smallest number a timestamp can be told from `at` by, at microsecond grain. */
function nextUp(at: number): number {
  return at + 0.001;
}

/**
 * Stored rows from the page's beginning on, `limit` of them or more: the last time among them is read whole, so that
 * points of one time are numbered alike on every page.
 */
async function storedRows(
  sources: { index: SeriesIndex; warehouse: Warehouse },
  tenant: string,
  query: ResolvedQuery,
  handles: Uint32Array,
  range: { from: number; to: number },
  limit: number,
  at: readonly number[],
  limits: QueryLimits,
): Promise<Row[]> {
  const { selection, ids } = byStableId(
    { tenant, metric: query.metricType, handles, units: handles },
    sources.index,
  );
  if (ids.length === 0) return [];
  const common = { at, tenant, metric: query.metricType, series: ids, records: true, limits };
  const page = await sources.warehouse.readPoints({
    ...common,
    ...range,
    page: { limit, order: query.order },
  });
  const rows = Array.from({ length: page.length }, (_, i) => storedRow(page, i, selection.handles));
  if (rows.length < limit) return rows;
  const edge = rows.reduce(
    (time, row) => (query.order === 'asc' ? Math.max(time, row.timestamp) : Math.min(time, row.timestamp)),
    rows[0]!.timestamp,
  );
  const whole = await sources.warehouse.readPoints({ ...common, from: edge, to: nextUp(edge) });
  return [
    ...rows.filter((row) => row.timestamp !== edge),
    ...Array.from({ length: whole.length }, (_, i) => storedRow(whole, i, selection.handles)),
  ];
}

function storedRow(points: PointColumns, i: number, handles: Uint32Array): Row {
  return {
    handle: handles[points.series[i]!]!,
    timestamp: points.timestamps[i]!,
    value: points.values[i]!,
    receivedAt: points.receivedAt[i]!,
    dataId: points.dataIds?.[i],
    actor: points.actors?.[i],
    message: points.messages?.[i],
  };
}

interface TailPoint {
  handle: number;
  tail: Tail;
  timestamp: number;
  value: number;
  position: number;
}

/**
 * The tail's rows from the page's beginning on, as `storedRows` gives the warehouse's: `limit` of them and all others of
 * the last one's time. Memory may hold millions of points of a metric; only those that can be on the page are kept.
 */
function tailRows(
  index: SeriesIndex,
  head: HeadSource,
  handles: Uint32Array,
  span: TailSpan,
  to: number,
  page: { limit: number; order: 'asc' | 'desc' },
): Row[] {
  const points = new FirstPoints(page.limit, page.order);
  for (const handle of handles) {
    const tail = head.tails[index.partitionOf(handle)]!;
    const keep = (timestamp: number, value: number, position: number) => {
      if (timestamp >= span.reach && timestamp < to && points.mayHold(timestamp))
        points.add({ handle, tail, timestamp, value, position });
    };
    tail.walk(handle, startOf(span, tail), endOf(span, tail), keep, span.reach);
  }
  return points.take().map(({ handle, tail, timestamp, value, position }) => {
    const texts = tail.textsAt(position);
    return {
      handle,
      timestamp,
      value,
      receivedAt: tail.recordAt(position).receivedAt,
      dataId: texts?.dataId,
      actor: texts?.actor,
      message: texts?.message,
    };
  });
}

/** Keeps the first `limit` points in the page's order, and those that share the time of the last of them. */
class FirstPoints {
  readonly #limit: number;
  readonly #ascending: boolean;
  #points: TailPoint[] = [];
  /** Points beyond this time cannot be on the page any more. */
  #edge: number;
  #most: number;

  constructor(limit: number, order: 'asc' | 'desc') {
    this.#limit = limit;
    this.#ascending = order === 'asc';
    this.#edge = this.#ascending ? Number.POSITIVE_INFINITY : Number.NEGATIVE_INFINITY;
    this.#most = 2 * limit + 1000;
  }

  mayHold(timestamp: number): boolean {
    return this.#ascending ? timestamp <= this.#edge : timestamp >= this.#edge;
  }

  add(point: TailPoint): void {
    this.#points.push(point);
    if (this.#points.length < this.#most) return;
    this.#prune();
    // Points of one time cannot be told apart by it: then there are simply many.
    this.#most = Math.max(this.#most, 2 * this.#points.length);
  }

  take(): readonly TailPoint[] {
    this.#prune();
    return this.#points;
  }

  #prune(): void {
    if (this.#points.length <= this.#limit) return;
    const times = Float64Array.from(this.#points, ({ timestamp }) => timestamp).sort();
    this.#edge = times[this.#ascending ? this.#limit - 1 : times.length - this.#limit]!;
    this.#points = this.#points.filter(({ timestamp }) => this.mayHold(timestamp));
  }
}

function toRecord(index: SeriesIndex, row: NamedRow): PointRecord {
  const definition = index.definitionOf(row.handle);
  return {
    data_id: row.dataId,
    source: definition.source,
    timestamp: row.timestamp,
    metric_type: definition.metric_type,
    value: row.value,
    labels: Object.fromEntries(definition.labels),
    ...(row.actor === undefined ? {} : { actor: row.actor }),
    ...(row.message === undefined ? {} : { message: row.message }),
    received_at: row.receivedAt,
  };
}
