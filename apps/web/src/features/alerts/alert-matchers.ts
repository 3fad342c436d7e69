import { bothWhere, type Condition, type Rule, type Where } from '@nowcast/contract';
import { makeMatcher } from '../board/change-filter.ts';
import { chipsOf, describeMatcher, kindOf, patternOf, valuesOf, type MatcherKind } from '../board/matcher.ts';

/** Which alerts a setting is about, as rows of a form: each one condition on one label, all of which must hold. */
export interface MatcherRow {
  /** Stays with the row while rows before it come and go. */
  key: number;
  label: string;
  kind: MatcherKind;
  values: readonly string[];
  pattern: string;
}

let lastKey = 0;

export function emptyRow(): MatcherRow {
  return { key: ++lastKey, label: '', kind: 'is', values: [], pattern: '' };
}

export function rowsOf(where: Where): MatcherRow[] {
  return chipsOf(where).map(({ label, condition }) => ({
    key: ++lastKey,
    label,
    kind: kindOf(condition),
    values: valuesOf(condition),
    pattern: patternOf(condition),
  }));
}

/** Labels whose values are chosen, not typed. */
export const isChosen = (label: string): boolean => label === 'severity' || label === 'rule';

/** `row` about another label; values of one whose values are chosen mean nothing to another. */
export function withLabel(row: MatcherRow, label: string): MatcherRow {
  return { ...row, label, values: isChosen(label) || isChosen(row.label) ? [] : row.values };
}

/** Null while a row is unfinished: left out, it would make a silence of one thing a silence of everything. */
export function whereOf(rows: readonly MatcherRow[]): Where | null {
  const parts: Where[] = [];
  for (const { label, kind, values, pattern } of rows) {
    const condition: Condition | null = makeMatcher(kind, values, pattern);
    if (label.trim() === '' || condition === null) return null;
    parts.push(Object.fromEntries([[label.trim(), condition]]));
  }
  return bothWhere(...parts);
}

/** `severity is critical and host matches web-.*`; rules by their names. */
export function alertsInWords(where: Where, rules: readonly Rule[]): string {
  const nameOf = (id: string): string => rules.find((rule) => rule.rule_id === id)?.name ?? id;
  const parts = chipsOf(where).map(({ label, condition }) => {
    if (label !== 'rule' || valuesOf(condition).length === 0) return describeMatcher(label, condition);
    const names = valuesOf(condition).map(nameOf);
    return describeMatcher(label, makeMatcher(kindOf(condition), names, '') ?? condition);
  });
  return parts.length === 0 ? 'every alert' : parts.join(' and ');
}

/** What was typed with commas between, each once. */
export function splitList(text: string): string[] {
  return [...new Set(text.split(',').map((part) => part.trim()))].filter((part) => part !== '');
}
