import type { Buckets } from './buckets.ts';

const leastReachMs = 5 * 60_000;

/**
 * How far before the start of a range the point may lie that a counter's first step is counted from, epoch ms: five
 * minutes or one bucket, whichever is more. Looking back without a bound would make the answer for the last minute
 * depend on reading a year; not looking back at all would lose one step of every counter at the left edge of a chart.
 * A live window moves its reach along, so that it shows what the same query gives when it is asked anew.
 */
export function counterReach(buckets: Buckets, from: number): number {
  return Math.min(from - leastReachMs, buckets.start(from - 1));
}
