import { silentMs } from '../live/statistics.ts';
import type { StoredSeries } from '../live/stored-series.ts';
import { describeAge } from '../time/range.ts';
import type { FigureProps } from './figure-props.ts';

/** For how long a series has been silent, in words; empty while that is usual, and in a range that stands still. */
export function silentFor(
  { store, agg, range }: Pick<FigureProps, 'store' | 'agg' | 'range'>,
  series: StoredSeries,
  nowMs: number,
): string {
  const silent = range.kind === 'live' ? silentMs(series, agg, store.stepMs, nowMs) : 0;
  return silent > 0 ? describeAge(silent) : '';
}
