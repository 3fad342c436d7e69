import type { TimeZone } from '@nowcast/aggregate';

/**
 * Wall clock times of a zone as instants. A day is not 24 hours where clocks change, so days are counted in the
 * calendar and only then turned into instants: 09:00 stays 09:00.
 */
const minuteMs = 60_000;

/** `09:30` → 570. */
export function minutesOf(timeOfDay: string): number {
  return Number(timeOfDay.slice(0, 2)) * 60 + Number(timeOfDay.slice(3, 5));
}

/**
 * The instant at which the clock of the zone shows a time on a local day (days since 1970-01-01). A time that the clock
 * skips counts from the offset before the change; of one that it shows twice, the first.
 */
export function instantOf(zone: TimeZone, day: number, minutes: number): number {
  const local = day * 1440 * minuteMs + minutes * minuteMs;
  const early = zone.offsetAt(local - 1440 * minuteMs);
  const late = zone.offsetAt(local + 1440 * minuteMs);
  const first = local - early;
  if (zone.offsetAt(first) === early) return first;
  const second = local - late;
  return zone.offsetAt(second) === late ? second : first;
}

/** Minutes since local midnight as the clock shows them. */
export function minuteOfDay(zone: TimeZone, instantMs: number): number {
  const local = instantMs + zone.offsetAt(instantMs);
  return Math.floor(local / minuteMs) - zone.localDay(instantMs) * 1440;
}

/** 0 = Sunday; 1970-01-01 was a Thursday. */
export function weekdayOf(day: number): number {
  return (((day + 4) % 7) + 7) % 7;
}

/** The next instant after `now` at which the clock shows this time. */
export function nextTimeOfDay(zone: TimeZone, now: number, minutes: number): number {
  const today = zone.localDay(now);
  for (let day = today; ; day += 1) {
    const at = instantOf(zone, day, minutes);
    if (at > now) return at;
  }
}
