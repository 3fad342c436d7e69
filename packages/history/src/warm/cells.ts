import { isBefore, type QueryGrid, StateGrid, type StateSource } from '@nowcast/aggregate';
import type { StateColumns, StateParts } from '@nowcast/ports';
import { noSketches } from './hour-table.ts';

/** Cells of one answer: a slot is kept for each, filled or not. */
export const mostCells = 4_000_000;

const none = new Float64Array(0);
const quantilesOnly = { scalar: false, ends: false, growth: false, quantiles: true, uniques: false };

/** Whether an answer is worked out from the least and the largest value of its cells. */
export function asksForExtremes({ spec: { agg } }: QueryGrid): boolean {
  return agg === 'min' || agg === 'max';
}

/**
 * Dense (unit, bucket) cells that hours and points are added to: a loop over columns costs a tenth of looking up a row
 * for each state. Sums are compensated like those of a `StateGrid`.
 */
export class Cells {
  readonly #parts: StateParts;
  readonly #extremes: boolean;
  readonly #buckets: number;
  readonly #count: Float64Array;
  readonly #sum: Float64Array;
  readonly #lost: Float64Array;
  readonly #min: Float64Array;
  readonly #max: Float64Array;
  readonly #first: Float64Array;
  readonly #firstAt: Float64Array;
  readonly #last: Float64Array;
  readonly #lastAt: Float64Array;
  readonly #sketches: StateGrid | undefined;

  /** `extremes`: whether anybody asks for min and max; otherwise they come out as if there were none. */
  constructor(parts: StateParts, extremes: boolean, units: number, buckets: number) {
    const column = (wanted: boolean, empty = 0) => {
      const made = wanted ? new Float64Array(units * buckets) : none;
      return empty === 0 ? made : made.fill(empty);
    };
    this.#parts = parts;
    this.#extremes = parts.scalar && extremes;
    this.#buckets = buckets;
    this.#count = column(parts.scalar || parts.quantiles);
    this.#sum = column(parts.scalar);
    this.#lost = column(parts.scalar);
    this.#min = column(this.#extremes, Number.POSITIVE_INFINITY);
    this.#max = column(this.#extremes, Number.NEGATIVE_INFINITY);
    this.#first = column(parts.ends, Number.NaN);
    this.#firstAt = column(parts.ends, Number.POSITIVE_INFINITY);
    this.#last = column(parts.ends, Number.NaN);
    this.#lastAt = column(parts.ends, Number.NEGATIVE_INFINITY);
    if (parts.quantiles) this.#sketches = new StateGrid(quantilesOnly, units * buckets);
  }

  /** Adds rows `[from, to)` of a table of hours; `bucketOf[hour]` is negative outside the range. */
  addHours(
    unit: number,
    { hour, columns }: { hour: Uint8Array; columns: StateSource },
    from: number,
    to: number,
    bucketOf: Int32Array,
  ): void {
    const base = unit * this.#buckets;
    if (this.#parts.scalar) this.#addHourSums(base, hour, columns, from, to, bucketOf);
    if (this.#extremes) this.#addHourExtremes(base, hour, columns, from, to, bucketOf);
    if (!this.#parts.ends) return;
    const { first, firstAt, last, lastAt } = columns;
    for (let i = from; i < to; i++) {
      const bucket = bucketOf[hour[i]!]!;
      if (bucket >= 0) this.#addEnds(base + bucket, firstAt[i]!, first[i]!, lastAt[i]!, last[i]!);
    }
  }

  /** `#addScalars` for each row, written out: a month of a thousand series are 720,000 of them. */
  #addHourSums(
    base: number,
    hour: Uint8Array,
    { count, sum }: StateSource,
    from: number,
    to: number,
    bucketOf: Int32Array,
  ): void {
    const counts = this.#count;
    const sums = this.#sum;
    const lost = this.#lost;
    for (let i = from; i < to; i++) {
      const bucket = bucketOf[hour[i]!]!;
      if (bucket < 0) continue;
      const cell = base + bucket;
      const value = sum[i]!;
      const before = sums[cell]!;
      const next = before + value;
      const part = next - before;
      // What rounding took away, to the last bit, without asking which of the two is larger.
      lost[cell] = lost[cell]! + (before - (next - part) + (value - part));
      sums[cell] = next;
      counts[cell] = counts[cell]! + count[i]!;
    }
  }

  #addHourExtremes(
    base: number,
    hour: Uint8Array,
    { min, max }: StateSource,
    from: number,
    to: number,
    bucketOf: Int32Array,
  ): void {
    const mins = this.#min;
    const maxs = this.#max;
    for (let i = from; i < to; i++) {
      const bucket = bucketOf[hour[i]!]!;
      if (bucket < 0) continue;
      const cell = base + bucket;
      if (min[i]! < mins[cell]!) mins[cell] = min[i]!;
      if (max[i]! > maxs[cell]!) maxs[cell] = max[i]!;
    }
  }

  /** Adds points `[from, to)`, ascending in (time, value), that all lie in one bucket. */
  addRun(
    unit: number,
    bucket: number,
    timestamps: Float64Array,
    values: Float64Array,
    from: number,
    to: number,
  ): void {
    const cell = unit * this.#buckets + bucket;
    if (this.#parts.scalar) this.#addValues(cell, values, from, to);
    if (this.#parts.ends)
      this.#addEnds(cell, timestamps[from]!, values[from]!, timestamps[to - 1]!, values[to - 1]!);
    if (this.#sketches === undefined) return;
    this.#sketches.addRun(cell, { timestamps, values }, from, to);
    if (!this.#parts.scalar) this.#count[cell] = this.#count[cell]! + to - from;
  }

  addPoint(unit: number, bucket: number, timestamp: number, value: number): void {
    const cell = unit * this.#buckets + bucket;
    if (this.#parts.scalar) this.#addScalars(cell, 1, value, value, value);
    if (this.#parts.ends) this.#addEnds(cell, timestamp, value, timestamp, value);
    if (this.#sketches === undefined) return;
    this.#sketches.addPoint(cell, timestamp, value);
    if (!this.#parts.scalar) this.#count[cell] = this.#count[cell]! + 1;
  }

  #addValues(cell: number, values: Float64Array, from: number, to: number): void {
    let sum = 0;
    let lost = 0;
    let min = Number.POSITIVE_INFINITY;
    let max = Number.NEGATIVE_INFINITY;
    for (let i = from; i < to; i++) {
      const value = values[i]!;
      const next = sum + value;
      lost += Math.abs(sum) >= Math.abs(value) ? sum - next + value : value - next + sum;
      sum = next;
      if (value < min) min = value;
      if (value > max) max = value;
    }
    this.#addScalars(cell, to - from, sum, min, max);
    this.#lost[cell] = this.#lost[cell]! + lost;
  }

  #addScalars(cell: number, count: number, sum: number, min: number, max: number): void {
    const before = this.#sum[cell]!;
    const next = before + sum;
    this.#lost[cell] =
      this.#lost[cell]! + (Math.abs(before) >= Math.abs(sum) ? before - next + sum : sum - next + before);
    this.#sum[cell] = next;
    this.#count[cell] = this.#count[cell]! + count;
    if (!this.#extremes) return;
    if (min < this.#min[cell]!) this.#min[cell] = min;
    if (max > this.#max[cell]!) this.#max[cell] = max;
  }

  #addEnds(cell: number, firstAt: number, first: number, lastAt: number, last: number): void {
    if (isBefore(firstAt, first, this.#firstAt[cell]!, this.#first[cell]!)) {
      this.#firstAt[cell] = firstAt;
      this.#first[cell] = first;
    }
    if (!isBefore(this.#lastAt[cell]!, this.#last[cell]!, lastAt, last)) return;
    this.#lastAt[cell] = lastAt;
    this.#last[cell] = last;
  }

  /** One row for each cell that anything was added to. */
  columns(): StateColumns {
    const cells = this.#filled();
    const { length } = cells;
    const pick = (column: Float64Array) => {
      if (column.length === 0) return none;
      const out = new Float64Array(length);
      for (let i = 0; i < length; i++) out[i] = column[cells[i]!]!;
      return out;
    };
    const sum = pick(this.#sum);
    for (let i = 0; i < sum.length; i++) {
      const total = sum[i]! + this.#lost[cells[i]!]!;
      // An overflowed sum makes its compensation meaningless.
      if (!Number.isNaN(total)) sum[i] = total;
    }
    return {
      length,
      group: cells.map((cell) => Math.floor(cell / this.#buckets)),
      bucket: cells.map((cell) => cell % this.#buckets),
      count: pick(this.#count),
      sum,
      min: this.#extremes ? pick(this.#min) : this.#noExtreme(length, Number.POSITIVE_INFINITY),
      max: this.#extremes ? pick(this.#max) : this.#noExtreme(length, Number.NEGATIVE_INFINITY),
      first: pick(this.#first),
      firstAt: pick(this.#firstAt),
      last: pick(this.#last),
      lastAt: pick(this.#lastAt),
      growth: none,
      ...noSketches,
      ...this.#quantiles(cells),
    };
  }

  #noExtreme(length: number, empty: number): Float64Array {
    return this.#parts.scalar ? new Float64Array(length).fill(empty) : none;
  }

  #filled(): Uint32Array {
    const isFilled = this.#count.length > 0 ? this.#count : this.#lastAt;
    const least = this.#count.length > 0 ? 0 : Number.NEGATIVE_INFINITY;
    const cells = new Uint32Array(isFilled.length);
    let length = 0;
    for (let cell = 0; cell < isFilled.length; cell++) if (isFilled[cell]! > least) cells[length++] = cell;
    return cells.slice(0, length);
  }

  #quantiles(cells: Uint32Array): Partial<StateColumns> {
    if (this.#sketches === undefined) return {};
    const offsets = new Uint32Array(cells.length + 1);
    const index: number[] = [];
    const counts: number[] = [];
    for (const [i, cell] of cells.entries()) {
      const sketch = this.#sketches.sketchOf(cell)!;
      for (let k = 0; k < sketch.length; k++) {
        index.push(sketch.keys[k]!);
        counts.push(sketch.counts[k]!);
      }
      offsets[i + 1] = index.length;
    }
    return { ddOffsets: offsets, ddIndex: Int32Array.from(index), ddCount: Float64Array.from(counts) };
  }
}
