import { describe, expect, it } from 'vitest';
import { bucketEnd } from '../live/bucket-end.ts';
import type { StoredSeries } from '../live/stored-series.ts';
import { dialEnds } from './dial-ends.ts';

const series = (name: string, v: number[]): StoredSeries => ({
  key: 1,
  name,
  labels: {},
  slot: 0,
  t: v.map((_, i) => i * 1000),
  v,
});
const plain: Parameters<typeof dialEnds>[0] = { unit: 'none', thresholds: [] };

const span = { from: 0, to: 5000, stepMs: 1000, endOf: bucketEnd({}, 1000) };

describe('the ends of dials', () => {
  it('follow the largest value of all dials shown', () => {
    const shown = [series('a', [3]), series('b', [280, 12])];
    expect(dialEnds(plain, 'last', shown, span)).toEqual([0, 300]);
    expect(dialEnds(plain, 'last', shown.toReversed(), span)).toEqual([0, 300]);
  });

  it('hold a total that no single bucket reached, and thresholds', () => {
    expect(dialEnds(plain, 'sum', [series('a', [40, 40])], span)).toEqual([0, 90]);
    const limits = [{ value: 700, level: 'crit' as const }];
    expect(dialEnds({ ...plain, thresholds: limits }, 'last', [series('a', [1])], span)).toEqual([0, 800]);
  });

  it('stay numbers, whatever arrived', () => {
    const [min, max] = dialEnds(plain, 'last', [series('a', [1.7e308])], span);
    expect(min).toBe(0);
    expect(Number.isFinite(max) && max >= 1.7e308).toBe(true);
  });
});
