import { describe, expect, it } from 'vitest';
import { unfinishedFrom, veilFrom } from './live-edge.ts';

const times = [0, 1000, 2000, 3000];

describe('the unfinished bucket', () => {
  it('is the one that the clock stands in', () => {
    expect(unfinishedFrom(times, 1000, 3500)).toBe(3000);
    expect(unfinishedFrom(times, 1000, 4000)).toBe(null);
    expect(unfinishedFrom([], 1000, 0)).toBe(null);
  });

  it('is joined by those that lie in the future', () => {
    expect(unfinishedFrom(times, 1000, 2500)).toBe(2000);
  });

  it('veils its bar, or the piece of line that leads to it', () => {
    expect(veilFrom(times, 1000, 3500, 'bar')).toBe(3000);
    expect(veilFrom(times, 1000, 3500, 'line')).toBe(2000);
    expect(veilFrom([3000], 1000, 3500, 'line')).toBe(3000);
    expect(veilFrom(times, 1000, 9000, 'line')).toBe(null);
  });
});
