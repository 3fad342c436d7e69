import {
  ByteReader,
  ByteWriter,
  evaluationSchema,
  type EvaluationInput,
  type SeriesDefinition,
} from '@nowcast/contract';
import { describe, expect, test } from 'vitest';
import { FoldedRun } from './folded-run.ts';
import { noPause } from './pause.ts';
import { planRule } from './plan.ts';
import { noUnit, RuleEvaluator } from './rule-evaluator.ts';
import { mostGroups } from './rule-groups.ts';

const second = 1000;
const start = 1_700_000_000_000 - (1_700_000_000_000 % 60_000);

/** A rule over one metric, driven by hand: points of named hosts, evaluated at once. */
class Driven {
  rule: RuleEvaluator;
  readonly said: string[] = [];
  readonly #units = new Map<string, number>();

  constructor(evaluation: EvaluationInput) {
    this.rule = new RuleEvaluator(planRule(evaluationSchema.parse(evaluation), () => 'avg'));
  }

  /** Goes on with what was written down and read again. */
  reload(): void {
    const writer = new ByteWriter();
    this.rule.save(writer);
    this.rule = new RuleEvaluator(this.rule.plan);
    const reader = new ByteReader(writer.written().slice());
    expect(this.rule.load(reader)).toBe(true);
    expect(reader.remaining).toBe(0);
    this.#units.clear();
  }

  send(host: string, seconds: number, value: number, receivedSeconds = seconds): this {
    this.add(host, seconds, value, receivedSeconds);
    return this.at(receivedSeconds);
  }

  add(host: string, seconds: number, value: number, receivedSeconds = seconds): void {
    const run = FoldedRun.ofPoint(start + seconds * second, value);
    const now = start + receivedSeconds * second;
    let unit = this.#units.get(host) ?? noUnit;
    if (this.rule.isStale(0, unit)) {
      if (this.rule.isTooLate(run, now)) return;
      this.#units.set(host, (unit = this.rule.addSeries(0, definition(host), host)));
    }
    this.rule.add(0, unit, run, now);
  }

  /** `pauseEnd`, `pausedFor`: the last pause, seconds. */
  at(seconds: number, pauseEnd?: number, pausedFor = 0): this {
    const pause =
      pauseEnd === undefined ? noPause : { end: start + pauseEnd * second, ms: pausedFor * second };
    for (const { group, from, to } of this.rule.evaluate(start + seconds * second, pause))
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

describe('C22 a rule watches ten thousand groups', () => {
  const byHost = { query, group_by: ['host'], window: '10s', condition: above80 };
  const day = 86_400;

  test('counts the series of further ones, and goes on with those it has', () => {
    const driven = new Driven(byHost);
    for (let host = 0; host < mostGroups; host += 1) driven.add(`h${host}`, 0, 50);
    driven.at(0).send('new', 1, 90).send('other', 2, 90).send('new', 3, 90);
    expect(driven.rule.leftOut).toBe(2);
    expect(driven.said).toEqual([]);
    driven.send(`h${mostGroups - 1}`, 4, 90);
    expect(driven.said).toEqual([`4 h${mostGroups - 1} ok firing`]);
  });

  test('and further ones in the place of those that are gone for a day', () => {
    const driven = new Driven(byHost);
    for (let host = 0; host < mostGroups; host += 1) driven.add(`h${host}`, 0, 50 + (host % 50));
    driven.at(0).send('new', 1, 90);
    // All but two go on.
    for (let host = 2; host < mostGroups; host += 1) driven.add(`h${host}`, day, 50);
    driven.at(day).at(day + 15);
    driven.said.length = 0;
    driven
      .send('new', day + 20, 70)
      .send('other', day + 21, 90)
      .send('late', day + 22, 90);
    expect([driven.rule.groups.has('[["host","h0"]]'), driven.rule.leftOut]).toEqual([false, 1]);
    driven
      .send('h0', day + 23, 90)
      .send('new', day + 24, 90)
      .send('h2', day + 25, 90);
    expect(driven.said).toEqual([
      `${day + 21} other ok firing`,
      `${day + 24} new ok firing`,
      `${day + 25} h2 ok firing`,
    ]);
  });

  test('of which those that were only ever heard too late are none', () => {
    const driven = new Driven({ ...byHost, lateness: '10s' });
    for (let host = 0; host < mostGroups; host += 1) driven.add(`h${host}`, 0, 90, 60);
    expect(driven.rule.groups.size).toBe(0);
    driven.at(60).send('new', 65, 90);
    expect(driven.said).toEqual(['65 new ok firing']);
  });
});

describe('a count', () => {
  const below = (value: number) => ({ kind: 'threshold' as const, op: 'below' as const, value });
  const count = { ...query, agg: 'count' as const };

  test('of nothing is zero, not unknown', () => {
    const driven = new Driven({ query: count, window: '1m', condition: below(3) });
    driven.send('a', 0, 1).send('a', 1, 1).send('a', 2, 1).at(30).at(59).at(64).at(65);
    expect(driven.said).toEqual(['65 all ok firing']);
  });

  test('that is steady is never too low: neither at the start nor when a part of the window begins', () => {
    const driven = new Driven({ query: count, window: '1m', condition: below(60) });
    for (let s = 0; s < 300; s += 1) driven.send('a', s, 1);
    expect(driven.said).toEqual([]);
  });

  test('of a group that is new can be too high at once', () => {
    const condition = { ...above80, value: 2 };
    const driven = new Driven({ query: count, window: '1h', condition });
    driven.send('a', 0, 1).send('a', 1, 1).send('a', 2, 1);
    expect(driven.said).toEqual(['2 all ok firing']);
  });

  test('of a series that is gone does not become the least of those that are there', () => {
    const condition = below(1);
    const driven = new Driven({ query: { ...count, across: 'min' }, window: '1m', condition });
    driven.send('gone', 0, 1);
    for (let s = 0; s < 300; s += 1) driven.send('a', s, 1);
    expect(driven.said).toEqual([]);
  });
});

describe('a silent source', () => {
  test('breaks a no-data rule after the window and mends it with its next point', () => {
    const driven = new Driven({ query, window: '30s', condition: { kind: 'no_data' } });
    driven.send('a', 0, 1).at(29).at(30).send('a', 45, 1);
    expect(driven.said).toEqual(['30 all ok firing', '45 all firing ok']);
  });
});

describe('a flapping source', () => {
  const condition = { kind: 'flapping' as const, times: 2 };

  test('is not one that sends once a minute', () => {
    const driven = new Driven({ query, window: '1h', condition });
    for (let s = 0; s < 3600; s += 60) driven.send('a', s, 1);
    expect(driven.said).toEqual([]);
  });

  test('stops and comes back as often as the rule says', () => {
    const driven = new Driven({ query, window: '1h', condition });
    for (const from of [0, 100, 200]) for (let s = from; s < from + 20; s += 1) driven.send('a', s, 1);
    expect(driven.said).toEqual(['200 all ok firing']);
  });

  test('is not one that became slower for good', () => {
    const driven = new Driven({ query, window: '5m', condition: { ...condition, times: 3 } });
    for (let s = 0; s < 60; s += 1) driven.send('a', s, 1);
    for (let s = 60; s < 3600; s += 30) driven.send('a', s, 1);
    driven.at(3599);
    expect(driven.said.at(-1)).toMatch(/firing ok$/);
    expect(driven.said).toHaveLength(2);
  });
});

describe('a pause in which nobody listened', () => {
  const noData = { kind: 'no_data' as const };

  test('counts for no silence: that begins when somebody listens again', () => {
    const driven = new Driven({ query, window: '30s', condition: noData });
    driven.send('a', 0, 1).at(1).at(100, 100, 99).at(129, 100, 99).at(130, 100, 99);
    expect(driven.said).toEqual(['130 all ok firing']);
  });

  test('ends no silence either', () => {
    const driven = new Driven({ query, window: '30s', condition: noData });
    driven.send('a', 0, 1).at(30).at(100, 100, 70);
    expect(driven.said).toEqual(['30 all ok firing']);
  });

  test('is no coming back, and leaves the usual interval as it was', () => {
    const driven = new Driven({ query, window: '1h', condition: { kind: 'flapping', times: 2 } });
    const hear = (seconds: number, pauseEnd: number) => {
      driven.add('a', seconds, 1);
      driven.at(seconds, pauseEnd, 500);
    };
    for (let s = 0; s < 20; s += 1) hear(s, 0);
    // It takes some time to connect again.
    for (const end of [600, 1200, 1800]) for (const s of [30, 31, 32]) hear(end + s, end);
    expect(driven.said).toEqual([]);
    hear(1840, 1800);
    hear(1850, 1800);
    expect(driven.said).toEqual(['1850 all ok firing']);
  });

  test('leaves what fires for a value firing until a window has passed, and forgets nobody', () => {
    const driven = new Driven({ query, window: '1m', no_data: 'ok', condition: above80 });
    driven.send('a', 0, 90).at(1);
    for (const s of [90_000, 90_030, 90_070]) driven.at(s, 90_000, 89_999);
    expect(driven.said).toEqual(['0 all ok firing', '90070 all firing ok']);
  });

  test('makes no count too low', () => {
    const few = { kind: 'threshold' as const, op: 'below' as const, value: 10 };
    const driven = new Driven({ query: { ...query, agg: 'count' }, window: '1m', condition: few });
    for (let s = 0; s < 100; s += 1) driven.send('a', s, 1);
    driven.at(400, 400, 300).at(460, 400, 300);
    expect(driven.said).toEqual([]);
    driven.at(470, 400, 300);
    expect(driven.said).toEqual(['470 all ok firing']);
  });
});

describe('a pause much shorter than the window', () => {
  const hour = 3600;

  test('costs a minute of it, so that a server that restarts each night still tells of what is missing', () => {
    const driven = new Driven({ query, window: '26h', condition: { kind: 'no_data' } });
    driven
      .send('a', 0, 1)
      .at(20 * hour, 20 * hour, 10)
      .at(26 * hour, 20 * hour, 10);
    expect(driven.said).toEqual([`${26 * hour} all ok firing`]);
  });

  test('leaves a minute to come back', () => {
    const driven = new Driven({ query, window: '26h', condition: { kind: 'no_data' } });
    driven.send('a', 0, 1);
    for (const s of [-10, 40, 49, 50]) driven.at(26 * hour + s, 26 * hour - 10, 8);
    expect(driven.said).toEqual([`${26 * hour + 50} all ok firing`]);
  });

  test('costs a count as much', () => {
    const few = { kind: 'threshold' as const, op: 'below' as const, value: 2 };
    const driven = new Driven({ query: { ...query, agg: 'count' }, window: '24h', condition: few });
    driven
      .send('a', 0, 1)
      .send('a', 1, 1)
      .at(50 * hour - 20)
      .at(50 * hour, 50 * hour, 10);
    expect(driven.said).toEqual([`${50 * hour - 20} all ok firing`]);
    const later = new Driven({ query: { ...query, agg: 'count' }, window: '24h', condition: few });
    later
      .send('a', 0, 1)
      .send('a', 1, 1)
      .at(23 * hour)
      .at(23.5 * hour, 23.5 * hour, 10);
    for (let s = 24 * hour; s < 28 * hour; s += 600) later.at(s, 23.5 * hour, 10);
    expect(later.said).toHaveLength(1);
  });

  test('keeps no group that is long gone', () => {
    const driven = new Driven({ query, group_by: ['host'], window: '1m', no_data: 'ok', condition: above80 });
    driven.send('a', 0, 1);
    for (const day of [1, 2])
      for (const s of [0, 30, 90, 120]) driven.at(day * 24 * hour + s, day * 24 * hour, 10);
    expect([...driven.rule.groups.keys()]).toEqual([]);
  });
});

describe('a group without a value', () => {
  test('that is broken for it begins anew with its next value, not inside the hysteresis', () => {
    const condition = { ...above80, recovery: 70 };
    const driven = new Driven({ query, window: '10s', no_data: 'alert', condition });
    driven.send('a', 0, 75).at(9).at(11).send('a', 20, 75);
    expect(driven.said).toEqual(['11 all ok firing', '20 all firing ok']);
  });
});

describe('a window that ends before now', () => {
  test('takes points that come as late as it allows', () => {
    const driven = new Driven({ query, window: '1m', delay: '5m', lateness: '10s', condition: above80 });
    driven.send('a', 0, 90, 305);
    expect(driven.said).toEqual(['305 all ok firing']);
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

describe('a rule that compares with what it has learned', () => {
  test.each([
    { kind: 'anomaly' as const, direction: 'either' as const, sensitivity: 'medium' as const },
    {
      kind: 'change' as const,
      direction: 'rises' as const,
      by: 50,
      unit: 'percent' as const,
      against: 'day' as const,
    },
  ])('goes on after it was saved and loaded, and finds what it would have found: $kind', (condition) => {
    const [kept, reloaded] = [0, 1].map(
      () => new Driven({ query, group_by: ['host'], window: '5m', condition }),
    );
    const day = 86_400;
    for (let s = 0; s < 3 * day; s += 300) {
      const value = s > 2.5 * day && s < 2.6 * day ? 300 : 100 + (s % 7);
      for (const driven of [kept!, reloaded!]) driven.send('a', s, value);
      if (s % 9000 === 0) reloaded!.reload();
    }
    expect(kept!.said.length).toBeGreaterThan(0);
    expect(reloaded!.said).toEqual(kept!.said);
  });
});
