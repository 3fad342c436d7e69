import { TimeZone } from '@nowcast/aggregate';
import { type MaintenanceContent, parseDuration, type Span } from '@nowcast/contract';
import { instantOf, minutesOf, weekdayOf } from './local-time.ts';

/** Longer than a week a window would meet itself. */
export const longestWindowMs = 7 * 86_400_000;

/** When the window that is open now ends; undefined: none is open. */
export function maintenanceUntil(content: MaintenanceContent, now: number): number | undefined {
  const zone = new TimeZone(content.tz);
  const today = zone.localDay(now);
  for (let day = today; day >= today - daysOf(content); day -= 1) {
    const window = windowOn(content, zone, day);
    if (window !== undefined && window.from <= now && now < window.to) return window.to;
  }
  return undefined;
}

/** The window that is open now, if one is, and the next ones, oldest first; also of one that is switched off. */
export function windowsFrom(content: MaintenanceContent, now: number, most: number): Span[] {
  const zone = new TimeZone(content.tz);
  const today = zone.localDay(now);
  const windows: Span[] = [];
  // A window a week at least, so that many weeks hold enough of them.
  for (let day = today - daysOf(content); windows.length < most && day <= today + 7 * most; day += 1) {
    const window = windowOn(content, zone, day);
    if (window !== undefined && window.to > now) windows.push(window);
  }
  return windows;
}

/** The window that begins on a local day; undefined: none does. */
function windowOn(content: MaintenanceContent, zone: TimeZone, day: number): Span | undefined {
  if (!content.days.includes(weekdayOf(day))) return undefined;
  const from = instantOf(zone, day, minutesOf(content.start));
  return { from, to: from + parseDuration(content.duration) };
}

/** How many days ago a window may have begun that is still open; a local day may have 23 hours only. */
function daysOf(content: MaintenanceContent): number {
  return Math.ceil(parseDuration(content.duration) / 82_800_000);
}
