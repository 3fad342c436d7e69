import { parseDuration } from '@nowcast/contract';
import { quickRanges, rangeFromSearch, rangeToSearch, type RangeSearch, type TimeRange } from './range.ts';

/** Ranges that somebody picked lately on this device, newest first; the quick ones are on offer anyway. */
const key = 'nowcast.recent-ranges';
const kept = 4;

/** `range` in front, once, and the oldest beyond the limit gone. */
export function withRecent(known: readonly RangeSearch[], range: TimeRange): RangeSearch[] {
  if (range.kind === 'live' && quickRanges.some((quick) => parseDuration(quick.window) === range.windowMs)) {
    return [...known];
  }
  const next = rangeToSearch(range);
  const others = known.filter((one) => one.from !== next.from || one.to !== next.to);
  return [next, ...others].slice(0, kept);
}

function read(): RangeSearch[] {
  try {
    const stored: unknown = JSON.parse(localStorage.getItem(key) ?? '[]');
    return Array.isArray(stored) ? stored.filter((one) => typeof one === 'object' && one !== null) : [];
  } catch {
    // Storage that is off or holds something else: there is nothing recent then.
    return [];
  }
}

export function recentRanges(): TimeRange[] {
  return read().flatMap((one) => rangeFromSearch(one) ?? []);
}

export function rememberRange(range: TimeRange): void {
  try {
    localStorage.setItem(key, JSON.stringify(withRecent(read(), range)));
  } catch {
    // Full or forbidden: the range is shown all the same.
  }
}
