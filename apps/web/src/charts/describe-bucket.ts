import { formatClock, formatDay, type ZoneName } from '../time/zone.ts';

const minute = 60_000;
const day = 86_400_000;

/** The time of a bucket in words: a moment where it is short, both ends where it is not. `stepMs`: its usual width. */
export function describeBucket(start: number, end: number, stepMs: number, zone: ZoneName): string {
  const date = formatDay(start, zone);
  // Months have no fixed length: their first day says enough.
  if (stepMs === day || stepMs >= 28 * day) return date;
  if (stepMs > day) return `${date} – ${formatDay(end - 1, zone)}`;
  if (stepMs < minute) return `${date} ${formatClock(start, zone, stepMs < 1000 ? 'ms' : 'second')}`;
  const precision = stepMs % minute === 0 ? 'minute' : 'second';
  return `${date} ${formatClock(start, zone, precision)} – ${formatClock(end, zone, precision)}`;
}
