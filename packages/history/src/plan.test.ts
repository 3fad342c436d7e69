import { describe, expect, it } from 'vitest';
import { planQuery } from './plan.ts';

const borders = (start: number, step: number, count: number) =>
  Float64Array.from({ length: count + 1 }, (_, i) => start + i * step);

describe('planning a query', () => {
  it('reads points alone when buckets are narrower than the finest state', () => {
    expect(planQuery(borders(0, 1000, 60), false)).toMatchObject({
      resolutions: [],
      statedAt: [10_000, 60_000, 3_600_000],
      coarse: false,
    });
  });

  it('takes the states that divide the buckets and the rest from points', () => {
    expect(planQuery(borders(0, 60_000, 60), false)).toMatchObject({
      resolutions: [10_000, 60_000],
      statedAt: [3_600_000],
      coarse: false,
    });
    expect(planQuery(borders(0, 60_000, 60), true)).toMatchObject({
      resolutions: [60_000],
      statedAt: [3_600_000],
      bySketch: true,
    });
  });

  it('uses derived states only when whole hours fit', () => {
    expect(planQuery(borders(0, 7_200_000, 12), false)).toMatchObject({ statedAt: [], coarse: true });
    expect(planQuery(borders(900_000, 7_200_000, 12), false)).toMatchObject({
      statedAt: [3_600_000],
      coarse: false,
    });
  });

  it('never uses a state across the border of a step that is no multiple of it', () => {
    expect(planQuery(borders(0, 15_000, 8), false)).toMatchObject({
      resolutions: [],
      statedAt: [10_000, 60_000, 3_600_000],
    });
  });
});
