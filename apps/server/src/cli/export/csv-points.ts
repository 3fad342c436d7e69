import { appError, csvRow, labelOf, type PointRecord } from '@nowcast/contract';

/** Columns of a point in CSV; labels follow, as `label.name`. `GET /data` writes the same. */
export const pointColumns = [
  'timestamp',
  'metric_type',
  'source',
  'value',
  'data_id',
  'actor',
  'message',
  'received_at',
] as const;
export const labelPrefix = 'label.';

export function csvHeader(labels: readonly string[]): string {
  return csvRow([...pointColumns, ...labels.map((name) => `${labelPrefix}${name}`)]);
}

/** Throws when the point has a label that the header does not name: it would be lost without a word. */
export function csvLine(point: PointRecord, labels: ReadonlySet<string>): string {
  const unknown = Object.keys(point.labels).find((name) => !labels.has(name));
  if (unknown !== undefined)
    throw appError(
      'request.conflict',
      `the label ${unknown} appeared while the table was being written; run the export again`,
    );
  const own = pointColumns.map((column) => point[column] ?? '');
  return csvRow([...own, ...[...labels].map((name) => labelOf(point.labels, name))]);
}
