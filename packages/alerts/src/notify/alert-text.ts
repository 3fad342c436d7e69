import { formatDuration, labelOf, parseDuration, type RuleContent, valueText } from '@nowcast/contract';
import type { AlertRow } from '@nowcast/ports';

/** Words of an alert: the rule's own template with its placeholders filled, or a sentence made from the rule. */
export function alertText(rule: RuleContent, alert: AlertRow): string {
  if (rule.message === '') return sentenceOf(rule, alert);
  const values: Record<string, string> = {
    value: valueOf(rule, alert.value),
    limit: valueOf(rule, alert.limit),
    rule: rule.name,
    severity: rule.severity,
    state: alert.state,
    since: new Date(alert.firedAt ?? alert.since).toISOString(),
  };
  return rule.message.replaceAll(/\{\{\s*([^{}]+?)\s*\}\}/g, (placeholder: string, name: string) => {
    if (Object.hasOwn(values, name)) return values[name] ?? '';
    if (!name.startsWith('labels.')) return placeholder;
    return labelOf(alert.labels, name.slice('labels.'.length));
  });
}

/** `CPU > 80 %: web-1 is at 93.1 % (limit 80 %)`. */
function sentenceOf(rule: RuleContent, alert: AlertRow): string {
  const subject = groupName(rule, alert.labels);
  return `${rule.name}: ${subject === '' ? 'it' : subject} ${predicateOf(rule, alert)}`;
}

function predicateOf(rule: RuleContent, alert: AlertRow): string {
  const { condition, window } = rule.evaluation;
  switch (condition.kind) {
    case 'no_data':
      return `has sent nothing for ${durationOf(window)}`;
    case 'flapping':
      return `stopped and came back ${condition.times} times within ${durationOf(window)}`;
    case 'composite':
      return condition.mode === 'all' ? 'breaks all of its rules' : 'breaks one of its rules';
    case 'anomaly':
      return `is at ${valueOf(rule, alert.value)}, outside what is usual${limitOf(rule, alert, 'bound')}`;
    case 'change':
      return `changed to ${valueOf(rule, alert.value)}${limitOf(rule, alert, 'limit')}`;
    default:
      return `is at ${valueOf(rule, alert.value)}${limitOf(rule, alert, 'limit')}`;
  }
}

function limitOf(rule: RuleContent, { limit }: AlertRow, word: string): string {
  return limit === undefined ? '' : ` (${word} ${valueOf(rule, limit)})`;
}

function valueOf(rule: RuleContent, value: number | undefined): string {
  return value === undefined ? 'no value' : valueText(value, rule.unit);
}

function durationOf(text: string): string {
  return formatDuration(parseDuration(text));
}

/** Values of the labels that the rule groups by, as people name the group: `web-1, eu`. */
export function groupName(rule: RuleContent | undefined, labels: Readonly<Record<string, string>>): string {
  const names = rule === undefined ? Object.keys(labels) : rule.evaluation.group_by;
  return names
    .map((name) => labelOf(labels, name))
    .filter((value) => value !== '')
    .join(', ');
}
