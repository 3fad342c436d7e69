import type { StateSource } from '@nowcast/aggregate';
import type { ScannedPoints } from './grouped-values.ts';

/** Numbers of a cell: how many points, their sum, and what rounding took away from it. */
const width = 3;

/**
 * Counts and compensated sums of (unit, bucket) cells. The numbers of a cell lie side by side: points of many series
 * in turn find each cell out of the cache, once instead of three times.
 */
export class CellSums {
  readonly #buckets: number;
  readonly #numbers: Float64Array;

  constructor(units: number, buckets: number) {
    this.#buckets = buckets;
    this.#numbers = new Float64Array(units * buckets * width);
  }

  /** Rows `[from, to)` of a table of hours; a month of a thousand series are 720,000 of them. */
  addHours(
    unit: number,
    hour: Uint8Array,
    { count, sum }: StateSource,
    from: number,
    to: number,
    bucketOf: Int32Array,
  ): void {
    const numbers = this.#numbers;
    const base = unit * this.#buckets;
    for (let i = from; i < to; i++) {
      const bucket = bucketOf[hour[i]!]!;
      if (bucket < 0) continue;
      const at = (base + bucket) * width;
      const value = sum[i]!;
      const before = numbers[at + 1]!;
      const next = before + value;
      const part = next - before;
      // What rounding took away, to the last bit, without asking which of the two is larger.
      numbers[at + 2]! += before - (next - part) + (value - part);
      numbers[at + 1] = next;
      numbers[at]! += count[i]!;
    }
  }

  /** Those of the points `[from, to)`, all of one bucket, that have a unit. */
  addScanned(
    bucket: number,
    unitOf: Int32Array,
    { handles, values }: ScannedPoints,
    from: number,
    to: number,
  ): void {
    const numbers = this.#numbers;
    const buckets = this.#buckets;
    for (let i = from; i < to; i++) {
      const unit = unitOf[handles[i]!]!;
      if (unit < 0) continue;
      const at = (unit * buckets + bucket) * width;
      const value = values[i]!;
      const before = numbers[at + 1]!;
      const next = before + value;
      const part = next - before;
      numbers[at + 2]! += before - (next - part) + (value - part);
      numbers[at + 1] = next;
      numbers[at]! += 1;
    }
  }

  /** The values `[from, to)` of one cell. */
  addValues(cell: number, values: Float64Array, from: number, to: number): void {
    const numbers = this.#numbers;
    const at = cell * width;
    let sum = numbers[at + 1]!;
    let lost = numbers[at + 2]!;
    for (let i = from; i < to; i++) {
      const value = values[i]!;
      const next = sum + value;
      const part = next - sum;
      lost += sum - (next - part) + (value - part);
      sum = next;
    }
    numbers[at + 2] = lost;
    numbers[at + 1] = sum;
    numbers[at]! += to - from;
  }

  countOf(cell: number): number {
    return this.#numbers[cell * width]!;
  }

  sumOf(cell: number): number {
    const sum = this.#numbers[cell * width + 1]!;
    const total = sum + this.#numbers[cell * width + 2]!;
    // An overflowed sum makes its compensation meaningless.
    return Number.isNaN(total) ? sum : total;
  }
}
