/**
 * Wall-clock arithmetic in any IANA zone with nothing but Intl. `browser` stands for the visitor's own zone.
 * A wall time that a change of daylight saving skips is moved forward; one that happens twice means the first.
 */
import { formatCache } from '../units/locale.ts';

export type ZoneName = string;

export function resolveZone(zone: ZoneName): string {
  return zone === 'browser' || zone === '' ? Intl.DateTimeFormat().resolvedOptions().timeZone : zone;
}

const formatters = new Map<string, Intl.DateTimeFormat>();
function partsFormatter(zone: string): Intl.DateTimeFormat {
  let formatter = formatters.get(zone);
  if (formatter === undefined) {
    formatter = new Intl.DateTimeFormat('en-CA', {
      timeZone: zone,
      hourCycle: 'h23',
      year: 'numeric',
      month: '2-digit',
      day: '2-digit',
      hour: '2-digit',
      minute: '2-digit',
      second: '2-digit',
    });
    formatters.set(zone, formatter);
  }
  return formatter;
}

export interface WallTime {
  year: number;
  month: number;
  day: number;
  hour: number;
  minute: number;
  second: number;
}

/** What a clock on the wall of `zone` shows at `epochMs`. */
export function wallTime(epochMs: number, zone: ZoneName): WallTime {
  const wall: Record<string, number> = {};
  for (const part of partsFormatter(resolveZone(zone)).formatToParts(epochMs)) {
    if (part.type !== 'literal') wall[part.type] = Number(part.value);
  }
  return wall as unknown as WallTime;
}

function asUtc(wall: WallTime): number {
  return Date.UTC(wall.year, wall.month - 1, wall.day, wall.hour, wall.minute, wall.second);
}

/** Offset of `zone` from UTC at `epochMs`, milliseconds, east positive. */
function offsetMs(epochMs: number, zone: ZoneName): number {
  return asUtc(wallTime(epochMs, zone)) - Math.floor(epochMs / 1000) * 1000;
}

/** The moment at which the wall of `zone` shows `wall`. Fields may overflow (day 32 is the next month's first). */
export function epochOf(wall: WallTime, zone: ZoneName): number {
  const target = asUtc(wall);
  const before = offsetMs(target - 86_400_000, zone);
  const after = offsetMs(target + 86_400_000, zone);
  const early = target - Math.max(before, after);
  if (asUtc(wallTime(early, zone)) === target) return early;
  // Either the second offset of a clock that goes back, or none shows this time: then the smaller offset, which was in
  // force until the clock went forward, carries it past the change (02:30 becomes 03:30).
  return target - Math.min(before, after);
}

/** Midnight of the day that holds `epochMs`, moved by whole days. */
export function startOfDay(epochMs: number, zone: ZoneName, days = 0): number {
  const wall = wallTime(epochMs, zone);
  return epochOf({ ...wall, day: wall.day + days, hour: 0, minute: 0, second: 0 }, zone);
}

export const two = (value: number): string => String(value).padStart(2, '0');

/** Day and month as the reader's language orders them; of a date that is already that of the right zone. */
const dayFormat = formatCache(
  (withYear: boolean, { dates }) =>
    new Intl.DateTimeFormat(dates, {
      timeZone: 'UTC',
      day: 'numeric',
      month: 'short',
      ...(withYear ? { year: 'numeric' } : {}),
    }),
);

/** `14:02:11`, or with `ms` `14:02:11.250`. */
export function formatClock(
  epochMs: number,
  zone: ZoneName,
  precision: 'minute' | 'second' | 'ms' = 'second',
): string {
  const wall = wallTime(epochMs, zone);
  const minutes = `${two(wall.hour)}:${two(wall.minute)}`;
  if (precision === 'minute') return minutes;
  const seconds = `${minutes}:${two(wall.second)}`;
  return precision === 'second'
    ? seconds
    : `${seconds}.${String(Math.floor(epochMs) % 1000).padStart(3, '0')}`;
}

/** `12 Nov`, with the year when it is not that of `nowMs`. */
export function formatDay(epochMs: number, zone: ZoneName, nowMs = epochMs): string {
  const wall = wallTime(epochMs, zone);
  return dayFormat(wall.year !== wallTime(nowMs, zone).year).format(asUtc(wall));
}

/** `12 Nov 2026 14:02:11`. */
export function formatMoment(epochMs: number, zone: ZoneName): string {
  return `${dayFormat(true).format(asUtc(wallTime(epochMs, zone)))} ${formatClock(epochMs, zone)}`;
}

/** `2026-11-12T14:02:11.250+01:00`: for files, where programs read it too. */
export function formatIso(epochMs: number, zone: ZoneName): string {
  const wall = wallTime(epochMs, zone);
  const minutes = Math.round(offsetMs(epochMs, zone) / 60_000);
  const size = Math.abs(minutes);
  const offset = `${minutes < 0 ? '-' : '+'}${two(Math.floor(size / 60))}:${two(size % 60)}`;
  return `${wall.year}-${two(wall.month)}-${two(wall.day)}T${formatClock(epochMs, zone, 'ms')}${offset}`;
}
