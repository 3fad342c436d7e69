import { expect, it } from 'vitest';
import { ViewStore } from '../live/view-store.ts';
import { silentFor } from './silent-for.ts';

const second = (count: number): Float64Array => Float64Array.from({ length: count }, (_, i) => i * 1000);

it('one series of a live panel is silent while others go on; a range that stands still has no age', () => {
  const now = 190_000;
  const store = new ViewStore(300_000);
  const series = [
    { key: 1, labels: { host: 'alive' }, timestamps: second(190), values: second(190) },
    { key: 2, labels: { host: 'dead' }, timestamps: second(10), values: second(10) },
  ];
  const range = { from: 0, to: now };
  store.applySnapshot({ epoch: 'e', seq: '1', recovered: false, stepMs: 1000, ...range, series }, now);
  const live = { store, agg: 'avg', range: { kind: 'live', windowMs: 300_000 } } as const;
  expect(store.series.map((one) => silentFor(live, one, now))).toEqual(['', '3\u00a0min']);
  const still = { ...live, range: { kind: 'fixed', ...range } } as const;
  expect(store.series.map((one) => silentFor(still, one, now))).toEqual(['', '']);
});
