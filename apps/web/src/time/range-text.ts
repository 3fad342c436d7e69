/** Ranges as people write them. Only the time picker reads them, so they are no part of what the first board needs. */
import { isAskable } from '@nowcast/contract';
import { durationOf, longestMs, shortestMs, type TimeRange } from './range.ts';
import { fromLocalInput } from './zone-input.ts';
import { epochOf, startOfDay, wallTime, type ZoneName } from './zone.ts';

/** Days as people name them, relative to `nowMs`. Weeks begin on Monday. */
function namedRange(text: string, nowMs: number, zone: ZoneName): TimeRange | null {
  const day = (days: number): number => startOfDay(nowMs, zone, days);
  const wall = wallTime(nowMs, zone);
  const weekday = (new Date(Date.UTC(wall.year, wall.month - 1, wall.day)).getUTCDay() + 6) % 7;
  const month = (months: number): number =>
    epochOf({ year: wall.year, month: wall.month + months, day: 1, hour: 0, minute: 0, second: 0 }, zone);
  const names: Record<string, [number, number]> = {
    today: [day(0), nowMs],
    yesterday: [day(-1), day(0)],
    'this week': [day(-weekday), nowMs],
    'last week': [day(-weekday - 7), day(-weekday)],
    'this month': [month(0), nowMs],
    'last month': [month(-1), month(0)],
  };
  const found = names[text];
  return found === undefined ? null : { kind: 'fixed', from: found[0], to: found[1] };
}

/** One end of a range: `now`, `now-3h`, `2026-11-12 14:00`, `14:00` (today), epoch milliseconds. NaN: none of these. */
function endOf(text: string, nowMs: number, zone: ZoneName): number {
  if (text === 'now') return nowMs;
  if (text.startsWith('now-')) return nowMs - durationOf(text.slice(4));
  if (/^\d{12,14}$/.test(text)) return Number(text);
  const { year, month, day } = wallTime(nowMs, zone);
  return fromLocalInput(/^\d\d?:/.test(text) ? `${year}-${month}-${day} ${text}` : text, zone);
}

/** The two ends of `09:00 to 10:30`, in the order written; null where the text has not two ends. */
function writtenEnds(text: string, nowMs: number, zone: ZoneName): { from: number; to: number } | null {
  const ends = text.split(/ (?:to|until|–|-|\/) /);
  if (ends.length !== 2) return null;
  const from = endOf(ends[0]!, nowMs, zone);
  const to = endOf(ends[1]!, nowMs, zone);
  return Number.isNaN(from) || Number.isNaN(to) ? null : { from, to };
}

const normal = (input: string): string => input.trim().toLowerCase().replace(/\s+/g, ' ');

/** Why nothing can be asked about such a range, for the one who wrote it; null: it can. */
export function endsProblem({ from, to }: { from: number; to: number }): string | null {
  if (!(to > from)) return 'The end must come after the start.';
  return isAskable(from) && isAskable(to) ? null : 'A range lies in the years 1900 to 2199.';
}

/** The day of `2026-11-12`; null where the text is none. */
function writtenDay(text: string, zone: ZoneName): { from: number; to: number } | null {
  if (!/^\d{4}-\d{1,2}-\d{1,2}$/.test(text)) return null;
  const from = fromLocalInput(text, zone);
  return Number.isNaN(from) ? null : { from, to: startOfDay(from, zone, 1) };
}

/** Why `parseRangeText` made nothing of the text, for the one who wrote it. */
export function rangeTextProblem(input: string, nowMs: number, zone: ZoneName): string {
  const text = normal(input);
  const ends = writtenDay(text, zone) ?? writtenEnds(text, nowMs, zone);
  if (ends === null) return 'Not understood. Write for example 15m, yesterday or 09:00 to 10:30.';
  return endsProblem(ends) ?? 'The range must be at least a second long.';
}

/**
 * Reads what people type: `15m`, `last 2 hours`, `now-6h`, `yesterday`, `2026-11-12`, `09:00 to 10:30`,
 * `now-2d to now-1d`. Null: `rangeTextProblem` says why.
 */
export function parseRangeText(input: string, nowMs: number, zone: ZoneName): TimeRange | null {
  const text = normal(input);
  const named = namedRange(text, nowMs, zone);
  if (named !== null) return named;
  const windowMs = durationOf(
    text.replace(/^last (?=minute$|hour$|day$)/, '1 ').replace(/^(?:last |now-)/, ''),
  );
  if (windowMs >= shortestMs && windowMs <= longestMs) return { kind: 'live', windowMs };
  const ends = writtenDay(text, zone) ?? writtenEnds(text, nowMs, zone);
  return ends !== null && ends.to - ends.from >= shortestMs && endsProblem(ends) === null
    ? { kind: 'fixed', ...ends }
    : null;
}
