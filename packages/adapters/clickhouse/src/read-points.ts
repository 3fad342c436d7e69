import type { PointColumns, PointsRequest } from '@nowcast/ports';
import { chunkConditions } from './chunk-sql.ts';
import { ChunkReader, PointSink } from './chunk-reader.ts';
import type { Manifest } from './manifest.ts';
import { readNative } from './native-reader.ts';
import type { SqlConnection } from './sql-connection.ts';
import type { SqlParams } from './sql-literals.ts';

export const chunkValueColumns =
  'series, start, n, time_scale, time_fraction, time_step, time_steps, time_raw, exponent, first, steps8, steps16, steps32, steps64, values_raw';
export const chunkRecordColumns = 'receipt_lag, receipt_step, receipt_steps, data_ids, actors, messages';

/** `Warehouse.readPoints`: the chunks that overlap the range, decoded here and cut to it. */
export async function readPoints(
  connection: SqlConnection,
  manifest: Manifest,
  request: PointsRequest,
): Promise<PointColumns> {
  const sink = new PointSink(request.records);
  if (request.series.length === 0 || request.from >= request.to) return sink.columns();
  const from = Math.floor(request.from);
  const to = Math.ceil(request.to);
  const range =
    request.page === undefined ? { from, to } : await pageRange(connection, manifest, request, { from, to });
  const where = chunkConditions(manifest, request);
  const columns = request.records ? `${chunkValueColumns}, ${chunkRecordColumns}` : chunkValueColumns;
  const sql = `SELECT ${columns} FROM chunks WHERE ${where}`;
  const bytes = await connection.query(sql, paramsOf(request, range), statementOptions(request));
  const reader = new ChunkReader(readNative(bytes), request.records);
  const position = new Map<bigint, number>();
  request.series.forEach((id, i) => position.set(id, i));
  for (let row = 0; row < reader.rows; row++) {
    sink.add(reader, row, position.get(reader.series[row]!)!, request.from, request.to);
  }
  const points = sink.columns();
  return request.page === undefined ? points : cutPage(points, request.page);
}

function paramsOf(request: PointsRequest, range: { from: number; to: number }): SqlParams {
  const { at, tenant, metric, series } = request;
  return { at, tenant, metric, series, from: range.from, to: range.to };
}

function statementOptions(request: PointsRequest) {
  return { lane: 'read', timeoutMs: request.limits.timeoutMs, signal: request.limits.signal } as const;
}

/**
 * The part of the range that surely holds the page. Chunks are taken from the wanted end until those that lie wholly
 * inside the range have enough points; nothing beyond the far end of these can be on the page.
 */
async function pageRange(
  connection: SqlConnection,
  manifest: Manifest,
  request: PointsRequest,
  range: { from: number; to: number },
): Promise<{ from: number; to: number }> {
  const { limit, order } = request.page!;
  const newest = order === 'desc';
  const sql = `SELECT min(edge) AS least, max(edge) AS most, sum(n) AS points FROM (
    SELECT ${newest ? 'start' : 'until'} AS edge, n, sum(n) OVER (ORDER BY ${newest ? 'until DESC' : 'start'}, edge ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW) - n AS before
    FROM chunks WHERE ${chunkConditions(manifest, request)} AND start >= {from:Int64} AND until < {to:Int64}
  ) WHERE before < ${limit}`;
  // Only chunks that lie wholly inside count, so the bounds are rounded inwards here.
  const inside = { from: Math.ceil(request.from), to: Math.floor(request.to) };
  const found = readNative(await connection.query(sql, paramsOf(request, inside), statementOptions(request)));
  if (found.rows === 0 || found.numbers('points')[0]! < limit) return range;
  return newest
    ? { ...range, from: found.numbers('least')[0]! }
    : { ...range, to: found.numbers('most')[0]! + 1 };
}

function cutPage(points: PointColumns, page: { limit: number; order: 'asc' | 'desc' }): PointColumns {
  const sign = page.order === 'asc' ? 1 : -1;
  const { timestamps, values } = points;
  const rows = Uint32Array.from({ length: points.length }, (_, i) => i);
  rows.sort((a, b) => sign * (timestamps[a]! - timestamps[b]! || values[a]! - values[b]! || a - b));
  const kept = rows.subarray(0, page.limit);
  const numbers = (column: Float64Array) =>
    column.length === 0 ? column : Float64Array.from(kept, (row) => column[row]!);
  const texts = (column: PointColumns['messages']) =>
    column === undefined ? undefined : Array.from(kept, (row) => column[row]);
  return {
    length: kept.length,
    series: kept.map((row) => points.series[row]!),
    timestamps: numbers(timestamps),
    values: numbers(values),
    receivedAt: numbers(points.receivedAt),
    dataIds: texts(points.dataIds),
    actors: texts(points.actors),
    messages: texts(points.messages),
  };
}
