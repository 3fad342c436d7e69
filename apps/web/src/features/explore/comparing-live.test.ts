import type { DeltaColumns, QueryInput, SnapshotColumns } from '@nowcast/contract';
import { describe, expect, test } from 'vitest';
import type { LivePort, ViewHandlers } from '../../live/live-port.ts';
import { ViewStore } from '../../live/view-store.ts';
import { comparingLive } from './comparing-live.ts';

const now = 1_000_000;
const labels = { host: 'a' };

interface Opened {
  query: QueryInput;
  handlers: ViewHandlers;
  open: boolean;
}

/** A connection whose answers the test gives. */
function scripted(): { port: LivePort; views: Opened[] } {
  const views: Opened[] = [];
  const port: LivePort = {
    subscribe: (query, handlers) => {
      const view = { query, handlers, open: true };
      views.push(view);
      return () => {
        view.open = false;
      };
    },
    follow: () => () => undefined,
    status: () => ({ state: 'live' }),
    onStatus: () => () => undefined,
    serverNow: () => now,
    lagMs: () => null,
    connect: () => undefined,
  };
  return { port, views };
}

function snapshotOf(times: number[], values: number[], rest: Partial<SnapshotColumns> = {}): SnapshotColumns {
  const series = [
    { key: 0, labels, timestamps: Float64Array.from(times), values: Float64Array.from(values) },
  ];
  return { epoch: 'e', seq: '1', recovered: false, stepMs: 1000, from: 0, to: now, series, ...rest };
}

function deltaOf(time: number, value: number): DeltaColumns {
  return {
    baseSeq: '1',
    seq: '2',
    newest: time,
    series: [],
    removed: [],
    count: 1,
    keys: Uint32Array.of(0),
    buckets: Float64Array.of(time),
    values: Float64Array.of(value),
  };
}

function opened(
  query: QueryInput,
  shiftMs = 60_000,
): { store: ViewStore; views: Opened[]; close: () => void } {
  const { port, views } = scripted();
  const store = new ViewStore(query.window === undefined ? null : 60_000);
  const close = comparingLive(port, { shiftMs, name: 'earlier' }).subscribe(query, {
    onSnapshot: (snapshot) => store.applySnapshot(snapshot, now),
    onDelta: (delta) => store.applyDelta(delta, now),
    onNotice: (notice) => store.applyNotice(notice),
  });
  return { store, views, close };
}

const columnsOf = (store: ViewStore): Record<string, [number[], (number | null)[]]> =>
  Object.fromEntries(store.series.map(({ name, t, v }) => [name, [t, v]]));

describe('a view beside its own past', () => {
  const sliding: QueryInput = { metric_type: 'm', window: '1m' };

  test('the past is asked for in the same buckets and moved to now', () => {
    const { store, views } = opened(sliding);
    views[0]!.handlers.onSnapshot(snapshotOf([998_000, 999_000], [1, 2]));
    expect(views[1]!.query).toEqual({ metric_type: 'm', from: 878_000, to: now, step: '1s' });
    views[1]!.handlers.onSnapshot(snapshotOf([938_000, 939_000, 940_000], [7, 8, 9]));
    expect(columnsOf(store)).toEqual({
      a: [
        [998_000, 999_000],
        [1, 2],
      ],
      'a · earlier': [
        [998_000, 999_000],
        [7, 8],
      ],
    });
  });

  test('it does not run ahead of the present: a source that fell silent stays stale', () => {
    const { store, views } = opened(sliding);
    views[0]!.handlers.onSnapshot(snapshotOf([999_000], [1]));
    views[1]!.handlers.onSnapshot(snapshotOf([939_000, 940_000, 941_000], [7, 8, 9]));
    expect(store.newestMs).toBe(999_000);
    views[0]!.handlers.onDelta(deltaOf(1_000_000, 2));
    expect(columnsOf(store)['a · earlier']![0]).toEqual([999_000, 1_000_000]);
  });

  test('when the present has passed what was asked for, more is asked for', () => {
    const { views } = opened(sliding);
    views[0]!.handlers.onSnapshot(snapshotOf([999_000], [1]));
    views[1]!.handlers.onSnapshot(snapshotOf([939_000], [7]));
    views[0]!.handlers.onDelta(deltaOf(1_059_000, 2));
    expect(views).toHaveLength(2);
    views[0]!.handlers.onDelta(deltaOf(1_060_000, 2));
    expect([views.length, views[1]!.open]).toEqual([3, false]);
  });

  test('a range that stands still is compared as a whole; the shift is whole buckets', () => {
    const { store, views, close } = opened({ metric_type: 'm', from: 500_000, to: 510_500 }, 10_500);
    views[0]!.handlers.onSnapshot(snapshotOf([500_000], [1], { from: 500_000, to: 511_000 }));
    expect(views[1]!.query).toMatchObject({ from: 489_000, to: 499_500, step: '1s' });
    views[1]!.handlers.onSnapshot(snapshotOf([490_000, 499_000], [7, 8]));
    expect(columnsOf(store)['a · earlier']![0]).toEqual([501_000, 510_000]);
    close();
    expect(views.map((view) => view.open)).toEqual([false, false]);
  });

  test('a reconnection begins both anew', () => {
    const { store, views } = opened(sliding);
    views[0]!.handlers.onSnapshot(snapshotOf([999_000], [1]));
    views[1]!.handlers.onSnapshot(snapshotOf([939_000], [7]));
    views[0]!.handlers.onSnapshot(snapshotOf([999_000], [3]));
    expect(columnsOf(store)['a · earlier']).toEqual([[999_000], [7]]);
  });

  test('single points are not compared', () => {
    const { views } = opened({ metric_type: 'm', agg: 'none', window: '1m' });
    views[0]!.handlers.onSnapshot(snapshotOf([], [], { points: [] }));
    expect(views).toHaveLength(1);
  });
});
