import { RecordNames, type ResolvedQuery } from '@nowcast/aggregate';
import type { PointRecord } from '@nowcast/contract';
import type { SeriesIndex } from '@nowcast/head';
import type { PointColumns, QueryLimits, Warehouse } from '@nowcast/ports';
import { nextUp } from './next-up.ts';
import type { PageSource, PageWanted, RecordPoint } from './page-source.ts';
import { compareRecords, cursorText, parseCursor, type RecordCursor } from './record-cursor.ts';
import { byStableId } from './selection.ts';
import type { HeadSource } from './sources.ts';
import { tailReaches } from './tail-fold.ts';
import { tailRecords } from './tail-records.ts';

export interface RecordPage {
  /** In the query's order: newest first unless it says `asc`. */
  rows: { handle: number; record: PointRecord }[];
  /** Where the next page begins; undefined on the last one. */
  cursor: string | undefined;
}

interface RecordSources {
  index: SeriesIndex;
  head: HeadSource;
  warehouse: Warehouse;
}

/**
 * Pages of the points themselves (`agg=none`): the warehouse's and the tail's, at one vector, in (time, receipt, id)
 * order. The next page goes on behind the last record of this one, so points that arrive between two pages shift
 * nothing: what was there when the first page was read is shown exactly once.
 */
export async function readRecords(
  sources: RecordSources,
  tenant: string,
  query: ResolvedQuery,
  limits: QueryLimits,
  until?: readonly number[],
): Promise<RecordPage> {
  const { index } = sources;
  const handles = index.match(tenant, query.metricType, query.where);
  const limit = query.limit ?? 100;
  const start = parseCursor(query.cursor);
  const page = { tenant, query, handles, range: pageRange(query, start), limits, until };
  // One more than the page shows says whether there is another page. Should so many others be at the time where the
  // last page ended, or have arrived there since, that those read are all before its end, more are read.
  for (let most = limit + 1 + (start?.passed ?? 0); ; most *= 2) {
    const { rows, edge } = await readPage(sources, page, { limit: most, order: query.order });
    const named = nameRows(index, rows);
    if (query.order === 'desc') named.reverse();
    const first = start === undefined ? 0 : named.findIndex((row) => isBehind(row, start, query.order));
    const left = first < 0 ? [] : named.slice(first);
    if (left.length <= limit && edge !== undefined) continue;
    const shown = left.slice(0, limit);
    return {
      rows: shown.map((row) => ({ handle: row.handle, record: toRecord(index, row) })),
      cursor: left.length > limit ? cursorText(endOfPage(named, shown.at(-1)!)) : undefined,
    };
  }
}

interface PageRequest {
  tenant: string;
  query: ResolvedQuery;
  handles: Uint32Array;
  range: { from: number; to: number };
  limits: QueryLimits;
  until: readonly number[] | undefined;
}

async function readPage(
  sources: RecordSources,
  request: PageRequest,
  wanted: PageWanted,
): Promise<PageSource> {
  const { index, head } = sources;
  const { handles, range, until } = request;
  const inTail = (from: number, start: readonly number[] | undefined) =>
    tailRecords(index, head, handles, { start, end: until, reach: from }, range.to, wanted);
  if (tailReaches(head.tails, range.from)) return inTail(range.from, undefined);
  if (wanted.order === 'desc') {
    // Memory holds everything above this time, so a page that ends above it needs nothing else.
    const held = head.tails.reduce((newest, tail) => Math.max(newest, tail.evictedNewest), range.from);
    const newest = held < range.to ? inTail(nextUp(held), undefined) : undefined;
    if (newest !== undefined && newest.rows.length >= wanted.limit)
      return { rows: newest.rows, edge: newest.edge ?? nextUp(held) };
  }
  const pin = head.pin();
  try {
    const stored = await storedRecords(sources, request, wanted, pin.at);
    return joined(stored, inTail(range.from, pin.positions), wanted.order);
  } finally {
    pin.release();
  }
}

/** Both sources up to where both are complete. */
function joined(a: PageSource, b: PageSource, order: 'asc' | 'desc'): PageSource {
  const edges = [a.edge, b.edge].filter((edge) => edge !== undefined);
  const rows = a.rows.concat(b.rows);
  if (edges.length === 0) return { rows, edge: undefined };
  const edge = order === 'asc' ? Math.min(...edges) : Math.max(...edges);
  const isKnown = ({ timestamp }: RecordPoint) => (order === 'asc' ? timestamp <= edge : timestamp >= edge);
  return { rows: rows.filter(isKnown), edge };
}

interface NamedRow extends RecordPoint {
  dataId: string;
}

/** Gives every row its id and puts the rows in the order of pages and feeds alike. */
function nameRows(index: SeriesIndex, rows: readonly RecordPoint[]): NamedRow[] {
  const names = new RecordNames();
  return rows
    .map((row): NamedRow => ({
      ...row,
      dataId: row.dataId ?? names.next({ ...row, seriesId: index.idOf(row.handle) }),
    }))
    .sort(compareRecords);
}

function isBehind(row: NamedRow, start: RecordCursor, order: 'asc' | 'desc'): boolean {
  const compared = compareRecords(row, start);
  return order === 'asc' ? compared > 0 : compared < 0;
}

function endOfPage(rows: readonly NamedRow[], last: NamedRow): RecordCursor {
  const { timestamp, receivedAt, dataId } = last;
  const from = rows.findIndex((row) => row.timestamp === timestamp);
  return { timestamp, receivedAt, dataId, passed: rows.indexOf(last) + 1 - from };
}

function pageRange(query: ResolvedQuery, start: RecordCursor | undefined): { from: number; to: number } {
  const { from, to } = query;
  if (start === undefined) return { from, to };
  // The page goes on at the very time the last one ended; `to` is exclusive, so it lies just behind it.
  if (query.order === 'asc') return { from: Math.max(from, start.timestamp), to };
  return { from, to: Math.min(to, nextUp(start.timestamp)) };
}

async function storedRecords(
  { index, warehouse }: RecordSources,
  { tenant, query, handles, range, limits }: PageRequest,
  wanted: PageWanted,
  at: readonly number[],
): Promise<PageSource> {
  const chosen = { tenant, metric: query.metricType, handles, units: handles };
  const { selection, ids } = byStableId(chosen, index);
  if (ids.length === 0) return { rows: [], edge: undefined };
  const names = { tenant, metric: query.metricType };
  const request = { at, ...names, series: ids, ...range, records: true, page: wanted, limits };
  const points = await warehouse.readPoints(request);
  const rows = Array.from({ length: points.length }, (_, i) => storedPoint(points, i, selection.handles));
  return { rows, edge: rows.length < wanted.limit ? undefined : rows.at(-1)!.timestamp };
}

function storedPoint(points: PointColumns, i: number, handles: Uint32Array): RecordPoint {
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
