import { type ByteReader, type ByteWriter, conditionStates } from '@nowcast/contract';
import type { Baseline, Limits } from './baseline.ts';
import type { MachineState } from './machine.ts';
import type { RulePlan } from './plan.ts';
import { Presence } from './presence.ts';

/** One combination of the labels a rule groups by, and all that is known of it. */
export class Group {
  /** Text of the labels: identity inside the rule. */
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  /** Its number in the rule and in the window of each side; another group's once this one was let go of. */
  readonly place: number;
  presence = new Presence();
  baseline: Baseline | undefined;
  machine: MachineState = { state: 'ok', since: 0 };
  /** Whether its value, as last known, breaks the condition: what hysteresis goes on from. */
  broken = false;
  /** As last worked out: while the group is well, it may be older than its last points. */
  value = Number.NaN;
  limit = Number.NaN;
  /** The band the value was compared with, where it has one. */
  limits: Limits | undefined;
  dueAt = Number.POSITIVE_INFINITY;
  /** Names the time from the first step away from `ok` until the return to it; empty when it is well. */
  episode = '';

  constructor(
    name: string,
    labels: Readonly<Record<string, string>>,
    place: number,
    baseline: Baseline | undefined,
  ) {
    this.name = name;
    this.labels = labels;
    this.place = place;
    this.baseline = baseline;
  }

  /** Whether so many whole windows lie between its first point and now: what is counted in them is complete. */
  hasWindows(windows: number, { partMs, parts, delayMs }: RulePlan, now: number): boolean {
    const first = Math.floor((this.presence.firstAt - delayMs) / partMs);
    return Math.floor((now - delayMs) / partMs) > first + parts * windows;
  }

  /** It has sent something that was not too late. */
  get seen(): boolean {
    return this.presence.lastAt > 0;
  }

  save(writer: ByteWriter): void {
    writer.u8(conditionStates.indexOf(this.machine.state));
    writer.f64(this.machine.since);
    writer.u8(this.broken ? 1 : 0);
    writer.f64(this.value);
    writer.f64(this.limit);
    writer.string(this.episode);
    this.presence.save(writer);
    this.baseline?.save(writer);
  }

  load(reader: ByteReader): void {
    const state = conditionStates[reader.u8()]!;
    this.machine = { state, since: reader.f64() };
    this.broken = reader.u8() === 1;
    this.value = reader.f64();
    this.limit = reader.f64();
    this.episode = reader.string();
    this.presence.load(reader);
    this.baseline?.load(reader);
  }
}
