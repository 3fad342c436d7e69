import { isPerSeries } from '@nowcast/aggregate';
import {
  type Across,
  type AggName,
  appError,
  type Evaluation,
  parseDuration,
  type RuleCondition,
  type RuleQuery,
  type Where,
} from '@nowcast/contract';
import { seriesTest } from '@nowcast/head';
import { isAppError } from '@nowcast/kernel';

/** One side of a rule's value: the query, or what divides it. */
export interface PlannedQuery {
  metricType: string;
  agg: AggName;
  across: Across;
  where: Where;
  /** Every series has a state of its own. */
  perSeries: boolean;
  /** Nothing in the window means zero, not unknown: these count what happens. */
  zeroWhenEmpty: boolean;
}

/** A rule with its durations as numbers and its contradictions refused. */
export interface RulePlan {
  /** Empty for composites; two for ratios. */
  queries: readonly PlannedQuery[];
  groupBy: readonly string[];
  condition: RuleCondition;
  windowMs: number;
  /** The window slides by this; it is a whole number of these. */
  partMs: number;
  parts: number;
  forMs: number;
  keepMs: number;
  delayMs: number;
  latenessMs: number;
  noData: 'ok' | 'keep' | 'alert';
  /** The value grows with what happens: while its window fills, it says too little. */
  counts: boolean;
}

const mostParts = 12;
const longestWindowMs = 31 * 86_400_000;
const longestDelayMs = 86_400_000;
const counting: readonly AggName[] = ['count', 'sum', 'rate', 'uniques'];

/** `defaultAgg` is what fits the metric where the rule does not say. Throws `query.invalid`, saying what to change. */
export function planRule(evaluation: Evaluation, defaultAgg: (metricType: string) => AggName): RulePlan {
  const { condition } = evaluation;
  const windowMs = Math.round(bounded('window', evaluation.window, 1000, longestWindowMs));
  const parts = partsOf(windowMs, mostParts);
  const delayMs = delayOf(evaluation.delay, windowMs);
  const queries = [evaluation.query, evaluation.divide_by].flatMap((query) =>
    query === undefined ? [] : [planQuery(query, defaultAgg)],
  );
  checkQueries(evaluation);
  checkCondition(condition);
  return {
    queries,
    groupBy: [...new Set(evaluation.group_by)].sort(),
    condition,
    windowMs,
    partMs: windowMs / parts,
    parts,
    forMs: optional('for', evaluation.for),
    keepMs: optional('keep_firing_for', evaluation.keep_firing_for),
    delayMs,
    // A window that ends in the past waits for points that come so late.
    latenessMs: delayMs + optional('lateness', evaluation.lateness),
    noData: evaluation.no_data,
    counts: queries.length === 1 && (queries[0]!.zeroWhenEmpty || queries[0]!.agg === 'increase'),
  };
}

/** The same, with filters that cannot be read refused too: for a rule that is in no log yet. Throws `query.invalid`. */
export function checkRule(evaluation: Evaluation, defaultAgg: (metricType: string) => AggName): RulePlan {
  const plan = planRule(evaluation, defaultAgg);
  const problem = filterProblem(plan);
  if (problem !== undefined) throw appError('query.invalid', problem);
  return plan;
}

/** Why no series can be found: a filter that cannot be read, in a log of before such rules were refused. */
export function filterProblem({ queries }: RulePlan): string | undefined {
  try {
    for (const { where } of queries) seriesTest(where);
    return undefined;
  } catch (error) {
    return isAppError(error) ? error.message : String(error);
  }
}

/** History has sums by so much, ms; what is no multiple of it is read point by point. */
const summedMs = [60_000, 10_000];

/**
 * The same rule with a window in fewer parts: what history can give for a long range. At least `leastMs` each, and of
 * whole minutes, or ten seconds, where that is no shorter.
 */
export function coarser(plan: RulePlan, leastMs: number): RulePlan {
  const { windowMs } = plan;
  const unit = summedMs.find((ms) => ms <= leastMs && windowMs % ms === 0);
  const parts = partsOf(windowMs, Math.min(plan.parts, Math.floor(windowMs / leastMs)), unit);
  return { ...plan, parts, partMs: windowMs / parts };
}

/** Equal parts of whole `unitMs`, a second at least: as many as there may be. */
function partsOf(windowMs: number, most: number, unitMs = 1): number {
  for (let parts = most; parts > 1; parts -= 1)
    if (windowMs % (parts * unitMs) === 0 && windowMs / parts >= 1000) return parts;
  return 1;
}

function planQuery(query: RuleQuery, defaultAgg: (metricType: string) => AggName): PlannedQuery {
  const agg = query.agg ?? defaultAgg(query.metric_type);
  if (agg === 'none') throw appError('query.invalid', 'an alert needs a number; choose an aggregate');
  return {
    metricType: query.metric_type,
    agg,
    across: query.across,
    where: query.where,
    perSeries: isPerSeries(agg, query.across),
    zeroWhenEmpty: counting.includes(agg),
  };
}

function checkQueries({ query, divide_by: divideBy, condition }: Evaluation): void {
  if (condition.kind === 'composite') {
    if (query !== undefined || divideBy !== undefined)
      throw appError('query.invalid', 'a rule about other rules has no query of its own; leave it out');
  } else if (query === undefined) {
    throw appError('query.invalid', 'choose the metric that the rule watches');
  } else if (divideBy !== undefined && (condition.kind === 'no_data' || condition.kind === 'flapping')) {
    throw appError('query.invalid', 'whether a source sends is not a ratio; leave divide_by out');
  }
}

function checkCondition(condition: RuleCondition): void {
  if (condition.kind !== 'threshold') return;
  const { op, value, upper, recovery, recovery_upper: recoveryUpper } = condition;
  const range = op === 'outside' || op === 'inside';
  if (range && (upper === undefined || upper <= value))
    throw appError('query.invalid', `"${op}" needs two limits, the lower one first`);
  if (!range && (upper !== undefined || recoveryUpper !== undefined))
    throw appError('query.invalid', `"${op}" has one limit; leave the upper one out`);
  const wrong =
    (op === 'above' && recovery !== undefined && recovery > value) ||
    (op === 'below' && recovery !== undefined && recovery < value) ||
    (op === 'outside' && ((recovery ?? value) < value || (recoveryUpper ?? upper!) > upper!)) ||
    (op === 'inside' && ((recovery ?? value) > value || (recoveryUpper ?? upper!) < upper!)) ||
    (op === 'outside' && (recovery ?? value) >= (recoveryUpper ?? upper!));
  if (wrong)
    throw appError(
      'query.invalid',
      'the recovery value must lie on the well side of the limit, or be left out',
    );
}

/** The window's ring reaches back over the delay: a long one with a short window would cost memory without bound. */
function delayOf(text: string, windowMs: number): number {
  const delayMs = optional('delay', text);
  const most = Math.max(600_000, 10 * windowMs);
  if (delayMs > most)
    throw appError('query.invalid', `delay is ${text}; with this window it may be ${most / 1000} s at most`);
  return delayMs;
}

function optional(name: string, text: string): number {
  return /^0+(\.0+)?[a-z]+$/.test(text) ? 0 : bounded(name, text, 1, longestDelayMs * 7);
}

function bounded(name: string, text: string, least: number, most: number): number {
  const ms = parseDuration(text);
  if (ms < least || ms > most)
    throw appError(
      'query.invalid',
      `${name} is ${text}; give something from ${least / 1000} s to ${most / 86_400_000} d`,
    );
  return ms;
}
