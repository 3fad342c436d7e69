import { type RuleContent, severities, type Severity, type Target, valueText } from '@nowcast/contract';
import type { AlertMessage, AlertRow, RuleRow, Told } from '@nowcast/ports';
import { groupName } from './alert-text.ts';
import { groupKey, type News } from './decide-news.ts';

/** One thing said to many, whichever way: what inbox entries and deliveries are made from. */
export interface Notice {
  tenantId: string;
  kind: Exclude<AlertMessage['kind'], 'digest' | 'acknowledged'>;
  severity: Severity;
  title: string;
  text: string;
  /** Instead of `text`, in the inbox of those who manage channels. */
  managersText?: string;
  at: number;
  rule: { ruleId: string; name: string; ownerId: string | undefined; content: RuleContent | undefined };
  alerts: readonly AlertRow[];
  targets: readonly Target[];
  /** Instead of the targets, where it is over: those who know of it. */
  told?: Told | undefined;
  /** For programs that keep a state of it alone. */
  muted?: boolean;
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
  const lines = news.slice(0, linesShown).map((one) => lineOf(one, content));
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
    told: first.kind === 'resolved' ? toldOf(alerts) : undefined,
    muted: first.muted ?? false,
    receivedAt,
    tag: alerts.length === 1 ? first.alert.tag : groupKey(first.alert, content),
  };
}

/** Undefined: it was not written down. */
function toldOf(alerts: readonly AlertRow[]): Told | undefined {
  const told = alerts.map((alert) => alert.told).reduce(bothTold);
  return told.userIds.length + told.channelIds.length === 0 ? undefined : told;
}

/** In a fixed order: equal sets are equal. */
export function bothTold(a: Told, b: Told): Told {
  const both = (x: readonly string[], y: readonly string[]) => [...new Set([...x, ...y])].sort();
  return { userIds: both(a.userIds, b.userIds), channelIds: both(a.channelIds, b.channelIds) };
}

function stronger(a: Severity, b: Severity): Severity {
  return severities.indexOf(a) >= severities.indexOf(b) ? a : b;
}

function titleOf(name: string, alerts: readonly AlertRow[], content: RuleContent | undefined): string {
  if (alerts.length > 1) return `${name}: ${alerts.length} alerts`;
  const group = groupName(content, alerts[0]?.labels ?? {});
  return group === '' ? name : `${name}: ${group}`;
}

function lineOf({ kind, alert, until }: News, content: RuleContent | undefined): string {
  switch (kind) {
    case 'resolved': {
      const group = groupName(content, alert.labels);
      const named = `${alert.ruleName}: ${group === '' ? 'it' : group}`;
      const value =
        alert.value === undefined ? '' : `, now at ${valueText(alert.value, content?.unit ?? 'none')}`;
      const lastedMs = (alert.resolvedAt ?? alert.since) - (alert.firedAt ?? alert.since);
      const lasted = valueText(Math.max(0, lastedMs) / 1000, 'seconds');
      return until === undefined
        ? `${named} is well again after ${lasted}${value}`
        : `${named} fired for ${lasted}, until ${until}; it may not be well`;
    }
    case 'flapping':
      return `${alert.message} It changes too often; nothing more is said until it is calm.`;
    case 'escalated':
      return `Nobody has acknowledged: ${alert.message}`;
    default:
      return alert.message;
  }
}
