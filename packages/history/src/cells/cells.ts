import { isBefore, StateGrid, type StateSource } from '@nowcast/aggregate';
import type { StateColumns, StateParts } from '@nowcast/ports';
import { CellSums } from './cell-sums.ts';
import { GroupedValues, type ScannedPoints } from './grouped-values.ts';
import { noSketches } from './no-sketches.ts';

/** Cells of one answer: a slot is kept for each, filled or not. */
export const mostCells = 4_000_000;

/** Values that wait for their sketches; putting so many in takes a millisecond. */
const mostWaiting = 30_000;
const none = new Float64Array(0);
const quantilesOnly = { scalar: false, ends: false, growth: false, quantiles: true, uniques: false };

/** Index of the bucket that holds `time`, which lies within the borders. */
export function bucketAt(borders: Float64Array, time: number): number {
  let low = 0;
  let high = borders.length - 1;
  while (high - low > 1) {
    const middle = (low + high) >>> 1;
    if (borders[middle]! <= time) low = middle;
    else high = middle;
  }
  return low;
}

/**
 * Dense (unit, bucket) cells that hours and points are added to: a loop over columns costs a tenth of looking up a row
 * for each state. Sums are compensated like those of a `StateGrid`.
 */
export class Cells {
  readonly #parts: StateParts;
  readonly #units: number;
  readonly #buckets: number;
  readonly #sums: CellSums | undefined;
  readonly #min: Float64Array;
  readonly #max: Float64Array;
  readonly #first: Float64Array;
  readonly #firstAt: Float64Array;
  readonly #last: Float64Array;
  readonly #lastAt: Float64Array;
  readonly #sketches: StateGrid | undefined;
  /** Values on their way into the sketches: by cell, and those of one bucket by unit. */
  readonly #byCell = new GroupedValues();
  readonly #byUnit = new GroupedValues();

  constructor(parts: StateParts, units: number, buckets: number) {
    const column = (wanted: boolean, empty: number) =>
      wanted ? new Float64Array(units * buckets).fill(empty) : none;
    this.#parts = parts;
    this.#units = units;
    this.#buckets = buckets;
    if (parts.scalar) this.#sums = new CellSums(units, buckets);
    this.#min = column(parts.extremes, Number.POSITIVE_INFINITY);
    this.#max = column(parts.extremes, Number.NEGATIVE_INFINITY);
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
    this.#sums?.addHours(unit, hour, columns, from, to, bucketOf);
    if (this.#parts.extremes) this.#addHourExtremes(base, hour, columns, from, to, bucketOf);
    if (!this.#parts.ends) return;
    const { first, firstAt, last, lastAt } = columns;
    for (let i = from; i < to; i++) {
      const bucket = bucketOf[hour[i]!]!;
      if (bucket >= 0) this.#addEnds(base + bucket, firstAt[i]!, first[i]!, lastAt[i]!, last[i]!);
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

  /** Adds points `[from, to)`, ascending in (time, value), all within the borders of the buckets. */
  addSorted(
    unit: number,
    borders: Float64Array,
    timestamps: Float64Array,
    values: Float64Array,
    from: number,
    to: number,
  ): void {
    let bucket = bucketAt(borders, timestamps[from]!);
    for (let start = from; start < to;) {
      while (timestamps[start]! >= borders[bucket + 1]!) bucket++;
      let end = start + 1;
      while (end < to && timestamps[end]! < borders[bucket + 1]!) end++;
      this.#addRun(unit * this.#buckets + bucket, timestamps, values, start, end);
      start = end;
    }
  }

  /** Adds points `[from, to)`, ascending in (time, value), that all lie in one cell. */
  #addRun(cell: number, timestamps: Float64Array, values: Float64Array, from: number, to: number): void {
    this.#sums?.addValues(cell, values, from, to);
    if (this.#parts.extremes) for (let i = from; i < to; i++) this.#addExtremes(cell, values[i]!);
    if (this.#parts.ends)
      this.#addEnds(cell, timestamps[from]!, values[from]!, timestamps[to - 1]!, values[to - 1]!);
    if (this.#sketches === undefined) return;
    for (let i = from; i < to; i++) this.#byCell.add(cell, values[i]!);
    if (this.#byCell.length >= mostWaiting) this.#drain();
  }

  #drain(): void {
    this.#byCell.drain(this.#units * this.#buckets, (cell, values, from, to) =>
      this.#sketches!.addRun(cell, { timestamps: none, values }, from, to),
    );
  }

  /** Adds those of the points `[from, to)`, all of one bucket, whose series has a unit; `unitOf` says −1 for others. */
  addScanned(bucket: number, unitOf: Int32Array, points: ScannedPoints, from: number, to: number): void {
    this.#sums?.addScanned(bucket, unitOf, points, from, to);
    const { handles, timestamps, values } = points;
    if (this.#parts.extremes || this.#parts.ends) {
      for (let i = from; i < to; i++) {
        const unit = unitOf[handles[i]!]!;
        if (unit < 0) continue;
        const cell = unit * this.#buckets + bucket;
        if (this.#parts.extremes) this.#addExtremes(cell, values[i]!);
        if (this.#parts.ends) this.#addEnds(cell, timestamps[i]!, values[i]!, timestamps[i]!, values[i]!);
      }
    }
    const sketches = this.#sketches;
    if (sketches === undefined) return;
    this.#byUnit.addScanned(unitOf, points, from, to);
    this.#byUnit.drain(this.#units, (unit, sorted, begin, end) =>
      sketches.addRun(unit * this.#buckets + bucket, { timestamps: none, values: sorted }, begin, end),
    );
  }

  #addExtremes(cell: number, value: number): void {
    if (value < this.#min[cell]!) this.#min[cell] = value;
    if (value > this.#max[cell]!) this.#max[cell] = value;
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

  /** One row for each cell that anything was added to, by unit and then by bucket. */
  columns(): StateColumns {
    this.#drain();
    const { cells, group, bucket } = this.#filled();
    const { length } = cells;
    const pick = (column: Float64Array) => {
      if (column.length === 0) return none;
      const out = new Float64Array(length);
      for (let i = 0; i < length; i++) out[i] = column[cells[i]!]!;
      return out;
    };
    const count = new Float64Array(this.#sums === undefined ? 0 : length);
    const sum = new Float64Array(count.length);
    for (let i = 0; i < count.length; i++) {
      count[i] = this.#sums!.countOf(cells[i]!);
      sum[i] = this.#sums!.sumOf(cells[i]!);
    }
    return {
      length,
      group,
      bucket,
      count,
      sum,
      min: pick(this.#min),
      max: pick(this.#max),
      first: pick(this.#first),
      firstAt: pick(this.#firstAt),
      last: pick(this.#last),
      lastAt: pick(this.#lastAt),
      growth: none,
      ...noSketches,
      ...this.#quantiles(cells),
    };
  }

  #isFilled(cell: number): boolean {
    if (this.#sums !== undefined) return this.#sums.countOf(cell) > 0;
    if (this.#sketches !== undefined) return (this.#sketches.sketchOf(cell)?.total ?? 0) > 0;
    return this.#lastAt[cell]! > Number.NEGATIVE_INFINITY;
  }

  #filled(): { cells: Uint32Array; group: Uint32Array; bucket: Uint32Array } {
    const most = this.#units * this.#buckets;
    const cells = new Uint32Array(most);
    const group = new Uint32Array(most);
    const bucket = new Uint32Array(most);
    let length = 0;
    let cell = 0;
    for (let unit = 0; unit < this.#units; unit++) {
      for (let at = 0; at < this.#buckets; at++, cell++) {
        if (!this.#isFilled(cell)) continue;
        cells[length] = cell;
        group[length] = unit;
        bucket[length++] = at;
      }
    }
    const cut = (column: Uint32Array) => column.slice(0, length);
    return { cells: cut(cells), group: cut(group), bucket: cut(bucket) };
  }

  #quantiles(cells: Uint32Array): Partial<StateColumns> {
    if (this.#sketches === undefined) return {};
    const offsets = new Uint32Array(cells.length + 1);
    for (const [i, cell] of cells.entries())
      offsets[i + 1] = offsets[i]! + this.#sketches.sketchOf(cell)!.length;
    const index = new Int32Array(offsets[cells.length]!);
    const counts = new Float64Array(index.length);
    for (const [i, cell] of cells.entries()) {
      const sketch = this.#sketches.sketchOf(cell)!;
      index.set(sketch.keys.subarray(0, sketch.length), offsets[i]);
      counts.set(sketch.counts.subarray(0, sketch.length), offsets[i]);
    }
    return { ddOffsets: offsets, ddIndex: index, ddCount: counts };
  }
}
