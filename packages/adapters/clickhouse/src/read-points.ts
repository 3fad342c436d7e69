import type { PointColumns, PointsRequest } from '@nowcast/ports';
import { chunkConditions, chunkParams, pointsOptions } from './chunk-sql.ts';
import { ChunkReader, PointSink } from './chunk-reader.ts';
import type { Manifest } from './manifest.ts';
import { readNative } from './native-reader.ts';
import { exactPageRange, inPageOrder, surePageRange } from './read-page.ts';
import type { SqlConnection } from './sql-connection.ts';

export const chunkValueColumns =
  'series, start, n, time_scale, time_fraction, time_step, time_steps, time_raw, exponent, first, steps8, steps16, steps32, steps64, values_raw';
export const chunkRecordColumns = 'receipt_lag, receipt_step, receipt_steps, data_ids, actors, messages';

/** `Warehouse.readPoints`: the chunks that overlap the range, decoded here and cut to it. */
export async function readPoints(
  connection: SqlConnection,
  manifest: Manifest,
  request: PointsRequest,
): Promise<PointColumns> {
  const { page } = request;
  const sink = new PointSink(request.records);
  if (request.series.length === 0 || request.from >= request.to) return sink.columns();
  const whole = { from: Math.floor(request.from), to: Math.ceil(request.to) };
  const range =
    page === undefined ? whole : ((await surePageRange(connection, manifest, request, page)) ?? whole);
  const columns = [chunkValueColumns];
  if (request.records) columns.push(chunkRecordColumns);
  if (page !== undefined) columns.push('until');
  const sql = `SELECT ${columns.join(', ')} FROM chunks WHERE ${chunkConditions(manifest, request)}`;
  const bytes = await connection.query(sql, chunkParams(request, range), pointsOptions(request));
  const reader = new ChunkReader(readNative(bytes), request.records);
  const position = new Map<bigint, number>();
  request.series.forEach((id, i) => position.set(id, i));
  const wanted = page === undefined ? request : exactPageRange(reader, request, page);
  for (let row = 0; row < reader.rows; row++) {
    sink.add(reader, row, position.get(reader.series[row]!)!, wanted.from, wanted.to);
  }
  const points = sink.columns();
  return page === undefined ? points : inPageOrder(points, page);
}
