import type { HistogramSnapshot } from '@nowcast/ports';

/** Something an operator should know of. */
export interface LogAlarm {
  /**
   * `failed`: nothing is acknowledged until a restart. `full`: appends are refused until there is room; once a period.
   * `torn-tail`: the start cut off a write that had not been finished; expected after a crash.
   */
  kind: 'failed' | 'full' | 'torn-tail';
  path: string;
  message: string;
  cause: unknown;
}

interface Histogram extends HistogramSnapshot {
  counts: number[];
}

/** Counters since the start, and gauges. */
export interface LogStats {
  /** Calls of `append` that were acknowledged. */
  appends: number;
  /** Frame bytes written and synced. */
  bytes: number;
  fsyncs: number;
  /** Groups that were refused because the disk was full. */
  full: number;
  failed: boolean;
  fsyncSeconds: Histogram;
  /** Calls of `append` that shared one fsync. */
  groupCalls: Histogram;
}

export function newLogStats(): LogStats {
  return {
    appends: 0,
    bytes: 0,
    fsyncs: 0,
    full: 0,
    failed: false,
    fsyncSeconds: newHistogram([0.0002, 0.0005, 0.001, 0.002, 0.005, 0.01, 0.025, 0.1, 0.5, 2]),
    groupCalls: newHistogram([1, 2, 4, 8, 16, 32, 64, 128, 512]),
  };
}

function newHistogram(bounds: readonly number[]): Histogram {
  return { bounds, counts: Array.from({ length: bounds.length + 1 }, () => 0), sum: 0 };
}

export function observe(histogram: Histogram, value: number): void {
  let bucket = histogram.bounds.findIndex((bound) => value <= bound);
  if (bucket === -1) bucket = histogram.bounds.length;
  histogram.counts[bucket]! += 1;
  histogram.sum += value;
}
