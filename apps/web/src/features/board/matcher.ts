import { bothWhere, conditionsOf, type Condition, type Where } from '@nowcast/contract';

export type MatcherKind = 'is' | 'not' | 'regex' | 'not_regex';

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

/** `Chip.at` while nothing of its label is chosen. */
export const unset = -1;

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
