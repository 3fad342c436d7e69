import type { BucketEnd } from './bucket-end.ts';
import type { StoredSeries } from './stored-series.ts';

/**
 * Growth of a counter as a rate, by the second.
 *
 * Growth shows in the bucket of the point that reports it, and happened since the point before. A source that sends
 * every ten seconds fills every fifth bucket of two seconds: divided by the bucket it would read five times too much,
 * with nothing in between. So growth is divided by the time from the end of the last bucket that has a value to its own
 * bucket's: between starts, a month's growth would be divided by the length of the month before.
 *
 * `times`: starts of buckets, ascending, epoch ms. The first bucket's growth began before the range: it is taken to have
 * lasted for as many buckets as that of the next one.
 */
export function growthRate(
  times: readonly number[],
  growths: readonly (number | null)[],
  at: number,
  endOf: BucketEnd,
): number | null {
  const growth = growths[at];
  if (growth === null || growth === undefined) return null;
  const end = endOf(times[at]!);
  const before = valueBefore(growths, at);
  const span =
    before < 0 ? (times[valueAfter(growths, at)] ?? end) - times[at]! : end - endOf(times[before]!);
  return (growth * 1000) / span;
}

/** A series whose values are growth so far, and are rates from here on. */
export function withRates(series: StoredSeries, endOf: BucketEnd): StoredSeries {
  const { t, v: growths } = series;
  return { ...series, growths, v: growths.map((_, at) => growthRate(t, growths, at, endOf)) };
}

/** After the growth at `at` changed; a series without growth stays as it is. */
export function renewRates({ t, v, growths }: StoredSeries, at: number, endOf: BucketEnd): void {
  if (growths === undefined) return;
  for (const i of [valueBefore(growths, at), at, valueAfter(growths, at)])
    if (i >= 0 && i < v.length) v[i] = growthRate(t, growths, i, endOf);
}

/** Index of the last value before `at`; −1: there is none. */
function valueBefore(values: readonly (number | null)[], at: number): number {
  let i = at - 1;
  while (i >= 0 && values[i] === null) i -= 1;
  return i;
}

/** Index of the first value after `at`, or the length. */
function valueAfter(values: readonly (number | null)[], at: number): number {
  let i = at + 1;
  while (i < values.length && values[i] === null) i += 1;
  return i;
}
