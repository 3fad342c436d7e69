import type { RuleContent } from '@nowcast/contract';

/** Names that a message may hold between double braces, as the server fills them; labels are those of this rule. */
export function placeholdersOf({ evaluation, labels }: RuleContent): string[] {
  const names = [...new Set([...evaluation.group_by, ...Object.keys(labels)])];
  return ['value', 'limit', ...names.map((name) => `labels.${name}`), 'rule', 'severity', 'state', 'since'];
}

function limitOf({ condition }: RuleContent['evaluation']): number {
  return condition.kind === 'threshold' ? condition.value : 1;
}

/** The message as it could read; what is no placeholder stays, as it will on the server. */
export function fillTemplate(rule: RuleContent, format: (value: number) => string): string {
  const limit = limitOf(rule.evaluation);
  const values: Record<string, string> = {
    value: format(limit * 1.2),
    limit: format(limit),
    rule: rule.name,
    severity: rule.severity,
    state: 'firing',
    since: '2026-01-31T09:00:00.000Z',
  };
  return rule.message.replaceAll(/\{\{\s*([^{}]+?)\s*\}\}/g, (placeholder: string, name: string) => {
    if (Object.hasOwn(values, name)) return values[name] ?? '';
    if (!name.startsWith('labels.')) return placeholder;
    const label = name.slice('labels.'.length);
    if (Object.hasOwn(rule.labels, label)) return rule.labels[label] ?? '';
    return rule.evaluation.group_by.includes(label) ? `${label}-1` : '';
  });
}
