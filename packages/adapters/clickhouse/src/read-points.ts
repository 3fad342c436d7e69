import type { PointColumns, PointsRequest } from '@nowcast/ports';
import { chunkConditions } from './chunk-sql.ts';
import { ChunkReader, PointSink } from './chunk-reader.ts';
import type { Manifest } from './manifest.ts';
import { readNative } from './native-reader.ts';
import { exactPageRange, inPageOrder, pageCondition, pageStretches } from './read-page.ts';
import type { SqlConnection } from './sql-connection.ts';

export const chunkValueColumns =
  'series, start, n, time_scale, time_fraction, time_step, time_steps, time_raw, exponent, first, steps8, steps16, steps32, steps64, values_raw';
export const chunkRecordColumns =
  'receipt_lag, receipt_step, receipt_steps, receipt_runs, data_ids, actors, messages';

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
    return decode(await readChunks(connection, manifest, request, whole, conditions), request, request);
  }
  for (const stretch of pageStretches(manifest, whole, page)) {
    const where = `${conditions} AND ${pageCondition(request, page, stretch, conditions)}`;
    const reader = await readChunks(connection, manifest, request, stretch, where);
    const range = exactPageRange(reader, request, page);
    const isAll = stretch.from === whole.from && stretch.to === whole.to;
    const isNear = range !== undefined && range.from >= stretch.from && range.to <= stretch.to;
    if (isAll || isNear) return inPageOrder(decode(reader, request, range ?? request), page);
  }
  throw new Error('invariant broken: the last stretch is the whole range');
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
): PointColumns {
  const sink = new PointSink(request.records);
  const position = new Map<bigint, number>();
  request.series.forEach((id, i) => position.set(id, i));
  for (let row = 0; row < reader.rows; row++) {
    sink.add(reader, row, position.get(reader.series[row]!)!, range.from, range.to);
  }
  return sink.columns();
}
