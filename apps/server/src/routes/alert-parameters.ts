import {
  alertStates,
  type AlertState,
  appError,
  labelOf,
  parseTime,
  severities,
  type Severity,
} from '@nowcast/contract';
import { valueTest } from '@nowcast/head';
import { readWhere, whereParameter } from '../http/data-query.ts';
import type { ParameterDoc } from '../http/route.ts';

/** Query strings of the alert routes: what they mean for people, and how they are read. */
type Docs = Readonly<Record<string, ParameterDoc>>;

const page: Docs = {
  limit: 'At most so many (50, up to 500)',
  cursor: 'Where the previous page ended, from its cursor',
};

export const alertsParameters: Docs = {
  state: `active (whatever is not resolved; the default), ${alertStates.join(', ')}; several are separated by commas`,
  rule_id: 'Only alerts of this rule; several are separated by commas',
  metric_type: 'Only of rules that look at this metric',
  severity: `${severities.join(', ')}; several are separated by commas`,
  where: whereParameter,
  from: 'Only alerts that were not over then: epoch milliseconds, RFC 3339, or now-1h; default: all',
  to: 'Only alerts that had begun by then, the same; default: now',
  search: 'Part of the rule’s name, of the message or of a label',
  ...page,
};

export const transitionsParameters: Docs = {
  metric_type: 'Only of rules that look at this metric',
  rule_id: 'Only of this rule',
  from: 'Epoch milliseconds, RFC 3339, or now-1h; default: now-24h',
  to: 'The same; default: now',
  where: whereParameter,
};

export const notificationsParameters: Docs = {
  unread: 'true: only what was not read yet',
  severity: severities.join(', '),
  search: 'Part of the title or the message',
  ...page,
};

/** `now` stands for the moment of the request, epoch ms. */
export function readAlertFilter(query: URLSearchParams, now: number) {
  refuseUnknown(query, alertsParameters);
  const hasRange = query.has('from') || query.has('to');
  return {
    states: readStates(query.get('state') ?? 'active'),
    ruleIds: query.get('rule_id')?.split(','),
    metricType: query.get('metric_type') ?? undefined,
    severities: query.get('severity')?.split(',').map(readSeverity),
    accepts: query.has('where') ? readLabelTest(query) : undefined,
    during: hasRange ? readRange(query, '0', now) : undefined,
    ...readPage(query),
  };
}

export function readInboxFilter(query: URLSearchParams) {
  refuseUnknown(query, notificationsParameters);
  const unread = query.get('unread') ?? 'false';
  if (unread !== 'true' && unread !== 'false')
    throw appError('request.invalid', `unread is "${unread}"; write true or false`);
  return {
    unread: unread === 'true' ? true : undefined,
    severity: query.has('severity') ? readSeverity(query.get('severity') ?? '') : undefined,
    ...readPage(query),
  };
}

/** `now` stands for the moment of the request, epoch ms. */
export function readTransitionFilter(query: URLSearchParams, now: number) {
  refuseUnknown(query, transitionsParameters);
  return {
    metric_type: query.get('metric_type') ?? undefined,
    rule_id: query.get('rule_id') ?? undefined,
    accepts: query.has('where') ? readLabelTest(query) : undefined,
    ...readRange(query, 'now-24h', now),
  };
}

function readRange(query: URLSearchParams, usualFrom: string, now: number): { from: number; to: number } {
  const from = readTime(query, 'from', usualFrom, now);
  const to = readTime(query, 'to', 'now', now);
  if (from >= to) throw appError('query.invalid', 'from must be before to');
  return { from, to };
}

/** Whether labels meet the `where` parameters; a label that is not there has the empty value. */
export function readLabelTest(query: URLSearchParams): (labels: Readonly<Record<string, string>>) => boolean {
  const tests = Object.entries(readWhere(query)).map(([label, matcher]) => ({
    label,
    accepts: valueTest(matcher),
  }));
  return (labels) => tests.every(({ label, accepts }) => accepts(labelOf(labels, label)));
}

function readStates(text: string): AlertState[] {
  const states = text.split(',').map((name): readonly AlertState[] => {
    if (name === 'active') return ['pending', 'firing', 'acknowledged'];
    return alertStates.filter((state) => state === name);
  });
  if (states.every(({ length }) => length > 0)) return [...new Set(states.flat())];
  throw appError(
    'request.invalid',
    `state is "${text}"; write active, or some of ${alertStates.join(', ')} with commas between`,
  );
}

function readSeverity(text: string): Severity {
  const severity = severities.find((known) => known === text);
  if (severity !== undefined) return severity;
  throw appError('request.invalid', `severity is "${text}"; write ${severities.join(', ')}`);
}

function readPage(query: URLSearchParams) {
  const text = query.get('limit') ?? '50';
  const limit = /^\d{1,3}$/.test(text) ? Number(text) : 0;
  if (limit < 1 || limit > 500)
    throw appError('request.invalid', `limit is "${text}"; write a number from 1 to 500`);
  return { search: readText(query, 'search'), limit, cursor: readText(query, 'cursor') };
}

function readText(query: URLSearchParams, name: string): string | undefined {
  const text = query.get(name) ?? '';
  if (text.length > 256) throw appError('request.invalid', `${name} is too long; at most 256 characters`);
  return text === '' ? undefined : text;
}

function readTime(query: URLSearchParams, name: string, usual: string, now: number): number {
  const text = query.get(name) ?? usual;
  return parseTime(/^\d{1,15}$/.test(text) ? Number(text) : text, now);
}

function refuseUnknown(query: URLSearchParams, known: Docs): void {
  for (const name of query.keys()) {
    if (Object.hasOwn(known, name)) continue;
    throw appError(
      'request.invalid',
      `"${name}" is not a parameter here; there are ${Object.keys(known).join(', ')}`,
    );
  }
}
