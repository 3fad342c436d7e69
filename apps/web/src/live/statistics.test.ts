import { describe, expect, it } from 'vitest';
import {
  headline,
  isGrowing,
  settledAt,
  silentMs,
  staleLevel,
  standsStill,
  summarise,
  usualGapMs,
} from './statistics.ts';
import { bucketEnd, type Calendar } from './bucket-end.ts';
import type { StoredSeries } from './stored-series.ts';
import { ViewStore } from './view-store.ts';

const series = (t: number[], v: (number | null)[]): StoredSeries => ({
  key: 1,
  labels: {},
  name: '',
  slot: 0,
  t,
  v,
});
const seconds = (count: number, from = 0): number[] =>
  Array.from({ length: count }, (_, i) => from + i * 1000);

const range = (from: number, to: number, stepMs = 1000, query: Calendar = {}) => ({
  from,
  to,
  stepMs,
  endOf: bucketEnd(query, stepMs),
});

function storeOf(times: number[], stepMs = 1000): ViewStore {
  const store = new ViewStore(60_000);
  const values = Float64Array.from(times, () => 1);
  const to = times.at(-1)! + stepMs;
  const one = { key: 1, labels: {}, timestamps: Float64Array.from(times), values };
  store.applySnapshot({ epoch: 'e', seq: '1', recovered: false, stepMs, from: 0, to, series: [one] }, to);
  return store;
}

describe('figures over a range', () => {
  it('take the bucket that is not over into the sum and the maximum alone', () => {
    const summary = summarise(series(seconds(4), [4, 2, 6, 1]), range(0, 9000), 3000);
    expect(summary).toEqual({ last: 6, min: 2, max: 6, avg: 4, sum: 13 });
    expect(summarise(series([3000], [1]), range(0, 9000), 3000).last).toBe(1);
  });

  it('looks only at the range and skips holes', () => {
    const summary = summarise(series(seconds(6), [100, 1, null, 3, 2, 100]), range(1000, 4000));
    expect(summary).toEqual({ last: 2, min: 1, max: 3, avg: 2, sum: 6 });
  });

  it('begin with the bucket in which the range begins: the total is the sum of the bars', () => {
    const hour = 3_600_000;
    const sales = series([7 * hour, 8 * hour, 9 * hour], [60, 60, 9]);
    const now = 9 * hour + 9 * 60_000;
    expect(summarise(sales, range(now - hour, now, hour))).toMatchObject({
      sum: 69,
      min: 9,
      max: 60,
    });
    // A bucket that ends where the range begins has no part in it.
    expect(summarise(sales, range(8 * hour, now, hour)).sum).toBe(69);
  });

  it('begin with the right bucket of the calendar, whose days and months differ in length', () => {
    const day = 86_400_000;
    const tz = 'Europe/Berlin';
    // Clocks go back in Berlin: 25 October 2026 has 25 hours, and its last one belongs to it.
    const [sunday, monday] = [Date.UTC(2026, 9, 24, 22), Date.UTC(2026, 9, 25, 23)];
    const sales = series([sunday, monday], [25, 24]);
    expect(summarise(sales, range(monday - 1000, monday + day, day, { step: '1d', tz })).sum).toBe(49);
    expect(summarise(sales, range(monday, monday + day, day, { step: '1d', tz })).sum).toBe(24);
    // The last day of July is in July.
    const [july, august] = [Date.UTC(2026, 5, 30, 22), Date.UTC(2026, 6, 31, 22)];
    const months = series([july, august], [31, 1]);
    expect(summarise(months, range(august - day / 2, august + day, 30 * day, { step: '1mo', tz })).sum).toBe(
      32,
    );
  });

  it('has no figures where there are no values', () => {
    expect(summarise(series([0], [null]), range(0, 10))).toEqual({
      last: null,
      min: null,
      max: null,
      avg: null,
      sum: 0,
    });
    expect(headline('sum', summarise(series([], []), range(0, 1)))).toBeNull();
  });

  it('adds up what adds up and shows the last of the rest', () => {
    const summary = summarise(series(seconds(3), [1, 2, 3]), range(0, 9000));
    expect(headline('count', summary)).toBe(6);
    expect(headline('increase', summary)).toBe(6);
    expect(headline('avg', summary)).toBe(3);
    expect(headline('p99', summary)).toBe(3);
    expect(headline('min', summary)).toBe(1);
  });
});

describe('what was drawn of a range', () => {
  const store = storeOf([0, 60_000], 60_000);

  it('holds once the range is over, and the bucket in which it ends', () => {
    const range = { kind: 'fixed', from: 0, to: 90_000 } as const;
    expect(standsStill(store, range, Number.NEGATIVE_INFINITY)).toBe(false);
    expect(standsStill(store, range, 120_000)).toBe(false);
    expect(standsStill(store, range, 150_000)).toBe(true);
  });

  it('never holds where the range slides', () => {
    expect(standsStill(store, { kind: 'live', windowMs: 1000 }, 1e12)).toBe(false);
  });
});

describe('staleness', () => {
  it('takes the usual distance of the points, not the step, for slow sources', () => {
    expect(usualGapMs([0, 10_000, 20_000, 30_000], 1000)).toBe(10_000);
    expect(usualGapMs([5000], 1000)).toBe(1000);
    expect(usualGapMs([0, 1000, 2000, 3000, 60_000, 120_000], 1000)).toBe(1000);
  });

  it('is stale after three missed intervals and critical after ten', () => {
    const store = storeOf(seconds(30));
    const last = 29_000;
    expect(staleLevel(store, last + 3000)).toBe('fresh');
    expect(staleLevel(store, last + 5000)).toBe('stale');
    expect(staleLevel(store, last + 12_000)).toBe('critical');
  });

  it('waits longer for a source that reports every minute', () => {
    const store = storeOf([0, 60_000, 120_000, 180_000]);
    expect(staleLevel(store, 180_000 + 170_000)).toBe('fresh');
    expect(staleLevel(store, 180_000 + 200_000)).toBe('stale');
  });

  it('never calls a single event stale: nobody knows when the next one is due', () => {
    expect(staleLevel(storeOf([1000]), 10_000_000)).toBe('fresh');
  });

  it('knows one series of a panel as silent after three of its own intervals, whatever the others do', () => {
    const every10s = series([0, 10_000, 20_000, 30_000], [1, 1, 1, 1]);
    expect(silentMs(every10s, 'avg', 1000, 60_000)).toBe(0);
    expect(silentMs(every10s, 'avg', 1000, 90_000)).toBe(59_000);
    expect(silentMs(series([0, 1000], [1, null]), 'avg', 1000, 10_000)).toBe(9000);
    expect(silentMs(series([], []), 'avg', 1000, 10_000)).toBe(0);
  });

  it('takes a lone value of a level for the last of a series that died, and a lone amount for an event', () => {
    expect(silentMs(series([0], [1]), 'avg', 1000, 10_000)).toBe(9000);
    expect(silentMs(series([0], [1]), 'count', 1000, 10_000)).toBe(0);
  });

  it('call a bucket whole when it is over, where a part says less than the whole', () => {
    expect(settledAt('sum', 100_000)).toBe(100_000);
    expect(settledAt('avg', 100_000)).toBe(Number.POSITIVE_INFINITY);
    expect(['count', 'rate', 'uniques', 'p95', 'max'].every((agg) => isGrowing(agg as 'sum'))).toBe(true);
    expect(['avg', 'first', 'last', 'p50'].some((agg) => isGrowing(agg as 'sum'))).toBe(false);
  });
});
