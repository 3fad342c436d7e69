import type { RuleCondition, Transition } from '@nowcast/contract';
import { unreachable } from '@nowcast/kernel';
import { changeLimits, type Limits } from './baseline.ts';
import type { Group } from './group.ts';
import type { RulePlan } from './plan.ts';
import { nearestLimit, thresholdHolds } from './threshold.ts';

export interface Verdict {
  holds: boolean;
  value: number;
  /** What the value was compared with; NaN when with nothing. */
  limit: number;
  limits?: Limits | undefined;
  reason: Transition['reason'];
}

/**
 * Whether a group's condition holds at `now`. `valueAt` gives the rule's value over the window that ends at a time;
 * it is asked as often as the condition needs.
 */
export function judge(plan: RulePlan, group: Group, valueAt: (end: number) => number, now: number): Verdict {
  const { condition, windowMs, delayMs } = plan;
  const end = now - delayMs;
  switch (condition.kind) {
    case 'threshold': {
      const value = valueAt(end);
      const limit = nearestLimit(condition, value);
      return judged(plan, group, value, limit, () => thresholdHolds(condition, value, group.holds));
    }
    case 'change':
    case 'anomaly': {
      const value = valueAt(end);
      const limits = limitsAt(condition, group, () => valueAt(end - windowMs), end);
      const verdict = judged(plan, group, value, nearestOf(limits, value), () => isOutside(limits, value));
      return { ...verdict, limits };
    }
    case 'no_data': {
      const holds = now - group.presence.lastAt >= windowMs;
      return { holds, value: Number.NaN, limit: Number.NaN, reason: holds ? 'no_data' : 'value' };
    }
    case 'flapping': {
      const value = group.presence.returnsWithin(now, windowMs);
      return { holds: value >= condition.times, value, limit: condition.times, reason: 'value' };
    }
    case 'composite':
      throw new Error('invariant broken: a rule about rules has no value');
    default:
      return unreachable(condition);
  }
}

function judged(plan: RulePlan, group: Group, value: number, limit: number, holds: () => boolean): Verdict {
  if (!Number.isNaN(value)) return { holds: holds(), value, limit, reason: 'value' };
  const byPolicy = { ok: false, keep: group.holds, alert: true }[plan.noData];
  return { holds: byPolicy, value, limit: Number.NaN, reason: 'no_data' };
}

function limitsAt(
  condition: Extract<RuleCondition, { kind: 'change' | 'anomaly' }>,
  group: Group,
  previous: () => number,
  end: number,
): Limits | undefined {
  if (condition.kind === 'change' && condition.against === 'previous') {
    const base = previous();
    return Number.isNaN(base) ? undefined : changeLimits(condition, base);
  }
  return group.baseline?.limits(end);
}

function isOutside(limits: Limits | undefined, value: number): boolean {
  return limits !== undefined && (value < limits.lower || value > limits.upper);
}

function nearestOf(limits: Limits | undefined, value: number): number {
  if (limits === undefined) return Number.NaN;
  const { lower, upper } = limits;
  if (!Number.isFinite(lower)) return upper;
  return !Number.isFinite(upper) || value < (lower + upper) / 2 ? lower : upper;
}
