import { partsOf, type StateGrid } from '@nowcast/aggregate';
import type { ByteReader, ByteWriter, ConditionState, SeriesDefinition, Transition } from '@nowcast/contract';
import { fitted } from './baselines.ts';
import type { FoldedRun } from './folded-run.ts';
import type { Group } from './group.ts';
import { hasListened, judge, type Look, type Verdict } from './judge.ts';
import { dueAt, step } from './machine.ts';
import { graceOf, noPause, type Pause } from './pause.ts';
import type { PlannedQuery, RulePlan } from './plan.ts';
import { RuleGroups } from './rule-groups.ts';
import { SlidingWindow } from './sliding-window.ts';
import { TouchedGroups } from './touched-groups.ts';
import { keepsWell } from './well-values.ts';

/** A change of one group's state. */
export interface Decision {
  group: Group;
  from: ConditionState;
  to: ConditionState;
  reason: Transition['reason'];
}

/** The unit of a series that has not asked for one. */
export const noUnit = -1;
/** A group that sent nothing for so long is forgotten; one whose alert is open stays for longer. */
const forgetMs = 86_400_000;
const forgetOpenMs = 7 * forgetMs;
/** Of what `save` writes; a later one begins anew. */
const format = 3;
const secondMs = 1000;

/**
 * One rule: points in, changes of state out. It never asks for the time: whoever drives it says what "now" is, the same
 * at a replay. Between two evaluations it only gathers; a value is computed for groups that got points which may
 * matter, whose window moved on by a part, or that wait for time to pass.
 */
export class RuleEvaluator {
  readonly plan: RulePlan;
  readonly #windows: readonly SlidingWindow[];
  readonly #keepsWell: ReturnType<typeof keepsWell>;
  readonly #groups: RuleGroups;
  /** Place of each unit's group, by side. */
  readonly #placeOf: number[][];
  /** Since the last evaluation. */
  readonly #touched = new TouchedGroups();
  #heardAt = 0;
  readonly #waiting = new Set<Group>();
  /** Units by the name of their series or group, by side: what a saved state is found by. */
  readonly #unitNames: Map<string, number>[];
  #sweep = Number.NEGATIVE_INFINITY;
  /** Series that found no room since there last was some. */
  leftOut = 0;
  /** What a series without room is told instead of a unit: another negative number once groups were let go of. */
  #refusal = noUnit - 1;

  constructor(plan: RulePlan) {
    this.plan = plan;
    this.#groups = new RuleGroups(plan);
    this.#windows = plan.queries.map((query) => windowOf(plan, query));
    this.#keepsWell = keepsWell(plan);
    this.#placeOf = plan.queries.map(() => []);
    this.#unitNames = plan.queries.map(() => new Map<string, number>());
  }

  get groups(): ReadonlyMap<string, Group> {
    return this.#groups.byName;
  }

  /**
   * The unit that a series' points go to on this side (0: the query, 1: what divides it), or a negative number when
   * there is no room. It is good until `isStale` says otherwise, so a series asks when it has points: one that is silent
   * takes no room from others. `name` is the series' own, the same at a replay.
   */
  addSeries(side: number, definition: SeriesDefinition, name: string): number {
    const group = this.#groups.ofSeries(definition);
    if (group !== undefined) return this.#unitAt(side, group, this.plan.queries[side]!.perSeries ? name : '');
    this.leftOut += 1;
    return this.#refusal;
  }

  /** Whether a series has to ask for its unit anew: its group was forgotten, or there may be room by now. */
  isStale(side: number, unit: number): boolean {
    return unit < 0 ? unit !== this.#refusal : !this.#windows[side]!.has(unit);
  }

  /** Whether all points of a run come too late to count: a series that has no others asks for no unit. */
  isTooLate(run: FoldedRun, now: number): boolean {
    return run.newest < now - this.plan.latenessMs;
  }

  /** Adds points received by `now`; those later than the rule allows count for charts only. */
  add(side: number, unit: number, run: FoldedRun, now: number): void {
    if (unit < 0) return;
    const added = this.#windows[side]!.add(unit, run, now - this.plan.latenessMs, now);
    if (added === 0) return;
    this.#heardAt = now;
    this.#touched.add(this.#placeOf[side]![unit]!, run.low, run.high);
  }

  /** The same for a ready state of one part of the window, as history has it. */
  mergePart(side: number, unit: number, start: number, states: StateGrid, row: number, now: number): void {
    if (unit < 0) return;
    this.#windows[side]!.mergePart(unit, start, states, row);
    this.#heardAt = now;
    this.#touched.add(this.#placeOf[side]![unit]!, -Infinity, Infinity);
  }

  /** `pause`: the last time nobody listened; what did not come then is not missing. */
  evaluate(now: number, pause: Pause = noPause): Decision[] {
    const decisions: Decision[] = [];
    const look = { now, pause };
    const { places } = this.#touched;
    for (const place of places) this.#groups.at(place).presence.heard(this.#heardAt, pause);
    const sweep = Math.floor((now - this.plan.delayMs) / this.#sweepMs());
    if (sweep > this.#sweep) {
      this.#sweep = sweep;
      for (const group of this.groups.values()) if (group.seen) this.#decide(group, look, decisions);
      this.#forget(look, decisions);
    } else {
      for (const place of places)
        if (!this.#staysWell(place)) this.#decide(this.#groups.at(place), look, decisions);
      for (const group of this.#waiting) {
        if (!this.#touched.has(group.place) && group.dueAt <= now) this.#decide(group, look, decisions);
      }
    }
    this.#touched.clear();
    return decisions;
  }

  /** What the rule's value was at the last evaluation is in the groups. Ends everything that is not well. */
  end(now: number, reason: Transition['reason']): Decision[] {
    const decisions: Decision[] = [];
    for (const group of this.groups.values()) this.#close(group, now, reason, decisions);
    return decisions;
  }

  /** Takes over what another run of the same rule learned of its groups. */
  learnFrom(other: RuleEvaluator): void {
    for (const [name, { labels, baseline, presence }] of other.groups) {
      const group = this.#groups.named(name, labels);
      if (group === undefined) continue;
      group.baseline = fitted(this.plan, baseline);
      group.presence = presence;
    }
  }

  /** After a seed: what was learned stays, every group begins well. */
  begin(now: number): void {
    for (const group of this.groups.values()) {
      group.machine = { state: 'ok', since: now };
      group.broken = false;
    }
    this.#waiting.clear();
    this.#sweep = Number.NEGATIVE_INFINITY;
  }

  save(writer: ByteWriter): void {
    const seen = [...this.groups.values()].filter((group) => group.seen);
    writer.u8(format);
    writer.f64(this.#sweep);
    writer.varint(seen.length);
    for (const group of seen) {
      writer.string(group.name);
      writer.string(JSON.stringify(group.labels));
      group.save(writer);
    }
    this.#windows.forEach((window, side) => {
      const names = [...this.#unitNames[side]!].filter(([, unit]) => this.#groupOfUnit(side, unit).seen);
      writer.varint(names.length);
      for (const [name, unit] of names) {
        writer.string(name);
        writer.string(this.#groupOfUnit(side, unit).name);
        window.saveUnit(unit, writer);
      }
    });
  }

  /**
   * Into a rule that is new; false when the bytes are of another version of this program and nothing was read. Series
   * that are added afterwards find their states.
   */
  load(reader: ByteReader): boolean {
    if (reader.u8() !== format) return false;
    this.#sweep = reader.f64();
    for (let left = reader.varint(); left > 0; left -= 1) {
      const name = reader.string();
      const labels = JSON.parse(reader.string()) as Record<string, string>;
      const group = this.#groups.named(name, labels)!;
      group.load(reader);
      this.#wait(group);
    }
    this.#windows.forEach((window, side) => {
      for (let left = reader.varint(); left > 0; left -= 1) {
        const name = reader.string();
        const group = this.groups.get(reader.string())!;
        window.loadUnit(this.#addUnit(side, group, name), reader);
      }
    });
    return true;
  }

  /** Whether a group that got points was well at the last look, and those points leave it so. */
  #staysWell(place: number): boolean {
    if (this.#keepsWell === undefined) return false;
    const { machine, broken, value } = this.#groups.at(place);
    // One without a value is counted as such by who asks how the rule stands.
    if (machine.state !== 'ok' || broken || Number.isNaN(value)) return false;
    return this.#keepsWell(this.#touched.lowOf(place), this.#touched.highOf(place));
  }

  #decide(group: Group, look: Look, decisions: Decision[]): void {
    const { plan } = this;
    const { now } = look;
    const at = now - plan.delayMs;
    const verdict = judge(plan, group, (end) => this.#valueOf(group, end), look);
    group.broken = verdict.broken;
    group.value = verdict.value;
    group.limit = verdict.limit;
    group.limits = verdict.limits;
    const complete = !plan.counts || (group.hasWindows(1, plan, now) && hasListened(1, plan, look));
    if (complete && !Number.isNaN(verdict.value)) group.baseline?.learn(at, verdict.value);
    this.#move(group, verdict, now, decisions);
  }

  #move(group: Group, { holds, reason }: Verdict, now: number, decisions: Decision[]): void {
    const { state: from } = group.machine;
    group.machine = step(group.machine, holds, now, this.plan);
    const { state: to } = group.machine;
    if (from !== to) decisions.push({ group, from, to, reason });
    this.#wait(group);
  }

  #wait(group: Group): void {
    group.dueAt = dueAt(group.machine, this.plan);
    if (group.dueAt === Number.POSITIVE_INFINITY) this.#waiting.delete(group);
    else this.#waiting.add(group);
  }

  #close(group: Group, now: number, reason: Transition['reason'], decisions: Decision[]): void {
    const { state: from } = group.machine;
    if (from !== 'ok') decisions.push({ group, from, to: 'ok', reason });
    group.machine = { state: 'ok', since: now };
    this.#waiting.delete(group);
  }

  /** Lets go of groups that are long gone, and of those whose points all came too late. Their series may come back. */
  #forget({ now, pause }: Look, decisions: Decision[]): void {
    const before = this.groups.size;
    const mayComeBack = now - pause.end <= Math.min(forgetMs, graceOf(pause));
    for (const group of this.groups.values()) {
      const patience = group.machine.state === 'ok' ? forgetMs : forgetOpenMs;
      const silentMs = now - group.presence.lastAt;
      if (group.seen && (mayComeBack || silentMs <= Math.max(patience, 2 * this.plan.windowMs))) continue;
      this.#close(group, now, 'no_data', decisions);
      this.#groups.remove(group);
      for (const window of this.#windows) window.removeGroup(group.place);
    }
    if (this.groups.size === before) return;
    this.#refusal -= 1;
    this.leftOut = 0;
    this.#windows.forEach((window, side) => {
      for (const [name, unit] of this.#unitNames[side]!)
        if (!window.has(unit)) this.#unitNames[side]!.delete(name);
    });
  }

  #valueOf(group: Group, end: number): number {
    const [over, under] = this.#windows;
    const value = over!.valueAt(group.place, end, this.plan.counts);
    if (under === undefined) return value;
    const divisor = under.valueAt(group.place, end);
    return divisor === 0 ? Number.NaN : value / divisor;
  }

  #sweepMs(): number {
    const { kind } = this.plan.condition;
    return kind === 'no_data' || kind === 'flapping'
      ? Math.min(secondMs, this.plan.partMs)
      : this.plan.partMs;
  }

  #groupOfUnit(side: number, unit: number): Group {
    return this.#groups.at(this.#placeOf[side]![unit]!);
  }

  /** Without a name of its own a unit is its group's. */
  #unitAt(side: number, group: Group, name: string): number {
    const key = name === '' ? group.name : name;
    return this.#unitNames[side]!.get(key) ?? this.#addUnit(side, group, key);
  }

  #addUnit(side: number, group: Group, key: string): number {
    const unit = this.#windows[side]!.addUnit(group.place);
    this.#unitNames[side]!.set(key, unit);
    this.#placeOf[side]![unit] = group.place;
    return unit;
  }
}

function windowOf(plan: RulePlan, query: PlannedQuery): SlidingWindow {
  const { windowMs, partMs, parts, delayMs, condition } = plan;
  const windows = condition.kind === 'change' && condition.against === 'previous' ? 2 : 1;
  return new SlidingWindow({
    ...query,
    windowMs,
    partMs,
    reachParts: parts * windows + Math.ceil(delayMs / partMs),
    states: partsOf(query.agg),
  });
}
