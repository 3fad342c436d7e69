import { type EvaluatedRule, type EvaluationInput, evaluationSchema } from '@nowcast/contract';
import type { SentPoint } from './reference-rules.ts';

/** Uniform in [0, 1), the same for the same seed (mulberry32). */
export function randomOf(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

const day = 86_400_000;
const hosts = ['a', 'b', 'c', 'd', 'e', 'f'];
const metrics = ['cpu', 'hits', 'errors', 'requests', 'orders'] as const;
type Metric = (typeof metrics)[number];

/**
 * Hosts that send five metrics with days of their own: they go silent, restart their counters, have incidents, and their
 * points are late (inside and beyond what rules allow), early, or twice the same.
 */
export class RandomDay {
  readonly #random: () => number;
  /** Until when a host sends nothing. */
  readonly #silent = new Map<string, number>();
  /** Until when a host has more of everything, and how much. */
  readonly #incident = new Map<string, { until: number; factor: number }>();
  readonly #counters = new Map<string, number>();
  readonly #start: number;

  constructor(random: () => number, start: number) {
    this.#random = random;
    this.#start = start;
  }

  /** What is received between the tick before and this one. */
  points(now: number): SentPoint[] {
    return hosts.flatMap((host) => {
      if (this.#isSilent(host, now)) return [];
      return metrics.flatMap((metric) => (this.#random() < 0.3 ? this.#send(host, metric, now) : []));
    });
  }

  #isSilent(host: string, now: number): boolean {
    if ((this.#silent.get(host) ?? 0) > now) return true;
    const chance = this.#random();
    // One host goes early and is forgotten before the end; others pause for minutes or hours.
    if (host === 'f' && now % day > day / 12) this.#silent.set(host, now + 1.1 * day);
    else if (chance < 0.002) this.#silent.set(host, now + this.#random() ** 3 * 4 * 3_600_000);
    else if (chance < 0.003) {
      // What is far beyond all before is left for the hours in which it can be known as unusual.
      const most = now - this.#start < day ? 2 : 8;
      const until = now + this.#random() * 1_800_000;
      this.#incident.set(host, { until, factor: this.#random() * most });
    }
    return false;
  }

  #send(host: string, metric: Metric, now: number): SentPoint[] {
    const point: SentPoint = {
      metric,
      series: `${metric} ${host}`,
      labels: { host, region: host < 'd' ? 'north' : 'south' },
      timestamp: now - this.#age(),
      value: this.#value(host, metric, now),
      actor: this.#random() < 0.1 ? undefined : `u${Math.floor(this.#random() * 9)}`,
    };
    return this.#random() < 0.03 ? [point, point] : [point];
  }

  /** How long ago it happened, ms; negative: it says that it will. */
  #age(): number {
    const chance = this.#random();
    if (chance < 0.03) return -Math.floor(this.#random() * 10_000);
    if (chance < 0.8) return Math.floor(this.#random() * 1500);
    return Math.floor(this.#random() * (chance < 0.93 ? 60_000 : 900_000));
  }

  #value(host: string, metric: Metric, now: number): number {
    const { until, factor } = this.#incident.get(host) ?? { until: 0, factor: 1 };
    const more = until > now ? factor : 1;
    const wave = 1 + 0.5 * Math.sin((now / day) * 2 * Math.PI);
    const noise = this.#random();
    // Eighths: their sums are exact in any order.
    if (metric === 'cpu') return Math.round(8 * more * (30 * wave + 20 * noise)) / 8;
    if (metric === 'hits') return this.#count(host, more * 10 * wave * noise);
    return Math.floor(more * (metric === 'errors' ? 3 * noise : 10 * wave * noise));
  }

  #count(host: string, more: number): number {
    const restarts = this.#random() < 0.005;
    const value = restarts ? 0 : (this.#counters.get(host) ?? 0) + Math.floor(more);
    this.#counters.set(host, value);
    return value;
  }
}

/** A rule of every kind over the metrics of `RandomDay`, and rules about them; all settings at random. */
export function randomRules(random: () => number): EvaluatedRule[] {
  const one = <T>(...values: T[]): T => values[Math.floor(random() * values.length)]!;
  const within = (least: number, most: number) => least + Math.floor(random() * (most - least));
  const query = (metric: Metric, ...aggs: NonNullable<EvaluationInput['query']>['agg'][]) => ({
    metric_type: metric,
    agg: one(...aggs),
    across: one('merge' as const, 'sum' as const, 'avg' as const, 'max' as const, 'min' as const),
  });
  const times = () => ({
    group_by: one<string[]>([], ['host'], ['host'], ['region'], ['host', 'region']),
    window: one('30s', '1m', '5m', '15m', '1h'),
    for: one('0s', '0s', '30s', '5m'),
    keep_firing_for: one('0s', '0s', '20s', '10m'),
    delay: one('0s', '0s', '0s', '1m'),
    lateness: one('0s', '30s', '1m', '5m'),
    no_data: one('ok' as const, 'keep' as const, 'alert' as const),
  });
  const threshold = (op: 'above' | 'below', value: number) => ({
    kind: 'threshold' as const,
    op,
    value,
    recovery: op === 'above' ? value * one(1, 0.9) : value * one(1, 1.1),
  });
  const change = (against: 'previous' | 'day') => ({
    kind: 'change' as const,
    direction: one('rises' as const, 'falls' as const, 'either' as const),
    by: within(10, 60),
    unit: one('percent' as const, 'percent' as const, 'value' as const),
    against,
  });
  const anomaly = {
    kind: 'anomaly' as const,
    direction: one('above' as const, 'below' as const, 'either' as const),
    sensitivity: one('low' as const, 'medium' as const, 'high' as const),
  };
  const all: Record<string, EvaluationInput> = {
    high: {
      ...times(),
      query: query('cpu', 'avg', 'last', 'max'),
      condition: threshold('above', within(50, 75)),
    },
    low: {
      ...times(),
      query: query('cpu', 'min', 'first', 'avg'),
      condition: threshold('below', within(25, 45)),
    },
    range: {
      ...times(),
      query: query('cpu', 'avg', 'p50', 'p95'),
      condition: {
        kind: 'threshold',
        op: one('outside', 'inside'),
        value: within(30, 40),
        upper: within(45, 70),
      },
    },
    few: {
      ...times(),
      query: query('orders', 'count', 'uniques'),
      condition: threshold('below', within(2, 12)),
    },
    rate: {
      ...times(),
      query: query('requests', 'rate', 'sum'),
      condition: threshold('above', within(1, 30)),
    },
    growth: {
      ...times(),
      query: query('hits', 'increase'),
      condition: threshold(one('above', 'below'), within(5, 90)),
    },
    jump: { ...times(), query: query('cpu', 'avg', 'max'), condition: change('previous') },
    drop: { ...times(), query: query('orders', 'sum', 'count'), condition: change('previous') },
    yesterday: { ...times(), query: query('cpu', 'avg', 'last'), condition: change('day') },
    'count of yesterday': { ...times(), query: query('requests', 'count', 'sum'), condition: change('day') },
    unusual: { ...times(), query: query('cpu', 'avg', 'max'), condition: anomaly },
    'unusual count': { ...times(), query: query('orders', 'sum', 'rate'), condition: anomaly },
    ratio: {
      ...times(),
      query: query('errors', 'sum'),
      divide_by: query('requests', 'sum', 'count'),
      condition: one<EvaluationInput['condition']>(threshold('above', 0.4), change('previous')),
    },
    silent: {
      ...times(),
      window: one('1m', '5m', '1h'),
      query: query('cpu', 'avg'),
      condition: { kind: 'no_data' },
    },
    flaps: {
      ...times(),
      window: one('15m', '1h'),
      query: query('orders', 'count'),
      condition: { kind: 'flapping', times: within(2, 5) },
    },
  };
  const ids = Object.keys(all);
  const parts = () => [...new Set([one(...ids), one(...ids), one(...ids)])];
  const about = (mode: 'all' | 'any', groupBy: string[]): EvaluationInput => ({
    group_by: groupBy,
    for: one('0s', '30s'),
    keep_firing_for: one('0s', '1m'),
    condition: { kind: 'composite', mode, rule_ids: parts() },
  });
  all['all of them'] = about('all', one(['host'], []));
  all['any of them'] = about('any', one(['host'], ['region']));
  return Object.entries(all).map(([id, evaluation]) => ({
    rule_id: id,
    version: 1,
    evaluation: evaluationSchema.parse(evaluation),
  }));
}
