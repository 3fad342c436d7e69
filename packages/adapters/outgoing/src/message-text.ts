import { type Severity, type UnitName, valueText } from '@nowcast/contract';
import type { AlertMessage } from '@nowcast/ports';

/** What all ways say alike: words for states, values with units, times, facts, links. English, UTC. */
const stateWords: Record<AlertMessage['kind'], string> = {
  firing: 'Firing',
  resolved: 'Resolved',
  acknowledged: 'Acknowledged',
  escalated: 'Not acknowledged',
  repeated: 'Still firing',
  flapping: 'Flapping',
  rule_problem: 'Rule problem',
  delivery_problem: 'Delivery problem',
  test: 'Test',
  digest: 'Digest',
};

export function stateWord(message: AlertMessage): string {
  return stateWords[message.kind];
}

export const severityWords: Record<Severity, string> = {
  info: 'Info',
  warning: 'Warning',
  critical: 'Critical',
};

/** State and title in one line; a title that already begins with the state is not made to stutter. */
export function headline(message: AlertMessage): string {
  const title = oneLine(message.title);
  const word = stateWord(message);
  return title.toLowerCase().startsWith(word.toLowerCase()) ? title : `${word}: ${title}`;
}

/** #rrggbb by severity; green when it is over. */
export function accentColor(message: AlertMessage): string {
  if (message.kind === 'resolved') return '#15803d';
  return { info: '#2563eb', warning: '#b45309', critical: '#b91c1c' }[message.severity];
}

export interface Fact {
  name: string;
  value: string;
}

/** A line for each of the first alerts, then where it comes from: at most `mostAlerts` + 5 lines. */
export function facts(message: AlertMessage, mostAlerts = 10): Fact[] {
  const lines = message.alerts.slice(0, mostAlerts).map((alert) => ({
    name: labelText(alert.labels) || oneLine(message.ruleName) || 'Value',
    value: `${valueAndLimit(alert, message.unit)}, since ${timeText(alert.since)}`,
  }));
  const more = message.alerts.length - lines.length;
  return [
    ...lines,
    ...(more > 0 ? [{ name: 'And', value: `${more} more` }] : []),
    { name: 'Severity', value: severityWords[message.severity] },
    { name: 'Rule', value: oneLine(message.ruleName) },
    { name: 'Organisation', value: oneLine(message.tenantName) },
    { name: 'Time', value: timeText(message.at) },
    // Services refuse a whole message for one empty field.
  ].filter(({ value }) => value !== '');
}

function valueAndLimit(alert: AlertMessage['alerts'][number], unit: UnitName): string {
  const value = valueText(alert.value, unit);
  return alert.limit === undefined ? value : `${value} (limit ${valueText(alert.limit, unit)})`;
}

/** `host=web-1, region=eu`. */
export function labelText(labels: Readonly<Record<string, string>>): string {
  return oneLine(
    Object.entries(labels)
      .map(([name, value]) => `${name}=${value}`)
      .join(', '),
  );
}

/** `2026-11-24 08:05 UTC`. */
export function timeText(at: number): string {
  const date = new Date(at);
  if (Number.isNaN(date.getTime())) return '–';
  return `${date.toISOString().slice(0, 16).replace('T', ' ')} UTC`;
}

/** Every run of control characters and line ends becomes a space: one line wherever it is put. */
export function oneLine(text: string): string {
  return text.replaceAll(/[\p{Cc}\u2028\u2029]+/gu, ' ').trim();
}

/** At most `most` UTF-16 units, never half a surrogate pair. */
export function shortened(text: string, most: number): string {
  if (text.length <= most) return text;
  return `${text.slice(0, most - 1).replace(/[\uD800-\uDBFF]$/, '')}…`;
}

/** An http(s) address in canonical form, or nothing: `javascript:` and the like never become links. */
export function safeLink(text: string): string {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  return url !== undefined && /^https?:$/.test(url.protocol) ? url.href : '';
}

/** Longer ones would fill a message on their own. */
const mostLinkLength = 800;

/** The alert's page and its runbook, as far as there are any. */
export function links(message: AlertMessage): { title: string; url: string }[] {
  return [
    { title: 'Open in Nowcast', url: safeLink(message.url) },
    { title: 'Runbook', url: safeLink(message.runbookUrl) },
  ].filter(({ url }) => url !== '' && url.length <= mostLinkLength);
}

export function escapeMarkup(text: string): string {
  return text
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;')
    .replaceAll("'", '&#39;');
}
