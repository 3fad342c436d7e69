import { TimeZone } from '@nowcast/aggregate';
import { latestMomentMs, type ScheduleContent } from '@nowcast/contract';
import { instantOf, minutesOf, weekdayOf } from './local-time.ts';

export interface OnCall {
  userId: string;
  /** Epoch ms. */
  until: number;
  isOverride: boolean;
}

/**
 * Who is on call at a moment: an override that covers it (the last one written wins), else the members in turn. Weeks
 * are counted in the calendar of the zone, so a week with a clock change is one week and hands over at the same time.
 * An earlier version stored moments that no calendar has: they are moved to where it ends, beyond which is nobody.
 */
export function onCall(schedule: ScheduleContent, at: number): OnCall | undefined {
  const { overrides, members } = schedule;
  if (at >= latestMomentMs) return undefined;
  const index = overrides.findLastIndex(({ from, to }) => from <= at && at < to);
  const covering = overrides[index];
  const nextFrom = (others: ScheduleContent['overrides']): number =>
    Math.min(...others.filter(({ from }) => from > at).map(({ from }) => from));
  if (covering !== undefined) {
    const until = Math.min(covering.to, latestMomentMs, nextFrom(overrides.slice(index + 1)));
    return { userId: covering.user_id, until, isOverride: true };
  }
  const startsAt = Math.max(-latestMomentMs, Math.min(schedule.starts_at, latestMomentMs));
  const zone = new TimeZone(schedule.tz);
  const weeks = (handoverBefore(zone, schedule, at) - handoverBefore(zone, schedule, startsAt)) / 7;
  const userId = members[((weeks % members.length) + members.length) % members.length];
  if (userId === undefined) return undefined;
  const handover = instantOf(zone, handoverBefore(zone, schedule, at) + 7, minutesOf(schedule.handover_time));
  return { userId, until: Math.min(handover, nextFrom(overrides)), isOverride: false };
}

export interface ShiftOf extends OnCall {
  from: number;
}

/** The shift that runs at a moment, from that moment on, and those after it. */
export function shiftsFrom(schedule: ScheduleContent, at: number, most: number): ShiftOf[] {
  const shifts: ShiftOf[] = [];
  for (let from = at; shifts.length < most;) {
    const current = onCall(schedule, from);
    if (current === undefined) break;
    shifts.push({ ...current, from });
    from = current.until;
  }
  return shifts;
}

/** Local day of the last handover at or before a moment. */
function handoverBefore(zone: TimeZone, schedule: ScheduleContent, at: number): number {
  const today = zone.localDay(at);
  const day = today - ((weekdayOf(today) - schedule.handover_day + 7) % 7);
  return instantOf(zone, day, minutesOf(schedule.handover_time)) <= at ? day : day - 7;
}
