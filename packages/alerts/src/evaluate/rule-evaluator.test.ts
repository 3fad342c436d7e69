import { evaluationSchema, type EvaluationInput, type SeriesDefinition } from '@nowcast/contract';
import { describe, expect, test } from 'vitest';
import { planRule } from './plan.ts';
import { RuleEvaluator } from './rule-evaluator.ts';

const second = 1000;
const start = 1_700_000_000_000 - (1_700_000_000_000 % 60_000);

/** A rule over one metric, driven by hand: points of named hosts, evaluated at once. */
class Driven {
  readonly rule: RuleEvaluator;
  readonly said: string[] = [];
  readonly #units = new Map<string, number>();

  constructor(evaluation: EvaluationInput) {
    this.rule = new RuleEvaluator(planRule(evaluationSchema.parse(evaluation), () => 'avg'));
  }

  send(host: string, seconds: number, value: number, receivedSeconds = seconds): this {
    let unit = this.#units.get(host);
    if (unit === undefined) this.#units.set(host, (unit = this.rule.addSeries(0, definition(host), host)));
    const run = {
      length: 1,
      timestamps: Float64Array.of(start + seconds * second),
      values: Float64Array.of(value),
    };
    this.rule.add(0, unit, run, start + receivedSeconds * second);
    return this.at(receivedSeconds);
  }

  at(seconds: number): this {
    for (const { group, from, to } of this.rule.evaluate(start + seconds * second))
      this.said.push(`${seconds} ${group.labels['host'] ?? 'all'} ${from} ${to}`);
    return this;
  }
}

function definition(host: string): SeriesDefinition {
  return { tenant: 'acme', metric_type: 'cpu', source: '', labels: [['host', host]] };
}

const query = { metric_type: 'cpu', agg: 'last' as const };
const above80 = { kind: 'threshold' as const, op: 'above' as const, value: 80 };

describe('a threshold', () => {
  test('fires for each group by itself, at the point that decides it', () => {
    const driven = new Driven({ query, group_by: ['host'], window: '1m', condition: above80 });
    driven.send('a', 0, 50).send('b', 1, 81).send('a', 2, 90).send('b', 3, 80);
    expect(driven.said).toEqual(['1 b ok firing', '2 a ok firing', '3 b firing ok']);
  });

  test('must hold for as long as it says, and time alone decides that', () => {
    const driven = new Driven({ query, window: '10m', for: '2m', condition: above80 });
    driven.send('a', 0, 90).at(60).at(119).at(120).at(121);
    expect(driven.said).toEqual(['0 all ok pending', '120 all pending firing']);
  });

  test('is well again only beyond the recovery value', () => {
    const driven = new Driven({ query, window: '10m', condition: { ...above80, recovery: 70 } });
    driven.send('a', 0, 81).send('a', 1, 79).send('a', 2, 71).send('a', 3, 70).send('a', 4, 79);
    expect(driven.said).toEqual(['0 all ok firing', '3 all firing ok']);
  });

  test('reads an average over a window that slides', () => {
    const driven = new Driven({ query: { ...query, agg: 'avg' }, window: '1m', condition: above80 });
    for (let s = 0; s < 60; s += 1) driven.send('a', s, 0);
    for (let s = 60; s < 120; s += 1) driven.send('a', s, 100);
    // 60 points of 0, then of 100: above 80 % once fewer than a fifth of the window's points are zeros.
    expect(driven.said).toHaveLength(1);
    const at = Number(driven.said[0]!.split(' ')[0]);
    expect(at).toBeGreaterThanOrEqual(104);
    expect(at).toBeLessThanOrEqual(108);
  });
});

describe('a count', () => {
  test('of nothing is zero, not unknown', () => {
    const condition = { kind: 'threshold' as const, op: 'below' as const, value: 3 };
    const driven = new Driven({ query: { ...query, agg: 'count' }, window: '1m', condition });
    driven.send('a', 0, 1).send('a', 1, 1).send('a', 2, 1).at(30).at(59).at(70);
    expect(driven.said).toEqual(['0 all ok firing', '2 all firing ok', '70 all ok firing']);
  });
});

describe('a silent source', () => {
  test('breaks a no-data rule after the window and mends it with its next point', () => {
    const driven = new Driven({ query, window: '30s', condition: { kind: 'no_data' } });
    driven.send('a', 0, 1).at(29).at(30).send('a', 45, 1);
    expect(driven.said).toEqual(['30 all ok firing', '45 all firing ok']);
  });
});

describe('late points', () => {
  test('count inside the lateness and do not beyond it', () => {
    const driven = new Driven({
      query: { ...query, agg: 'max' },
      window: '5m',
      lateness: '30s',
      condition: above80,
    });
    driven.send('a', 100, 1).send('a', 69, 99, 100).send('a', 71, 99, 100);
    expect(driven.said).toEqual(['100 all ok firing']);
  });
});
