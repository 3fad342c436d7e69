import {
  conditionsOf,
  parseDuration,
  unitPerSecond,
  type Agg,
  type Condition,
  type Panel,
  type QueryInput,
  type Rule,
  type Where,
} from '@nowcast/contract';
import type { Limit } from '../../charts/limits.ts';
import { isAmount } from '../../live/statistics.ts';
import { formatValue } from '../../units/format.ts';

/** Which rules a chart tells of, and what of them can be drawn on it. */

/** Whether no value meets both: known only of lists. */
function excludes(one: Condition, other: Condition): boolean {
  if (Array.isArray(one) && Array.isArray(other)) return !one.some((value) => other.includes(value));
  if (Array.isArray(one) && 'not' in other) return one.every((value) => other.not.includes(value));
  if (Array.isArray(other) && 'not' in one) return other.every((value) => one.not.includes(value));
  return false;
}

/** Whether series may meet both filters. */
function meets(one: Where, other: Where): boolean {
  return Object.entries(one).every(([label, matcher]) => {
    const theirs = Object.hasOwn(other, label) ? conditionsOf(other[label]!) : [];
    return conditionsOf(matcher).every((mine) => !theirs.some((condition) => excludes(mine, condition)));
  });
}

/** Rules that read the metric of `query` where its filter may find the same series, and those the panel names. */
export function rulesWatching(
  rules: readonly Rule[],
  query: Pick<QueryInput, 'metric_type' | 'where'>,
  linked: readonly string[] = [],
): Rule[] {
  return rules.filter(({ rule_id: id, enabled, evaluation }) => {
    if (linked.includes(id)) return true;
    if (!enabled || evaluation.condition.kind === 'composite') return false;
    return [evaluation.query, evaluation.divide_by].some(
      (read) => read?.metric_type === query.metric_type && meets(read.where, query.where ?? {}),
    );
  });
}

/** `where` for alerts of a chart: one whose labels do not say is about all of them. */
export function aboutWhere(where: Where): Where {
  const entries = Object.entries(where).flatMap(([label, matcher]): [string, Where[string]][] => {
    const conditions = conditionsOf(matcher).flatMap((condition): Condition[] => {
      if (Array.isArray(condition)) return [[...condition, '']];
      if ('not' in condition) {
        const not = condition.not.filter((value) => value !== '');
        return not.length > 0 ? [{ not }] : [];
      }
      // Of a pattern that must not match it cannot be said in a pattern that the empty value may.
      return 'regex' in condition ? [{ regex: `(?:${condition.regex})?` }] : [];
    });
    return conditions.length === 0 ? [] : [[label, { all: conditions }]];
  });
  return Object.fromEntries(entries);
}

/** What must be known of a chart to say whether a rule's limit is a value on its axis. */
export interface ShownQuery {
  metricType: string;
  agg: Agg;
  groupBy: readonly string[];
  stepMs: number;
  perSecond: boolean;
  /** Lines stand on each other. */
  stacked: boolean;
  unit: Panel['display']['unit'];
}

/** What a value of the rule is multiplied with to be one of the chart; null: it is no value of the chart. */
function scaleOf({ evaluation }: Rule, shown: ShownQuery): number | null {
  const { query, divide_by: divisor, window } = evaluation;
  if (query === undefined || divisor !== undefined || query.metric_type !== shown.metricType) return null;
  if (query.agg !== undefined && query.agg !== shown.agg) return null;
  if (shown.stacked && evaluation.group_by.some((label) => shown.groupBy.includes(label))) return null;
  // What adds up over time compares over the same time only.
  if (!isAmount(shown.agg) || shown.agg === 'rate') return 1;
  const windowMs = parseDuration(window);
  if (shown.perSecond) return 1000 / windowMs;
  return windowMs === shown.stepMs ? 1 : null;
}

const longestName = 28;

/** The limits of a threshold rule as values of the chart; none where they would mean something else. */
export function limitsOfRule(rule: Rule, shown: ShownQuery): Limit[] {
  const { condition } = rule.evaluation;
  const scale = scaleOf(rule, shown);
  if (scale === null || condition.kind !== 'threshold') return [];
  const level = rule.severity === 'critical' ? 'crit' : 'warn';
  const name = rule.name.length > longestName ? `${rule.name.slice(0, longestName - 1)}…` : rule.name;
  const unit = shown.perSecond ? unitPerSecond(shown.unit) : shown.unit;
  const limit = (value: number, badTo: number): Limit => ({
    value: value * scale,
    level,
    text: `${name}: ${rule.severity} ${formatValue(value * scale, unit)}`,
    badTo: badTo * scale,
  });
  const { op, value, upper } = condition;
  if (op === 'above') return [limit(value, Number.POSITIVE_INFINITY)];
  if (op === 'below') return [limit(value, Number.NEGATIVE_INFINITY)];
  if (upper === undefined) return [];
  return op === 'outside'
    ? [limit(value, Number.NEGATIVE_INFINITY), limit(upper, Number.POSITIVE_INFINITY)]
    : [limit(value, upper), { ...limit(upper, upper) }];
}
