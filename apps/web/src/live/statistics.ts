import type { Agg } from '@nowcast/contract';
import { rangeEnds, type TimeRange } from '../time/range.ts';
import type { BucketEnd } from './bucket-end.ts';
import type { StoredSeries } from './stored-series.ts';
import { lowerBound, type ViewStore } from './view-store.ts';

/** Figures over what a panel holds: legends, stats, pies and staleness read them when they draw. */
export interface SeriesSummary {
  last: number | null;
  min: number | null;
  max: number | null;
  avg: number | null;
  sum: number;
}

/** A range, and the buckets in it. */
export interface BucketRange {
  from: number;
  to: number;
  stepMs: number;
  endOf: BucketEnd;
}

/** `range` at this moment, in the buckets of a store. */
export function bucketRange({ stepMs, endOf }: ViewStore, range: TimeRange, nowMs: number): BucketRange {
  return { ...rangeEnds(range, nowMs), stepMs, endOf };
}

/** Whether the clock changes nothing any more in what was drawn then: a range that stands still has no bucket to finish. */
export function standsStill({ endOf }: ViewStore, range: TimeRange, drawnAtMs: number): boolean {
  return range.kind === 'fixed' && drawnAtMs >= endOf(range.to);
}

/**
 * Index of the bucket that `fromMs` lies in, or of the first after it. Charts draw that bucket whole and the server
 * answers with it whole, so figures begin with it too: the total is the sum of the bars.
 */
export function firstBucket(times: readonly number[], fromMs: number, endOf: BucketEnd): number {
  const at = lowerBound(times, fromMs);
  return at > 0 && endOf(times[at - 1]!) > fromMs ? at - 1 : at;
}

/**
 * `settledMs`: buckets that end later do not count as whole. They are too small to be called the last or the least, so
 * they only count in the sum and the maximum, unless there is nothing else.
 */
export function summarise(
  series: StoredSeries,
  { from, to, endOf }: BucketRange,
  settledMs = Number.POSITIVE_INFINITY,
): SeriesSummary {
  const { t, v } = series;
  // Ends are asked for where they matter: those of a calendar take a while to find.
  const isPartial = (start: number): boolean =>
    settledMs !== Number.POSITIVE_INFINITY && endOf(start) > settledMs;
  let last: number | null = null;
  let min = Number.POSITIVE_INFINITY;
  let max = Number.NEGATIVE_INFINITY;
  let sum = 0;
  let settled = 0;
  let count = 0;
  for (let i = firstBucket(t, from, endOf); i < t.length && t[i]! <= to; i++) {
    const value = v[i] ?? null;
    if (value === null) continue;
    sum += value;
    if (value > max) max = value;
    if (count > 0 && isPartial(t[i]!)) continue;
    last = value;
    if (value < min) min = value;
    settled += value;
    count += 1;
  }
  return count === 0
    ? { last, min: null, max: null, avg: null, sum }
    : { last, min, max, avg: settled / count, sum };
}

/** Aggregates that get larger while their bucket lasts: amounts, the largest, and what few points seldom reach. */
const growing: ReadonlySet<Agg> = new Set([
  'count',
  'sum',
  'increase',
  'rate',
  'uniques',
  'max',
  'p75',
  'p90',
  'p95',
  'p99',
]);

const amounts: ReadonlySet<Agg> = new Set(['count', 'sum', 'increase', 'rate', 'uniques']);

/** Whether a bucket without points has the value none, not an unknown one. */
export function isAmount(agg: Agg): boolean {
  return amounts.has(agg);
}

/** Whether a part of a bucket says less than the whole: an average of a part is as good as any. */
export function isGrowing(agg: Agg): boolean {
  return growing.has(agg);
}

/** The latest end of a bucket that counts as whole at `nowMs`. */
export function settledAt(agg: Agg, nowMs: number): number {
  return isGrowing(agg) ? nowMs : Number.POSITIVE_INFINITY;
}

/** Aggregates whose buckets add up to the aggregate of the whole range. */
const additive = new Set<Agg>(['count', 'sum', 'increase']);

/** Whether the one number of a series is the total of its range: true whoever is silent since. */
export function isTotal(agg: Agg): boolean {
  return additive.has(agg);
}

/** The one number a stat, pie or gauge shows for a series, and what to call it. */
export function headline(agg: Agg, summary: SeriesSummary): number | null {
  if (isTotal(agg)) return summary.last === null ? null : summary.sum;
  if (agg === 'min') return summary.min;
  if (agg === 'max') return summary.max;
  return summary.last;
}

export function headlineTitle(agg: Agg): string {
  if (isTotal(agg)) return 'total';
  return agg === 'min' || agg === 'max' ? agg : 'last';
}

/**
 * Usual distance of a series' buckets, ms: the median of the last gaps (or another share of them), at least the step.
 */
export function usualGapMs(times: readonly number[], stepMs: number, share = 0.5): number {
  const from = Math.max(1, times.length - 60);
  const gaps: number[] = [];
  for (let i = from; i < times.length; i++) gaps.push(times[i]! - times[i - 1]!);
  if (gaps.length === 0) return stepMs;
  gaps.sort((a, b) => a - b);
  return Math.max(stepMs, gaps[Math.floor((gaps.length - 1) * share)]!);
}

/** Irregular sources are given the time of nine in ten of their gaps before they count as late. */
const calmShare = 0.9;

export type StaleLevel = 'fresh' | 'stale' | 'critical';

/** Stale after 3 missed intervals, critical after 10; a second of delivery delay is nobody's fault. */
export function staleLevel(store: ViewStore, nowMs: number): StaleLevel {
  if (store.newestMs === 0) return 'fresh';
  let interval = Number.POSITIVE_INFINITY;
  for (const series of store.series) {
    if (series.t.length > 1) interval = Math.min(interval, usualGapMs(series.t, store.stepMs, calmShare));
  }
  if (store.series.length === 0) interval = pointInterval(store);
  if (!Number.isFinite(interval)) return 'fresh';
  const missed = (nowMs - store.newestMs - 1000) / Math.max(1000, interval);
  if (missed > 10) return 'critical';
  return missed > 3 ? 'stale' : 'fresh';
}

/**
 * How long one series has been silent while others of its panel may go on, ms; 0 while that is usual for it. A lone
 * amount is an event: nobody knows when the next is due.
 */
export function silentMs(series: StoredSeries, agg: Agg, stepMs: number, nowMs: number): number {
  const { t, v } = series;
  let last = t.length - 1;
  while (last >= 0 && (v[last] ?? null) === null) last -= 1;
  if (last < 0 || (last === 0 && isAmount(agg))) return 0;
  const silent = nowMs - (t[last]! + stepMs);
  return silent > 3 * Math.max(1000, usualGapMs(t, stepMs, calmShare)) + 1000 ? silent : 0;
}

function pointInterval(store: ViewStore): number {
  if (store.points.length < 5) return Number.POSITIVE_INFINITY;
  return usualGapMs(
    store.points.map((point) => point.timestamp),
    1000,
    calmShare,
  );
}
