import { csvRow, type DataAnswer, labelNames, labelOf, type PointRecord } from '@nowcast/contract';
import { bucketEnd, type BucketEnd, type Calendar } from '../../live/bucket-end.ts';
import { growthRate } from '../../live/growth-rate.ts';
import type { Rate } from '../../live/view-store.ts';
import { formatIso, resolveZone, type ZoneName } from '../../time/zone.ts';

/** How the panel shows the answer. */
export interface CsvView {
  zone: ZoneName;
  rate: Rate;
  /** The query that was answered. */
  query: Calendar;
}

/**
 * The lines of a panel's file, a header first: the numbers that the panel shows, each with its time twice, as people of
 * the board's zone read it and as programs sort it. What a column holds is in its name, since a file travels alone.
 */
export function csvFile(answer: DataAnswer, view: CsvView): string[] {
  // To find out which zone the browser is in takes longer than a row.
  const zone = resolveZone(view.zone);
  const times = [`time (${zone})`, 'timestamp_ms'];
  return answer.points === undefined
    ? bucketRows(answer, { ...view, zone }, times)
    : pointRows(answer.points, zone, times);
}

function bucketRows({ series, step_ms }: DataAnswer, view: CsvView, times: string[]): string[] {
  const names = labelNames(series);
  const endOf = bucketEnd(view.query, step_ms);
  const rows = [csvRow([...times, ...names, view.rate === 'none' ? 'value' : 'value_per_second'])];
  for (const { labels, timestamp, value } of series) {
    const cells = names.map((name) => labelOf(labels, name));
    for (const [i, at] of timestamp.entries())
      rows.push(
        csvRow([formatIso(at, view.zone), at, ...cells, shownAt(timestamp, value, i, endOf, view.rate)]),
      );
  }
  return rows;
}

/** As `ViewStore` keeps it. */
function shownAt(
  times: readonly number[],
  values: readonly (number | null)[],
  at: number,
  endOf: BucketEnd,
  rate: Rate,
): number | null {
  if (rate === 'growth') return growthRate(times, values, at, endOf);
  const value = values[at] ?? null;
  return value === null || rate === 'none' ? value : (value * 1000) / (endOf(times[at]!) - times[at]!);
}

function pointRows(points: readonly PointRecord[], zone: ZoneName, times: string[]): string[] {
  const fields = ['metric_type', 'source', 'value', 'data_id', 'actor', 'message'] as const;
  const names = labelNames(points);
  const labels = names.map((name) => `label.${name}`);
  return [
    csvRow([...times, ...fields, 'received_at_ms', ...labels]),
    ...points.map((point) =>
      csvRow([
        formatIso(point.timestamp, zone),
        point.timestamp,
        ...fields.map((field) => point[field] ?? ''),
        point.received_at,
        ...names.map((name) => labelOf(point.labels, name)),
      ]),
    ),
  ];
}
