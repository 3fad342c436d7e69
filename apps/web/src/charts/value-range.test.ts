import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { valueRange } from './value-range.ts';

const spec = (kind: 'line' | 'area'): Parameters<typeof valueRange>[0] => ({
  kind,
  agg: 'avg',
  display: { thresholds: [] },
});

describe('the ends of a value axis', () => {
  it('leave room around lines and start filled shapes at zero', () => {
    expect(valueRange(spec('line'), 100, 110)).toEqual([99.2, 110.8]);
    expect(valueRange(spec('area'), 100, 110)).toEqual([0, 118.8]);
    expect(valueRange(spec('line'), null, null)).toEqual([0, 1.08]);
    expect(valueRange({ ...spec('line'), display: { min: -5, max: 5, thresholds: [] } }, 100, 110)).toEqual([
      -5, 5,
    ]);
  });

  it('start amounts at zero, also as lines', () => {
    expect(valueRange({ ...spec('line'), agg: 'sum' }, 100, 110)).toEqual([0, 118.8]);
  });

  it('have a finite distance that ticks can cross, whatever arrived', () => {
    const value = fc.oneof(
      fc.double({ noNaN: true, noDefaultInfinity: true }),
      fc.constantFrom(1e25, 1e25 + 2 ** 31, 1e308, 1.7e308, -1.7e308, Number.MAX_VALUE, 0),
      fc.constantFrom(Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY),
    );
    fc.assert(
      fc.property(fc.constantFrom('line' as const, 'area' as const), value, value, (kind, one, other) => {
        const [from, to] = valueRange(spec(kind), Math.min(one, other), Math.max(one, other));
        expect(Number.isFinite(to - from)).toBe(true);
        expect(to).toBeGreaterThan(from);
        const step = (to - from) / 20;
        if (step > 0) for (const end of [from, to]) expect(end + step).not.toBe(end);
      }),
    );
  });
});
