import type { Transition } from '@nowcast/contract';
import { unreachable } from '@nowcast/kernel';
import { changeLimits, type Limits } from './baseline.ts';
import type { Group } from './group.ts';
import type { RulePlan } from './plan.ts';
import { nearestLimit, type Threshold, thresholdHolds } from './threshold.ts';

export interface Verdict {
  holds: boolean;
  /** Whether the value breaks the condition; as before when there is none. */
  broken: boolean;
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
      const known = plan.counts && !group.hasWindows(1, plan, now) ? atLeast(condition) : condition;
      const holds = () => known !== undefined && thresholdHolds(known, value, group.broken);
      return judged(plan, group, value, limit, holds);
    }
    case 'change':
    case 'anomaly': {
      const value = valueAt(end);
      const limits = limitsAt(plan, group, () => valueAt(end - windowMs), now);
      const verdict = judged(plan, group, value, nearestOf(limits, value), () => isOutside(limits, value));
      return { ...verdict, limits };
    }
    case 'no_data': {
      const holds = now - group.presence.lastAt >= windowMs;
      const reason = holds ? 'no_data' : 'value';
      return { holds, broken: holds, value: Number.NaN, limit: Number.NaN, reason };
    }
    case 'flapping': {
      const value = group.presence.returnsWithin(now, windowMs);
      const holds = value >= condition.times;
      return { holds, broken: holds, value, limit: condition.times, reason: 'value' };
    }
    case 'composite':
      throw new Error('invariant broken: a rule about rules has no value');
    default:
      return unreachable(condition);
  }
}

function judged(plan: RulePlan, group: Group, value: number, limit: number, holds: () => boolean): Verdict {
  if (!Number.isNaN(value)) {
    const broken = holds();
    return { holds: broken, broken, value, limit, reason: 'value' };
  }
  const byPolicy = { ok: false, keep: group.broken, alert: true }[plan.noData];
  return {
    holds: byPolicy,
    broken: plan.noData !== 'ok' && group.broken,
    value,
    limit: Number.NaN,
    reason: 'no_data',
  };
}

/** What can be said of a count that is not complete yet: that it is high, never that it is low. */
function atLeast(condition: Threshold): Threshold | undefined {
  if (condition.op === 'above') return condition;
  return condition.op === 'outside' && condition.upper !== undefined
    ? { kind: 'threshold', op: 'above', value: condition.upper, recovery: condition.recovery_upper }
    : undefined;
}

function limitsAt(plan: RulePlan, group: Group, previous: () => number, now: number): Limits | undefined {
  const { condition, delayMs, counts } = plan;
  if (condition.kind === 'change' && condition.against === 'previous') {
    if (counts && !group.hasWindows(2, plan, now)) return undefined;
    const base = previous();
    return Number.isNaN(base) ? undefined : changeLimits(condition, base);
  }
  return counts && !group.hasWindows(1, plan, now) ? undefined : group.baseline?.limits(now - delayMs);
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
