import { TimeZone } from '@nowcast/aggregate';
import type { NotificationPreferences, Severity } from '@nowcast/contract';
import { minuteOfDay, minutesOf, nextTimeOfDay } from './local-time.ts';

const digestMinute = 8 * 60;

/** When a person may be told: `now`, or the end of the quiet hours that hold this severity back. */
export function quietUntil(
  { quiet_hours: quiet }: NotificationPreferences,
  severity: Severity,
  now: number,
): number {
  if (quiet === undefined || (severity === 'critical' && !quiet.critical_too)) return now;
  const zone = new TimeZone(quiet.tz);
  const [from, to, minute] = [minutesOf(quiet.from), minutesOf(quiet.to), minuteOfDay(zone, now)];
  const inside = from <= to ? from <= minute && minute < to : minute >= from || minute < to;
  return inside ? endOf(zone, now, (to - minute + 1440) % 1440, to) : now;
}

/** So many minutes by the clock from now; of a time that the clock shows twice, the one that comes next. */
function endOf(zone: TimeZone, now: number, minutesLeft: number, to: number): number {
  const at = (Math.floor(now / 60_000) + minutesLeft) * 60_000;
  return minuteOfDay(zone, at) === to ? at : nextTimeOfDay(zone, now, to);
}

/**
 * When the digest that an e-mail of this severity waits for is sent, behind quiet hours that hold it back; undefined: it
 * is sent on its own.
 */
export function digestAt(
  preferences: NotificationPreferences,
  severity: Severity,
  now: number,
  tz: string,
): number | undefined {
  if (severity === 'critical' || preferences.digest === 'off') return undefined;
  const at =
    preferences.digest === 'hourly'
      ? (Math.floor(now / 3_600_000) + 1) * 3_600_000
      : nextTimeOfDay(new TimeZone(preferences.quiet_hours?.tz ?? tz), now, digestMinute);
  return quietUntil(preferences, severity, at);
}
