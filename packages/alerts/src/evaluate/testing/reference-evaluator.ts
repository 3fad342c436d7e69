import type { ConditionState } from '@nowcast/contract';
import type { Baseline } from '../baseline.ts';
import { createBaseline } from '../baselines.ts';
import type { RulePlan } from '../plan.ts';
import { aggregate, insert, type ReceivedPoint, returns } from './reference-values.ts';

interface ReferenceGroup {
  labels: Readonly<Record<string, string>>;
  /** By side, then by series where each has a value of its own; in (time, value) order. */
  points: Map<string, ReceivedPoint[]>[];
  arrivals: number[];
  state: ConditionState;
  since: number;
  broken: boolean;
  /** Whether the condition held when it was last looked at. */
  held: boolean;
  /** The last value it was looked at with, by five minutes: what a day or a week ago is looked up in. */
  seen: Map<number, number>;
  /** Values of this tick, by the end of their window. */
  values: Map<number, number>;
  /** What is usual for it. The band has tests of its own; here it is fed with values that were computed from points. */
  band: Baseline | undefined;
}

const dayMs = 86_400_000;
const slotMs = 300_000;

/**
 * The rules of docs/alerts.md done the slow way: the accepted points are kept, and every value of every group is computed
 * from them anew at every tick. It shares the plan with what it checks, and the band of anomalies, nothing else.
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
      this.#keep(point, now);
    }
    const isSweep = this.#passes(now);
    const changes: string[] = [];
    for (const [name, group] of this.#groups) {
      group.values.clear();
      const isTouched = isSweep || touched.has(name);
      const isLooked = isTouched || this.#dueAt(group) <= now;
      // What is usual moves with every look; in between it is as it was.
      const isKnown = this.#isTimed ? isTouched : group.band === undefined || isLooked;
      if (isKnown) group.held = this.#holds(group, now);
      const holds = group.held;
      if (isLooked) this.#learn(group, now);
      const before = group.state;
      this.#move(group, holds, now);
      if (group.state !== before) changes.push(`${name} ${before} ${group.state}`);
    }
    if (isSweep) this.#forget(now, changes);
    return changes.sort();
  }

  /** The rule is changed or removed: what is not well ends. */
  end(): string[] {
    return [...this.#groups]
      .filter(([, { state }]) => state !== 'ok')
      .map(([name, { state }]) => `${name} ${state} ok`)
      .sort();
  }

  /** Labels of the groups that fire, as rules about rules see them. */
  firing(): Readonly<Record<string, string>>[] {
    return [...this.#groups.values()]
      .filter(({ state }) => state === 'firing' || state === 'recovering')
      .map(({ labels }) => labels);
  }

  /** Conditions of time alone are looked at each second. */
  get #isTimed(): boolean {
    const { kind } = this.#plan.condition;
    return kind === 'no_data' || kind === 'flapping';
  }

  #keep(point: ReceivedPoint, now: number): void {
    const { queries } = this.#plan;
    let group = this.#groups.get(point.group);
    if (group === undefined) {
      const labels = Object.fromEntries(JSON.parse(point.group) as [string, string][]);
      const begin = {
        arrivals: [],
        state: 'ok' as const,
        since: 0,
        broken: false,
        held: false,
        seen: new Map(),
        values: new Map(),
      };
      const points = queries.map(() => new Map<string, ReceivedPoint[]>());
      group = { ...begin, labels, points, band: this.#newBand() };
      this.#groups.set(point.group, group);
    }
    if (group.arrivals.at(-1) !== now) group.arrivals.push(now);
    const own = group.points[point.side]!;
    const key = queries[point.side]!.perSeries ? point.series : '';
    if (!own.has(key)) own.set(key, []);
    insert(own.get(key)!, { ...point, timestamp: Math.min(point.timestamp, now) });
    this.#prune(own.get(key)!, now);
  }

  /** What lies so far back can be in no window any more, nor begin a counter's growth. */
  #prune(points: ReceivedPoint[], now: number): void {
    if (points.length % 200 !== 0) return;
    const { windowMs, delayMs, latenessMs } = this.#plan;
    const oldest = now - 3 * windowMs - delayMs - latenessMs - dayMs / 24;
    const spare = points.findIndex(({ timestamp }) => timestamp >= oldest) - 1;
    if (spare > 0) points.splice(0, spare);
  }

  #newBand(): Baseline | undefined {
    return this.#plan.condition.kind === 'anomaly' ? createBaseline(this.#plan) : undefined;
  }

  /** Whether a part of the window, or a second, has begun since the last tick: then all groups are looked at. */
  #passes(now: number): boolean {
    const { partMs, delayMs } = this.#plan;
    const passed = Math.floor((now - delayMs) / (this.#isTimed ? Math.min(1000, partMs) : partMs));
    if (passed <= this.#lookedAt) return false;
    this.#lookedAt = passed;
    return true;
  }

  #dueAt({ state, since }: ReferenceGroup): number {
    if (state === 'pending') return since + this.#plan.forMs;
    return state === 'recovering' ? since + this.#plan.keepMs : Infinity;
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

  /** Groups that sent nothing for a day are new when they come back; those with an open alert after a week. */
  #forget(now: number, changes: string[]): void {
    for (const [name, { state, arrivals }] of this.#groups) {
      const patience = Math.max(state === 'ok' ? dayMs : 7 * dayMs, 2 * this.#plan.windowMs);
      if (now - arrivals.at(-1)! <= patience) continue;
      if (state !== 'ok') changes.push(`${name} ${state} ok`);
      this.#groups.delete(name);
    }
  }

  #learn(group: ReferenceGroup, now: number): void {
    const at = now - this.#plan.delayMs;
    if (this.#plan.condition.kind !== 'change' && group.band === undefined) return;
    const value = this.#value(group, at);
    if (Number.isNaN(value) || this.#isFilling(group, 1, now)) return;
    group.band?.learn(at, value);
    group.seen.set(Math.floor(at / slotMs), value);
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
    const { condition, delayMs } = this.#plan;
    if (condition.kind === 'change') {
      const base = this.#base(group, condition.against, now);
      if (Number.isNaN(base)) return false;
      const by = condition.unit === 'percent' ? (Math.abs(base) * condition.by) / 100 : condition.by;
      if (condition.direction !== 'falls' && value > base + by) return true;
      return condition.direction !== 'rises' && value < base - by;
    }
    const filling = this.#isFilling(group, 1, now);
    if (condition.kind === 'anomaly') {
      const limits = filling ? undefined : group.band!.limits(now - delayMs);
      return limits !== undefined && (value < limits.lower || value > limits.upper);
    }
    if (condition.kind !== 'threshold') throw new Error('the reference does not know this kind');
    const low = group.broken ? (condition.recovery ?? condition.value) : condition.value;
    const end = condition.upper ?? condition.value;
    const high = group.broken ? (condition.recovery_upper ?? end) : end;
    if (condition.op === 'above') return value > low;
    if (condition.op === 'below') return !filling && value < low;
    if (condition.op === 'inside') return !filling && value > low && value < high;
    return value > high || (!filling && value < low);
  }

  /** What a change is measured from; NaN: nothing. */
  #base(group: ReferenceGroup, against: 'previous' | 'day' | 'week', now: number): number {
    const { delayMs, windowMs, partMs } = this.#plan;
    if (against === 'previous')
      return this.#isFilling(group, 2, now) ? Number.NaN : this.#value(group, now - delayMs - windowMs);
    if (this.#isFilling(group, 1, now)) return Number.NaN;
    const slot = Math.floor((now - delayMs - (against === 'day' ? dayMs : 7 * dayMs)) / slotMs);
    const reach = Math.max(1, Math.ceil(partMs / slotMs));
    const slots = Array.from({ length: reach + 1 }, (_, back) => group.seen.get(slot - back));
    return slots.find((value) => value !== undefined) ?? Number.NaN;
  }

  /** Counts are incomplete until so many windows of whole parts lie behind the part of the first arrival. */
  #isFilling(group: ReferenceGroup, windows: number, now: number): boolean {
    const { counts, delayMs, partMs, windowMs } = this.#plan;
    const part = (at: number) => Math.floor((at - delayMs) / partMs) * partMs;
    return counts && part(now) - windows * windowMs <= part(group.arrivals[0]!);
  }

  #value(group: ReferenceGroup, end: number): number {
    let value = group.values.get(end);
    if (value === undefined) group.values.set(end, (value = this.#valueAt(group, end)));
    return value;
  }

  #valueAt(group: ReferenceGroup, end: number): number {
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
    const { agg, across } = queries[side]!;
    const to = (Math.floor(end / partMs) + 1) * partMs;
    const values = [...group.points[side]!.values()]
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
