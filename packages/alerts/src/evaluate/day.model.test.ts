import { expect, test } from 'vitest';
import { followDay } from './testing/follow-day.ts';

/**
 * A day of points and a quarter (what is compared with yesterday, or known after a day, is compared for six hours), a rule
 * of every kind, rules that are changed and removed, states that are saved and loaded, and crashes after which the log is
 * followed again from an older state: the same transitions at the same ticks as rules that keep every point.
 */
const isLong = process.env['NOWCAST_LONG'] === '1';
const hours = 30;
/** One in which all rules but one decide something: 16 of 17. */
const seed = 2;

test('a day of everything makes the same transitions as rules that keep every point', () => {
  const { entries, decided } = followDay(seed, hours);
  expect(entries).toBeGreaterThan(4000);
  expect([...decided.keys()]).toHaveLength(16);
});

test.runIf(isLong)(
  'so do many days',
  () => {
    for (let other = seed + 1; other <= seed + 40; other += 1)
      expect(followDay(other, hours).decided.size).toBeGreaterThan(5);
  },
  3_600_000,
);
