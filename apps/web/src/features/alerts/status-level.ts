import type { Alert, SeriesLabels } from '@nowcast/contract';
import { seriesName } from '../../live/series-name.ts';
import type { StoredSeries } from '../../live/stored-series.ts';

/** How one group is. Worst last. */
export const statusLevels = ['ok', 'pending', 'taken', 'info', 'nodata', 'warn', 'crit'] as const;
export type StatusLevel = (typeof statusLevels)[number];

/** Alerts that name all of a group's labels; a group without labels is what the metric's alerts are about. */
export function alertsOfGroup(alerts: readonly Alert[], labels: SeriesLabels, metricType: string): Alert[] {
  const entries = Object.entries(labels);
  if (entries.length === 0) return alerts.filter((alert) => alert.metric_type === metricType);
  return alerts.filter((alert) =>
    entries.every(([label, value]) => Object.hasOwn(alert.labels, label) && alert.labels[label] === value),
  );
}

/** A group that sends nothing in the range has no series: it is known from the alerts of the metric alone. */
export function groupsOnlyInAlerts(
  alerts: readonly Alert[],
  groupBy: readonly string[],
  metricType: string,
  series: readonly StoredSeries[],
): SeriesLabels[] {
  if (groupBy.length === 0) return [];
  const known = new Set(series.map((one) => seriesName(one.labels)));
  const groups = new Map<string, SeriesLabels>();
  for (const { labels, metric_type: metric } of alerts) {
    if (metric !== metricType || !groupBy.every((label) => Object.hasOwn(labels, label))) continue;
    const group = Object.fromEntries(groupBy.map((label) => [label, labels[label] ?? '']));
    if (!known.has(seriesName(group))) groups.set(seriesName(group), group);
  }
  return [...groups.values()];
}

const severityLevels = { info: 'info', warning: 'warn', critical: 'crit' } as const;

export function levelOfAlert(alert: Alert | undefined): StatusLevel {
  if (alert === undefined || alert.state === 'resolved') return 'ok';
  if (alert.state === 'pending') return 'pending';
  return alert.state === 'acknowledged' ? 'taken' : severityLevels[alert.severity];
}

export function worseOf(one: StatusLevel, other: StatusLevel): StatusLevel {
  return statusLevels.indexOf(one) >= statusLevels.indexOf(other) ? one : other;
}
