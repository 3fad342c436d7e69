import {
  type Across,
  type Agg,
  allOf,
  appError,
  checkedTime,
  type Condition,
  conditionsOf,
  formatDuration,
  parseDuration,
  parseStep,
  parseTime,
  type Query,
  type Step,
  type Matcher,
  type Where,
} from '@nowcast/contract';
import { Buckets, chooseStep, nominalStepMs, stepKey } from './buckets.ts';

/** How the range of a query moves: with the clock, not at all, or only its end. */
export type QueryRange =
  | { kind: 'sliding'; windowMs: number }
  | { kind: 'fixed'; from: number; to: number }
  | { kind: 'open'; from: number };

/** A query with every default filled in and everything that does not change the answer taken out. */
export interface ResolvedQuery {
  /** Equal for queries with equal answers, whatever the clock says; does not name the tenant. */
  key: string;
  metricType: string;
  agg: Agg;
  across: Across;
  /** Sorted, without repetition. */
  groupBy: readonly string[];
  where: Where;
  range: QueryRange;
  /** The range now, epoch ms, `to` exclusive; whole buckets unless `agg` is `none`. */
  from: number;
  to: number;
  buckets: Buckets;
  step: Step;
  /** For calendar steps the usual width. */
  stepMs: number;
  /** Groups to return; for `agg=none` records. Undefined: all groups. */
  limit: number | undefined;
  order: 'asc' | 'desc';
  cursor: string | undefined;
}

const defaultWindowMs = 3_600_000;
const defaultRecords = 100;
/** More buckets than any screen has pixels; the bound of a view's memory and of an answer. */
export const maxBuckets = 11_000;

/**
 * Resolves a query against the clock. Throws `query.invalid` for contradictions and `query.too_large` for more than
 * 11,000 buckets, `query.invalid` also for a range that leaves the years that `checkedTime` knows. Regular expressions are not looked at: the series index compiles them.
 */
export function normaliseQuery(query: Query, nowMs: number): ResolvedQuery {
  const range = rangeOf(query, nowMs);
  const exact = checkedRange(rangeAt(range, nowMs));
  const records = query.agg === 'none';
  if (query.cursor !== undefined && !records)
    throw appError('query.invalid', 'cursor belongs to agg=none: aggregates come whole; leave it out');
  const step: Step = records
    ? { kind: 'fixed', ms: 1000 }
    : query.step === undefined
      ? chooseStep(exact.to - exact.from)
      : parseStep(query.step);
  const buckets = new Buckets(step, query.tz);
  if (!records) refuseTooMany(buckets, exact);
  const { from, to } = records ? exact : checkedRange(wholeBuckets(buckets, exact));
  const groupBy = records ? [] : sorted(query.group_by);
  const across = records ? 'merge' : query.across;
  const limit = records ? (query.limit ?? defaultRecords) : groupBy.length === 0 ? undefined : query.limit;
  const where = normaliseWhere(query.where);
  const zone = step.kind === 'calendar' ? query.tz : '';
  const name = [query.metric_type, query.agg, across, groupBy, where, range];
  return {
    key: JSON.stringify([...name, records ? '' : stepKey(step), zone, limit ?? null, query.order]),
    metricType: query.metric_type,
    agg: query.agg,
    across,
    groupBy,
    where,
    range,
    from,
    to,
    buckets,
    step,
    stepMs: nominalStepMs(step),
    limit,
    order: query.order,
    cursor: query.cursor,
  };
}

/** The range of a resolved query at another time, in whole buckets (records: exact). */
export function rangeNow(query: ResolvedQuery, nowMs: number): { from: number; to: number } {
  const exact = rangeAt(query.range, nowMs);
  return query.agg === 'none' ? exact : wholeBuckets(query.buckets, exact);
}

function rangeOf(query: Query, nowMs: number): QueryRange {
  const { window, from, to } = query;
  if (window !== undefined) {
    if (from !== undefined || to !== undefined)
      throw appError('query.invalid', 'window excludes from and to; give one or the other');
    return { kind: 'sliding', windowMs: parseDuration(window) };
  }
  if (from === undefined) {
    if (to !== undefined) throw appError('query.invalid', 'to needs from; give both, or window');
    return { kind: 'sliding', windowMs: defaultWindowMs };
  }
  const start = parseTime(from, nowMs);
  const end = to === undefined ? nowMs : parseTime(to, nowMs);
  if (!(start < end))
    throw appError('query.invalid', 'from must lie before to, and before now where to is absent');
  if (to !== undefined && to !== 'now') return { kind: 'fixed', from: start, to: end };
  if (typeof from === 'string' && from.startsWith('now')) return { kind: 'sliding', windowMs: nowMs - start };
  return { kind: 'open', from: start };
}

function rangeAt(range: QueryRange, nowMs: number): { from: number; to: number } {
  if (range.kind === 'fixed') return range;
  // The end is exclusive and a point of this very millisecond is inside.
  return { from: range.kind === 'open' ? range.from : nowMs - range.windowMs, to: Math.floor(nowMs) + 1 };
}

function checkedRange({ from, to }: { from: number; to: number }): { from: number; to: number } {
  return { from: checkedTime(from), to: checkedTime(to) };
}

function wholeBuckets(buckets: Buckets, range: { from: number; to: number }): { from: number; to: number } {
  const last = buckets.start(range.to);
  return { from: buckets.start(range.from), to: last === range.to ? last : buckets.end(range.to) };
}

function refuseTooMany(buckets: Buckets, range: { from: number; to: number }): void {
  const count = buckets.countIn(range.from, range.to);
  if (count <= maxBuckets) return;
  const enough = formatDuration(nominalStepMs(chooseStep(range.to - range.from, maxBuckets - 2)));
  throw appError(
    'query.too_large',
    `this range and step make ${count} buckets and ${maxBuckets} are the most; ask for a step of ${enough}, or a shorter range`,
  );
}

function normaliseWhere(where: Where): Where {
  const names = Object.keys(where).sort();
  return Object.fromEntries(names.map((name) => [name, normaliseMatcher(where[name]!)]));
}

/**
 * One form for conditions that mean the same: what is wanted and what is not meet in one list where values are listed,
 * expressions stand sorted behind them, each once. Conditions that exclude each other become the empty list, which no
 * value is in (a caller cannot send it).
 */
function normaliseMatcher(matcher: Matcher): Matcher {
  const conditions = conditionsOf(matcher);
  const regexes = sorted(conditions.flatMap((one) => ('regex' in one ? [one.regex] : [])));
  const notRegexes = sorted(conditions.flatMap((one) => ('not_regex' in one ? [one.not_regex] : [])));
  const values = valueCondition(conditions);
  if (Array.isArray(values) && values.length === 0) return [];
  if (regexes.some((regex) => notRegexes.includes(regex))) return [];
  return allOf([
    ...(values === undefined ? [] : [values]),
    ...regexes.map((regex) => ({ regex })),
    ...notRegexes.map((regex) => ({ not_regex: regex })),
  ]);
}

/** What the lists among the conditions say together: one of these, none of these, or nothing (undefined). */
function valueCondition(conditions: readonly Condition[]): string[] | { not: string[] } | undefined {
  const refused = sorted(conditions.flatMap((one) => ('not' in one ? one.not : [])));
  const [first, ...others] = conditions.filter((one) => Array.isArray(one));
  if (first === undefined) return refused.length === 0 ? undefined : { not: refused };
  return sorted(first.filter((value) => !refused.includes(value) && others.every((o) => o.includes(value))));
}

function sorted(texts: readonly string[]): string[] {
  return [...new Set(texts)].sort();
}
