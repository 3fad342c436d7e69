import type { Transition } from '@nowcast/contract';
import { unreachable } from '@nowcast/kernel';
import { changeLimits, type Limits } from './baseline.ts';
import type { Group } from './group.ts';
import { graceOf, type Pause } from './pause.ts';
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

/** When a group is looked at, epoch ms, and the last pause before that: what is missing from before it says little. */
export interface Look {
  now: number;
  pause: Pause;
}

/**
 * Whether a group's condition holds. `valueAt` gives the rule's value over the window that ends at a time; it is asked as
 * often as the condition needs.
 */
export function judge(plan: RulePlan, group: Group, valueAt: (end: number) => number, look: Look): Verdict {
  const { condition, windowMs, delayMs } = plan;
  const { now, pause } = look;
  const end = now - delayMs;
  switch (condition.kind) {
    case 'threshold': {
      const value = valueAt(end);
      const limit = nearestLimit(condition, value);
      const known = plan.counts && !isComplete(1, plan, group, look) ? atLeast(condition) : condition;
      const holds = () => known !== undefined && thresholdHolds(known, value, group.broken);
      return judged(plan, group, look, value, limit, holds);
    }
    case 'change':
    case 'anomaly': {
      const value = valueAt(end);
      const limits = limitsAt(plan, group, () => valueAt(end - windowMs), look);
      const isBroken = () => isOutside(limits, value);
      const verdict = judged(plan, group, look, value, nearestOf(limits, value), isBroken);
      return { ...verdict, limits };
    }
    case 'no_data': {
      const isSilent = now - group.presence.lastAt >= windowMs;
      const isMissed = now - pause.end >= Math.min(windowMs, graceOf(pause));
      const holds = isSilent && (isFiring(group) || isMissed);
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

/** Whether so many windows of whole parts lie behind the last pause, or enough for what it has torn out of them. */
export function hasListened(
  windows: number,
  { partMs, parts, delayMs }: RulePlan,
  { now, pause }: Look,
): boolean {
  const part = (at: number) => Math.floor((at - delayMs) / partMs);
  return part(now) > part(pause.end) + Math.min(parts * windows, Math.ceil(graceOf(pause) / partMs));
}

/** Whether what was counted in so many windows is all there was. What fires goes on while that cannot be said. */
function isComplete(windows: number, plan: RulePlan, group: Group, look: Look): boolean {
  return group.hasWindows(windows, plan, look.now) && (isFiring(group) || hasListened(windows, plan, look));
}

function isFiring({ machine: { state } }: Group): boolean {
  return state === 'firing';
}

function judged(
  plan: RulePlan,
  group: Group,
  look: Look,
  value: number,
  limit: number,
  holds: () => boolean,
): Verdict {
  if (!Number.isNaN(value)) {
    const broken = holds();
    return { holds: broken, broken, value, limit, reason: 'value' };
  }
  const known = hasListened(1, plan, look);
  const stays = !known && isFiring(group);
  const byPolicy = { ok: stays, keep: group.broken, alert: known || stays }[plan.noData];
  return {
    holds: byPolicy,
    broken: (stays || plan.noData !== 'ok') && group.broken,
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

function limitsAt(plan: RulePlan, group: Group, previous: () => number, look: Look): Limits | undefined {
  const { condition, delayMs, counts } = plan;
  if (condition.kind === 'change' && condition.against === 'previous') {
    if (counts && !isComplete(2, plan, group, look)) return undefined;
    const base = previous();
    return Number.isNaN(base) ? undefined : changeLimits(condition, base);
  }
  if (counts && !isComplete(1, plan, group, look)) return undefined;
  return group.baseline?.limits(look.now - delayMs);
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
