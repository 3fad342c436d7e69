import { formatDuration, isAskable, parseDuration } from '@nowcast/contract';
import { formatClock, formatDay, startOfDay, type ZoneName } from './zone.ts';

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
  return isAskable(from) && isAskable(to) && to > from ? { kind: 'fixed', from, to } : null;
}

export function rangeToSearch(range: TimeRange): RangeSearch {
  return range.kind === 'live'
    ? { from: `now-${formatDuration(range.windowMs)}`, to: undefined }
    : { from: Math.round(range.from), to: Math.round(range.to) };
}

/** Of `15m`, `2 hours`, `3 months`; NaN: none. */
export function durationOf(text: string): number {
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
