import { describe, expect, test } from 'vitest';
import { parseTime } from './time.ts';

const now = 1_800_000_000_000;

describe('a time', () => {
  test.each([
    [1_750_000_000_000, 1_750_000_000_000],
    ['1750000000000', 1_750_000_000_000],
    ['-5', -5],
    ['now', now],
    ['now-15m', now - 900_000],
    ['now+1h', now + 3_600_000],
    ['2026-10-20T08:00:00Z', Date.UTC(2026, 9, 20, 8)],
    ['2026-10-20T08:00Z', Date.UTC(2026, 9, 20, 8)],
    ['2026-10-20t08:00:00.25z', Date.UTC(2026, 9, 20, 8, 0, 0, 250)],
    ['2026-10-20 08:00:00+02:00', Date.UTC(2026, 9, 20, 6)],
    ['2028-02-29T00:00:00-03:30', Date.UTC(2028, 1, 29, 3, 30)],
  ])('%s', (text, expected) => expect(parseTime(text, now)).toBe(expected));

  test.each([
    '2026-10-20T08:00:00',
    '2026-10-20',
    '2026-02-30T00:00:00Z',
    '2026-02-29T00:00:00Z',
    '2026-13-01T00:00:00Z',
    '2026-10-20T08:00:00 PST',
    '2026-10-20T08:61:00Z',
    '2026-10-20T08:00:00+25:00',
    '1.5',
    '1e12',
    'yesterday',
    '',
  ])('"%s" is refused with what to write, whatever the zone of the machine', (text) => {
    expect(() => parseTime(text, now)).toThrow(`"${text}" is not a time; write epoch milliseconds`);
  });

  test.each([
    -2_208_988_800_001,
    7_258_118_400_001,
    9_007_199_254_740_992,
    -1e300,
    '9999999999999999',
    '-999999999999999',
    '1899-12-31T23:59:59Z',
    '9999-12-31T00:00:00Z',
    'now-20000w',
    `now+${'9'.repeat(50)}w`,
  ])('%s is refused: nobody could walk there', (input) => {
    expect(() => parseTime(input, now)).toThrow('the years 1900 to 2199');
  });
});
