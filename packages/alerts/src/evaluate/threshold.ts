import type { RuleCondition } from '@nowcast/contract';
import { unreachable } from '@nowcast/kernel';

export type Threshold = Extract<RuleCondition, { kind: 'threshold' }>;

/**
 * Whether the condition holds for a value, given whether it held before: it begins at the limit and ends at the
 * recovery value, so that a value that wobbles around the limit is one alert. A limit itself is still well.
 */
export function thresholdHolds(condition: Threshold, value: number, held: boolean): boolean {
  const { op, value: limit } = condition;
  const lower = held ? (condition.recovery ?? limit) : limit;
  const upperLimit = condition.upper ?? limit;
  const upper = held ? (condition.recovery_upper ?? upperLimit) : upperLimit;
  switch (op) {
    case 'above':
      return value > lower;
    case 'below':
      return value < lower;
    case 'outside':
      return value < lower || value > upper;
    case 'inside':
      return value > lower && value < upper;
    default:
      return unreachable(op);
  }
}

/** The limit that is nearest to the value: what a message compares it with. */
export function nearestLimit({ value: limit, upper }: Threshold, value: number): number {
  return upper !== undefined && Math.abs(value - upper) < Math.abs(value - limit) ? upper : limit;
}
