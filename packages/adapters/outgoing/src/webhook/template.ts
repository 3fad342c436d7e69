import { appError, valueText } from '@nowcast/contract';
import type { AlertMessage } from '@nowcast/ports';
import { labelText, stateWord, timeText } from '../message-text.ts';

/**
 * A user's own body: JSON with placeholders, `{"text": "{{title}}", "value": {{value}}}`. Replacing text in text is
 * the obvious answer and fails: a label value with a quote in it ends the string and writes its own members. So a
 * placeholder's value is always put in as JSON: inside a string literal of the template as the escaped inside of one,
 * elsewhere as a whole value (text in quotes, numbers, null, lists). The template decides the structure, never a label.
 */
const placeholder = /\{\{\s*([\w.:/-]+)\s*\}\}/y;

/** What each placeholder stands for: the value outside a string, and what is said inside of one. */
const values: Readonly<Record<string, (message: AlertMessage) => { value: unknown; text?: string }>> = {
  title: (message) => ({ value: message.title }),
  text: (message) => ({ value: message.text }),
  state: (message) => ({ value: stateWord(message) }),
  kind: (message) => ({ value: message.kind }),
  severity: (message) => ({ value: message.severity }),
  rule: (message) => ({ value: message.ruleName }),
  rule_id: (message) => ({ value: message.ruleId }),
  tenant: (message) => ({ value: message.tenantName }),
  url: (message) => ({ value: message.url }),
  runbook_url: (message) => ({ value: message.runbookUrl }),
  notification_id: (message) => ({ value: message.notificationId }),
  tag: (message) => ({ value: message.tag }),
  timestamp: (message) => ({ value: message.at, text: timeText(message.at) }),
  value: (message) => number(message, message.alerts[0]?.value),
  limit: (message) => number(message, message.alerts[0]?.limit),
  since: (message) => {
    const since = message.alerts[0]?.since;
    return since === undefined ? { value: null } : { value: since, text: timeText(since) };
  },
  labels: (message) => {
    const labels = message.alerts[0]?.labels ?? {};
    return { value: labels, text: labelText(labels) };
  },
  alerts: (message) => ({ value: alertList(message), text: String(message.alerts.length) }),
};

function number(message: AlertMessage, value: number | undefined): { value: unknown; text: string } {
  return { value: finite(value), text: valueText(value, message.unit) };
}

/** JSON has no infinities. */
export function finite(value: number | undefined): number | null {
  return value !== undefined && Number.isFinite(value) ? value : null;
}

/** The alerts of a message on the wire. */
export function alertList(message: AlertMessage): Record<string, unknown>[] {
  return message.alerts.map((alert) => ({
    alert_id: alert.alertId,
    labels: alert.labels,
    value: finite(alert.value),
    limit: finite(alert.limit),
    since: alert.since,
  }));
}

/** The body, or `request.invalid` that says what is wrong with the template. */
export function fillTemplate(template: string, message: AlertMessage): string {
  let out = '';
  let inString = false;
  for (let at = 0; at < template.length;) {
    placeholder.lastIndex = at;
    const match = placeholder.exec(template);
    if (match !== null) {
      out += filled(match[1] ?? '', message, inString);
      at += match[0].length;
      continue;
    }
    const char = template[at] ?? '';
    const escaped = inString && char === '\\';
    if (char === '"') inString = !inString;
    out += escaped ? template.slice(at, at + 2) : char;
    at += escaped ? 2 : 1;
  }
  try {
    JSON.parse(out);
  } catch (error) {
    throw appError(
      'request.invalid',
      `the template is not JSON once it is filled in: ${reason(error)}; write for example {"text": "{{title}}", "value": {{value}}}`,
      { cause: error },
    );
  }
  return out;
}

function filled(name: string, message: AlertMessage, inString: boolean): string {
  const { value, text } = lookUp(name, message);
  if (!inString) return JSON.stringify(value);
  return JSON.stringify(text ?? (typeof value === 'string' ? value : '')).slice(1, -1);
}

function lookUp(name: string, message: AlertMessage): { value: unknown; text?: string } {
  if (name.startsWith('labels.')) {
    const labels = message.alerts[0]?.labels ?? {};
    const label = name.slice('labels.'.length);
    return { value: Object.hasOwn(labels, label) ? labels[label] : null };
  }
  const read = Object.hasOwn(values, name) ? values[name] : undefined;
  if (read === undefined) {
    throw appError(
      'request.invalid',
      `the template has {{${name}}}; there are ${Object.keys(values).join(', ')} and labels.NAME`,
    );
  }
  return read(message);
}

/** V8's sentence, without the part of the text that it quotes: that may hold what was filled in. */
function reason(error: unknown): string {
  const [sentence = ''] = (error instanceof Error ? error.message : '').split(/, (?:\.\.\.)?"/);
  return sentence.startsWith('Unexpected token') ? 'unexpected character' : sentence.toLowerCase();
}

/** What is wrong with a template, before anything is sent; undefined: nothing. */
export function templateProblem(template: string): string | undefined {
  try {
    fillTemplate(template, sampleMessage);
    return undefined;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

const sampleMessage: AlertMessage = {
  notificationId: 'n',
  kind: 'test',
  severity: 'info',
  title: 'title',
  text: 'text',
  at: 0,
  tenantName: 'tenant',
  ruleId: 'r',
  ruleName: 'rule',
  url: 'https://nowcast.example/alerts/a',
  runbookUrl: '',
  alerts: [{ alertId: 'a', labels: { host: 'web-1' }, value: 1, limit: 1, since: 0 }],
  unit: 'none',
  tag: 'tag',
};
