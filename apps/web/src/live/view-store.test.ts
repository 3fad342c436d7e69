import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { DeltaColumns, PointRecord, SnapshotColumns } from '@nowcast/contract';
import { ViewStore } from './view-store.ts';

const snapshot = (
  series: SnapshotColumns['series'],
  change: Partial<SnapshotColumns> = {},
): SnapshotColumns => ({
  epoch: 'e',
  seq: '1',
  recovered: false,
  stepMs: 1000,
  from: 0,
  to: 10_000,
  series,
  ...change,
});

const delta = (
  cells: [key: number, time: number, value: number][],
  change: Partial<DeltaColumns> = {},
): DeltaColumns => ({
  baseSeq: '1',
  seq: '2',
  newest: 0,
  series: [],
  removed: [],
  count: cells.length,
  keys: Uint32Array.from(cells, ([key]) => key),
  buckets: Float64Array.from(cells, ([, time]) => time),
  values: Float64Array.from(cells, ([, , value]) => value),
  ...change,
});

const line = (key: number, host: string, times: number[], values: number[]) => ({
  key,
  labels: { host },
  timestamps: Float64Array.from(times),
  values: Float64Array.from(values),
});

describe('the store behind a panel', () => {
  // Receipt times never step back: those of an hour ahead hid for an hour that a source had stopped.
  it('got nothing later than now, also where the clock of the server was set back', () => {
    const store = new ViewStore(60_000);
    store.applySnapshot(snapshot([line(1, 'a', [1000], [1])]), 10_000);
    store.applyDelta(delta([[1, 11_000, 1]], { newest: 3_600_000 }), 12_000);
    expect(store.newestMs).toBe(12_000);
    store.applyDelta(delta([[1, 13_000, 1]], { newest: 3_600_000 }), 3_600_000);
    expect(store.newestMs).toBe(3_600_000);
    store.applyDelta(delta([[1, 14_000, 1]]), 15_000);
    expect(store.newestMs).toBe(15_000);
  });

  it('keeps what it has while the clock is wrong: only data that have come as far push old buckets out', () => {
    const store = new ViewStore(100_000);
    const times = Array.from({ length: 100 }, (_, i) => i * 1000);
    store.applySnapshot(snapshot([line(1, 'a', times, times)]), 100_000);
    store.applyDelta(delta([[1, 100_000, 1]]), 7_300_000);
    expect(store.series[0]!.t).toHaveLength(101);
    store.applyDelta(delta([[1, 150_000, 1]]), 151_000);
    expect(store.series[0]!.t[0]).toBe(48_000);
  });

  it('keeps as many of the newest records as were asked for', () => {
    const record = (timestamp: number): PointRecord => ({
      data_id: `d${timestamp}`,
      metric_type: 'm',
      value: 1,
      timestamp,
      received_at: timestamp,
      source: '',
      labels: {},
    });
    const store = new ViewStore(null, 'none', { limit: 2 });
    store.applySnapshot(snapshot([], { points: [1, 2, 3].map(record) }), 10);
    expect(store.points.map((one) => one.timestamp)).toEqual([2, 3]);
    store.applyDelta(delta([], { points: [record(5), record(4)] }), 10);
    expect(store.points.map((one) => one.timestamp)).toEqual([4, 5]);
  });

  it('ends with the same columns in whatever order the cells arrive', () => {
    const cells = fc.array(
      fc.record({ time: fc.integer({ min: 0, max: 40 }).map((n) => n * 1000), value: fc.integer() }),
      { minLength: 1, maxLength: 60 },
    );
    fc.assert(
      fc.property(cells, (list) => {
        const store = new ViewStore(null);
        store.applySnapshot(snapshot([line(1, 'a', [], [])]), 10_000);
        const expected = new Map<number, number>();
        for (const { time, value } of list) {
          store.applyDelta(delta([[1, time, value]]), 50_000);
          expected.set(time, value);
        }
        const { t, v } = store.series[0]!;
        const sorted = [...expected].sort(([a], [b]) => a - b);
        expect(t).toEqual(sorted.map(([time]) => time));
        expect(v).toEqual(sorted.map(([, value]) => value));
      }),
    );
  });

  it('keeps growth as rates: cell by cell, in any order, the same as a snapshot of all would', () => {
    const cells = fc.array(
      fc.record({
        time: fc.integer({ min: 0, max: 30 }).map((n) => n * 2000),
        value: fc.oneof(fc.nat(1000), fc.constant(Number.NaN)),
      }),
      { minLength: 1, maxLength: 40 },
    );
    fc.assert(
      fc.property(cells, cells, (first, list) => {
        const growths = new Map(first.map(({ time, value }) => [time, value]));
        const whole = () => {
          const sorted = [...growths].sort(([a], [b]) => a - b);
          const [times, values] = [sorted.map(([time]) => time), sorted.map(([, value]) => value)];
          return snapshot([line(1, 'a', times, values)], { stepMs: 2000 });
        };
        const store = new ViewStore(null, 'growth');
        store.applySnapshot(whole(), 90_000);
        for (const { time, value } of list) {
          store.applyDelta(delta([[1, time, value]]), 90_000);
          growths.set(time, value);
        }
        const fresh = new ViewStore(null, 'growth');
        fresh.applySnapshot(whole(), 90_000);
        expect(store.series[0]).toEqual(fresh.series[0]);
      }),
      { seed: 20_261_130 },
    );
  });

  it('reads a counter that reports every ten seconds the same in buckets of any width', () => {
    for (const stepMs of [1000, 2000, 5000]) {
      const times = Array.from({ length: 9 }, (_, i) => i * 10_000);
      const store = new ViewStore(90_000, 'growth');
      store.applySnapshot(
        snapshot(
          [
            line(
              1,
              'a',
              times,
              times.map(() => 5000),
            ),
          ],
          { stepMs, to: 90_000 },
        ),
        90_000,
      );
      store.applyDelta(delta([[1, 90_000, 5000]]), 95_000);
      expect(store.series[0]!.v.slice(-9)).toEqual(Array(9).fill(500));
    }
  });

  it('divides amounts and growth by the months they fell in, whichever come later', () => {
    const months = [1, 2, 3].map((month) => Date.UTC(2026, month, 1));
    const perSecond = [28, 31, 30].map((days) => days * 86_400);
    const stepMs = 30 * 86_400_000;
    for (const rate of ['bucket', 'growth'] as const) {
      const store = new ViewStore(null, rate, { step: '1mo', tz: 'UTC' });
      const first = line(1, 'a', months.slice(0, 2), perSecond.slice(0, 2));
      store.applySnapshot(snapshot([first], { stepMs, to: months[2]! }), months[2]!);
      store.applyDelta(delta([[1, months[2]!, perSecond[2]!]]), months[2]!);
      expect(store.series[0]!.v, rate).toEqual([1, 1, 1]);
    }
  });

  it('tells React of a new series and of nothing else', () => {
    const store = new ViewStore(60_000);
    store.applySnapshot(snapshot([line(1, 'a', [1000], [1])]), 10_000);
    let calls = 0;
    store.subscribeMeta(() => {
      calls += 1;
    });
    for (let i = 2; i < 50; i++) store.applyDelta(delta([[1, i * 1000, i]]), i * 1000);
    expect(calls).toBe(0);
    store.applyDelta(delta([[2, 50_000, 7]], { series: [{ key: 2, labels: { host: 'b' } }] }), 50_000);
    expect(calls).toBe(1);
    expect(store.series.map((series) => series.name)).toEqual(['a', 'b']);
    store.applyDelta(delta([], { removed: [1] }), 50_000);
    expect(store.series.map((series) => series.name)).toEqual(['b']);
  });

  it('keeps a bucket without a value as a hole', () => {
    const store = new ViewStore(null);
    store.applySnapshot(snapshot([line(1, 'a', [0, 1000], [1, Number.NaN])]), 10_000);
    store.applyDelta(delta([[1, 0, Number.NaN]]), 50_000);
    expect(store.series[0]!.v).toEqual([null, null]);
  });

  it('forgets what has left a sliding window, and never more', () => {
    const store = new ViewStore(100_000);
    store.applySnapshot(snapshot([line(1, 'a', [0], [0])]), 10_000);
    for (let i = 1; i < 2000; i++) store.applyDelta(delta([[1, i * 1000, i]]), i * 1000);
    const { t } = store.series[0]!;
    expect(t.length).toBeLessThan(200);
    expect(t[0]).toBeLessThanOrEqual(1_999_000 - 100_000);
    expect(t.at(-1)).toBe(1_999_000);
  });

  it('forgets by the clock of the server: a source that is four minutes ahead takes nothing from the others', () => {
    const now = 100_000;
    const ahead = 240_000;
    const store = new ViewStore(60_000);
    const times = Array.from({ length: 70 }, (_, i) => now - (69 - i) * 1000);
    const range = { from: now - 69_000, to: now };
    store.applySnapshot(snapshot([line(1, 'on time', times, times)], range), now);
    const late = delta([[2, now + ahead, 1]], {
      newest: now,
      series: [{ key: 2, labels: { host: 'ahead' } }],
    });
    store.applyDelta(late, now);
    expect(store.series.find(({ name }) => name === 'on time')!.t).toHaveLength(70);
    expect(store.newestMs).toBe(now);
  });

  it('was not heard of in the future, whatever the clocks of its sources say', () => {
    const now = 10_000;
    const store = new ViewStore(60_000);
    // The server moves the end of the range on to the end of the newest bucket.
    store.applySnapshot(snapshot([line(1, 'ahead', [9000, 250_000], [1, 1])], { to: 251_000 }), now);
    expect(store.newestMs).toBe(now);
    store.applyDelta(delta([[1, 251_000, 1]], { newest: now + 900 }), now + 1000);
    expect(store.newestMs).toBe(now + 900);
    // What a resume merged comes without the time of its receipt.
    store.applyDelta(delta([[1, 252_000, 1]]), now + 3000);
    expect(store.newestMs).toBe(now + 3000);
  });

  it('shows each record of a feed once, in the order in which things happened', () => {
    const point = (id: string, timestamp: number) => ({
      data_id: id,
      source: '',
      timestamp,
      received_at: timestamp,
      metric_type: 'm',
      value: 1,
      labels: {},
    });
    const store = new ViewStore(null);
    store.applySnapshot(snapshot([], { points: [point('a', 1), point('c', 3)] }), 10_000);
    store.applyDelta(delta([], { points: [point('b', 2), point('c', 3)] }), 50_000);
    expect(store.points.map((one) => one.data_id)).toEqual(['a', 'b', 'c']);
  });

  it('says forbidden, failed or merely delayed as the server does', () => {
    const store = new ViewStore(null);
    const notice = { type: 'notice' as const, message: 'why' };
    store.applyNotice({ ...notice, code: 'server.unavailable', retryable: true });
    expect(store.getMeta()).toMatchObject({ state: 'loading', note: 'why' });
    store.applyNotice({ ...notice, code: 'query.invalid', retryable: false });
    expect(store.getMeta()).toMatchObject({ state: 'error', error: 'why' });
    store.applyNotice({ ...notice, code: 'auth.forbidden', retryable: false });
    expect(store.getMeta().state).toBe('forbidden');
  });
});
