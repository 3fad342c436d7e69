import { describe, expect, it } from 'vitest';
import { bucketEnd } from './bucket-end.ts';
import { growthRate } from './growth-rate.ts';

function ratesOf(times: number[], growths: (number | null)[], stepMs: number): (number | null)[] {
  const endOf = bucketEnd({}, stepMs);
  return times.map((_, i) => growthRate(times, growths, i, endOf));
}

describe('growth per second', () => {
  it('is what the counter does, however much finer the buckets are than the source', () => {
    for (const stepMs of [1000, 2000, 5000, 10_000]) {
      // A hundred a second, told every ten seconds.
      const times = Array.from({ length: 6 }, (_, i) => i * 10_000);
      expect(ratesOf(times, Array(6).fill(1000) as number[], stepMs)).toEqual(Array(6).fill(100));
    }
  });

  it('has the right mean over time where buckets and source do not fit', () => {
    const times = [0, 8000, 20_000, 28_000, 40_000];
    const rates = ratesOf(times, [1000, 1000, 1000, 1000, 1000], 4000).map(Number);
    expect(rates.slice(1).map((rate) => Math.round(rate))).toEqual([125, 83, 125, 83]);
    const grown = times.slice(1).map((time, i) => rates[i + 1]! * ((time - times[i]!) / 1000));
    expect(grown.reduce((sum, one) => sum + one, 0) / 40).toBeCloseTo(100, 9);
  });

  it('is divided by the bucket where every bucket has a value', () => {
    expect(ratesOf([0, 15_000, 30_000], [1500, 3000, 0], 15_000)).toEqual([100, 200, 0]);
  });

  it('passes over buckets that lost their value, and the only one has but its bucket', () => {
    expect(ratesOf([0, 1000, 2000], [10, null, 20], 1000)).toEqual([5, null, 10]);
    expect(ratesOf([0], [10], 2000)).toEqual([5]);
  });

  it('is divided by months and days as long as they are', () => {
    const month = bucketEnd({ step: '1mo', tz: 'UTC' }, 30 * 86_400_000);
    const months = [0, 1, 2, 3, 4].map((n) => Date.UTC(2026, n, 1));
    // A hundred a second; in April nothing is told, and May tells both.
    const grown = [31, 28, 31, null, 61].map((days) => days && days * 86_400 * 100);
    expect(months.map((_, i) => growthRate(months, grown, i, month))).toEqual([100, 100, 100, null, 100]);
    const day = bucketEnd({ step: '1d', tz: 'Europe/Berlin' }, 86_400_000);
    // 29 March 2026 has 23 hours there.
    const days = [Date.UTC(2026, 2, 27, 23), Date.UTC(2026, 2, 28, 23), Date.UTC(2026, 2, 29, 22)];
    const dayGrown = [24, 23, 24].map((hours) => hours * 3600);
    expect(days.map((_, i) => growthRate(days, dayGrown, i, day))).toEqual([1, 1, 1]);
  });
});
