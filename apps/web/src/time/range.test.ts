import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseRangeText, rangeTextProblem } from './range-text.ts';
import {
  describeAge,
  describeRange,
  liveRange,
  quickRanges,
  rangeFromSearch,
  rangeToSearch,
} from './range.ts';
import { fromLocalInput, toLocalInput } from './zone-input.ts';
import { epochOf, formatMoment, startOfDay, wallTime } from './zone.ts';

const now = Date.UTC(2026, 10, 23, 21, 30, 15);
const berlin = 'Europe/Berlin';
const fixed = (from: string, to: string) => ({ kind: 'fixed', from: Date.parse(from), to: Date.parse(to) });

describe('ranges in words', () => {
  it('reads durations in many spellings as live ranges', () => {
    for (const text of ['15m', '15 min', 'last 15 minutes', 'now-15m', ' 15M ']) {
      expect(parseRangeText(text, now, 'UTC'), text).toEqual({ kind: 'live', windowMs: 900_000 });
    }
    expect(parseRangeText('2 months', now, 'UTC')).toEqual({ kind: 'live', windowMs: 60 * 86_400_000 });
  });

  it('reads its own names of quick ranges', () => {
    for (const { title, window } of quickRanges) {
      expect(parseRangeText(title, now, 'UTC'), title).toEqual(liveRange(window));
    }
  });

  it('reads days as the wall calendar of the zone', () => {
    expect(parseRangeText('yesterday', now, 'UTC')).toEqual(fixed('2026-11-22T00:00Z', '2026-11-23T00:00Z'));
    expect(parseRangeText('yesterday', now, berlin)).toEqual(fixed('2026-11-21T23:00Z', '2026-11-22T23:00Z'));
    expect(parseRangeText('2026-03-29', now, berlin)).toEqual(
      fixed('2026-03-28T23:00Z', '2026-03-29T22:00Z'),
    );
    expect(parseRangeText('last week', now, 'UTC')).toEqual(fixed('2026-11-16T00:00Z', '2026-11-23T00:00Z'));
    expect(parseRangeText('last month', now, 'UTC')).toEqual(fixed('2026-10-01T00:00Z', '2026-11-01T00:00Z'));
  });

  it('reads two ends', () => {
    expect(parseRangeText('09:00 to 10:30', now, 'UTC')).toEqual(
      fixed('2026-11-23T09:00Z', '2026-11-23T10:30Z'),
    );
    expect(parseRangeText('now-2h to now-1h', now, 'UTC')).toEqual({
      kind: 'fixed',
      from: now - 7_200_000,
      to: now - 3_600_000,
    });
    expect(parseRangeText('2026-11-01 08:00 to 2026-11-02', now, 'UTC')).toEqual(
      fixed('2026-11-01T08:00Z', '2026-11-02T00:00Z'),
    );
    expect(parseRangeText('2026-11-12T14:00 to 2026-11-12T15:00:30', now, 'UTC')).toEqual(
      fixed('2026-11-12T14:00Z', '2026-11-12T15:00:30Z'),
    );
  });

  it('refuses what it does not understand', () => {
    const texts = ['', 'soon', '0m', '15', '10:00 to 09:00', '09:00 to 25:99', '2026-13-40', '900y', 'last'];
    for (const text of texts) {
      expect(parseRangeText(text, now, 'UTC'), text).toBeNull();
    }
  });

  it('says what is wrong with what it refuses', () => {
    expect(rangeTextProblem('10:30 to 09:00', now, 'UTC')).toBe('The end must come after the start.');
    expect(rangeTextProblem('now-1h to now-2h', now, 'UTC')).toBe('The end must come after the start.');
    expect(rangeTextProblem('now-1h to soon', now, 'UTC')).toMatch(/^Not understood/);
    expect(rangeTextProblem('soon', now, 'UTC')).toMatch(/^Not understood/);
  });

  it('refuses years that nothing can be asked about, which the address would not keep', () => {
    for (const text of ['1850-01-01', '2300-01-01', '2300-01-01 to 2300-02-01', '0206-11-12 to 2026-11-12']) {
      expect(parseRangeText(text, now, 'UTC'), text).toBeNull();
      expect(rangeTextProblem(text, now, 'UTC'), text).toBe('A range lies in the years 1900 to 2199.');
    }
    expect(parseRangeText('1901-01-01', now, 'UTC')).not.toBeNull();
  });
});

describe('a range in the address', () => {
  it('comes back as it was', () => {
    const range = fc.oneof(
      fc.integer({ min: 1, max: 5000 }).map((n) => ({ kind: 'live' as const, windowMs: n * 1000 })),
      fc
        .tuple(fc.integer({ min: 0, max: 2e12 }), fc.integer({ min: 1000, max: 1e10 }))
        .map(([from, length]) => ({ kind: 'fixed' as const, from, to: from + length })),
    );
    fc.assert(
      fc.property(range, (value) => {
        expect(rangeFromSearch(rangeToSearch(value))).toEqual(value);
      }),
    );
  });

  it('is ignored when it makes no sense', () => {
    for (const search of [{}, { from: 'now' }, { from: 'yesterday' }, { from: 5, to: 4 }, { from: 5 }]) {
      expect(rangeFromSearch(search)).toBeNull();
    }
  });

  it('is ignored outside the years that may be asked about', () => {
    for (const search of [
      { from: 5, to: 1e20 },
      { from: -1e15, to: 5 },
      { from: 5, to: '9e15' },
    ]) {
      expect(rangeFromSearch(search)).toBeNull();
    }
  });
});

describe('zones', () => {
  it('turns every wall time that exists into the moment at which the wall shows it', () => {
    const zones = fc.constantFrom('UTC', berlin, 'America/New_York', 'Asia/Kathmandu', 'Australia/Lord_Howe');
    fc.assert(
      fc.property(zones, fc.integer({ min: 0, max: 4e9 }), (zone, seconds) => {
        const wall = wallTime(seconds * 1000, zone);
        expect(wallTime(epochOf(wall, zone), zone)).toEqual(wall);
      }),
    );
  });

  it('knows the day that has 23 hours', () => {
    const noon = Date.parse('2026-03-29T12:00Z');
    expect(startOfDay(noon, berlin, 1) - startOfDay(noon, berlin)).toBe(23 * 3_600_000);
  });

  it('fills date inputs and reads them back', () => {
    expect(toLocalInput(now, berlin)).toBe('2026-11-23T22:30:15');
    expect(fromLocalInput('2026-11-23T22:30:15', berlin)).toBe(now);
    expect(fromLocalInput('tomorrow', berlin)).toBeNaN();
    expect(formatMoment(now, 'UTC')).toBe('23 Nov 2026 21:30:15');
  });
});

describe('ranges for people', () => {
  it('names quick ranges and spells out the others', () => {
    expect(describeRange({ kind: 'live', windowMs: 900_000 }, now, 'UTC')).toBe('Last 15 minutes');
    expect(describeRange({ kind: 'live', windowMs: 10_000 }, now, 'UTC')).toBe('Last 10 seconds');
    expect(describeRange({ kind: 'live', windowMs: 600_000 }, now, 'UTC')).toBe('Last 10 minutes');
    expect(describeRange({ kind: 'live', windowMs: 2 * 86_400_000 }, now, 'UTC')).toBe('Last 2 days');
    expect(describeRange({ kind: 'live', windowMs: 5_400_000 }, now, 'UTC')).toBe('Last 90 minutes');
    expect(describeRange({ kind: 'fixed', from: now - 7_200_000, to: now }, now, 'UTC')).toBe(
      '23 Nov 19:30 – 21:30',
    );
    expect(describeRange({ kind: 'fixed', from: now - 86_400_000, to: now }, now, 'UTC')).toBe(
      '22 Nov 21:30 – 23 Nov 21:30',
    );
  });

  it('says ages in their own unit', () => {
    expect([4000, 130_000, 7_200_000, 200_000_000].map((ms) => describeAge(ms))).toEqual([
      '4\u00a0s',
      '2\u00a0min',
      '2\u00a0h',
      '2\u00a0d',
    ]);
  });
});
