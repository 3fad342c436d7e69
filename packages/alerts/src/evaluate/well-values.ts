import { partsOf } from '@nowcast/aggregate';
import type { AggName } from '@nowcast/contract';
import type { RulePlan } from './plan.ts';

/** Quantiles apart: what lies between two bounds when all values do. */
const between: readonly AggName[] = ['avg', 'min', 'max', 'first', 'last'];
/** How far beyond the bounds rounding may take it, and how far a sketch, as a share of the larger magnitude. */
const roundingShare = 1e-9;
const sketchShare = 0.02;
/** The least margin: what a sketch says of values close to nothing is not within a share of them. */
const leastMargin = 1e-300;

/**
 * Whether values from `low` to `high` leave a window well that is well without them; undefined when the rule's value
 * says more than what lies between its points. Until the window moves, an average (a maximum, a quantile) that was
 * within the limits stays there whatever is added within them. Nearly all groups are well nearly all the time, and to
 * know that costs two comparisons, where their values are a dozen merges each.
 */
export function keepsWell({
  condition,
  queries,
}: RulePlan): ((low: number, high: number) => boolean) | undefined {
  const [query] = queries;
  if (condition.kind !== 'threshold' || condition.op === 'inside') return undefined;
  // What each series says for itself may move the wrong way on values within the limits.
  if (queries.length !== 1 || query!.perSeries) return undefined;
  const { quantiles } = partsOf(query!.agg);
  if (!quantiles && !between.includes(query!.agg)) return undefined;
  const share = quantiles ? sketchShare : roundingShare;
  const { op, value: limit, upper } = condition;
  const least = op === 'above' ? Number.NEGATIVE_INFINITY : limit;
  const most = op === 'above' ? limit : (upper ?? Number.POSITIVE_INFINITY);
  return (low, high) => {
    const margin = leastMargin + share * Math.max(Math.abs(low), Math.abs(high));
    return low - margin > least && high + margin < most;
  };
}
