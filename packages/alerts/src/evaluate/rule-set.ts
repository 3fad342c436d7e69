import { createHash } from 'node:crypto';
import { type AggName, ByteReader, ByteWriter, type EvaluatedRule, type Transition } from '@nowcast/contract';
import type { DecidedTransition } from '@nowcast/ports';
import { CompositeEvaluator } from './composite.ts';
import type { Group } from './group.ts';
import type { Pause } from './pause.ts';
import { filterProblem, planRule, type RulePlan } from './plan.ts';
import { type Decision, RuleEvaluator } from './rule-evaluator.ts';

/** A rule that is being evaluated. */
export interface RuleEntry {
  tenant: string;
  rule: EvaluatedRule;
  plan: RulePlan;
  /** Why it gets no points and is not evaluated. The log may hold such a rule, and must be followed all the same. */
  problem: string | undefined;
  /** Undefined for a rule about rules. */
  evaluator: RuleEvaluator | undefined;
  composite: CompositeEvaluator | undefined;
}

/** Where in the log something is decided. */
export interface Moment {
  /** Logged receipt time, epoch ms; never goes back. */
  now: number;
  /** Offset of the record that decides (a tick, or the rule's own). */
  seq: number;
  /** Receipt of the newest point that was looked at, epoch ms. */
  receivedAt: number;
  /** The last time the log was not followed; absent: it always was. */
  pause?: Pause;
}

const format = 3;

/**
 * All rules of one owner partition, and the one place where transitions get their names. A name is made from what the
 * log says (rule, version, group, offset), so a replay gives the same one and a receiver can tell a repetition.
 */
export class RuleSet {
  readonly #rules = new Map<string, RuleEntry>();
  readonly #defaultAgg: (tenant: string, metricType: string) => AggName;

  constructor(defaultAgg: (tenant: string, metricType: string) => AggName) {
    this.#defaultAgg = defaultAgg;
  }

  get size(): number {
    return this.#rules.size;
  }

  entries(): IterableIterator<RuleEntry> {
    return this.#rules.values();
  }

  get(tenant: string, ruleId: string): RuleEntry | undefined {
    return this.#rules.get(keyOf(tenant, ruleId));
  }

  /** Adds or replaces a rule; groups of the one before that were not well end. Throws `query.invalid`. */
  put(
    tenant: string,
    rule: EvaluatedRule,
    seed: Uint8Array,
    moment: Moment,
  ): { entry: RuleEntry; ended: DecidedTransition[] } {
    const entry = this.#make(tenant, rule);
    const before = this.get(tenant, rule.rule_id);
    const ended = before === undefined ? [] : this.#end(before, 'rule_changed', moment);
    if (seed.length > 0 && entry.evaluator?.load(new ByteReader(seed))) entry.evaluator.begin(moment.now);
    this.#rules.set(keyOf(tenant, rule.rule_id), entry);
    return { entry, ended };
  }

  remove(tenant: string, ruleId: string, moment: Moment): DecidedTransition[] {
    const entry = this.get(tenant, ruleId);
    if (entry === undefined) return [];
    this.#rules.delete(keyOf(tenant, ruleId));
    return this.#end(entry, 'rule_removed', moment);
  }

  /**
   * Rules about rules come last: they read what the others decided at this very moment. Other work of the thread may run
   * at a `yield`, but no rule may come or go, nor get points.
   */
  *evaluate(moment: Moment): Generator<void, DecidedTransition[]> {
    const transitions: DecidedTransition[] = [];
    for (const entry of this.#rules.values()) {
      if (entry.evaluator === undefined || entry.problem !== undefined) continue;
      for (const decision of entry.evaluator.evaluate(moment.now, moment.pause))
        transitions.push(this.#transition(entry, decision, moment));
      yield;
    }
    for (const entry of this.#rules.values()) {
      const { composite } = entry;
      if (composite === undefined) continue;
      const firing = composite.ruleIds.map((ruleId) => this.#firingOf(entry.tenant, ruleId));
      for (const decision of composite.evaluate(firing, moment.now))
        transitions.push(this.#transition(entry, decision, moment));
    }
    return transitions;
  }

  /** All of them as they are now; yields like `evaluate`. */
  *save(): Generator<void, Uint8Array<ArrayBuffer>> {
    const writer = new ByteWriter();
    writer.u8(format);
    writer.varint(this.#rules.size);
    for (const { tenant, rule, evaluator, composite } of this.#rules.values()) {
      writer.string(tenant);
      writer.string(JSON.stringify(rule));
      evaluator?.save(writer);
      composite?.save(writer);
      yield;
    }
    return new Uint8Array(writer.written());
  }

  /** Into an empty set; false when the bytes are of another version of this program and nothing was read. */
  load(bytes: Uint8Array): boolean {
    const reader = new ByteReader(bytes);
    if (reader.u8() !== format) return false;
    for (let left = reader.varint(); left > 0; left -= 1) {
      const tenant = reader.string();
      const entry = this.#make(tenant, JSON.parse(reader.string()) as EvaluatedRule);
      entry.evaluator?.load(reader);
      entry.composite?.load(reader);
      this.#rules.set(keyOf(tenant, entry.rule.rule_id), entry);
    }
    return true;
  }

  #make(tenant: string, rule: EvaluatedRule): RuleEntry {
    const plan = planRule(rule.evaluation, (metricType) => this.#defaultAgg(tenant, metricType));
    const isComposite = plan.condition.kind === 'composite';
    return {
      tenant,
      rule,
      plan,
      problem: filterProblem(plan),
      evaluator: isComposite ? undefined : new RuleEvaluator(plan),
      composite: isComposite ? new CompositeEvaluator(plan) : undefined,
    };
  }

  #firingOf(tenant: string, ruleId: string): Readonly<Record<string, string>>[] | undefined {
    const groups = this.get(tenant, ruleId)?.evaluator?.groups;
    if (groups === undefined) return undefined;
    return [...groups.values()].filter(isFiring).map(({ labels }) => labels);
  }

  #end(entry: RuleEntry, reason: Transition['reason'], moment: Moment): DecidedTransition[] {
    const decisions = (entry.evaluator ?? entry.composite)?.end(moment.now, reason) ?? [];
    return decisions.map((decision) => this.#transition(entry, decision, moment));
  }

  #transition({ tenant, rule }: RuleEntry, decision: Decision, moment: Moment): DecidedTransition {
    const { group, from, to, reason } = decision;
    if (from === 'ok') group.episode = nameOf('a', tenant, rule, group, moment.seq);
    const transition = {
      tenant,
      transition_id: nameOf(`t${from}${to}`, tenant, rule, group, moment.seq),
      alert_id: group.episode,
      rule_id: rule.rule_id,
      labels: { ...group.labels },
      from,
      to,
      at: moment.now,
      value: finiteOrNull(group.value),
      limit: finiteOrNull(group.limit),
      reason,
      received_at: moment.receivedAt,
    };
    if (to === 'ok') group.episode = '';
    return transition;
  }
}

function isFiring({ machine: { state } }: Group): boolean {
  return state === 'firing' || state === 'recovering';
}

function keyOf(tenant: string, ruleId: string): string {
  return JSON.stringify([tenant, ruleId]);
}

function nameOf(kind: string, tenant: string, rule: EvaluatedRule, group: Group, seq: number): string {
  return createHash('sha256')
    .update(JSON.stringify([kind, tenant, rule.rule_id, rule.version, group.name, seq]))
    .digest('base64url')
    .slice(0, 22);
}

function finiteOrNull(value: number): number | null {
  return Number.isFinite(value) ? value : null;
}
