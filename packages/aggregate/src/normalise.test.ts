import { type Condition, type QueryInput, querySchema } from '@nowcast/contract';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { normaliseQuery, rangeNow } from './normalise.ts';
import { seriesMatches } from './testing/reference.ts';

const now = 1_800_000_012_345;
const resolve = (input: Omit<QueryInput, 'metric_type'>, at = now) =>
  normaliseQuery(querySchema.parse({ metric_type: 'm', ...input }), at);
const labelled = (labels: Record<string, string>) =>
  Object.entries(labels).filter(([, value]) => value !== '');

describe('normaliseQuery', () => {
  it('gives questions with equal answers one key, whenever they are asked', () => {
    const key = resolve({
      window: '1h',
      group_by: ['a', 'b'],
      where: { x: ['2', '1'], w: { not: ['b', 'a'] } },
    }).key;
    const same = resolve(
      {
        from: 'now-1h',
        to: 'now',
        group_by: ['b', 'a', 'a'],
        where: { w: { not: ['a', 'b', 'a'] }, x: ['1', '2'] },
      },
      now + 5000,
    );
    expect(same.key).toBe(key);
    expect(resolve({ window: '1h', group_by: ['a', 'b'], tz: 'Europe/Berlin', where: same.where }).key).toBe(
      key,
    );
    expect(resolve({}).key).toBe(resolve({ window: '60m' }).key);
  });

  it('writes conditions on one label that mean the same in one way', () => {
    const where = (all: Condition[]): unknown => resolve({ where: { host: { all } } }).where['host'];
    expect(where([['b', 'a', 'b']])).toEqual(['a', 'b']);
    expect(where([['a', 'b'], { not: ['b'] }, ['b', 'a', 'c']])).toEqual(['a']);
    expect(
      where([{ regex: 'y' }, { not: ['b'] }, { not_regex: 'z' }, { regex: 'x' }, { not: ['a'] }]),
    ).toEqual({
      all: [{ not: ['a', 'b'] }, { regex: 'x' }, { regex: 'y' }, { not_regex: 'z' }],
    });
    for (const nothing of [
      [['a'], ['b']],
      [['a'], { not: ['a'] }],
      [{ regex: 'a' }, { not_regex: 'a' }],
    ])
      expect(where(nothing)).toEqual([]);
  });

  it('keeps the meaning of every filter, and leaves its own form as it is', () => {
    const value = fc.constantFrom('', 'a', 'b', 'ab');
    const values = fc.array(value, { minLength: 1, maxLength: 3 });
    const regex = fc.constantFrom('a', 'a|b', '.*b', '');
    const condition: fc.Arbitrary<Condition> = fc.oneof(
      values,
      values.map((not) => ({ not })),
      regex.map((text) => ({ regex: text })),
      regex.map((text) => ({ not_regex: text })),
    );
    const filter = fc.dictionary(
      fc.constantFrom('x', 'y', 'source'),
      fc.oneof(
        condition,
        fc.array(condition, { minLength: 1, maxLength: 4 }).map((all) => ({ all })),
      ),
    );
    const some = ['', 'a', 'b', 'ab', 'other'];
    const pairs = some.flatMap((x) => some.map((y) => ({ x, y })));
    fc.assert(
      fc.property(filter, (where) => {
        const query = querySchema.parse({ metric_type: 'm', where });
        const once = normaliseQuery(query, now);
        expect(normaliseQuery({ ...query, where: once.where }, now)).toEqual(once);
        for (const { x, y } of pairs) {
          const series = { tenant: 't', metric_type: 'm', source: x, labels: labelled({ x, y }) };
          expect(seriesMatches(once.where, series)).toBe(seriesMatches(where, series));
        }
      }),
      { numRuns: 500 },
    );
  });

  it('keeps apart what differs in its answer', () => {
    const inputs: Omit<QueryInput, 'metric_type'>[] = [
      {},
      { agg: 'sum' },
      { across: 'sum' },
      { group_by: ['a'] },
      { group_by: ['a'], limit: 3 },
      { group_by: ['a'], limit: 3, order: 'asc' },
      { where: { a: ['1'] } },
      { where: { a: { not: ['1'] } } },
      { window: '2h' },
      { step: '1m' },
      { step: '1d' },
      { step: '1d', tz: 'Europe/Berlin' },
      { from: 1_799_999_000_000 },
      { from: 1_799_999_000_000, to: 1_800_000_000_000 },
      { agg: 'none' },
      { agg: 'none', limit: 5 },
    ];
    const keys = new Set(inputs.map((input) => resolve(input).key));
    expect(keys.size).toBe(inputs.length);
  });

  it('covers whole buckets, and the point of this very millisecond', () => {
    const { from, to, stepMs } = resolve({ window: '15m' });
    expect(stepMs).toBe(5000);
    expect(from % 5000).toBe(0);
    expect(from).toBeLessThanOrEqual(now - 900_000);
    expect(to).toBe(1_800_000_015_000);
    expect(resolve({ window: '15m' }, 1_800_000_015_000).to).toBe(1_800_000_020_000);
    const fixed = resolve({ from: 1_000, to: 20_000, step: '10s' });
    expect([fixed.from, fixed.to]).toEqual([0, 20_000]);
  });

  it('slides with the clock, or only its end, or not at all', () => {
    const later = now + 60_000;
    const sliding = resolve({ window: '15m' });
    expect(rangeNow(sliding, later).to - sliding.to).toBe(60_000);
    expect(rangeNow(sliding, later).from - sliding.from).toBe(60_000);
    const open = resolve({ from: now - 5000, step: '1s' });
    expect(rangeNow(open, later)).toEqual({ from: open.from, to: open.to + 60_000 });
    const fixed = resolve({ from: 0, to: 60_000 });
    expect(rangeNow(fixed, later)).toEqual({ from: fixed.from, to: fixed.to });
  });

  it('stays in the years in which times are exact and zones known, buckets and windows included', () => {
    const refused: Omit<QueryInput, 'metric_type'>[] = [
      { from: 2 ** 53, to: 2 ** 53 + 8, step: '1ms' },
      { from: -1e15, to: -999_999_900_000_000, step: '1d', tz: 'Europe/Berlin' },
      { from: 8.65e15, to: 8.66e15, step: '120mo', tz: 'Europe/Berlin' },
      { window: '20000w', step: '1mo' },
      { window: `${'9'.repeat(31)}w`, agg: 'none' },
      { from: 0, to: 1000, step: '100000000000000d' },
      { from: '1900-01-01T00:00:00Z', to: '1901-01-01T00:00:00Z', step: '120mo', tz: 'Asia/Tokyo' },
    ];
    for (const input of refused) expect(() => resolve(input)).toThrow('the years 1900 to 2199');
    const all = resolve({ from: '1901-01-01T00:00:00Z', to: '2199-12-01T00:00:00Z', step: '12mo' });
    expect(all.buckets.boundaries(all.from, all.to)).toHaveLength(300);
  });

  it('gives no range whose buckets do not advance', () => {
    const { buckets } = resolve({ window: '1s', step: '1ms' });
    expect(() => buckets.boundaries(2 ** 53, 2 ** 53 + 8)).toThrow('a bucket that has an end');
  });

  it('follows the calendar of the zone', () => {
    const { from, to } = resolve({
      from: '2026-10-25T12:00:00Z',
      to: '2026-10-25T13:00:00Z',
      step: '1d',
      tz: 'Europe/Berlin',
    });
    expect((to - from) / 3_600_000).toBe(25);
  });

  it('says what to change in a query that cannot be answered', () => {
    expect(() => resolve({ window: '1h', from: 0 })).toThrow(/one or the other/);
    expect(() => resolve({ to: 5 })).toThrow(/needs from/);
    expect(() => resolve({ cursor: 'a' })).toThrow(/belongs to agg=none/);
    expect(resolve({ agg: 'none', cursor: 'a' }).cursor).toBe('a');
    expect(() => resolve({ from: 10, to: 10 })).toThrow(/before to/);
    expect(() => resolve({ step: '1d', tz: 'Nowhere' })).toThrow(/IANA/);
    expect(() => resolve({ window: '7d', step: '1s' })).toThrow(/step of 1m/);
    expect(() => resolve({ window: '4000w', step: '1s' })).toThrow(/step of 1w|shorter/);
  });

  it('asks for records without buckets, groups or combination', () => {
    const records = resolve({ agg: 'none', across: 'sum', group_by: ['a'], window: '1m' });
    expect(records).toMatchObject({
      across: 'merge',
      groupBy: [],
      limit: 100,
      from: now - 60_000,
      to: now + 1,
    });
  });
});
