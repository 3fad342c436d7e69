import { type RuleContent, severities, type Severity, type Target, valueText } from '@nowcast/contract';
import type { AlertMessage, AlertRow, RuleRow } from '@nowcast/ports';
import { groupName } from './alert-text.ts';
import { groupKey, type News } from './decide-news.ts';

/** One thing said to many, whichever way: what inbox entries and deliveries are made from. */
export interface Notice {
  tenantId: string;
  kind: Exclude<AlertMessage['kind'], 'digest' | 'acknowledged'>;
  severity: Severity;
  title: string;
  text: string;
  at: number;
  rule: { ruleId: string; name: string; ownerId: string | undefined; content: RuleContent | undefined };
  alerts: readonly AlertRow[];
  targets: readonly Target[];
  /** Moments at which schedules are asked who is on call. */
  times: readonly number[];
  /** Receipt of the point that decided it; undefined: time or a person did. */
  receivedAt: number | undefined;
  /** Groups the messages of one alert where they are shown. */
  tag: string;
}

const linesShown = 10;

/** Makes one notice of news that belong together (at least one). */
export function noticeOf(
  news: readonly News[],
  rule: RuleRow | undefined,
  now: number,
  receivedAt: number | undefined,
): Notice | undefined {
  const [first] = news;
  if (first === undefined) return undefined;
  const alerts = news.map(({ alert }) => alert);
  const content = rule?.content;
  const name = content?.name ?? first.alert.ruleName;
  const severity = alerts.reduce<Severity>((most, alert) => stronger(most, alert.severity), 'info');
  const lines = alerts.slice(0, linesShown).map((alert) => lineOf(first.kind, alert, content));
  const more = alerts.length - lines.length;
  return {
    tenantId: first.alert.tenantId,
    kind: first.kind,
    severity,
    title: titleOf(name, alerts, content),
    text: [...lines, ...(more > 0 ? [`and ${more} more`] : [])].join('\n'),
    at: now,
    rule: { ruleId: first.alert.ruleId, name, ownerId: rule?.userId, content },
    alerts,
    targets: first.targets,
    times: first.kind === 'resolved' ? toldTimes(alerts, now) : [now],
    receivedAt,
    tag: alerts.length === 1 ? first.alert.alertId : groupKey(first.alert, content),
  };
}

function toldTimes(alerts: readonly AlertRow[], now: number): number[] {
  const [alert] = alerts;
  return [...new Set([alert?.firedAt ?? now, alert?.notifiedAt ?? now])];
}

function stronger(a: Severity, b: Severity): Severity {
  return severities.indexOf(a) >= severities.indexOf(b) ? a : b;
}

function titleOf(name: string, alerts: readonly AlertRow[], content: RuleContent | undefined): string {
  if (alerts.length > 1) return `${name}: ${alerts.length} alerts`;
  const group = groupName(content, alerts[0]?.labels ?? {});
  return group === '' ? name : `${name}: ${group}`;
}

function lineOf(kind: News['kind'], alert: AlertRow, content: RuleContent | undefined): string {
  switch (kind) {
    case 'resolved': {
      const group = groupName(content, alert.labels);
      const value =
        alert.value === undefined ? '' : `, now at ${valueText(alert.value, content?.unit ?? 'none')}`;
      const lastedMs = (alert.resolvedAt ?? alert.since) - (alert.firedAt ?? alert.since);
      const lasted = valueText(Math.max(0, lastedMs) / 1000, 'seconds');
      return `${alert.ruleName}: ${group === '' ? 'it' : group} is well again after ${lasted}${value}`;
    }
    case 'flapping':
      return `${alert.message} It changes too often; nothing more is said until it is calm.`;
    case 'escalated':
      return `Nobody has acknowledged: ${alert.message}`;
    default:
      return alert.message;
  }
}
