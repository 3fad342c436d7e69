import { allOf, bothWhere, conditionsOf, type Condition, type Where } from '@nowcast/contract';

/** The four ways to filter by a label, as the filter editor handles them. */
export const matcherKinds = [
  { value: 'is', title: 'is one of' },
  { value: 'not', title: 'is not' },
  { value: 'regex', title: 'matches' },
  { value: 'not_regex', title: 'does not match' },
] as const;
export type MatcherKind = (typeof matcherKinds)[number]['value'];

export function kindOf(matcher: Condition): MatcherKind {
  if (Array.isArray(matcher)) return 'is';
  if ('not' in matcher) return 'not';
  return 'regex' in matcher ? 'regex' : 'not_regex';
}

export function valuesOf(matcher: Condition): string[] {
  if (Array.isArray(matcher)) return matcher;
  return 'not' in matcher ? matcher.not : [];
}

export function patternOf(matcher: Condition): string {
  if (Array.isArray(matcher) || 'not' in matcher) return '';
  return 'regex' in matcher ? matcher.regex : matcher.not_regex;
}

/** Null while nothing is chosen yet: an empty filter would hide everything. */
export function makeMatcher(kind: MatcherKind, values: readonly string[], pattern: string): Condition | null {
  if (kind === 'is') return values.length > 0 ? [...values] : null;
  if (kind === 'not') return values.length > 0 ? { not: [...values] } : null;
  if (pattern === '') return null;
  return kind === 'regex' ? { regex: pattern } : { not_regex: pattern };
}

/** `region is eu, us`. */
export function describeMatcher(label: string, matcher: Condition): string {
  const kind = kindOf(matcher);
  const values = valuesOf(matcher).map((value) => (value === '' ? '(empty)' : value));
  if (kind === 'is')
    return values.length === 1 ? `${label} is ${values[0]}` : `${label} is one of ${values.join(', ')}`;
  if (kind === 'not') return `${label} is not ${values.join(', ')}`;
  return `${label} ${kind === 'regex' ? 'matches' : 'does not match'} ${patternOf(matcher)}`;
}

/** One condition of a filter as a chip: the label it is about, and which of the label's conditions it is. */
export interface Chip {
  label: string;
  at: number;
}

/** Every condition of a filter, in its order; conditions on one label must all hold. */
export function chipsOf(where: Where): (Chip & { condition: Condition })[] {
  return Object.entries(where).flatMap(([label, matcher]) =>
    conditionsOf(matcher).map((condition, at) => ({ label, at, condition })),
  );
}

export function withoutChip(where: Where, chip: Chip): Where {
  const kept = chipsOf(where).filter(({ label, at }) => label !== chip.label || at !== chip.at);
  return bothWhere(...kept.map(({ label, condition }) => Object.fromEntries([[label, condition]])));
}

/** The filter with a condition in place of the chip's; added where there is no such chip, or its label changes. */
export function withCondition(
  where: Where,
  chip: Chip | undefined,
  label: string,
  condition: Condition,
): { where: Where; chip: Chip } {
  const rest = chip === undefined || chip.label === label ? where : withoutChip(where, chip);
  const conditions = Object.hasOwn(rest, label) ? [...conditionsOf(rest[label]!)] : [];
  const at = chip?.label === label && chip.at < conditions.length ? chip.at : conditions.length;
  conditions[at] = condition;
  const entries = new Map(Object.entries(rest)).set(label, allOf(conditions));
  return { where: Object.fromEntries(entries), chip: { label, at } };
}
