import { describe, expect, it } from 'vitest';
import {
  bandPath,
  firingsOf,
  linePath,
  niceStep,
  roundedTo,
  stretchesOf,
  timeTicks,
  valueAt,
  valueEnds,
  valueTicks,
  yOf,
  type Frame,
  type PreviewSeries,
} from './chart-scale.ts';

const frame: Frame = { left: 0, top: 0, width: 100, height: 200, from: 0, to: 10_000, low: 0, high: 100 };
const series = (value: (number | null)[], rest: Partial<PreviewSeries> = {}): PreviewSeries => ({
  labels: {},
  timestamp: value.map((_, i) => i * 100),
  value,
  transitions: [],
  ...rest,
});

describe('the value axis', () => {
  it('holds the data and the limits, with room beyond both', () => {
    const { low, high } = valueEnds([series([40, 60])], [90]);
    expect(low).toBe(0);
    expect(high).toBeGreaterThan(90);
  });

  it('has a length where everything is one value, and where there is nothing', () => {
    for (const ends of [valueEnds([series([5, 5])], [5]), valueEnds([], []), valueEnds([series([0])], [0])])
      expect(ends.high).toBeGreaterThan(ends.low);
  });

  it('has ticks at round values only', () => {
    expect(valueTicks({ ...frame, low: -7, high: 43 }, 5)).toEqual({ values: [0, 10, 20, 30, 40], step: 10 });
    expect(niceStep(0.9, 5)).toBeCloseTo(0.2);
  });
});

describe('a dragged limit', () => {
  it('is where the finger is', () => {
    expect(valueAt(frame, yOf(frame, 37))).toBeCloseTo(37);
  });

  it('is rounded to what a pixel can say', () => {
    expect(roundedTo(79.8312, frame)).toBe(80);
    expect(roundedTo(0.123456, { ...frame, high: 1 })).toBe(0.125);
  });
});

describe('a line', () => {
  it('keeps the peak of a column that holds many points', () => {
    const value = Array.from({ length: 100 }, () => 10);
    value[42] = 99;
    const path = linePath(
      value.map((_, i) => i),
      value,
      1,
      frame,
    );
    expect(path).toContain(yOf(frame, 99).toFixed(1));
    expect(path).toContain(yOf(frame, 10).toFixed(1));
  });

  it('breaks where values are missing, and where nothing came for long', () => {
    const path = (timestamps: number[], values: (number | null)[]): string =>
      linePath(timestamps, values, 1000, frame);
    expect(path([0, 1000, 2000], [1, null, 3]).match(/M/g)).toHaveLength(2);
    expect(path([0, 1000, 9000], [1, 2, 3]).match(/M/g)).toHaveLength(2);
    expect(path([0, 1000, 2000], [1, 2, 3]).match(/M/g)).toHaveLength(1);
  });
});

describe('what is shown of the past', () => {
  it('a value alone is a dot, not nothing', () => {
    expect(linePath([5000], [3], 1000, frame)).toMatch(/^M\d+ [\d.]+h0$/);
  });

  it('what lay between two points is an area, broken where nothing came', () => {
    const path = bandPath([1000, 2000, 9000], [1, 1, 2], [3, 4, 5], 1000, frame);
    expect(path.match(/M/g)).toHaveLength(2);
    expect(path).toContain(` ${yOf(frame, 4).toFixed(1)}`);
    expect(bandPath([1000, 2000], [null, null], [null, null], 1000, frame)).toBe('');
    expect(valueEnds([series([2], { least: [-9], greatest: [50] })], [])).toMatchObject({
      low: expect.toSatisfy((low: number) => low < -9) as number,
      high: expect.toSatisfy((high: number) => high > 50) as number,
    });
  });
});

describe('the time axis', () => {
  const hourMs = 3_600_000;

  it('has days at midnight of the zone, also where a day has 23 hours', () => {
    const from = Date.UTC(2026, 2, 27, 23);
    const { at, days } = timeTicks(from, from + 4 * 24 * hourMs, 4, 'Europe/Berlin');
    expect(days).toBe(true);
    expect(at).toEqual([
      Date.UTC(2026, 2, 27, 23),
      Date.UTC(2026, 2, 28, 23),
      Date.UTC(2026, 2, 29, 22),
      Date.UTC(2026, 2, 30, 22),
      Date.UTC(2026, 2, 31, 22),
    ]);
  });

  it('has whole hours for a few of them', () => {
    const from = Date.UTC(2026, 0, 1, 10, 20);
    expect(timeTicks(from, from + 3 * hourMs, 4, 'UTC').at).toEqual(
      [11, 12, 13].map((hour) => Date.UTC(2026, 0, 1, hour)),
    );
  });
});

describe('firings', () => {
  it('go on through recovering, end with ok, and the last may be open', () => {
    const transitions: PreviewSeries['transitions'] = [
      { from: 'ok', to: 'pending', at: 1, value: 9 },
      { from: 'pending', to: 'firing', at: 2, value: 9 },
      { from: 'firing', to: 'recovering', at: 3, value: 1 },
      { from: 'recovering', to: 'firing', at: 4, value: 9 },
      { from: 'firing', to: 'recovering', at: 5, value: 1 },
      { from: 'recovering', to: 'ok', at: 6, value: 1 },
      { from: 'ok', to: 'firing', at: 7, value: 8 },
    ];
    expect(firingsOf(series([], { transitions }))).toEqual([
      { from: 2, to: 6, value: 9 },
      { from: 7, to: null, value: 8 },
    ]);
  });

  it('and every stretch before and after them is told apart', () => {
    const transitions: PreviewSeries['transitions'] = [
      { from: 'ok', to: 'pending', at: 1, value: 9 },
      { from: 'pending', to: 'firing', at: 2, value: 8 },
      { from: 'firing', to: 'recovering', at: 3, value: 1 },
      { from: 'recovering', to: 'ok', at: 4, value: 1 },
      { from: 'ok', to: 'pending', at: 6, value: 7 },
    ];
    expect(stretchesOf(series([], { transitions }))).toEqual([
      { state: 'pending', from: 1, to: 2, value: 9 },
      { state: 'firing', from: 2, to: 3, value: 8 },
      { state: 'recovering', from: 3, to: 4, value: 1 },
      { state: 'pending', from: 6, to: null, value: 7 },
    ]);
  });

  it('do not begin with a pending that was well again', () => {
    const transitions: PreviewSeries['transitions'] = [
      { from: 'ok', to: 'pending', at: 1, value: 9 },
      { from: 'pending', to: 'ok', at: 2, value: 1 },
    ];
    expect(firingsOf(series([], { transitions }))).toEqual([]);
  });
});
