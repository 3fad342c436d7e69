import type { AggName, ConditionState, EvaluatedRule } from '@nowcast/contract';
import { planRule, type RulePlan } from '../plan.ts';
import { ReferenceEvaluator } from './reference-evaluator.ts';
import type { ReceivedPoint } from './reference-values.ts';

/** A point as it was received: whose it is follows from the rule. */
export interface SentPoint {
  metric: string;
  series: string;
  labels: Readonly<Record<string, string>>;
  timestamp: number;
  value: number;
  actor: string | undefined;
}

interface ReferenceRule {
  plan: RulePlan;
  evaluator: ReferenceEvaluator | undefined;
  /** State of each group of a rule about rules. */
  composite: Map<string, { labels: Record<string, string>; state: ConditionState; since: number }>;
}

/** Rules and rules about rules, done the slow way: `rule group from to` of everything that changes. */
export class ReferenceRules {
  readonly #defaultAgg: (metric: string) => AggName;
  readonly #rules = new Map<string, ReferenceRule>();

  constructor(defaultAgg: (metric: string) => AggName) {
    this.#defaultAgg = defaultAgg;
  }

  put({ rule_id: id, evaluation }: EvaluatedRule): string[] {
    const ended = this.remove(id);
    const plan = planRule(evaluation, this.#defaultAgg);
    const evaluator = plan.condition.kind === 'composite' ? undefined : new ReferenceEvaluator(plan);
    this.#rules.set(id, { plan, evaluator, composite: new Map() });
    return ended;
  }

  remove(id: string): string[] {
    const rule = this.#rules.get(id);
    this.#rules.delete(id);
    if (rule === undefined) return [];
    const ended = rule.evaluator?.end() ?? endOf(rule.composite);
    return ended.map((change) => `${id} ${change}`);
  }

  tick(points: readonly SentPoint[], now: number): string[] {
    const changes: string[] = [];
    for (const [id, { plan, evaluator }] of this.#rules) {
      const own = plan.queries.flatMap(({ metricType }, side) =>
        points.filter(({ metric }) => metric === metricType).map((point) => receivedBy(plan, side, point)),
      );
      changes.push(...(evaluator?.tick(own, now) ?? []).map((change) => `${id} ${change}`));
    }
    for (const [id, rule] of this.#rules) {
      if (rule.evaluator !== undefined) continue;
      changes.push(...this.#tickComposite(rule, now).map((change) => `${id} ${change}`));
    }
    return changes.sort();
  }

  /** For every combination of labels that fires somewhere: do all, or any, of the rules fire for it? */
  #tickComposite({ plan, composite }: ReferenceRule, now: number): string[] {
    const { condition, groupBy, forMs, keepMs } = plan;
    if (condition.kind !== 'composite') throw new Error('not a rule about rules');
    const firing = condition.rule_ids.map((id) => this.#rules.get(id)?.evaluator?.firing() ?? []);
    const named = new Set<string>();
    for (const labels of firing.flat()) {
      const own = Object.fromEntries(groupBy.map((name) => [name, labels[name] ?? '']));
      const name = groupName(own);
      named.add(name);
      if (!composite.has(name)) composite.set(name, { labels: own, state: 'ok', since: 0 });
    }
    const changes: string[] = [];
    for (const [name, group] of composite) {
      const isSame = (labels: Readonly<Record<string, string>>) =>
        groupBy.every((label) => labels[label] === undefined || labels[label] === group.labels[label]);
      const fires = firing.filter((groups) => groups.some(isSame)).length;
      const holds = named.has(name) && fires >= (condition.mode === 'all' ? firing.length : 1);
      const waited = now - group.since;
      const before = group.state;
      if (holds) {
        if (before === 'recovering') group.state = 'firing';
        else if (before === 'ok') group.state = forMs > 0 ? 'pending' : 'firing';
        else if (before === 'pending' && waited >= forMs) group.state = 'firing';
      } else if (before === 'pending') group.state = 'ok';
      else if (before === 'firing') group.state = keepMs > 0 ? 'recovering' : 'ok';
      else if (before === 'recovering' && waited >= keepMs) group.state = 'ok';
      if (group.state === before) continue;
      group.since = now;
      changes.push(`${name} ${before} ${group.state}`);
    }
    return changes;
  }
}

function endOf(groups: ReferenceRule['composite']): string[] {
  return [...groups].flatMap(([name, { state }]) => (state === 'ok' ? [] : [`${name} ${state} ok`])).sort();
}

function receivedBy(plan: RulePlan, side: number, point: SentPoint): ReceivedPoint {
  const labels = Object.fromEntries(plan.groupBy.map((name) => [name, point.labels[name] ?? '']));
  return { ...point, side, group: groupName(labels) };
}

/** As the evaluator writes labels: sorted pairs. */
function groupName(labels: Readonly<Record<string, string>>): string {
  return JSON.stringify(Object.entries(labels).sort(([a], [b]) => (a < b ? -1 : 1)));
}
