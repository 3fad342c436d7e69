import { formatDuration, parseDuration } from '@nowcast/contract';
import {
  epochOf,
  formatClock,
  formatDay,
  fromLocalInput,
  startOfDay,
  wallTime,
  type ZoneName,
} from './zone.ts';

/**
 * The range a screen shows. Live slides with the clock; fixed stands still. In the address a live range is
 * `from=now-15m`, a fixed one is `from=<epoch ms>&to=<epoch ms>`: reload and share reproduce the view.
 */
export type TimeRange = { kind: 'live'; windowMs: number } | { kind: 'fixed'; from: number; to: number };

export interface RangeSearch {
  from?: string | number | undefined;
  to?: string | number | undefined;
}

/** Of a range that is typed or made by hand. */
export const shortestMs = 1000;
export const longestMs = 10 * 366 * 86_400_000;

export function liveRange(window: string): TimeRange {
  const windowMs = durationOf(window);
  return { kind: 'live', windowMs: Number.isNaN(windowMs) ? 900_000 : windowMs };
}

/** Null where the address says nothing usable: the board's own window is shown then. */
export function rangeFromSearch(search: RangeSearch): TimeRange | null {
  const from = typeof search.from === 'number' ? search.from : (search.from ?? '');
  if (typeof from === 'string') {
    const windowMs = from.startsWith('now-') ? durationOf(from.slice(4)) : Number.NaN;
    return windowMs >= shortestMs ? { kind: 'live', windowMs } : null;
  }
  const to = Number(search.to);
  return Number.isFinite(from) && to > from ? { kind: 'fixed', from, to } : null;
}

export function rangeToSearch(range: TimeRange): RangeSearch {
  return range.kind === 'live'
    ? { from: `now-${formatDuration(range.windowMs)}`, to: undefined }
    : { from: Math.round(range.from), to: Math.round(range.to) };
}

function durationOf(text: string): number {
  const month = /^(\d{1,3})\s*(mo|months?|y|years?)$/.exec(text);
  if (month !== null) return Number(month[1]) * (month[2]!.startsWith('m') ? 30 : 365) * 86_400_000;
  const plain = text
    .trim()
    .replace(/^(\d+(?:\.\d+)?)\s*(?:seconds?|sec|s)$/, '$1s')
    .replace(/^(\d+(?:\.\d+)?)\s*(?:minutes?|min|m)$/, '$1m')
    .replace(/^(\d+(?:\.\d+)?)\s*(?:hours?|hrs?|h)$/, '$1h')
    .replace(/^(\d+(?:\.\d+)?)\s*(?:days?|d)$/, '$1d')
    .replace(/^(\d+(?:\.\d+)?)\s*(?:weeks?|w)$/, '$1w');
  try {
    return parseDuration(plain);
  } catch {
    return Number.NaN;
  }
}

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
  const clock = /^(\d{1,2}):(\d{2})(?::(\d{2}))?$/.exec(text);
  if (clock !== null) {
    const wall = wallTime(nowMs, zone);
    const [hour, minute, second] = clock.slice(1).map((part) => Number(part ?? 0));
    return epochOf({ ...wall, hour: hour!, minute: minute!, second: second! }, zone);
  }
  return fromLocalInput(text, zone);
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

/** Why `parseRangeText` made nothing of the text, for the one who wrote it. */
export function rangeTextProblem(input: string, nowMs: number, zone: ZoneName): string {
  const ends = writtenEnds(normal(input), nowMs, zone);
  if (ends === null) return 'Not understood. Write for example 15m, yesterday or 09:00 to 10:30.';
  return ends.to > ends.from
    ? 'The range must be at least a second long.'
    : 'The end must come after the start.';
}

/**
 * Reads what people type: `15m`, `last 2 hours`, `now-6h`, `yesterday`, `2026-11-12`, `09:00 to 10:30`,
 * `now-2d to now-1d`. Null: not understood.
 */
export function parseRangeText(input: string, nowMs: number, zone: ZoneName): TimeRange | null {
  const text = normal(input);
  const named = namedRange(text, nowMs, zone);
  if (named !== null) return named;
  const windowMs = durationOf(text.replace(/^(?:last |now-)/, ''));
  if (windowMs >= shortestMs && windowMs <= longestMs) return { kind: 'live', windowMs };
  if (/^\d{4}-\d{1,2}-\d{1,2}$/.test(text)) {
    const from = fromLocalInput(text, zone);
    return Number.isNaN(from) ? null : { kind: 'fixed', from, to: startOfDay(from, zone, 1) };
  }
  const ends = writtenEnds(text, nowMs, zone);
  return ends !== null && ends.to - ends.from >= shortestMs ? { kind: 'fixed', ...ends } : null;
}

/** Ends of the range at this moment, epoch ms. */
export function rangeEnds(range: TimeRange, nowMs: number): { from: number; to: number } {
  return range.kind === 'live'
    ? { from: nowMs - range.windowMs, to: nowMs }
    : { from: range.from, to: range.to };
}

export const quickRanges = [
  { window: '10s', title: 'Last 10 seconds' },
  { window: '1m', title: 'Last minute' },
  { window: '5m', title: 'Last 5 minutes' },
  { window: '15m', title: 'Last 15 minutes' },
  { window: '1h', title: 'Last hour' },
  { window: '6h', title: 'Last 6 hours' },
  { window: '1d', title: 'Last 24 hours' },
  { window: '7d', title: 'Last 7 days' },
  { window: '30d', title: 'Last 30 days' },
  { window: '90d', title: 'Last 90 days' },
] as const;

const spans = [
  ['day', 86_400_000],
  ['hour', 3_600_000],
  ['minute', 60_000],
  ['second', 1000],
] as const;

/** `2 days`, `90 minutes`; `1d12h` would have to be read twice. */
function windowInWords(windowMs: number): string {
  const [name, ms] = spans.find(([, size]) => windowMs % size === 0) ?? ['', 0];
  if (ms === 0) return formatDuration(windowMs);
  return windowMs === ms ? name : `${windowMs / ms} ${name}s`;
}

/** What the picker's button says. */
export function describeRange(range: TimeRange, nowMs: number, zone: ZoneName): string {
  if (range.kind === 'live') {
    const quick = quickRanges.find((item) => parseDuration(item.window) === range.windowMs);
    return quick?.title ?? `Last ${windowInWords(range.windowMs)}`;
  }
  const precision = range.to - range.from < 600_000 ? 'second' : 'minute';
  const start = `${formatDay(range.from, zone, nowMs)} ${formatClock(range.from, zone, precision)}`;
  const end = formatClock(range.to, zone, precision);
  const sameDay = startOfDay(range.from, zone) === startOfDay(range.to, zone);
  return sameDay ? `${start} – ${end}` : `${start} – ${formatDay(range.to, zone, nowMs)} ${end}`;
}

/** `3 s`, `5 min`, `2 h`, `4 d`: how long ago, for people. */
export function describeAge(ms: number): string {
  const seconds = Math.max(0, Math.round(ms / 1000));
  if (seconds < 60) return `${seconds}\u00a0s`;
  if (seconds < 3600) return `${Math.round(seconds / 60)}\u00a0min`;
  if (seconds < 86_400) return `${Math.round(seconds / 3600)}\u00a0h`;
  return `${Math.round(seconds / 86_400)}\u00a0d`;
}
