import type { Condition, Matcher, SeriesDefinition, Where } from '@nowcast/contract';
import { appError, conditionsOf } from '@nowcast/contract';
import { GrowableUint32 } from '@nowcast/kernel';
import { RE2JS } from 're2js';

/** The pseudo-label under which a point's source is matched and grouped. */
const sourceLabel = 'source';

/** The labels of a series, its source among them. */
export function labelsOf({
  source,
  labels,
}: SeriesDefinition): readonly (readonly [name: string, value: string])[] {
  const hides = labels.some(([name]) => name === sourceLabel);
  const others = hides ? labels.filter(([name]) => name !== sourceLabel) : labels;
  return source === '' ? others : [[sourceLabel, source], ...others];
}

/** Ascending handles. Most values of a label that names a thing are had by one series only: no list is made for it. */
type Postings = number | GrowableUint32;

function listOf(first: number, second: number): GrowableUint32 {
  const list = new GrowableUint32();
  list.push(first);
  list.push(second);
  return list;
}

function viewOf(postings: Postings): Uint32Array {
  return typeof postings === 'number' ? Uint32Array.of(postings) : postings.view();
}

function countOf(postings: Postings): number {
  return typeof postings === 'number' ? 1 : postings.length;
}

/**
 * Inverted index of the series of one metric: label → value → ascending handles. Handles only ever grow, so every
 * posting list is sorted by construction, and a matcher costs the distinct values of one label, not the series:
 * regular expressions (RE2, linear time) run once a value.
 */
export class MetricIndex {
  readonly #all = new GrowableUint32();
  readonly #labels = new Map<string, Map<string, Postings>>();

  add(handle: number, definition: SeriesDefinition): void {
    this.#all.push(handle);
    for (const [name, value] of labelsOf(definition)) this.#post(name, value, handle);
  }

  /** All handles, ascending; valid until the next series is added. */
  get handles(): Uint32Array {
    return this.#all.view();
  }

  get size(): number {
    return this.#all.length;
  }

  labelNames(): string[] {
    return [...this.#labels.keys()].sort();
  }

  /**
   * Ascending handles of the series that satisfy every matcher. Throws `query.invalid` for a bad expression, whether or
   * not it would be needed.
   */
  match(where: Where): Uint32Array {
    const tests = Object.entries(where).map(([label, matcher]) => ({
      label,
      matcher,
      accepts: valueTest(matcher),
    }));
    let result: Uint32Array = this.#all.view().slice();
    for (const { label, matcher, accepts } of tests) {
      if (result.length === 0) break;
      result = this.#apply(result, label, matcher, accepts);
    }
    return result;
  }

  /** Calls `visit` with each label and value that any of `handles` (ascending) carries, and how many of them do. */
  countAmong(handles: Uint32Array, visit: (label: string, value: string, series: number) => void): void {
    // One look at each posting, whatever the number of values: intersecting list by list would be quadratic.
    const isChosen = new Uint8Array((handles.at(-1) ?? -1) + 1);
    for (const handle of handles) isChosen[handle] = 1;
    const isAll = handles.length === this.size;
    for (const [label, values] of this.#labels) {
      for (const [value, postings] of values) {
        const series = isAll ? countOf(postings) : countChosen(viewOf(postings), isChosen);
        if (series > 0) visit(label, value, series);
      }
    }
  }

  #post(label: string, value: string, handle: number): void {
    let values = this.#labels.get(label);
    if (values === undefined) this.#labels.set(label, (values = new Map()));
    const postings = values.get(value);
    if (postings === undefined) values.set(value, handle);
    else if (typeof postings !== 'number') postings.push(handle);
    else values.set(value, listOf(postings, handle));
  }

  /**
   * A series without the label has the empty value. So "is one of" keeps the union of the accepted values' postings,
   * and when the empty value is accepted everything but the union of the refused ones.
   */
  #apply(
    handles: Uint32Array,
    label: string,
    matcher: Matcher,
    accepts: (value: string) => boolean,
  ): Uint32Array {
    const keepsMissing = accepts('');
    const lists: Uint32Array[] = [];
    for (const [value, postings] of candidates(this.#labels.get(label), matcher)) {
      if (accepts(value) !== keepsMissing) lists.push(viewOf(postings));
    }
    const listed = union(lists);
    return keepsMissing ? difference(handles, listed) : intersect(handles, listed);
  }
}

/**
 * Only the listed values need a look where the matcher names them: the wanted ones of a conjunction, since the rest of
 * it can only narrow them, or the refused ones of a condition that stands alone.
 */
function* candidates(
  values: Map<string, Postings> | undefined,
  matcher: Matcher,
): Iterable<[string, Postings]> {
  if (values === undefined) return;
  const listed =
    wantedValues(matcher) ?? ('not' in matcher && !matcher.not.includes('') ? matcher.not : undefined);
  if (!Array.isArray(listed)) {
    yield* values;
    return;
  }
  for (const value of new Set(listed)) {
    const postings = values.get(value);
    if (postings !== undefined) yield [value, postings];
  }
}

/** Values of which a series must have one, and cannot lack the label. */
function wantedValues(matcher: Matcher): readonly string[] | undefined {
  return conditionsOf(matcher).find((one): one is string[] => Array.isArray(one) && !one.includes(''));
}

/** Labels of which every series that satisfies the matchers has one of these values. */
export function requiredValues(where: Where): { label: string; values: readonly string[] }[] {
  return Object.entries(where).flatMap(([label, matcher]) => {
    const values = wantedValues(matcher);
    return values === undefined ? [] : [{ label, values: [...new Set(values)] }];
  });
}

/** Compiles a matcher to a test of one label value (empty when the label is missing). */
export function valueTest(matcher: Matcher): (value: string) => boolean {
  const tests = conditionsOf(matcher).map(conditionTest);
  const [only] = tests;
  return tests.length === 1 && only !== undefined
    ? only
    : (value) => tests.every((accepts) => accepts(value));
}

function conditionTest(condition: Condition): (value: string) => boolean {
  if (Array.isArray(condition)) {
    const values = new Set(condition);
    return (value) => values.has(value);
  }
  if ('not' in condition) {
    const values = new Set(condition.not);
    return (value) => !values.has(value);
  }
  const negated = 'not_regex' in condition;
  const pattern = compile(negated ? condition.not_regex : condition.regex);
  return (value) => pattern.matches(value) !== negated;
}

/** Compiles matchers to a test of one series. Throws `query.invalid` for a bad expression. */
export function seriesTest(where: Where): (definition: SeriesDefinition) => boolean {
  const tests = Object.entries(where).map(([label, matcher]) => ({ label, accepts: valueTest(matcher) }));
  return (definition) => tests.every(({ label, accepts }) => accepts(seriesValue(definition, label)));
}

/** What matchers compare: the value of a label, or of the source, whose name no label has; empty when there is none. */
export function seriesValue({ source, labels }: SeriesDefinition, label: string): string {
  if (label === sourceLabel) return source;
  for (const own of labels) if (own[0] === label) return own[1];
  return '';
}

function compile(source: string): RE2JS {
  try {
    return RE2JS.compile(source);
  } catch (error) {
    throw appError(
      'query.invalid',
      `"${source}" is not a regular expression this filter understands (RE2 syntax)`,
      { cause: error },
    );
  }
}

/** Ascending union; the lists of one label are disjoint, since a series has one value of it. */
function union(lists: readonly Uint32Array[]): Uint32Array {
  if (lists.length === 1) return lists[0]!;
  const out = new Uint32Array(lists.reduce((sum, list) => sum + list.length, 0));
  let n = 0;
  for (const list of lists) {
    out.set(list, n);
    n += list.length;
  }
  return out.sort();
}

function intersect(a: Uint32Array, b: Uint32Array): Uint32Array {
  const out = new Uint32Array(Math.min(a.length, b.length));
  let n = 0;
  for (let i = 0, j = 0; i < a.length && j < b.length;) {
    const x = a[i]!;
    const y = b[j]!;
    if (x === y) out[n++] = x;
    if (x <= y) i++;
    if (y <= x) j++;
  }
  return out.slice(0, n);
}

function difference(a: Uint32Array, b: Uint32Array): Uint32Array {
  const out = new Uint32Array(a.length);
  let n = 0;
  for (let i = 0, j = 0; i < a.length; i++) {
    const x = a[i]!;
    while (j < b.length && b[j]! < x) j++;
    if (b[j] !== x) out[n++] = x;
  }
  return out.slice(0, n);
}

function countChosen(handles: Uint32Array, isChosen: Uint8Array): number {
  let count = 0;
  for (let i = 0; i < handles.length; i++) count += isChosen[handles[i]!] ?? 0;
  return count;
}
