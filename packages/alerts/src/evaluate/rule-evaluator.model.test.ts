import {
  acrossSchema,
  aggNames,
  ByteReader,
  ByteWriter,
  evaluationSchema,
  type EvaluationInput,
  type SeriesDefinition,
} from '@nowcast/contract';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { FoldedRun } from './folded-run.ts';
import { planRule, type RulePlan } from './plan.ts';
import { noUnit, RuleEvaluator } from './rule-evaluator.ts';
import { ReferenceEvaluator } from './testing/reference-evaluator.ts';
import type { ReceivedPoint } from './testing/reference-values.ts';
import type { Threshold } from './threshold.ts';

/**
 * Random rules over random points, against an evaluator that keeps every point and computes everything anew: the same
 * transitions at the same ticks. Points are late (inside and beyond what the rule allows), early, repeated and silent for
 * long; the rule is written down and read again at any moment.
 */
const start = 1_700_000_000_000;
const hosts = ['a', 'b', 'c', 'd'];

interface Sent {
  side: number;
  host: string;
  /** Event time against the tick's, ms. */
  offsetMs: number;
  value: number;
  actor: string | undefined;
}

interface Step {
  afterMs: number;
  points: Sent[];
  reload: boolean;
}

const query = fc.record({
  metric_type: fc.constant('m'),
  agg: fc.constantFrom(...aggNames),
  across: fc.constantFrom(...acrossSchema.options),
});

const threshold = fc
  .oneof(
    fc.record({
      op: fc.constantFrom('above' as const),
      value: fc.integer({ min: 0, max: 30 }),
      gap: fc.nat(8),
    }),
    fc.record({
      op: fc.constantFrom('below' as const),
      value: fc.integer({ min: 0, max: 30 }),
      gap: fc.nat(8),
    }),
  )
  .map(({ op, value, gap }) => ({
    kind: 'threshold' as const,
    op,
    value,
    recovery: op === 'above' ? value - gap : value + gap,
  }));

const range = fc
  .record({
    op: fc.constantFrom('outside' as const, 'inside' as const),
    value: fc.integer({ min: -5, max: 10 }),
  })
  .map(({ op, value }) => {
    const inward = op === 'outside' ? 2 : -2;
    return {
      kind: 'threshold' as const,
      op,
      value,
      upper: value + 9,
      recovery: value + inward,
      recovery_upper: value + 9 - inward,
    };
  });

const change = fc.record({
  kind: fc.constant('change' as const),
  direction: fc.constantFrom('rises' as const, 'falls' as const, 'either' as const),
  by: fc.integer({ min: 1, max: 60 }),
  unit: fc.constantFrom('value' as const, 'percent' as const),
  against: fc.constant('previous' as const),
});

const silence = fc.oneof(
  fc.constant({ kind: 'no_data' as const }),
  fc.record({ kind: fc.constant('flapping' as const), times: fc.integer({ min: 2, max: 4 }) }),
);

const duration = (...texts: string[]) => fc.constantFrom(...texts);
const common = {
  query,
  group_by: fc.constantFrom<string[]>([], ['host'], ['region']),
  window: duration('1s', '7s', '12s', '1m', '5m'),
  for: duration('0s', '2s', '30s'),
  keep_firing_for: duration('0s', '3s', '20s'),
  delay: duration('0s', '0s', '4s', '90s'),
  lateness: duration('0s', '5s', '1m'),
  no_data: fc.constantFrom('ok' as const, 'keep' as const, 'alert' as const),
};
const rule: fc.Arbitrary<EvaluationInput> = fc.oneof(
  { weight: 4, arbitrary: fc.record({ ...common, condition: fc.oneof(threshold, range, change) }) },
  {
    weight: 1,
    arbitrary: fc.record({ ...common, divide_by: query, condition: fc.oneof(threshold, change) }),
  },
  { weight: 1, arbitrary: fc.record({ ...common, condition: silence }) },
);

const sent: fc.Arbitrary<Sent> = fc.record({
  side: fc.nat(1),
  host: fc.constantFrom(...hosts),
  offsetMs: fc.oneof(
    { weight: 4, arbitrary: fc.integer({ min: -900, max: 0 }) },
    { weight: 2, arbitrary: fc.integer({ min: -130_000, max: 0 }) },
    { weight: 1, arbitrary: fc.integer({ min: 0, max: 10_000 }) },
  ),
  value: fc.integer({ min: -5, max: 40 }),
  actor: fc.constantFrom('ann', 'bob', 'cid', 'dan', undefined),
});
const steps: fc.Arbitrary<Step[]> = fc.array(
  fc.record({
    afterMs: fc.oneof(
      { weight: 5, arbitrary: fc.integer({ min: 20, max: 1500 }) },
      { weight: 2, arbitrary: fc.integer({ min: 1500, max: 20_000 }) },
      { weight: 1, arbitrary: fc.integer({ min: 20_000, max: 400_000 }) },
    ),
    points: fc.oneof(fc.constant<Sent[]>([]), fc.array(sent, { maxLength: 4 })),
    reload: fc.integer({ min: 0, max: 7 }).map((n) => n === 0),
  }),
  { minLength: 20, maxLength: 60 },
);

/** The evaluator under test, as the engine drives it: series by series, read again from bytes when told. */
class Subject {
  readonly #plan: RulePlan;
  #rule: RuleEvaluator;
  #units = new Map<string, number>();

  constructor(plan: RulePlan) {
    this.#plan = plan;
    this.#rule = new RuleEvaluator(plan);
  }

  tick(points: readonly ReceivedPoint[], now: number): string[] {
    for (const [key, own] of Map.groupBy(points, ({ side, series }) => `${side} ${series}`)) {
      const [{ side, series }] = own as [ReceivedPoint];
      this.#rule.add(side, this.#unitOf(key, side, series), runOf(own), now);
    }
    return this.#rule
      .evaluate(now)
      .map(({ group, from, to }) => `${group.name} ${from} ${to}`)
      .sort();
  }

  /** Writes the rule down and goes on with what was read, its series found again in another order. */
  reload(): void {
    const writer = new ByteWriter();
    this.#rule.save(writer);
    this.#rule = new RuleEvaluator(this.#plan);
    const reader = new ByteReader(writer.written().slice());
    expect(this.#rule.load(reader)).toBe(true);
    expect(reader.remaining).toBe(0);
    const again = new ByteWriter();
    this.#rule.save(again);
    expect(again.written()).toEqual(writer.written());
    const known = [...this.#units.keys()].reverse();
    this.#units = new Map();
    for (const key of known) this.#unitOf(key, Number(key[0]), key.slice(2));
  }

  #unitOf(key: string, side: number, series: string): number {
    let unit = this.#units.get(key) ?? noUnit;
    if (this.#rule.isStale(side, unit))
      this.#units.set(key, (unit = this.#rule.addSeries(side, definition(series), series)));
    return unit;
  }
}

function runOf(points: readonly ReceivedPoint[]): FoldedRun {
  return new FoldedRun().set({
    from: 0,
    to: points.length,
    timestamps: Float64Array.from(points, ({ timestamp }) => timestamp),
    values: Float64Array.from(points, ({ value }) => value),
    actors: points.map(({ actor }) => actor),
  });
}

function labelsOf(host: string): [string, string][] {
  return [
    ['host', host],
    ['region', host < 'c' ? 'north' : 'south'],
  ];
}

function definition(host: string): SeriesDefinition {
  return { tenant: 'acme', metric_type: 'm', source: '', labels: labelsOf(host) };
}

function groupNameOf(plan: RulePlan, host: string): string {
  return JSON.stringify(labelsOf(host).filter(([name]) => plan.groupBy.includes(name)));
}

/** Runs both side by side and returns how often a group changed. */
function compare(rules: typeof rule, runs: typeof steps, numRuns: number): number {
  let transitions = 0;
  fc.assert(
    fc.property(rules, runs, (evaluation, run) => {
      const plan = planRule(evaluationSchema.parse(evaluation), () => 'avg');
      const subject = new Subject(plan);
      const reference = new ReferenceEvaluator(plan);
      let now = start;
      run.forEach(({ afterMs, points, reload }, tick) => {
        now += afterMs;
        const received = points
          .filter(({ side }) => side < plan.queries.length)
          .map(({ side, host, offsetMs, value, actor }) => ({
            side,
            series: host,
            group: groupNameOf(plan, host),
            timestamp: now + offsetMs,
            value: plan.queries[side]!.agg === 'increase' ? Math.abs(value) : value,
            actor,
          }));
        const wanted = reference.tick(received, now);
        transitions += wanted.length;
        expect({ tick, changes: subject.tick(received, now) }).toEqual({ tick, changes: wanted });
        if (reload) subject.reload();
      });
    }),
    { seed: 20_261_124, numRuns },
  );
  return transitions;
}

test('the same transitions at the same ticks as an evaluator that keeps every point', () => {
  expect(compare(rule, steps, 600)).toBeGreaterThan(1000);
});

/** Limits that sums reach too, but not at once. */
function farther([condition, factor]: [Threshold, number]): Threshold {
  const { value, recovery, upper, recovery_upper: recoveryUpper } = condition;
  const out: Threshold = { ...condition, value: value * factor };
  if (recovery !== undefined) out.recovery = recovery * factor;
  if (upper !== undefined) out.upper = upper * factor;
  if (recoveryUpper !== undefined) out.recovery_upper = recoveryUpper * factor;
  return out;
}

/** Many ticks while a window stands still, with values on both sides of the limits: what is well need not be looked at. */
test('the same where most ticks come between two moves of the window', () => {
  const standing = fc.record({
    ...common,
    query: fc.record({
      metric_type: fc.constant('m'),
      agg: fc.constantFrom(...aggNames),
      across: fc.constantFrom('merge' as const, 'merge' as const, ...acrossSchema.options),
    }),
    window: duration('1m', '5m'),
    for: fc.constant('0s'),
    keep_firing_for: fc.constant('0s'),
    condition: fc.tuple(fc.oneof(threshold, range), fc.constantFrom(1, 1, 5, 20)).map(farther),
  });
  const often = fc.array(
    fc.record({
      afterMs: fc.oneof(
        { weight: 20, arbitrary: fc.integer({ min: 20, max: 400 }) },
        { weight: 1, arbitrary: fc.integer({ min: 5000, max: 90_000 }) },
      ),
      points: fc.array(sent, { minLength: 1, maxLength: 3 }),
      reload: fc.integer({ min: 0, max: 20 }).map((n) => n === 0),
    }),
    { minLength: 30, maxLength: 60 },
  );
  expect(compare(standing, often, 2000)).toBeGreaterThan(1000);
});

/** Sources that come and go over weeks: a group that is forgotten leaves nothing to the one that gets its place. */
test('the same where sources are silent for days', () => {
  const hour = 3_600_000;
  const weeks = fc.array(
    fc.record({
      afterMs: fc.oneof(
        { weight: 6, arbitrary: fc.integer({ min: 20, max: 5000 }) },
        { weight: 2, arbitrary: fc.integer({ min: hour, max: 40 * hour }) },
        { weight: 1, arbitrary: fc.integer({ min: 160 * hour, max: 180 * hour }) },
      ),
      points: fc.array(sent, { maxLength: 3 }),
      reload: fc.integer({ min: 0, max: 9 }).map((n) => n === 0),
    }),
    { minLength: 20, maxLength: 60 },
  );
  expect(compare(rule, weeks, 600)).toBeGreaterThan(1000);
});
