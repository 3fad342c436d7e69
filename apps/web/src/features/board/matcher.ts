import type { Matcher } from '@nowcast/contract';

/** The four ways to filter by a label, as the filter editor handles them. */
export const matcherKinds = [
  { value: 'is', title: 'is one of' },
  { value: 'not', title: 'is not' },
  { value: 'regex', title: 'matches' },
  { value: 'not_regex', title: 'does not match' },
] as const;
export type MatcherKind = (typeof matcherKinds)[number]['value'];

export function kindOf(matcher: Matcher): MatcherKind {
  if (Array.isArray(matcher)) return 'is';
  if ('not' in matcher) return 'not';
  return 'regex' in matcher ? 'regex' : 'not_regex';
}

export function valuesOf(matcher: Matcher): string[] {
  if (Array.isArray(matcher)) return matcher;
  return 'not' in matcher ? matcher.not : [];
}

export function patternOf(matcher: Matcher): string {
  if (Array.isArray(matcher) || 'not' in matcher) return '';
  return 'regex' in matcher ? matcher.regex : matcher.not_regex;
}

/** Null while nothing is chosen yet: an empty filter would hide everything. */
export function makeMatcher(kind: MatcherKind, values: readonly string[], pattern: string): Matcher | null {
  if (kind === 'is') return values.length > 0 ? [...values] : null;
  if (kind === 'not') return values.length > 0 ? { not: [...values] } : null;
  if (pattern === '') return null;
  return kind === 'regex' ? { regex: pattern } : { not_regex: pattern };
}

/** `region is eu, us`. */
export function describeMatcher(label: string, matcher: Matcher): string {
  const kind = kindOf(matcher);
  const values = valuesOf(matcher);
  if (kind === 'is')
    return values.length === 1 ? `${label} is ${values[0]}` : `${label} is one of ${values.join(', ')}`;
  if (kind === 'not') return `${label} is not ${values.join(', ')}`;
  return `${label} ${kind === 'regex' ? 'matches' : 'does not match'} ${patternOf(matcher)}`;
}
