/** The view that tells of new points looks back so far; what was counted before is no longer told. */
export const lookBack = '15m';
const keptMs = 16 * 60_000;

/** Points in buckets from `sinceMs` on, told bucket by bucket and again: a page that stands still for weeks keeps few. */
export class PointCount {
  readonly #buckets = new Map<number, number>();
  #openFrom: number;
  #closed = 0;

  constructor(sinceMs: number) {
    this.#openFrom = sinceMs;
  }

  /** All that the bucket holds now. */
  put(bucketMs: number, points: number): void {
    if (bucketMs >= this.#openFrom && !Number.isNaN(points)) this.#buckets.set(bucketMs, points);
  }

  total(nowMs: number): number {
    this.#openFrom = Math.max(this.#openFrom, nowMs - keptMs);
    let open = 0;
    for (const [bucketMs, points] of this.#buckets) {
      if (bucketMs >= this.#openFrom) {
        open += points;
      } else {
        this.#closed += points;
        this.#buckets.delete(bucketMs);
      }
    }
    return this.#closed + open;
  }
}
