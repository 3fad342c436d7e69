import { type Moment, noPause, type Pause, RuleSet } from '@nowcast/alerts';
import type {
  AggName,
  AlertCommand,
  AlertRecord,
  ControlRecord,
  EvaluatedRule,
  TickRecord,
} from '@nowcast/contract';
import { assert, type Clock } from '@nowcast/kernel';
import { SlicedWork, turnMs } from '@nowcast/kernel/slices';
import type { DecidedTransition, EvaluatedRuleStatus, TransitionBatch } from '@nowcast/ports';
import type { EngineLog } from '../embedded-engine.ts';
import type { PartitionState } from '../partition-state.ts';
import type { AlertCheckpoint } from './alert-checkpoint.ts';
import { Ticker } from '../ticker.ts';
import type { RulePoints } from './rule-points.ts';
import { statusOf } from './rule-status.ts';

/** A tick or alert record of the owner partition, as the log has it. */
export interface LoggedControl {
  offset: number;
  record: TickRecord | AlertRecord;
}

export interface AlertEngineParts {
  epoch: string;
  clock: Clock;
  states: readonly PartitionState[];
  points: RulePoints;
  defaultAgg: (tenant: string, metricType: string) => AggName;
  /** What a rule would know had it been there before, as bytes; empty when it needs nothing. */
  seedOf: (tenant: string, rule: EvaluatedRule) => Promise<Uint8Array>;
  receivedAt: () => number;
  append: (partition: number, record: ControlRecord) => Promise<number>;
  report: (batch: TransitionBatch) => void;
  log: EngineLog;
}

/** The partition that carries rules and ticks. */
export const alertOwner = 0;
/** Ticks of rules come no sooner after one another: a tick is a record of the log, and people wait for what it finds. */
const tickMs = 20;
/** Time must pass for rules although nothing arrives. */
const secondMs = 1000;
/** A longer pause between two ticks is the program's own: it was down, asleep, or its log took nothing. */
const pauseMs = 5000;

/** A tick that is on its way into the log: what it will make the rules see. */
interface WrittenTick {
  /** Series with points below `ends`. */
  handles: readonly number[];
  ends: readonly number[];
  done: Promise<void>;
}

/**
 * Drives the rules by the log: a tick record says which points they have seen and what time it is, and only when it is
 * durable are they asked. After a crash the records behind the checkpoint are followed again, with the same outcome.
 * See docs/alerts.md and docs/decisions/0005-alert-evaluation.md.
 */
export class AlertEngine {
  readonly #parts: AlertEngineParts;
  readonly #rules: RuleSet;
  /** Position of each tail, and offset of each partition, that the rules have seen. */
  #seen: readonly number[];
  #at: readonly number[];
  #seq = 0;
  #lastNow = 0;
  /** The last one that was longer than `pauseMs`. */
  #pause: Pause = noPause;
  #written: WrittenTick | undefined;
  #failing = false;
  readonly #ticker: Ticker;
  /** What the last tick of the log lets the rules see. */
  readonly #pass: SlicedWork;
  /** What a replay decides is reported once it is through. */
  #begun = false;
  #unconfirmed: TransitionBatch[] = [];
  #transitions = 0;
  /** Changes of rules that are on their way into the log. */
  #commands = 0;
  /** The last change that was asked of a rule, while there is one. */
  readonly #changing = new Map<string, Promise<void>>();

  constructor(parts: AlertEngineParts) {
    this.#parts = parts;
    this.#rules = new RuleSet(parts.defaultAgg);
    this.#seen = parts.states.map(({ tail }) => tail.first);
    this.#at = parts.states.map(() => 0);
    this.#pass = new SlicedWork(turnMs, () => parts.clock.monotonic());
    this.#ticker = new Ticker(parts.clock, tickMs, () => this.#tick());
  }

  get size(): number {
    return this.#rules.size;
  }

  /** Transitions decided since the start. */
  get transitions(): number {
    return this.#transitions;
  }

  /** No rule, none on its way, nothing to be told: the log is not needed. */
  get isIdle(): boolean {
    return this.#rules.size === 0 && this.#commands === 0 && this.#unconfirmed.length === 0;
  }

  /** Points below these positions have been seen. */
  get seen(): readonly number[] {
    return this.#rules.size === 0 ? this.#ends() : this.#seen;
  }

  /** The log is needed from here on, should the process die after the checkpoint that `checkpoint` gives now. */
  get neededFrom(): readonly number[] {
    if (this.isIdle) return this.#offsets();
    return this.#at.map((offset, i) => (i === alertOwner ? Math.min(offset, this.#seq) : offset));
  }

  /** Puts the rules where they stood: the checkpoint, then what the log holds behind it. */
  recover(checkpoint: AlertCheckpoint | undefined, controls: readonly LoggedControl[]): void {
    const { states, points } = this.#parts;
    if (checkpoint !== undefined) {
      const loaded = this.#rules.load(checkpoint.rules);
      if (!loaded) this.#parts.log('warn', 'alert states of an earlier version begin anew', {});
      this.#at = checkpoint.at;
      this.#seq = checkpoint.seq;
      this.#lastNow = checkpoint.lastNow ?? 0;
      this.#pause = checkpoint.pause ?? noPause;
      this.#unconfirmed = [...checkpoint.unconfirmed];
      for (const entry of this.#rules.entries()) points.add(entry);
    }
    this.#seen = states.map(({ tail }, i) => tail.positionAt(this.#at[i]!));
    for (const { offset, record } of controls) if (offset >= this.#seq) this.#replay(offset, record);
    // A file of before does not say when the last tick was: the first one now comes after a pause.
    if (this.#lastNow === 0 && this.#rules.size > 0) this.#lastNow = 1;
    points.noteBetween(this.#seen, this.#ends());
  }

  /** After the start: what was received before it and not yet evaluated is, as of its receipt. */
  begin(): void {
    this.#begun = true;
    for (const batch of this.#unconfirmed) this.#parts.report(batch);
    if (this.#rules.size === 0 || this.#parts.points.touchedCount === 0) return;
    this.#write(Math.max(this.#lastNow, ...this.#parts.states.map((state) => state.lastReceivedAt)));
  }

  /** Points were applied, or a second has passed. */
  request(): void {
    if (this.#rules.size > 0) this.#ticker.request();
  }

  #tick(): void {
    if (this.#rules.size === 0 || this.#written !== undefined || this.#pass.isRunning) return;
    const now = this.#parts.receivedAt();
    if (this.#parts.points.touchedCount > 0 || now - this.#lastNow >= secondMs) this.#write(now);
  }

  /** No tick begins any more. */
  stop(): void {
    this.#ticker.stop();
  }

  /** A tick or an alert record became durable, in the order of the log. */
  applied(offset: number, record: TickRecord | AlertRecord): void {
    if (record.kind === 'alert') {
      this.#command(offset, record);
      return;
    }
    const written = this.#written;
    assert(written !== undefined, 'ticks are written here alone');
    this.#written = undefined;
    this.#follow(offset, record, written.handles, written.ends);
  }

  put(tenant: string, rule: EvaluatedRule): Promise<void> {
    return this.#inTurn(tenant, rule.rule_id, async () => {
      const known = this.#rules.get(tenant, rule.rule_id);
      if (known !== undefined && known.rule.version >= rule.version) return;
      const seed = await this.#parts.seedOf(tenant, rule);
      await this.#appendCommand(tenant, { type: 'rule', rule }, seed);
    });
  }

  remove(tenant: string, ruleId: string): Promise<void> {
    return this.#inTurn(tenant, ruleId, async () => {
      if (this.#rules.get(tenant, ruleId) === undefined) return;
      await this.#appendCommand(tenant, { type: 'remove', rule_id: ruleId }, new Uint8Array(0));
    });
  }

  /** What is asked of one rule is done in the order of asking: a rule that still reads its history is not there yet. */
  #inTurn(tenant: string, ruleId: string, change: () => Promise<void>): Promise<void> {
    const key = JSON.stringify([tenant, ruleId]);
    const done = (this.#changing.get(key) ?? Promise.resolve()).then(change);
    const settled = done
      .catch(() => undefined)
      .finally(() => {
        if (this.#changing.get(key) === settled) this.#changing.delete(key);
      });
    this.#changing.set(key, settled);
    return done;
  }

  statuses(tenant: string | undefined): EvaluatedRuleStatus[] {
    this.#pass.finish();
    return [...this.#rules.entries()]
      .filter((entry) => tenant === undefined || entry.tenant === tenant)
      .map((entry) => statusOf(entry, (ruleId) => this.#rules.get(entry.tenant, ruleId) !== undefined));
  }

  confirm(seq: number): void {
    this.#unconfirmed = this.#unconfirmed.filter((batch) => batch.seq > seq);
  }

  /** How the rules stand now, written down in slices, and from where on the log is needed with it. */
  checkpoint(): Promise<{ checkpoint: AlertCheckpoint; neededFrom: readonly number[]; isIdle: boolean }> {
    this.#pass.finish();
    const hasNone = this.#rules.size === 0;
    const head = {
      epoch: this.#parts.epoch,
      at: hasNone ? this.#offsets() : this.#at,
      seq: hasNone ? this.#offsets()[alertOwner]! : this.#seq,
      lastNow: this.#lastNow,
      pause: this.#pause,
      unconfirmed: this.#unconfirmed,
    };
    const { neededFrom, isIdle } = this;
    return new Promise((resolve, reject) => {
      const keep = (rules: Uint8Array) => resolve({ checkpoint: { ...head, rules }, neededFrom, isIdle });
      this.#pass.start(this.#save(keep, reject), () => this.#goOn());
    });
  }

  *#save(keep: (rules: Uint8Array) => void, reject: (reason: unknown) => void): Generator<void, void> {
    try {
      keep(yield* this.#rules.save());
    } catch (error) {
      reject(error);
    }
  }

  #write(now: number): void {
    const handles = this.#parts.points.take();
    const ends = this.#ends();
    const record: TickRecord = { kind: 'tick', receivedAt: now, at: this.#offsets() };
    const done = this.#parts.append(alertOwner, record).then(
      () => void (this.#failing = false),
      (error: unknown) => this.#notWritten(handles, error),
    );
    this.#written = { handles, ends, done };
  }

  /** Nothing was decided; the same points are seen by the next tick. */
  #notWritten(handles: readonly number[], error: unknown): void {
    this.#written = undefined;
    this.#parts.points.giveBack(handles);
    if (!this.#failing)
      this.#parts.log('warn', 'alert rules wait: the log takes no ticks', { reason: String(error) });
    this.#failing = true;
  }

  async #appendCommand(tenant: string, command: AlertCommand, seed: Uint8Array): Promise<void> {
    this.#commands += 1;
    try {
      await this.#appendAnchored(tenant, command, seed);
    } finally {
      this.#commands -= 1;
    }
  }

  async #appendAnchored(tenant: string, command: AlertCommand, seed: Uint8Array): Promise<void> {
    await this.#written?.done;
    // A rule begins where a tick says so. The first one because a replay could not know otherwise which points it saw;
    // others because what they have read of history reaches to now, and the next tick brings all since the last one.
    this.#pass.finish();
    const isBehind = command.type === 'rule' && this.#ends().some((end, i) => end > this.#seen[i]!);
    if ((this.#rules.size === 0 || isBehind) && this.#written === undefined) {
      this.#write(this.#parts.receivedAt());
      await this.#written!.done;
    }
    const receivedAt = this.#parts.receivedAt();
    await this.#parts.append(alertOwner, { kind: 'alert', receivedAt, tenant, command, seed });
  }

  #replay(offset: number, record: TickRecord | AlertRecord): void {
    if (record.kind === 'alert') {
      this.#command(offset, record);
      return;
    }
    const { states, points } = this.#parts;
    const ends = states.map(({ tail }, i) => tail.positionAt(record.at[i]!));
    if (this.#rules.size > 0) points.noteBetween(this.#seen, ends);
    this.#follow(offset, record, points.take(), ends);
    this.#pass.finish();
  }

  /** In slices: points are taken between two of them. Whoever asks anything of the rules finishes it first. */
  #follow(offset: number, record: TickRecord, handles: readonly number[], ends: readonly number[]): void {
    // The first rule after the last one was removed does not wait for what the last one saw.
    this.#pass.finish();
    const begun = this.#parts.clock.monotonic();
    this.#pass.start(this.#passOver(offset, record, handles, ends), (tookMs) => {
      this.#ticker.took(begun, tookMs);
      this.#goOn();
    });
  }

  /** Points that came meanwhile wait for a tick, and no tick was begun. */
  #goOn(): void {
    if (this.#parts.points.touchedCount > 0) this.request();
  }

  *#passOver(
    offset: number,
    record: TickRecord,
    handles: readonly number[],
    ends: readonly number[],
  ): Generator<void, void> {
    const now = record.receivedAt;
    yield* this.#parts.points.fold(handles, this.#seen, ends, now);
    const receivedAt = this.#receiptOf(ends, now);
    if (this.#lastNow > 0 && now - this.#lastNow > pauseMs) this.#notePause(now);
    const moment = { now, seq: offset, receivedAt, pause: this.#pause };
    const transitions = yield* this.#rules.evaluate(moment);
    this.#seen = ends;
    this.#at = record.at;
    this.#seq = offset + 1;
    this.#lastNow = now;
    this.#announce(offset, transitions);
  }

  #notePause(end: number): void {
    const ms = end - this.#lastNow;
    this.#pause = { end, ms };
    if (this.#begun)
      this.#parts.log('info', 'alert rules have heard nobody for a while, and take nobody for silent yet', {
        from: new Date(this.#lastNow).toISOString(),
        seconds: Math.round(ms / 1000),
      });
  }

  #command(offset: number, { tenant, command, receivedAt, seed }: AlertRecord): void {
    this.#pass.finish();
    // Without rules there are no ticks, and nobody was missed.
    if (this.#rules.size === 0) this.#lastNow = receivedAt;
    const { points } = this.#parts;
    const moment: Moment = { now: receivedAt, seq: offset, receivedAt };
    const id = command.type === 'rule' ? command.rule.rule_id : command.rule_id;
    const before = this.#rules.get(tenant, id);
    if (before !== undefined) points.remove(before);
    if (command.type === 'rule') {
      const { entry, ended } = this.#rules.put(tenant, command.rule, seed, moment);
      const added = points.add(entry);
      // The tick that is on its way comes behind this in the log: the rule is there when it is followed.
      if (this.#written !== undefined)
        this.#written.handles = [...new Set([...this.#written.handles, ...added])];
      this.#announce(offset, ended);
    } else {
      this.#announce(offset, this.#rules.remove(tenant, id, moment));
    }
    this.#seq = offset + 1;
  }

  #announce(seq: number, transitions: readonly DecidedTransition[]): void {
    if (transitions.length === 0) return;
    this.#transitions += transitions.length;
    const batch = { seq, transitions };
    this.#unconfirmed.push(batch);
    if (this.#begun) this.#parts.report(batch);
  }

  /** When the newest of the points that are seen now was received. */
  #receiptOf(ends: readonly number[], now: number): number {
    const receipts = this.#parts.states.flatMap(({ tail }, i) =>
      ends[i]! > Math.max(this.#seen[i]!, tail.first) ? [tail.recordAt(ends[i]! - 1).receivedAt] : [],
    );
    return receipts.length === 0 ? now : Math.max(...receipts);
  }

  #ends(): number[] {
    return this.#parts.states.map(({ tail }) => tail.end);
  }

  #offsets(): number[] {
    return this.#parts.states.map((state) => state.nextOffset);
  }
}
