import { type Baseline, PastValues } from './baseline.ts';
import type { RulePlan } from './plan.ts';
import { SeasonalBand } from './seasonal-band.ts';

/** What the condition compares a group with beyond its own window; undefined when nothing. Forecasts join here. */
export function createBaseline({ condition, partMs }: RulePlan): Baseline | undefined {
  if (condition.kind === 'anomaly') return new SeasonalBand(condition);
  return condition.kind === 'change' && condition.against !== 'previous'
    ? new PastValues(condition, partMs)
    : undefined;
}

/** A baseline of the same condition, learned in parts of another length, as one of this plan: what is saved depends on them. */
export function fitted(plan: RulePlan, learned: Baseline | undefined): Baseline | undefined {
  if (!(learned instanceof PastValues)) return learned;
  const own = createBaseline(plan);
  if (own instanceof PastValues) own.takeOver(learned);
  return own;
}
