import { type AggName, type ConditionState } from '@nowcast/contract';
import { ddIndex } from '@nowcast/aggregate';
import type { RulePlan } from '../plan.ts';

/** A point as it reached the rule. */
export interface ReceivedPoint {
  side: number;
  series: string;
  group: string;
  timestamp: number;
  value: number;
  actor: string | undefined;
}

interface ReferenceGroup {
  points: ReceivedPoint[];
  arrivals: number[];
  state: ConditionState;
  since: number;
  broken: boolean;
}

/**
 * The rules of docs/alerts.md done the slow way: every accepted point is kept for ever, and every value of every group is
 * computed from them anew at every tick. It shares the plan with what it checks, nothing else.
 */
export class ReferenceEvaluator {
  readonly #plan: RulePlan;
  readonly #groups = new Map<string, ReferenceGroup>();
  #lookedAt = Number.NEGATIVE_INFINITY;

  constructor(plan: RulePlan) {
    this.#plan = plan;
  }

  /** What changes at `now`, when these points were received: `group from to`. */
  tick(points: readonly ReceivedPoint[], now: number): string[] {
    const touched = new Set<string>();
    for (const point of points) {
      if (point.timestamp < now - this.#plan.latenessMs) continue;
      touched.add(point.group);
      const group = this.#groupOf(point.group);
      group.points.push({ ...point, timestamp: Math.min(point.timestamp, now) });
      if (group.arrivals.at(-1) !== now) group.arrivals.push(now);
    }
    const isSecond = this.#passes(now);
    const changes: string[] = [];
    for (const [name, group] of this.#groups) {
      const { kind } = this.#plan.condition;
      const timed = kind === 'no_data' || kind === 'flapping';
      const holds = timed && !isSecond && !touched.has(name) ? group.broken : this.#holds(group, now);
      const before = group.state;
      this.#move(group, holds, now);
      if (group.state !== before) changes.push(`${name} ${before} ${group.state}`);
    }
    return changes.sort();
  }

  #groupOf(name: string): ReferenceGroup {
    let group = this.#groups.get(name);
    if (group === undefined) {
      group = { points: [], arrivals: [], state: 'ok', since: 0, broken: false };
      this.#groups.set(name, group);
    }
    return group;
  }

  /** Whether a second has begun since the last tick: as often is it looked at who is silent. */
  #passes(now: number): boolean {
    const second = Math.floor((now - this.#plan.delayMs) / Math.min(1000, this.#plan.partMs));
    const passed = second > this.#lookedAt;
    this.#lookedAt = Math.max(second, this.#lookedAt);
    return passed;
  }

  #move(group: ReferenceGroup, holds: boolean, now: number): void {
    const { forMs, keepMs } = this.#plan;
    const waited = now - group.since;
    let to: ConditionState = group.state;
    if (group.state === 'ok' && holds) to = forMs > 0 ? 'pending' : 'firing';
    else if (group.state === 'pending') to = !holds ? 'ok' : waited >= forMs ? 'firing' : 'pending';
    else if (group.state === 'firing' && !holds) to = keepMs > 0 ? 'recovering' : 'ok';
    else if (group.state === 'recovering') to = holds ? 'firing' : waited >= keepMs ? 'ok' : 'recovering';
    if (to !== group.state) group.since = now;
    group.state = to;
  }

  #holds(group: ReferenceGroup, now: number): boolean {
    const { condition, windowMs, noData } = this.#plan;
    if (condition.kind === 'no_data') return (group.broken = now - group.arrivals.at(-1)! >= windowMs);
    if (condition.kind === 'flapping') {
      const returned = returns(group.arrivals).filter((at) => at > now - windowMs);
      return (group.broken = returned.length >= condition.times);
    }
    const value = this.#value(group, now - this.#plan.delayMs);
    if (Number.isNaN(value)) {
      const holds = noData === 'alert' || (noData === 'keep' && group.broken);
      if (noData === 'ok') group.broken = false;
      return holds;
    }
    return (group.broken = this.#isBroken(group, value, now));
  }

  #isBroken(group: ReferenceGroup, value: number, now: number): boolean {
    const { condition, windowMs, delayMs } = this.#plan;
    if (condition.kind === 'change') {
      const base = this.#value(group, now - delayMs - windowMs);
      if (Number.isNaN(base) || this.#isFilling(group, 2, now)) return false;
      const by = condition.unit === 'percent' ? (Math.abs(base) * condition.by) / 100 : condition.by;
      if (condition.direction !== 'falls' && value > base + by) return true;
      return condition.direction !== 'rises' && value < base - by;
    }
    if (condition.kind !== 'threshold') throw new Error('the reference does not know this kind');
    const low = group.broken ? (condition.recovery ?? condition.value) : condition.value;
    const end = condition.upper ?? condition.value;
    const high = group.broken ? (condition.recovery_upper ?? end) : end;
    const filling = this.#isFilling(group, 1, now);
    if (condition.op === 'above') return value > low;
    if (condition.op === 'below') return !filling && value < low;
    if (condition.op === 'inside') return !filling && value > low && value < high;
    return value > high || (!filling && value < low);
  }

  /** Counts are incomplete until so many windows of whole parts lie behind the part of the first arrival. */
  #isFilling(group: ReferenceGroup, windows: number, now: number): boolean {
    const { counts, delayMs, partMs, windowMs } = this.#plan;
    const part = (at: number) => Math.floor((at - delayMs) / partMs) * partMs;
    return counts && part(now) - windows * windowMs <= part(group.arrivals[0]!);
  }

  #value(group: ReferenceGroup, end: number): number {
    const { partMs, counts, queries } = this.#plan;
    const running = this.#sideValue(group, 0, end);
    if (queries.length === 2) {
      const divisor = this.#sideValue(group, 1, end);
      return divisor === 0 ? Number.NaN : running / divisor;
    }
    if (!counts) return running;
    const whole = this.#sideValue(group, 0, end - partMs);
    const known = [running, whole].filter((value) => !Number.isNaN(value));
    return known.reduce(
      (most, value) => (Math.abs(value) > Math.abs(most) ? value : most),
      known[0] ?? Number.NaN,
    );
  }

  #sideValue(group: ReferenceGroup, side: number, end: number): number {
    const { windowMs, partMs, queries } = this.#plan;
    const { agg, across, perSeries } = queries[side]!;
    const to = (Math.floor(end / partMs) + 1) * partMs;
    const own = group.points.filter((point) => point.side === side);
    const populations = perSeries ? [...Map.groupBy(own, ({ series }) => series).values()] : [own];
    const values = populations
      .map((points) => aggregate(points, agg, to - windowMs, to))
      .filter((value) => !Number.isNaN(value));
    const empty = ['count', 'sum', 'rate', 'uniques'].includes(agg) ? 0 : Number.NaN;
    if (values.length === 0) return empty;
    const sum = values.reduce((total, value) => total + value, 0);
    if (across === 'avg') return sum / values.length;
    if (across === 'min') return Math.min(...values);
    return across === 'max' ? Math.max(...values) : sum;
  }
}

function aggregate(all: readonly ReceivedPoint[], agg: AggName, from: number, to: number): number {
  const sorted = all.toSorted((a, b) => a.timestamp - b.timestamp || a.value - b.value);
  const points = sorted.filter(({ timestamp }) => timestamp >= from && timestamp < to);
  if (points.length === 0) return Number.NaN;
  const values = points.map(({ value }) => value);
  const sum = values.reduce((total, value) => total + value, 0);
  switch (agg) {
    case 'count':
      return points.length;
    case 'sum':
      return sum;
    case 'avg':
      return sum / points.length;
    case 'min':
      return Math.min(...values);
    case 'max':
      return Math.max(...values);
    case 'first':
      return values[0]!;
    case 'last':
      return values.at(-1)!;
    case 'rate':
      return sum / ((to - from) / 1000);
    case 'increase':
      return growth(sorted, points, from, to - from);
    case 'uniques':
      return new Set(points.flatMap(({ actor }) => actor ?? [])).size || Number.NaN;
    default:
      return quantile(values, Number(agg.slice(1)) / 100);
  }
}

function growth(
  all: readonly ReceivedPoint[],
  points: readonly ReceivedPoint[],
  from: number,
  windowMs: number,
): number {
  const reach = Math.max(300_000, windowMs);
  const before = all.findLast(({ timestamp }) => timestamp < from);
  const values = points.map(({ value }) => value);
  if (before !== undefined && before.timestamp >= from - reach) values.unshift(before.value);
  return values
    .slice(1)
    .reduce((sum, value, i) => sum + (value < values[i]! ? value : value - values[i]!), 0);
}

/** The value that stands for the sketch's bucket: sketches answer within 1 %, always with the same numbers. */
function quantile(values: readonly number[], fraction: number): number {
  const exact = values.toSorted((a, b) => a - b)[Math.floor(fraction * (values.length - 1))]!;
  const gamma = 1.01 / 0.99;
  const key = ddIndex(exact);
  if (key === 0) return 0;
  return (Math.sign(key) * 2 * Math.exp((Math.abs(key) - 40_000) * Math.log(gamma))) / (gamma + 1);
}

/** When a source came back after three of its usual intervals. */
function returns(arrivals: readonly number[]): number[] {
  const found: number[] = [];
  let usual = 0;
  arrivals.slice(1).forEach((at, i) => {
    const gap = at - arrivals[i]!;
    const silence = 3 * Math.max(1000, usual);
    if (usual > 0 && gap > silence) found.push(at);
    if (usual === 0) usual = gap;
    else if (gap < usual) usual = Math.max(1000, (usual + gap) / 2);
    else usual += (Math.min(gap, silence) - usual) / 10;
  });
  return found.slice(-100);
}
