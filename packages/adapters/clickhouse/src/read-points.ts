import { inSlices } from '@nowcast/kernel/slices';
import type { PointColumns, PointsRequest } from '@nowcast/ports';
import { chunkConditions } from './chunk-sql.ts';
import { ChunkReader, PointSink } from './chunk-reader.ts';
import { tooManyPoints } from './engine-error.ts';
import type { Manifest } from './manifest.ts';
import { readNative } from './native-reader.ts';
import { exactPageRange, inPageOrder, pageCondition, pageStretches } from './read-page.ts';
import type { SqlConnection } from './sql-connection.ts';

const minuteMs = 60_000;

export const chunkValueColumns =
  'series, start, n, time_scale, time_fraction, time_step, time_steps, time_raw, exponent, first, steps8, steps16, steps32, steps64, values_raw';
export const chunkRecordColumns =
  'receipt_lag, receipt_step, receipt_steps, receipt_runs, data_ids, actors, messages';

/** Points of one read: each takes 20 bytes here, several times that while columns grow and the answer is folded. */
const mostPoints = 10_000_000;
/** Points of one series, a millisecond: hardly any source sends a hundred a second. */
const mostPerMs = 0.1;
/** Points decoded at a time, about a millisecond of work. */
const slicePoints = 100_000;

/** `Warehouse.readPoints`: the chunks that overlap the range, decoded here and cut to it. */
export async function readPoints(
  connection: SqlConnection,
  manifest: Manifest,
  request: PointsRequest,
): Promise<PointColumns> {
  if (request.series.length === 0 || request.from >= request.to)
    return new PointSink(request.records).columns();
  const { page } = request;
  const whole = { from: Math.floor(request.from), to: Math.ceil(request.to) };
  const conditions = chunkConditions(manifest, request);
  if (page === undefined) {
    const where = mayBeTooMany(request) ? `${conditions} AND ${boundCondition(conditions)}` : conditions;
    return decode(await readChunks(connection, manifest, request, whole, where), request, request);
  }
  for (const stretch of pageStretches(manifest, whole, page)) {
    const where = `${conditions} AND ${pageCondition(request, page, stretch, conditions)}`;
    const reader = await readChunks(connection, manifest, request, stretch, where);
    const range = exactPageRange(reader, request, page);
    const isAll = stretch.from === whole.from && stretch.to === whole.to;
    const isNear = range !== undefined && range.from >= stretch.from && range.to <= stretch.to;
    if (isAll || isNear) return inPageOrder(await decode(reader, request, range ?? request), page);
  }
  throw new Error('invariant broken: the last stretch is the whole range');
}

/**
 * Whether there may be more points than one read may have. To be sure of it costs as much as planning a statement, so
 * that is left out where they would have to lie closer together than their resolution lets them, or than they ever do.
 */
function mayBeTooMany({ series, from, to, statedAt, bySketch }: PointsRequest): boolean {
  const finest = Math.min(...(statedAt ?? [0]));
  const finer = bySketch === true ? [minuteMs] : [10_000, minuteMs];
  const apartMs = finer.findLast((res) => res < finest);
  const perMs = apartMs === undefined ? mostPerMs : 2 / apartMs;
  return series.length * (to - from) * perMs > mostPoints;
}

/**
 * Has the statement fail, before it reads any points, when there are too many of them: those of a chunk are taken to be
 * spread evenly. How large the answer is would not tell, since points at even distances take next to nothing.
 */
function boundCondition(conditions: string): string {
  const inside =
    'n * (least(until, {to:Int64} - 1) - greatest(start, {from:Int64}) + 1) / (until - start + 1)';
  return `(SELECT throwIf(sum(${inside}) > ${mostPoints}) FROM chunks WHERE ${conditions}) = 0`;
}

async function readChunks(
  connection: SqlConnection,
  { chunkSpans }: Manifest,
  request: PointsRequest,
  range: { from: number; to: number },
  where: string,
): Promise<ChunkReader> {
  const { at, tenant, metric, series, limits } = request;
  const columns = [chunkValueColumns];
  if (request.records) columns.push(chunkRecordColumns);
  if (request.page !== undefined) columns.push('until');
  const sql = `SELECT ${columns.join(', ')} FROM chunks WHERE ${where}`;
  const earliest = chunkSpans.startOf(tenant, metric, range.from);
  const params = { at, tenant, metric, series, ...range, earliest };
  const { timeoutMs, signal } = limits;
  const bytes = await connection.query(sql, params, { lane: 'read', timeoutMs, signal });
  return new ChunkReader(readNative(bytes), request.records);
}

function decode(
  reader: ChunkReader,
  request: PointsRequest,
  range: { from: number; to: number },
): Promise<PointColumns> {
  return inSlices(decodeRows(reader, request, range));
}

function* decodeRows(
  reader: ChunkReader,
  request: PointsRequest,
  range: { from: number; to: number },
): Generator<void, PointColumns> {
  const sink = new PointSink(request.records);
  const position = new Map<bigint, number>();
  request.series.forEach((id, i) => position.set(id, i));
  let sinceYield = 0;
  for (let row = 0; row < reader.rows; row++) {
    sink.add(reader, row, position.get(reader.series[row]!)!, range.from, range.to);
    if (sink.length > mostPoints) throw tooManyPoints();
    sinceYield += reader.n[row]!;
    if (sinceYield < slicePoints) continue;
    sinceYield = 0;
    yield;
  }
  return sink.columns();
}
