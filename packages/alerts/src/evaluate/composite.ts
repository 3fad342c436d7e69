import { labelText } from '@nowcast/aggregate';
import { type ByteReader, type ByteWriter, labelOf, type Transition } from '@nowcast/contract';
import { Group } from './group.ts';
import { dueAt, step } from './machine.ts';
import type { RulePlan } from './plan.ts';
import type { Decision } from './rule-evaluator.ts';

/** A rule about other rules: for each combination of the labels it groups by, `all` or `any` of them fire. */
export class CompositeEvaluator {
  readonly plan: RulePlan;
  readonly #mode: 'all' | 'any';
  readonly ruleIds: readonly string[];
  readonly #groups = new Map<string, Group>();

  constructor(plan: RulePlan) {
    const { condition } = plan;
    if (condition.kind !== 'composite') throw new Error('invariant broken: not a rule about rules');
    this.plan = plan;
    this.#mode = condition.mode;
    this.ruleIds = condition.rule_ids;
  }

  get groups(): ReadonlyMap<string, Group> {
    return this.#groups;
  }

  /** `firing` has the labels of every firing group of each rule, in the order of `ruleIds`; undefined: no such rule. */
  evaluate(
    firing: readonly (readonly Readonly<Record<string, string>>[] | undefined)[],
    now: number,
  ): Decision[] {
    const named = new Set<string>();
    for (const all of firing.flatMap((groups) => groups ?? [])) {
      const labels = Object.fromEntries(this.plan.groupBy.map((name) => [name, labelOf(all, name)]));
      const name = labelText(labels);
      named.add(name);
      if (!this.#groups.has(name)) this.#groups.set(name, new Group(name, labels, 0, undefined));
    }
    const needed = this.#mode === 'all' ? this.ruleIds.length : 1;
    const rules = firing.map((groups) => new FiringRule(this.plan.groupBy, groups ?? []));
    const decisions: Decision[] = [];
    for (const group of this.#groups.values()) {
      group.value = rules.filter((rule) => rule.firesFor(group.labels)).length;
      group.limit = needed;
      const { state: from } = group.machine;
      // One that fires for everything adds to the groups that others name, and keeps none of them up alone.
      const holds = named.has(group.name) && group.value >= needed;
      group.machine = step(group.machine, holds, now, this.plan);
      group.dueAt = dueAt(group.machine, this.plan);
      const { state: to } = group.machine;
      if (from !== to) decisions.push({ group, from, to, reason: 'value' });
      if (to === 'ok' && !named.has(group.name)) this.#groups.delete(group.name);
    }
    return decisions;
  }

  end(now: number, reason: Transition['reason']): Decision[] {
    const decisions: Decision[] = [];
    for (const group of this.#groups.values()) {
      const { state: from } = group.machine;
      if (from !== 'ok') decisions.push({ group, from, to: 'ok', reason });
      group.machine = { state: 'ok', since: now };
    }
    return decisions;
  }

  save(writer: ByteWriter): void {
    writer.varint(this.#groups.size);
    for (const group of this.#groups.values()) {
      writer.string(group.name);
      writer.string(JSON.stringify(group.labels));
      group.save(writer);
    }
  }

  load(reader: ByteReader): void {
    for (let left = reader.varint(); left > 0; left -= 1) {
      const name = reader.string();
      const labels = JSON.parse(reader.string()) as Record<string, string>;
      const group = new Group(name, labels, 0, undefined);
      group.load(reader);
      this.#groups.set(name, group);
    }
  }
}

/** The firing groups of one rule, by the labels they share with the rule about them; others play no part. */
class FiringRule {
  readonly #shared: readonly string[];
  readonly #names: ReadonlySet<string>;

  constructor(groupBy: readonly string[], groups: readonly Readonly<Record<string, string>>[]) {
    const [any] = groups;
    this.#shared = any === undefined ? [] : groupBy.filter((name) => Object.hasOwn(any, name));
    this.#names = new Set(groups.map((labels) => this.#nameOf(labels)));
  }

  firesFor(labels: Readonly<Record<string, string>>): boolean {
    return this.#names.has(this.#nameOf(labels));
  }

  #nameOf(labels: Readonly<Record<string, string>>): string {
    return JSON.stringify(this.#shared.map((name) => labels[name]));
  }
}
