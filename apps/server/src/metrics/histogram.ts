import type { HistogramSnapshot } from '@nowcast/ports';

/** Counts of observations by upper bound, as Prometheus reads them. */
export class Histogram {
  readonly #bounds: readonly number[];
  readonly #counts: number[];
  #sum = 0;

  /** `bounds` ascending; one more bucket for what is above. */
  constructor(bounds: readonly number[]) {
    this.#bounds = bounds;
    this.#counts = Array<number>(bounds.length + 1).fill(0);
  }

  observe(value: number): void {
    let i = 0;
    while (i < this.#bounds.length && value > this.#bounds[i]!) i++;
    this.#counts[i] = (this.#counts[i] ?? 0) + 1;
    this.#sum += value;
  }

  snapshot(): HistogramSnapshot {
    return { bounds: this.#bounds, counts: [...this.#counts], sum: this.#sum };
  }
}

/** Delays in milliseconds, from "at once" to "broken". */
export const delayBoundsMs = [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10_000] as const;
/** Durations of requests in seconds. */
export const requestBoundsSeconds = [
  0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30,
] as const;

/**
 * The value below which the share `q` of what was counted between two snapshots lies, by linear interpolation inside
 * its bucket; undefined when nothing was. Above the last bound it is that bound.
 */
export function quantileBetween(
  before: HistogramSnapshot,
  after: HistogramSnapshot,
  q: number,
): number | undefined {
  const counts = after.counts.map((count, i) => count - (before.counts[i] ?? 0));
  const total = counts.reduce((sum, count) => sum + count, 0);
  if (total <= 0) return undefined;
  let rank = q * total;
  for (const [i, count] of counts.entries()) {
    const bound = after.bounds[i];
    if (bound === undefined) break;
    if (rank <= count) {
      const low = i === 0 ? 0 : (after.bounds[i - 1] ?? 0);
      return low + ((bound - low) * rank) / Math.max(1, count);
    }
    rank -= count;
  }
  return after.bounds.at(-1);
}
