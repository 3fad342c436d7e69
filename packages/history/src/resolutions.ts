/** Resolutions of fine state rows, milliseconds, finest first (docs/ARCHITECTURE.md, "History"). */
export const fineResolutions = [10_000, 60_000, 3_600_000] as const;
export const sketchResolutions = [60_000, 3_600_000] as const;

/**
 * The finest resolution that holds more than two points a bucket on average; the coarsest when none does. A row for
 * every one or two points would cost more than the points themselves, which the chunks hold anyway.
 * `timestamps[start … end)` ascend.
 */
export function resolutionFor(
  resolutions: readonly number[],
  timestamps: Float64Array,
  start: number,
  end: number,
): number {
  const last = resolutions.length - 1;
  for (let r = 0; r < last; r++) {
    const res = resolutions[r]!;
    let buckets = 0;
    let bucketEnd = Number.NEGATIVE_INFINITY;
    for (let i = start; i < end; i++) {
      if (timestamps[i]! < bucketEnd) continue;
      bucketEnd = Math.floor(timestamps[i]! / res) * res + res;
      buckets++;
    }
    if (end - start > 2 * buckets) return res;
  }
  return resolutions[last]!;
}
