import type { Span } from '@nowcast/contract';
import { describeAge } from '../../time/range.ts';
import { formatClock, formatDay, startOfDay, wallTime, type ZoneName } from '../../time/zone.ts';
import { formatCache } from '../../units/locale.ts';

/** Moments of a week to come, for schedules and maintenance windows. */

/** 2 August 2026, a Sunday. */
const someSunday = Date.UTC(2026, 7, 2);
const weekdayFormat = formatCache(
  (weekday: 'long' | 'short', { dates }) => new Intl.DateTimeFormat(dates, { timeZone: 'UTC', weekday }),
);

/** 0 = Sunday. */
export function weekdayName(day: number, length: 'long' | 'short' = 'short'): string {
  return weekdayFormat(length).format(someSunday + day * 86_400_000);
}

/** A week as people write it down: it begins on Monday. */
export const weekdays = [1, 2, 3, 4, 5, 6, 0] as const;

function weekdayOf(at: number, zone: ZoneName): number {
  const { year, month, day } = wallTime(at, zone);
  return new Date(Date.UTC(year, month - 1, day)).getUTCDay();
}

/** `Mon 30 Nov 09:00`. */
export function dayAndTime(at: number, zone: ZoneName): string {
  return `${weekdayName(weekdayOf(at, zone))} ${formatDay(at, zone)} ${formatClock(at, zone, 'minute')}`;
}

/** `Mon 30 Nov 09:00 – 11:00`; the end's day too where it is another. */
export function spanInWords({ from, to }: Span, zone: ZoneName): string {
  const sameDay = startOfDay(from, zone) === startOfDay(to, zone);
  const end = sameDay ? formatClock(to, zone, 'minute') : dayAndTime(to, zone);
  return `${dayAndTime(from, zone)} – ${end}`;
}

/** `in 2 d`, `in 40 min`. */
export function fromNow(at: number, now: number): string {
  return at <= now ? 'now' : `in ${describeAge(at - now)}`;
}

/** `every day`, `Mon–Fri`, `Sat, Sun`. */
export function daysInWords(days: readonly number[]): string {
  const at = weekdays.flatMap((day, i) => (days.includes(day) ? [i] : []));
  if (at.length === 7) return 'every day';
  const [first = 0] = at;
  const last = at.at(-1) ?? 0;
  const isRun = at.length > 2 && last - first === at.length - 1;
  const nameOf = (i: number): string => weekdayName(weekdays[i]!);
  return isRun ? `${nameOf(first)}–${nameOf(last)}` : at.map(nameOf).join(', ');
}

/** `90m` as a figure and its unit; what cannot be written so begins anew. */
export function hoursOrMinutes(duration: string): { amount: number; unit: 'm' | 'h' } {
  const match = /^(\d+)(m|h)$/.exec(duration);
  return match === null
    ? { amount: 1, unit: 'h' }
    : { amount: Number(match[1]), unit: match[2] as 'm' | 'h' };
}
