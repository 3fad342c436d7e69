import { describe, expect, it } from 'vitest';
import type { StoredSeries } from '../live/stored-series.ts';
import { stacking } from './chart-options.ts';

const series = (growths?: number[]): StoredSeries[] =>
  ['a', 'b'].map((name, key) => ({
    key,
    labels: { host: name },
    name,
    slot: key,
    t: [0],
    v: [1],
    ...(growths === undefined ? {} : { growths }),
  }));

describe('how areas stand on each other', () => {
  it('amounts of buckets leave holes, levels and growth by the second go on until the next report', () => {
    expect(stacking({ kind: 'stacked', agg: 'sum', series: series() })).toBe('amounts');
    expect(stacking({ kind: 'stacked', agg: 'rate', series: series() })).toBe('amounts');
    expect(stacking({ kind: 'stacked', agg: 'avg', series: series() })).toBe('levels');
    expect(stacking({ kind: 'stacked', agg: 'rate', series: series([5]) })).toBe('levels');
  });
});
