import type { Alert } from '@nowcast/contract';
import type { AlertTab } from './alert-queries.ts';

const ranks = { info: 0, warning: 1, critical: 2 };

/** Worst first, then the newest; what is over only by when it ended. */
export function sortAlerts(alerts: readonly Alert[], state: AlertTab): Alert[] {
  if (state === 'resolved') return alerts.toSorted((a, b) => (b.resolved_at ?? 0) - (a.resolved_at ?? 0));
  return alerts.toSorted(
    (a, b) =>
      ranks[b.severity] - ranks[a.severity] ||
      (b.fired_at ?? b.since) - (a.fired_at ?? a.since) ||
      a.alert_id.localeCompare(b.alert_id),
  );
}

/** `host web-1 · region eu`. */
export function describeLabels(labels: Readonly<Record<string, string>>): string {
  return Object.entries(labels)
    .map(([label, value]) => `${label} ${value}`)
    .join(' · ');
}

/** What it says, without the name that stands above it. */
export function saidOf({ rule_name: name, message }: Pick<Alert, 'rule_name' | 'message'>): string {
  return message.startsWith(`${name}: `) ? message.slice(name.length + 2) : message;
}
