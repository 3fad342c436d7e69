import { describe, expect, it } from 'vitest';
import { bucketEnd } from '../live/bucket-end.ts';
import { unfinishedFrom, veilFrom } from './live-edge.ts';

const times = [0, 1000, 2000, 3000];
const endOf = bucketEnd({}, 1000);

describe('the unfinished bucket', () => {
  it('is the one that the clock stands in', () => {
    expect(unfinishedFrom(times, endOf, 3500)).toBe(3000);
    expect(unfinishedFrom(times, endOf, 4000)).toBe(null);
    expect(unfinishedFrom([], endOf, 0)).toBe(null);
  });

  it('is a month to its last day, not to its thirtieth', () => {
    const july = Date.UTC(2026, 6, 1);
    const month = bucketEnd({ step: '1mo' }, 30 * 86_400_000);
    expect(unfinishedFrom([july], month, Date.UTC(2026, 6, 31, 12))).toBe(july);
    expect(unfinishedFrom([july], month, Date.UTC(2026, 7, 1))).toBe(null);
  });

  it('is joined by those that lie in the future', () => {
    expect(unfinishedFrom(times, endOf, 2500)).toBe(2000);
  });

  it('veils its bar, or the piece of line that leads to it', () => {
    expect(veilFrom(times, endOf, 3500, 'bar')).toBe(3000);
    expect(veilFrom(times, endOf, 3500, 'line')).toBe(2000);
    expect(veilFrom([3000], endOf, 3500, 'line')).toBe(3000);
    expect(veilFrom(times, endOf, 9000, 'line')).toBe(null);
  });
});
