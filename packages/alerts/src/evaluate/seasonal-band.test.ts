import { ByteReader, ByteWriter, type RuleCondition } from '@nowcast/contract';
import { describe, expect, test } from 'vitest';
import { SeasonalBand } from './seasonal-band.ts';

const condition: Extract<RuleCondition, { kind: 'anomaly' }> = {
  kind: 'anomaly',
  direction: 'either',
  sensitivity: 'medium',
};
const slot = 300_000;
const day = 288;

/** Learns `slots` values and says at which slots, from `from` on, the value was outside the band. */
function outside(band: SeasonalBand, slots: number, valueAt: (slot: number) => number, from = 0): number[] {
  const found: number[] = [];
  for (let i = from; i < slots; i += 1) {
    const value = valueAt(i);
    const limits = band.limits(i * slot);
    if (limits !== undefined && (value < limits.lower || value > limits.upper)) found.push(i);
    band.learn(i * slot, value);
  }
  return found;
}

/** Repeats itself only after long: noise within ± 1. */
const noise = (i: number) => Math.sin(i * 12.9898) * 0.6 + Math.sin(i * 78.233) * 0.4;

describe('the band of what is usual', () => {
  test('knows nothing before it has seen a day', () => {
    const band = new SeasonalBand(condition);
    outside(band, day - 1, noise);
    expect(band.limits(day * slot)).toBeUndefined();
    band.learn(day * slot, 0);
    expect(band.limits(day * slot)).toBeDefined();
  });

  test('finds a spike and does not take it for usual afterwards', () => {
    const spikes = new Set([1000, 1400, 1900]);
    const found = outside(new SeasonalBand(condition), 2000, (i) => 50 + noise(i) + (spikes.has(i) ? 10 : 0));
    expect(found).toEqual([...spikes]);
  });

  test('takes what spikes on the hour for usual, and finds the spike that is larger', () => {
    const value = (i: number) => 20 + noise(i) + (i % 12 === 0 ? 40 : 0) + (i === 2000 ? 140 : 0);
    expect(outside(new SeasonalBand(condition), 2100, value)).toEqual([2000]);
  });

  test('finds an afternoon in the night, for hours', () => {
    const value = (i: number) =>
      (i >= 10 * day ? 150 : 100 - 50 * Math.cos((i / day) * 2 * Math.PI)) + noise(i);
    const found = outside(new SeasonalBand(condition), 10 * day + 48, value);
    const threeHours = Array.from({ length: 36 }, (_, i) => 10 * day + i);
    expect(found.filter((i) => i >= 10 * day)).toEqual(expect.arrayContaining(threeHours));
    expect(found.filter((i) => i >= 5 * day && i < 10 * day)).toEqual([]);
  });

  test('lets a constant wobble by a percent', () => {
    const found = outside(new SeasonalBand(condition), 1000, (i) =>
      i === 900 ? 101 : i === 950 ? 103 : 100,
    );
    expect(found).toEqual([950]);
  });

  test('has no limit on the side that nobody asked for', () => {
    const band = new SeasonalBand({ ...condition, direction: 'above' });
    outside(band, 400, noise);
    expect(band.limits(400 * slot)!.lower).toBe(-Infinity);
  });

  test('goes on from what was saved as if nothing had been', () => {
    const band = new SeasonalBand(condition);
    outside(band, 1500, noise);
    const writer = new ByteWriter();
    band.save(writer);
    const again = new SeasonalBand(condition);
    const reader = new ByteReader(writer.written().slice());
    again.load(reader);
    expect(reader.remaining).toBe(0);
    const value = (i: number) => noise(i) * (i > 1800 ? 3 : 1);
    expect(outside(again, 2500, value, 1500)).toEqual(outside(band, 2500, value, 1500));
    expect(again.limits(2500 * slot)).toEqual(band.limits(2500 * slot));
  });
});
