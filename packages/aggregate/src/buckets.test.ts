import { parseStep } from '@nowcast/contract';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Buckets, chooseStep } from './buckets.ts';

const at = (text: string): number => Temporal.Instant.from(text).epochMilliseconds;

/** Start of the step's bucket by the platform's own calendar. */
function oracle(step: string, tz: string, instant: number): number {
  const local = Temporal.Instant.fromEpochMilliseconds(instant).toZonedDateTimeISO(tz);
  const day = local.toPlainDate();
  const first =
    step === '1d' ? day : step === '1w' ? day.subtract({ days: day.dayOfWeek - 1 }) : day.with({ day: 1 });
  return first.toZonedDateTime(tz).epochMilliseconds;
}

const zones = [
  'UTC',
  'Europe/Berlin',
  'America/New_York',
  'America/Sao_Paulo',
  'Asia/Kathmandu',
  'Australia/Lord_Howe',
  'Africa/Casablanca',
  'Asia/Beirut',
  'Pacific/Apia',
];

describe('Buckets', () => {
  it('puts every instant where the calendar of its zone does', () => {
    fc.assert(
      fc.property(
        fc.constantFrom(...zones),
        fc.constantFrom('1d', '1w', '1mo'),
        fc.integer({ min: at('2012-01-01T00:00Z'), max: at('2035-01-01T00:00Z') }),
        (tz, step, instant) => {
          const buckets = new Buckets(parseStep(step), tz);
          expect(buckets.start(instant)).toBe(oracle(step, tz, instant));
          expect(buckets.start(buckets.end(instant))).toBe(buckets.end(instant));
          expect(buckets.start(buckets.end(instant) - 1)).toBe(buckets.start(instant));
        },
      ),
      { numRuns: 300 },
    );
  });

  it('knows the days of 23 and of 25 hours', () => {
    const days = new Buckets(parseStep('1d'), 'Europe/Berlin');
    expect(days.seconds(at('2026-03-29T12:00Z')) / 3600).toBe(23);
    expect(days.seconds(at('2026-10-25T12:00Z')) / 3600).toBe(25);
    expect(days.start(at('2026-10-25T12:00Z'))).toBe(at('2026-10-24T22:00Z'));
  });

  it('begins a day at one o’clock where the clocks skip midnight', () => {
    const days = new Buckets(parseStep('1d'), 'America/Sao_Paulo');
    expect(days.start(at('2018-11-04T12:00Z'))).toBe(at('2018-11-04T03:00Z'));
    expect(days.seconds(at('2018-11-04T12:00Z')) / 3600).toBe(23);
  });

  it('lists boundaries with the exclusive end', () => {
    const months = new Buckets(parseStep('1mo'), 'Europe/Berlin');
    const list = months.boundaries(at('2026-02-10T00:00Z'), at('2026-04-01T00:00+02:00'));
    expect([...list]).toEqual([
      at('2026-02-01T00:00+01:00'),
      at('2026-03-01T00:00+01:00'),
      at('2026-04-01T00:00+02:00'),
    ]);
    expect([...new Buckets(parseStep('10s')).boundaries(12_000, 30_001)]).toEqual([
      10_000, 20_000, 30_000, 40_000,
    ]);
  });

  it('counts several days, weeks and months from fixed anchors', () => {
    const weeks = new Buckets(parseStep('2w'), 'UTC');
    const start = weeks.start(at('2026-11-23T12:00Z'));
    expect((start - at('1970-01-05T00:00Z')) % (14 * 86_400_000)).toBe(0);
    const quarters = new Buckets(parseStep('3mo'), 'UTC');
    expect(quarters.start(at('2026-11-23T12:00Z'))).toBe(at('2026-10-01T00:00Z'));
  });

  it('handles fixed steps before 1970 and fractions of a millisecond', () => {
    const tens = new Buckets(parseStep('10s'));
    expect(tens.start(-1)).toBe(-10_000);
    expect(tens.start(9999.75)).toBe(0);
    expect(tens.countIn(5000, 20_001)).toBe(3);
  });

  it('refuses zones and steps that do not exist', () => {
    for (const step of ['1d', '10s'])
      expect(() => new Buckets(parseStep(step), 'Mars/Olympus')).toThrow(/IANA/);
    expect(() => new Buckets({ kind: 'fixed', ms: 0.5 })).toThrow(/whole number/);
    expect(() => new Buckets(parseStep('999d'))).toThrow(/too wide/);
  });
});

describe('chooseStep', () => {
  it('asks for the finest step that stays within the target', () => {
    expect(chooseStep(15 * 60_000)).toEqual({ kind: 'fixed', ms: 5000 });
    expect(chooseStep(10_000)).toEqual({ kind: 'fixed', ms: 1000 });
    expect(chooseStep(30 * 86_400_000)).toEqual({ kind: 'fixed', ms: 3 * 3_600_000 });
    expect(chooseStep(300 * 86_400_000)).toEqual({ kind: 'calendar', unit: 'day', count: 1 });
    expect(chooseStep(4000 * 86_400_000)).toEqual({ kind: 'calendar', unit: 'week', count: 1 });
  });
});
