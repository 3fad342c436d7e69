import { TimeZone } from '@nowcast/aggregate';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { fromLocalInput, toLocalInput } from './zone-input.ts';
import { epochOf, formatIso, startOfDay, wallTime } from './zone.ts';

const zones = [
  'UTC',
  'Europe/Berlin',
  'Africa/Cairo',
  'Africa/Casablanca',
  'America/Havana',
  'America/Santiago',
  'America/Sao_Paulo',
  'America/St_Johns',
  'America/Nuuk',
  'Asia/Beirut',
  'Asia/Gaza',
  'Asia/Kathmandu',
  'Asia/Tehran',
  'Atlantic/Azores',
  'Australia/Lord_Howe',
  'Pacific/Apia',
  'Pacific/Chatham',
];

const anyZone = fc.constantFrom(...zones, ...Intl.supportedValuesOf('timeZone'));
const anyInstant = fc.integer({ min: Date.UTC(1990, 0, 1), max: Date.UTC(2035, 0, 1) });

/** Moments of the year at which the clock of `zone` moves, to the minute. */
function clockChanges(zone: string, year: number): number[] {
  const clock = new TimeZone(zone);
  const offsetAt = (instant: number): number => clock.offsetAt(instant);
  const days = Array.from({ length: 366 }, (_, day) => Date.UTC(year, 0, 1 + day));
  return days.flatMap((day) => {
    let [low, high] = [day, day + 86_400_000];
    if (offsetAt(low) === offsetAt(high)) return [];
    while (high - low > 60_000) {
      const middle = (low + high) / 2;
      if (offsetAt(middle) === offsetAt(low)) low = middle;
      else high = middle;
    }
    return [high];
  });
}

describe('wall times', () => {
  it('that the clock skips are moved forward', () => {
    const read = (text: string, zone: string) => toLocalInput(fromLocalInput(text, zone), zone);
    expect(read('2026-04-24 00:00', 'Africa/Cairo')).toBe('2026-04-24T01:00:00');
    expect(read('2026-03-29 02:30', 'Europe/Berlin')).toBe('2026-03-29T03:30:00');
    expect(read('2026-10-04 02:15', 'Australia/Lord_Howe')).toBe('2026-10-04T02:45:00');
    // Samoa left out a whole day when it moved to the other side of the date line.
    expect(read('2011-12-30 12:00', 'Pacific/Apia')).toBe('2011-12-31T12:00:00');
  });

  it('that happen twice mean the first', () => {
    expect(fromLocalInput('2026-10-25 02:30', 'Europe/Berlin')).toBe(Date.UTC(2026, 9, 25, 0, 30));
  });

  it('lead back to the moment they were read at, or to the first that showed the same', () => {
    fc.assert(
      fc.property(anyZone, anyInstant, (zone, instant) => {
        const wall = wallTime(instant, zone);
        const found = epochOf(wall, zone);
        expect(wallTime(found, zone)).toEqual(wall);
        expect(found).toBeLessThanOrEqual(instant);
      }),
      { numRuns: 1000 },
    );
  });
});

it('a time in a file has its offset with it and leads back to the moment', () => {
  expect(formatIso(Date.UTC(2026, 10, 12, 13, 2, 11, 250), 'Europe/Berlin')).toBe(
    '2026-11-12T14:02:11.250+01:00',
  );
  fc.assert(
    fc.property(anyZone, anyInstant, (zone, instant) => {
      expect(Date.parse(formatIso(instant, zone))).toBe(instant);
    }),
  );
});

describe('the start of a day', () => {
  it('is that of the server in every zone', () => {
    fc.assert(
      fc.property(anyZone, anyInstant, fc.integer({ min: -40, max: 40 }), (zone, instant, days) => {
        const theirs = new TimeZone(zone);
        expect(startOfDay(instant, zone, days)).toBe(theirs.startOfDay(theirs.localDay(instant) + days));
      }),
      { numRuns: 1000 },
    );
  });

  it('is that of the server around every change of the clock since 1990', () => {
    for (const zone of zones) {
      const theirs = new TimeZone(zone);
      for (let year = 1990; year < 2030; year++) {
        for (const change of clockChanges(zone, year)) {
          for (const days of [-1, 0, 1]) {
            const ours = startOfDay(change, zone, days);
            expect(ours, `${zone} ${new Date(change).toISOString()}`).toBe(
              theirs.startOfDay(theirs.localDay(change) + days),
            );
          }
        }
      }
    }
  });
});
