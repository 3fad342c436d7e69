import type { DeltaColumns, PointRecord, SnapshotColumns } from '@nowcast/contract';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { ViewState } from './view-state.ts';

function snapshot(change: Partial<SnapshotColumns> = {}): SnapshotColumns {
  return { epoch: 'e', seq: '0', recovered: false, stepMs: 1000, from: 0, to: 60_000, series: [], ...change };
}

function delta(cells: [number, number, number][], change: Partial<DeltaColumns> = {}): DeltaColumns {
  return {
    baseSeq: '0',
    seq: '1',
    newest: 0,
    series: [],
    removed: [],
    count: cells.length,
    keys: Uint32Array.from(cells, ([key]) => key),
    buckets: Float64Array.from(cells, ([, bucket]) => bucket),
    values: Float64Array.from(cells, ([, , value]) => value),
    ...change,
  };
}

function line(key: number, cells: [number, number][]): SnapshotColumns['series'][number] {
  return {
    key,
    labels: { host: `h${key}` },
    timestamps: Float64Array.from(cells, ([bucket]) => bucket),
    values: Float64Array.from(cells, ([, value]) => value),
  };
}

function cellsOf(state: ViewState, key: number): [number, number][] {
  const series = state.series.get(key)!;
  return Array.from(series.timestamps, (bucket, at) => [bucket, series.values[at]!]);
}

test('any mix of new, late and repeated cells and trims leaves what a sorted map would hold', () => {
  const step = fc.oneof(
    { weight: 5, arbitrary: fc.record({ bucket: fc.nat({ max: 60 }), value: fc.double({ noNaN: true }) }) },
    fc.record({ trim: fc.nat({ max: 50 }) }),
  );
  fc.assert(
    fc.property(
      fc.array(fc.nat({ max: 60 }), { maxLength: 40 }),
      fc.array(step, { maxLength: 200 }),
      (start, steps) => {
        const model = new Map(start.map((bucket) => [bucket, bucket / 2]));
        const sorted = (): [number, number][] => [...model].sort(([a], [b]) => a - b);
        const state = new ViewState();
        state.applySnapshot(snapshot({ series: [line(1, sorted())] }));
        for (const step of steps) {
          if ('trim' in step) {
            for (const bucket of model.keys()) if (bucket < step.trim) model.delete(bucket);
            state.trim(step.trim);
          } else {
            model.set(step.bucket, step.value);
            state.applyDelta(delta([[1, step.bucket, step.value]]));
          }
          expect(cellsOf(state, 1)).toEqual(sorted());
        }
      },
    ),
  );
});

describe('a delta', () => {
  test('drops the removed, then adds series, then sets cells: a key may leave and return in one delta', () => {
    const state = new ViewState();
    state.applySnapshot(snapshot({ series: [line(1, [[0, 5]]), line(2, [[0, 6]])] }));
    state.applyDelta(
      delta([[1, 1000, 7]], { removed: [1, 2], series: [{ key: 1, labels: { host: 'other' } }], seq: '9' }),
    );
    expect([...state.series.keys()]).toEqual([1]);
    expect(state.series.get(1)!.labels).toEqual({ host: 'other' });
    expect(cellsOf(state, 1)).toEqual([[1000, 7]]);
    expect(state.seq).toBe('9');
  });

  test('applied twice changes nothing more', () => {
    const state = new ViewState();
    state.applySnapshot(snapshot({ series: [line(1, [[0, 5]])] }));
    const change = delta(
      [
        [1, 0, 8],
        [2, 0, 9],
      ],
      { series: [{ key: 2, labels: {} }] },
    );
    state.applyDelta(change);
    state.applyDelta(change);
    expect(cellsOf(state, 1)).toEqual([[0, 8]]);
    expect(cellsOf(state, 2)).toEqual([[0, 9]]);
  });

  test('with a cell of an unknown series is refused whole', () => {
    const state = new ViewState();
    state.applySnapshot(snapshot({ series: [line(1, [[0, 5]])] }));
    expect(() =>
      state.applyDelta(
        delta([
          [1, 0, 8],
          [4, 0, 9],
        ]),
      ),
    ).toThrow(/series 4/);
    expect(cellsOf(state, 1)).toEqual([[0, 5]]);
    expect(state.seq).toBe('0');
  });

  test('leaves the columns of the snapshot it follows untouched', () => {
    const first = line(1, [[0, 5]]);
    const state = new ViewState();
    state.applySnapshot(snapshot({ series: [first] }));
    state.applyDelta(delta([[1, 0, 8]]));
    expect([...first.values]).toEqual([5]);
  });
});

describe('records', () => {
  const record = (id: string, timestamp: number): PointRecord => ({
    data_id: id,
    source: 's',
    timestamp,
    metric_type: 'm',
    value: 1,
    labels: {},
    received_at: timestamp,
  });

  test('stay in order of time, once each, the newest up to the cap', () => {
    const state = new ViewState({ maxPoints: 3 });
    state.applySnapshot(snapshot({ points: [record('a', 10), record('c', 30)] }));
    state.applyDelta(delta([], { points: [record('b', 20), record('c', 30), record('d', 40)] }));
    expect(state.points.map((point) => point.data_id)).toEqual(['b', 'c', 'd']);
    state.trim(25);
    expect(state.points.map((point) => point.data_id)).toEqual(['c', 'd']);
  });
});
