import assert from 'node:assert/strict';
import type { AggName, EvaluatedRule } from '@nowcast/contract';
import { inOneTurn } from '@nowcast/kernel/slices';
import type { DecidedTransition } from '@nowcast/ports';
import { FoldedRun } from '../folded-run.ts';
import { noUnit } from '../rule-evaluator.ts';
import { type RuleEntry, RuleSet } from '../rule-set.ts';
import { randomOf, RandomDay, randomRules } from './random-day.ts';
import { ReferenceRules, type SentPoint } from './reference-rules.ts';

const hour = 3_600_000;
const start = 20_000 * 24 * hour;
const defaultAgg = (): AggName => 'avg';

type Entry =
  | { kind: 'tick'; now: number; points: SentPoint[] }
  | { kind: 'put'; now: number; rule: EvaluatedRule }
  | { kind: 'remove'; now: number; id: string };

/** The rules under test, as the engine drives them: by the log alone. */
class Subject {
  #rules: RuleSet;
  readonly #folded = new FoldedRun();
  readonly #units = new Map<RuleEntry, Map<string, number>>();

  constructor(saved?: Uint8Array) {
    this.#rules = new RuleSet(defaultAgg);
    if (saved !== undefined) assert.ok(this.#rules.load(saved));
  }

  save(): Uint8Array {
    return inOneTurn(this.#rules.save());
  }

  follow(entry: Entry, seq: number): DecidedTransition[] {
    const moment = { now: entry.now, seq, receivedAt: entry.now };
    if (entry.kind === 'put') return this.#rules.put('t', entry.rule, new Uint8Array(0), moment).ended;
    if (entry.kind === 'remove') return this.#rules.remove('t', entry.id, moment);
    const bySeries = Map.groupBy(entry.points, ({ series }) => series);
    for (const rule of this.#rules.entries())
      rule.plan.queries.forEach(({ metricType }, side) => {
        for (const own of bySeries.values())
          if (own[0]!.metric === metricType) this.#add(rule, side, own, entry.now);
      });
    return inOneTurn(this.#rules.evaluate(moment));
  }

  #add(rule: RuleEntry, side: number, points: readonly SentPoint[], now: number): void {
    const [{ metric, series, labels }] = points as [SentPoint];
    let units = this.#units.get(rule);
    if (units === undefined) this.#units.set(rule, (units = new Map()));
    const key = `${side} ${series}`;
    let unit = units.get(key) ?? noUnit;
    if (rule.evaluator!.isStale(side, unit)) {
      const definition = { tenant: 't', metric_type: metric, source: '', labels: Object.entries(labels) };
      units.set(key, (unit = rule.evaluator!.addSeries(side, definition, series)));
    }
    const run = this.#folded.set({
      from: 0,
      to: points.length,
      timestamps: Float64Array.from(points, ({ timestamp }) => timestamp),
      values: Float64Array.from(points, ({ value }) => value),
      actors: points.map(({ actor }) => actor),
    });
    rule.evaluator!.add(side, unit, run, now);
  }
}

function changesOf(transitions: readonly DecidedTransition[]): string[] {
  return transitions
    .map(({ rule_id: id, labels, from, to }) => {
      const group = JSON.stringify(Object.entries(labels).sort(([a], [b]) => (a < b ? -1 : 1)));
      return `${id} ${group} ${from} ${to}`;
    })
    .sort();
}

function* logOf(random: () => number, hours: number): Generator<Entry> {
  const world = new RandomDay(random, start);
  const rules = randomRules(random);
  for (const rule of rules) yield { kind: 'put', now: start, rule };
  for (let now = start; now < start + hours * hour;) {
    now += 500 + Math.floor(random() * (random() < 0.003 ? 900_000 : 40_000));
    yield { kind: 'tick', now, points: world.points(now) };
    if (random() > 0.0015) continue;
    // Most of them are left alone: a rule that begins anew has learned nothing.
    const rule = rules[Math.floor(random() * rules.length)]!;
    if (random() < 0.2) yield { kind: 'remove', now, id: rule.rule_id };
    else yield { kind: 'put', now, rule: { ...rule, version: now } };
  }
}

/** How often each rule decided something. Throws at the first entry after which the two differ, saying which. */
export function followDay(seed: number, hours: number): { entries: number; decided: Map<string, number> } {
  const random = randomOf(seed);
  const reference = new ReferenceRules(defaultAgg);
  let subject = new Subject();
  const log: { entry: Entry; decided: DecidedTransition[] }[] = [];
  let checkpoint = { bytes: subject.save(), seq: 0 };
  const counts = new Map<string, number>();
  for (const entry of logOf(random, hours)) {
    const decided = subject.follow(entry, log.length);
    for (const { rule_id: id } of decided) counts.set(id, (counts.get(id) ?? 0) + 1);
    const wanted =
      entry.kind === 'tick'
        ? reference.tick(entry.points, entry.now)
        : entry.kind === 'put'
          ? reference.put(entry.rule)
          : reference.remove(entry.id);
    assert.deepEqual(changesOf(decided), wanted, `seed ${seed}, entry ${log.length}`);
    log.push({ entry, decided });
    const chance = random();
    if (chance < 0.003) checkpoint = { bytes: subject.save(), seq: log.length };
    if (chance > 0.003 && chance < 0.006) {
      subject = new Subject(checkpoint.bytes);
      for (let seq = checkpoint.seq; seq < log.length; seq += 1) {
        const again = subject.follow(log[seq]!.entry, seq);
        assert.deepEqual(again, log[seq]!.decided, `seed ${seed}, entry ${seq}, followed again`);
      }
    }
  }
  return { entries: log.length, decided: counts };
}
