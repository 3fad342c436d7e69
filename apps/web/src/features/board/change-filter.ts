/** What changes a filter, apart from what only shows one: a board needs this when somebody opens the editor. */
import { allOf, conditionsOf, type Condition, type Where } from '@nowcast/contract';
import { withoutChip, type Chip, type MatcherKind } from './matcher.ts';

/** The four ways to filter by a label, as the filter editor handles them. */
export const matcherKinds: readonly { value: MatcherKind; title: string }[] = [
  { value: 'is', title: 'is one of' },
  { value: 'not', title: 'is not' },
  { value: 'regex', title: 'matches' },
  { value: 'not_regex', title: 'does not match' },
];

/** Null while nothing is chosen yet: an empty filter would hide everything. */
export function makeMatcher(kind: MatcherKind, values: readonly string[], pattern: string): Condition | null {
  if (kind === 'is') return values.length > 0 ? [...values] : null;
  if (kind === 'not') return values.length > 0 ? { not: [...values] } : null;
  if (pattern === '') return null;
  return kind === 'regex' ? { regex: pattern } : { not_regex: pattern };
}

/**
 * The filter with a condition in place of the chip's; added where there is no such chip, or its label changes. Null:
 * the chip goes, and there is none.
 */
export function withCondition(
  where: Where,
  chip: Chip | undefined,
  label: string,
  condition: Condition | null,
): { where: Where; chip: Chip | undefined } {
  const rest =
    chip === undefined || (chip.label === label && condition !== null) ? where : withoutChip(where, chip);
  if (condition === null) return { where: rest, chip: undefined };
  const conditions = Object.hasOwn(rest, label) ? [...conditionsOf(rest[label]!)] : [];
  const at = chip?.label === label && chip.at < conditions.length ? chip.at : conditions.length;
  conditions[at] = condition;
  const entries = new Map(Object.entries(rest)).set(label, allOf(conditions));
  return { where: Object.fromEntries(entries), chip: { label, at } };
}
