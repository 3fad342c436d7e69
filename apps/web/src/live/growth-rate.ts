import type { StoredSeries } from './stored-series.ts';

/**
 * Growth of a counter as a rate, by the second.
 *
 * Growth shows in the bucket of the point that reports it, and happened since the point before. A source that sends
 * every ten seconds fills every fifth bucket of two seconds: divided by the bucket it would read five times too much,
 * with nothing in between. So growth is divided by the time since the last bucket that has a value, a bucket at least.
 *
 * `times`: starts of buckets, ascending, epoch ms. The first bucket's growth began before the range: it is taken to have
 * lasted as long as that of the next one.
 */
export function growthRate(
  times: readonly number[],
  growths: readonly (number | null)[],
  at: number,
  stepMs: number,
): number | null {
  const growth = growths[at];
  if (growth === null || growth === undefined) return null;
  const before = valueBefore(growths, at);
  const after = before < 0 ? valueAfter(growths, at) : at;
  const span = before < 0 ? (times[after] ?? 0) - times[at]! : times[at]! - times[before]!;
  return (growth * 1000) / Math.max(stepMs, span);
}

/** A series whose values are growth so far, and are rates from here on. */
export function withRates(series: StoredSeries, stepMs: number): StoredSeries {
  const { t, v: growths } = series;
  return { ...series, growths, v: growths.map((_, at) => growthRate(t, growths, at, stepMs)) };
}

/** After the growth at `at` changed; a series without growth stays as it is. */
export function renewRates({ t, v, growths }: StoredSeries, at: number, stepMs: number): void {
  if (growths === undefined) return;
  for (const i of [valueBefore(growths, at), at, valueAfter(growths, at)])
    if (i >= 0 && i < v.length) v[i] = growthRate(t, growths, i, stepMs);
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
