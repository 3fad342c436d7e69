import { describe, expect, it } from 'vitest';
import { epochOf } from '../time/zone.ts';
import { bucketEnd } from './bucket-end.ts';

const day = 86_400_000;
const at = (text: string, zone: string, hour = 0): number => {
  const [year, month, date] = text.split('-').map(Number);
  return epochOf({ year: year!, month: month!, day: date!, hour, minute: 0, second: 0 }, zone);
};

describe('the end of a bucket', () => {
  it('is a step later where the step is fixed, whatever the clocks do', () => {
    const start = at('2026-10-25', 'Europe/Berlin');
    expect(bucketEnd({ step: '24h', tz: 'Europe/Berlin' }, day)(start)).toBe(start + day);
    expect(bucketEnd({ tz: 'Europe/Berlin' }, 5000)(start)).toBe(start + 5000);
  });

  it.each([
    ['1d', day, '2026-03-29', '2026-03-30', 23],
    ['1d', day, '2026-10-25', '2026-10-26', 25],
    ['2d', 2 * day, '2026-10-24', '2026-10-26', 49],
    ['1w', 7 * day, '2026-10-19', '2026-10-26', 169],
    ['1mo', 30 * day, '2026-02-01', '2026-03-01', 28 * 24],
    ['1mo', 30 * day, '2026-12-01', '2027-01-01', 31 * 24],
    ['3mo', 90 * day, '2026-10-01', '2027-01-01', 92 * 24 + 1],
  ])('of %s is the midnight of its zone', (step, stepMs, from, to, hours) => {
    const tz = 'Europe/Berlin';
    const start = at(from, tz);
    expect(bucketEnd({ step, tz }, stepMs)(start)).toBe(at(to, tz));
    expect(at(to, tz) - start).toBe(hours * 3_600_000);
  });

  it('is that of a day or week of the calendar where the server chose one', () => {
    const tz = 'Europe/Berlin';
    expect(bucketEnd({ tz }, day)(at('2026-10-25', tz))).toBe(at('2026-10-26', tz));
    expect(bucketEnd({ tz }, 7 * day)(at('2026-10-19', tz))).toBe(at('2026-10-26', tz));
  });

  it('is midnight also after a day that began without one', () => {
    const tz = 'Africa/Cairo';
    const start = at('2026-04-24', tz);
    expect(new Date(start).toISOString()).toBe('2026-04-23T22:00:00.000Z');
    expect(bucketEnd({ step: '1d', tz }, day)(start)).toBe(at('2026-04-25', tz));
    expect(at('2026-04-25', tz) - start).toBe(23 * 3_600_000);
  });

  it('lies a whole step away where a comparison moved the bucket across a change of the clocks', () => {
    const tz = 'Europe/Berlin';
    const moved = at('2026-10-27', tz, 23);
    expect(bucketEnd({ step: '1d', tz }, day)(moved)).toBe(moved + day);
  });
});
