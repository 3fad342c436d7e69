import type { Alert, Severity } from '@nowcast/contract';
import { describeLabels } from './alert-order.ts';

/** What happened to alerts, as marks and periods of a chart. */
export interface Mark {
  /** Unique among the marks of one answer. */
  id: string;
  at: number;
  kind: 'fires' | 'taken' | 'over';
  alert: Alert;
  /** `CPU high fires · host web-1`. */
  text: string;
}

export interface Period {
  severity: Severity;
  from: number;
  /** Null: it lasts still. */
  to: number | null;
}

function mark(alert: Alert, kind: Mark['kind'], at: number | null, said: string): Mark[] {
  if (at === null) return [];
  const labels = describeLabels(alert.labels);
  const text = `${alert.rule_name} ${said}${labels === '' ? '' : ` · ${labels}`}`;
  return [{ id: `${alert.alert_id} ${kind}`, at, kind, alert, text }];
}

/** Oldest first. An alert that did not fire leaves none. */
export function marksOf(alerts: readonly Alert[]): Mark[] {
  return alerts
    .filter((alert) => alert.fired_at !== null)
    .flatMap((alert) => [
      ...mark(alert, 'fires', alert.fired_at, 'fires'),
      ...mark(
        alert,
        'taken',
        alert.acknowledged_at,
        `acknowledged${alert.acknowledged_by === null ? '' : ` by ${alert.acknowledged_by}`}`,
      ),
      ...mark(alert, 'over', alert.resolved_at, 'is over'),
    ])
    .sort((a, b) => a.at - b.at || a.id.localeCompare(b.id));
}

/** When something fired, each moment once for each severity: many alerts at a time are not a darker one. */
export function periodsOf(alerts: readonly Alert[]): Period[] {
  const merged: Period[] = [];
  for (const severity of ['info', 'warning', 'critical'] as const) {
    const fired = alerts
      .filter((alert) => alert.severity === severity && alert.fired_at !== null)
      .sort((a, b) => a.fired_at! - b.fired_at!);
    let last: Period | undefined;
    for (const { fired_at: from, resolved_at: to } of fired) {
      if (last === undefined || (last.to !== null && last.to < from!)) {
        last = { severity, from: from!, to };
        merged.push(last);
      } else if (last.to !== null) last.to = to === null ? null : Math.max(last.to, to);
    }
  }
  return merged;
}

/** Marks that would stand on each other, `x` ascending: each group within `width` of its first. */
export function clusterMarks<T extends { x: number }>(placed: readonly T[], width: number): T[][] {
  const groups: T[][] = [];
  for (const one of placed) {
    const group = groups.at(-1);
    if (group === undefined || one.x - group[0]!.x >= width) groups.push([one]);
    else group.push(one);
  }
  return groups;
}
