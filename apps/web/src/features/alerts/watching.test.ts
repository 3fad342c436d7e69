import { evaluationSchema, type EvaluationInput, type Rule } from '@nowcast/contract';
import { describe, expect, test } from 'vitest';
import { emptyRule } from './rule-draft.ts';
import { aboutWhere, limitsOfRule, rulesWatching, type ShownQuery } from './watching.ts';

function rule(evaluation: EvaluationInput, more: Partial<Rule> = {}): Rule {
  return {
    ...emptyRule(),
    name: 'CPU high',
    evaluation: evaluationSchema.parse(evaluation),
    rule_id: 'r1',
    user_id: 'u',
    owner_name: 'Ada',
    version: 1,
    created_at: 0,
    last_updated: 0,
    editable: true,
    problem: null,
    counts: { ok: 0, pending: 0, firing: 0, no_data: 0 },
    ...more,
  };
}

const above = { kind: 'threshold', op: 'above', value: 80 } as const;
const cpu = { metric_type: 'cpu', agg: 'avg' } as const;

describe('a chart tells of rules', () => {
  const watches = (evaluation: EvaluationInput, where = {}, more: Partial<Rule> = {}): boolean =>
    rulesWatching([rule(evaluation, more)], { metric_type: 'cpu', where }).length === 1;

  test('that read its metric, also to divide by it', () => {
    expect(watches({ query: cpu, condition: above })).toBe(true);
    expect(watches({ query: { metric_type: 'memory' }, condition: above })).toBe(false);
    expect(
      watches({ query: { metric_type: 'memory' }, divide_by: { metric_type: 'cpu' }, condition: above }),
    ).toBe(true);
  });

  test('whose filter may find the same series', () => {
    const of = (where: object, shown: object): boolean =>
      watches({ query: { ...cpu, where: where as never }, condition: above }, shown);
    expect(of({ host: ['a', 'b'] }, { host: ['b'] })).toBe(true);
    expect(of({ host: ['a'] }, { host: ['b'] })).toBe(false);
    expect(of({ host: ['a'] }, { host: { not: ['a'] } })).toBe(false);
    expect(of({ host: { not: ['a', 'b'] } }, { host: ['b'] })).toBe(false);
    expect(of({ host: { regex: 'web.*' } }, { host: ['b'] })).toBe(true);
    expect(of({ host: ['a'] }, { region: ['eu'] })).toBe(true);
    expect(of({ host: { all: [['a', 'b'], { not: ['b'] }] } }, { host: ['b'] })).toBe(false);
  });

  test('that are on, and whatever the panel names', () => {
    expect(watches({ query: cpu, condition: above }, {}, { enabled: false })).toBe(false);
    const composite: EvaluationInput = { condition: { kind: 'composite', mode: 'all', rule_ids: ['x'] } };
    expect(watches(composite)).toBe(false);
    expect(rulesWatching([rule(composite)], { metric_type: 'cpu' }, ['r1'])).toHaveLength(1);
  });
});

test('alerts that do not say which host are about every host', () => {
  expect(aboutWhere({ host: ['a', 'b'], region: { not: ['eu', ''] } })).toEqual({
    host: { all: [['a', 'b', '']] },
    region: { all: [{ not: ['eu'] }] },
  });
  expect(aboutWhere({ host: { regex: 'a|b' } })).toEqual({ host: { all: [{ regex: '(?:a|b)?' }] } });
  expect(aboutWhere({ host: { not_regex: 'a' }, region: { not: [''] } })).toEqual({});
});

describe('a limit is drawn where it is a value of the chart', () => {
  const chart: ShownQuery = {
    metricType: 'cpu',
    agg: 'avg',
    groupBy: ['host'],
    stepMs: 1000,
    perSecond: false,
    stacked: false,
    unit: 'percent',
  };
  const values = (evaluation: EvaluationInput, shown: Partial<ShownQuery> = {}): number[] =>
    limitsOfRule(rule(evaluation), { ...chart, ...shown }).map(({ value }) => value);

  test('with its name, how bad it is, and the value', () => {
    const [limit] = limitsOfRule(rule({ query: cpu, condition: above }, { severity: 'critical' }), chart);
    expect(limit).toMatchObject({ value: 80, level: 'crit', badTo: Number.POSITIVE_INFINITY });
    expect(limit?.text).toBe('CPU high: critical 80\u00a0%');
  });

  test('two of them for a range, with what is bad between or beyond', () => {
    const between = (op: 'inside' | 'outside') =>
      limitsOfRule(
        rule({ query: cpu, condition: { kind: 'threshold', op, value: 10, upper: 20 } }),
        chart,
      ).map(({ value, badTo }) => [value, badTo]);
    expect(between('outside')).toEqual([
      [10, Number.NEGATIVE_INFINITY],
      [20, Number.POSITIVE_INFINITY],
    ]);
    expect(between('inside')).toEqual([
      [10, 20],
      [20, 20],
    ]);
  });

  test('not on another aggregate, a quotient, another kind of rule, or a pile of what it looks at one by one', () => {
    expect(values({ query: { ...cpu, agg: 'max' }, condition: above })).toEqual([]);
    expect(values({ query: { metric_type: 'cpu' }, condition: above })).toEqual([80]);
    expect(values({ query: cpu, divide_by: cpu, condition: above })).toEqual([]);
    expect(values({ query: cpu, condition: { kind: 'no_data' } })).toEqual([]);
    expect(values({ query: cpu, group_by: ['host'], condition: above }, { stacked: true })).toEqual([]);
    expect(values({ query: cpu, condition: above }, { stacked: true })).toEqual([80]);
  });

  test('of amounts over the same time, or by the second', () => {
    const sales = { query: { metric_type: 'cpu', agg: 'sum' }, window: '10s', condition: above } as const;
    expect(values(sales, { agg: 'sum' })).toEqual([]);
    expect(values(sales, { agg: 'sum', stepMs: 10_000 })).toEqual([80]);
    expect(values(sales, { agg: 'sum', perSecond: true })).toEqual([8]);
  });
});
