import type { TimeRange } from '../../time/range.ts';

/** Why a panel of a metric that exists shows nothing. */
type EmptyReason = 'filtered' | 'elsewhere' | 'nothing';

/**
 * Filters are to blame only where there are filters and the metric's newest point lies in the range; otherwise the
 * newest point is `elsewhere`, before or after the range. `nothing`: it lies in the range, and no filter is set.
 */
export function emptyReason(
  range: TimeRange,
  lastMs: number,
  nowMs: number,
  hasFilters: boolean,
): EmptyReason {
  const within =
    range.kind === 'live' ? nowMs - lastMs < range.windowMs : lastMs >= range.from && lastMs <= range.to;
  if (!within) return 'elsewhere';
  return hasFilters ? 'filtered' : 'nothing';
}
