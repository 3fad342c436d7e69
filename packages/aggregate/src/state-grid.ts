import type { AggName, ByteReader, ByteWriter } from '@nowcast/contract';
import { DdSketch } from './dd-sketch.ts';
import { HyperLogLog } from './hyperloglog.ts';
import { type PartSet, quantileFraction } from './parts.ts';

/**
 * Mergeable aggregate states as columns: row numbers are the caller's, an object per state would cost ten times the
 * memory and a cache miss a field.
 *
 * Every operation is commutative and associative, so partitions, flushes, nodes and time may meet in any order:
 * - count, min, max exactly; sum with Neumaier's compensation, so that any two orders agree to 1e-12 · Σ|v|.
 * - first is the smallest and last the largest (time, value): see docs/decisions/0004-ties-in-time.md.
 * - growth is the exception: it merges in time order only. `mergeRow`, `mergeColumns` and `addPoint` extend a row at
 *   either end and report a piece that lies inside what the row already covers (see `counterOverlap`).
 */
export interface StateSource {
  count: Float64Array;
  sum: Float64Array;
  min: Float64Array;
  max: Float64Array;
  first: Float64Array;
  firstAt: Float64Array;
  last: Float64Array;
  lastAt: Float64Array;
  growth: Float64Array;
  ddOffsets: Uint32Array;
  ddIndex: Int32Array;
  ddCount: Float64Array;
  hllOffsets: Uint32Array;
  hllRegister: Uint16Array;
  hllRank: Uint8Array;
}

/** Points as columns; `actors` may be left out where there are none. */
export interface PointColumns {
  timestamps: Float64Array;
  values: Float64Array;
  actors?: readonly (string | undefined)[] | undefined;
}

const none = new Float64Array(0);

/** Growth of a counter from one value to the next: a drop is a restart from zero. */
export function counterStep(from: number, to: number): number {
  return to >= from ? to - from : to;
}

/** Whether point a (time, value) comes before b; equal ones do not. */
export function isBefore(aAt: number, a: number, bAt: number, b: number): boolean {
  return aAt === bAt ? a < b : aAt < bAt;
}

export class StateGrid {
  readonly parts: PartSet;
  /** Rows with a number below this may be used; `reserve` raises it. */
  capacity = 0;
  /** Columns of the parts asked for, the others stay empty. Replaced when the grid grows: do not keep references. */
  count: Float64Array = none;
  min: Float64Array = none;
  max: Float64Array = none;
  first: Float64Array = none;
  firstAt: Float64Array = none;
  last: Float64Array = none;
  lastAt: Float64Array = none;
  growth: Float64Array = none;
  #sum: Float64Array = none;
  #compensation: Float64Array = none;
  #sketches: (DdSketch | undefined)[] = [];
  #uniques: (HyperLogLog | undefined)[] = [];
  /**
   * Set by the last merge or add that met a counter piece inside the range its row already covered; such a row's
   * growth must be computed anew from sorted points. Cleared by the reader.
   */
  counterOverlap = false;

  constructor(parts: PartSet, capacity = 16) {
    this.parts = parts;
    this.reserve(capacity);
  }

  /** Makes rows 0 … rows − 1 usable; new ones are empty. */
  reserve(rows: number): void {
    if (rows <= this.capacity) return;
    const from = this.capacity;
    const capacity = Math.max(rows, from * 2);
    if (this.parts.scalar) {
      this.count = grown(this.count, capacity, from, 0);
      this.#sum = grown(this.#sum, capacity, from, 0);
      this.#compensation = grown(this.#compensation, capacity, from, 0);
      this.min = grown(this.min, capacity, from, Infinity);
      this.max = grown(this.max, capacity, from, -Infinity);
    }
    if (this.parts.ends) {
      this.first = grown(this.first, capacity, from, Number.NaN);
      this.firstAt = grown(this.firstAt, capacity, from, Infinity);
      this.last = grown(this.last, capacity, from, Number.NaN);
      this.lastAt = grown(this.lastAt, capacity, from, -Infinity);
    }
    if (this.parts.growth) this.growth = grown(this.growth, capacity, from, 0);
    this.capacity = capacity;
  }

  clear(row: number): void {
    if (this.parts.scalar) {
      this.count[row] = 0;
      this.#sum[row] = 0;
      this.#compensation[row] = 0;
      this.min[row] = Infinity;
      this.max[row] = -Infinity;
    }
    if (this.parts.ends) {
      this.first[row] = Number.NaN;
      this.firstAt[row] = Infinity;
      this.last[row] = Number.NaN;
      this.lastAt[row] = -Infinity;
    }
    if (this.parts.growth) this.growth[row] = 0;
    this.#sketches[row]?.clear();
    this.#uniques[row]?.clear();
  }

  /** `value` must be finite. */
  addPoint(row: number, timestamp: number, value: number, actor?: string): void {
    if (this.parts.scalar) {
      this.count[row] = this.count[row]! + 1;
      this.#addSum(row, value);
      if (value < this.min[row]!) this.min[row] = value;
      if (value > this.max[row]!) this.max[row] = value;
    }
    if (this.parts.ends) this.#joinRun(row, timestamp, value, timestamp, value, 0);
    if (this.parts.quantiles) this.#sketch(row).add(value);
    if (actor !== undefined && this.parts.uniques) this.#distinct(row).addActor(actor);
  }

  /**
   * Adds the points `[from, to)` of columns, the same as adding each; three times as fast, because the row is touched
   * once. Counters need them ascending in (time, value).
   */
  addRun(row: number, run: PointColumns, from: number, to: number): void {
    const { values } = run;
    if (this.parts.scalar) this.#addScalars(row, values, from, to);
    if (this.parts.ends) this.#addEnds(row, run, from, to);
    if (this.parts.quantiles) {
      const sketch = this.#sketch(row);
      for (let i = from; i < to; i += 1) sketch.add(values[i]!);
    }
    if (!this.parts.uniques || run.actors === undefined) return;
    for (let i = from; i < to; i += 1) {
      const actor = run.actors[i];
      if (actor !== undefined) this.#distinct(row).addActor(actor);
    }
  }

  /** Merges entry `i` of state columns; columns of parts that are not kept are not looked at. */
  mergeColumns(row: number, source: StateSource, i: number): void {
    if (this.parts.scalar) {
      this.count[row] = this.count[row]! + source.count[i]!;
      this.#addSum(row, source.sum[i]!);
      this.#joinRange(row, source.min[i]!, source.max[i]!);
    }
    if (this.parts.ends) {
      this.#joinRun(
        row,
        source.firstAt[i]!,
        source.first[i]!,
        source.lastAt[i]!,
        source.last[i]!,
        this.parts.growth ? source.growth[i]! : 0,
      );
    }
    if (this.parts.quantiles) {
      const from = source.ddOffsets[i]!;
      const to = source.ddOffsets[i + 1]!;
      if (to > from) this.#sketch(row).mergePairs(source.ddIndex, source.ddCount, from, to);
    }
    if (this.parts.uniques) {
      const from = source.hllOffsets[i]!;
      const to = source.hllOffsets[i + 1]!;
      if (to > from) this.#distinct(row).mergePairs(source.hllRegister, source.hllRank, from, to);
    }
  }

  /** Merges a row of another grid that keeps at least the parts of this one. */
  mergeRow(row: number, other: StateGrid, otherRow: number): void {
    if (this.parts.scalar) {
      this.count[row] = this.count[row]! + other.count[otherRow]!;
      this.#addSum(row, other.#sum[otherRow]!);
      this.#compensation[row] = this.#compensation[row]! + other.#compensation[otherRow]!;
      this.#joinRange(row, other.min[otherRow]!, other.max[otherRow]!);
    }
    if (this.parts.ends && other.firstAt[otherRow]! !== Infinity) {
      this.#joinRun(
        row,
        other.firstAt[otherRow]!,
        other.first[otherRow]!,
        other.lastAt[otherRow]!,
        other.last[otherRow]!,
        this.parts.growth ? other.growth[otherRow]! : 0,
      );
    }
    const sketch = this.parts.quantiles ? other.#sketches[otherRow] : undefined;
    if (sketch !== undefined && sketch.total > 0) this.#sketch(row).merge(sketch);
    const distinct = this.parts.uniques ? other.#uniques[otherRow] : undefined;
    if (distinct !== undefined && !distinct.isEmpty()) this.#distinct(row).merge(distinct);
  }

  /** The aggregate of a row; NaN when it has none. `bucketSeconds` is what `rate` divides by. */
  value(row: number, agg: AggName, bucketSeconds: number): number {
    const fraction = quantileFraction(agg);
    if (fraction !== undefined) return this.#sketches[row]?.quantile(fraction) ?? Number.NaN;
    switch (agg) {
      case 'first':
        return this.first[row]!;
      case 'last':
        return this.last[row]!;
      case 'increase':
        return this.firstAt[row] === Infinity ? Number.NaN : this.growth[row]!;
      case 'uniques': {
        const distinct = this.#uniques[row];
        return distinct === undefined || distinct.isEmpty() ? Number.NaN : distinct.estimate();
      }
      default:
        return this.#scalarValue(row, agg, bucketSeconds);
    }
  }

  /** Compensated sum of the row's values. */
  sumOf(row: number): number {
    const sum = this.#sum[row]!;
    const total = sum + this.#compensation[row]!;
    // The compensation of an overflowed sum is −∞ or NaN; the sum itself then says all there is to say.
    return Number.isNaN(total) ? sum : total;
  }

  /** Writes a row so that `load` gives back exactly this state, to the last bit of its sums. */
  save(row: number, writer: ByteWriter): void {
    for (const column of this.#columns()) writer.f64(column[row]!);
    if (this.parts.quantiles) {
      const sketch = this.#sketches[row];
      writer.varint(sketch?.length ?? 0);
      for (let i = 0; i < (sketch?.length ?? 0); i += 1) {
        writer.f64(sketch!.keys[i]!);
        writer.f64(sketch!.counts[i]!);
      }
    }
    if (!this.parts.uniques) return;
    const pairs: [register: number, rank: number][] = [];
    this.#uniques[row]?.forEach((register, rank) => void pairs.push([register, rank]));
    writer.varint(pairs.length);
    for (const [register, rank] of pairs) {
      writer.varint(register);
      writer.u8(rank);
    }
  }

  /** Reads what `save` wrote, from a grid of the same parts. */
  load(row: number, reader: ByteReader): void {
    this.clear(row);
    for (const column of this.#columns()) column[row] = reader.f64();
    if (this.parts.quantiles) {
      for (let left = reader.varint(); left > 0; left -= 1)
        this.#sketch(row).addKey(reader.f64(), reader.f64());
    }
    if (!this.parts.uniques) return;
    for (let left = reader.varint(); left > 0; left -= 1)
      this.#distinct(row).addRank(reader.varint(), reader.u8());
  }

  #columns(): Float64Array[] {
    return [
      ...(this.parts.scalar ? [this.count, this.#sum, this.#compensation, this.min, this.max] : []),
      ...(this.parts.ends ? [this.first, this.firstAt, this.last, this.lastAt] : []),
      ...(this.parts.growth ? [this.growth] : []),
    ];
  }

  /** The row's sketch and registers, for writing them down; undefined when the row never had one. */
  sketchOf(row: number): DdSketch | undefined {
    return this.#sketches[row];
  }

  uniquesOf(row: number): HyperLogLog | undefined {
    return this.#uniques[row];
  }

  #scalarValue(row: number, agg: AggName, bucketSeconds: number): number {
    const count = this.count[row]!;
    if (count === 0) return Number.NaN;
    if (agg === 'count') return count;
    if (agg === 'min') return this.min[row]!;
    if (agg === 'max') return this.max[row]!;
    const sum = this.sumOf(row);
    if (agg === 'avg') return sum / count;
    return agg === 'rate' ? sum / bucketSeconds : sum;
  }

  #addScalars(row: number, values: Float64Array, from: number, to: number): void {
    let sum = this.#sum[row]!;
    let compensation = this.#compensation[row]!;
    let min = this.min[row]!;
    let max = this.max[row]!;
    for (let i = from; i < to; i += 1) {
      const value = values[i]!;
      const next = sum + value;
      compensation += Math.abs(sum) >= Math.abs(value) ? sum - next + value : value - next + sum;
      sum = next;
      if (value < min) min = value;
      if (value > max) max = value;
    }
    this.#sum[row] = sum;
    this.#compensation[row] = compensation;
    this.min[row] = min;
    this.max[row] = max;
    this.count[row] = this.count[row]! + (to - from);
  }

  #addEnds(row: number, { timestamps, values }: PointColumns, from: number, to: number): void {
    let first = from;
    let last = from;
    let growth = 0;
    for (let i = from + 1; i < to; i += 1) {
      growth += counterStep(values[i - 1]!, values[i]!);
      if (timestamps[i]! > timestamps[last]!) {
        last = i;
        continue;
      }
      const { [first]: firstAt, [last]: lastAt } = timestamps;
      if (isBefore(timestamps[i]!, values[i]!, firstAt!, values[first]!)) first = i;
      if (isBefore(lastAt!, values[last]!, timestamps[i]!, values[i]!)) last = i;
    }
    this.#joinRun(row, timestamps[first]!, values[first]!, timestamps[last]!, values[last]!, growth);
  }

  #addSum(row: number, value: number): void {
    const sum = this.#sum[row]!;
    const next = sum + value;
    const lost = Math.abs(sum) >= Math.abs(value) ? sum - next + value : value - next + sum;
    this.#sum[row] = next;
    this.#compensation[row] = this.#compensation[row]! + lost;
  }

  #joinRange(row: number, min: number, max: number): void {
    if (min < this.min[row]!) this.min[row] = min;
    if (max > this.max[row]!) this.max[row] = max;
  }

  #joinRun(row: number, firstAt: number, first: number, lastAt: number, last: number, growth: number): void {
    // Growth first: it needs the row's own ends as they were.
    if (this.parts.growth) this.#joinGrowth(row, firstAt, first, lastAt, last, growth);
    if (isBefore(firstAt, first, this.firstAt[row]!, this.first[row]!)) {
      this.first[row] = first;
      this.firstAt[row] = firstAt;
    }
    if (isBefore(this.lastAt[row]!, this.last[row]!, lastAt, last)) {
      this.last[row] = last;
      this.lastAt[row] = lastAt;
    }
  }

  #joinGrowth(
    row: number,
    firstAt: number,
    first: number,
    lastAt: number,
    last: number,
    growth: number,
  ): void {
    if (this.firstAt[row] === Infinity) {
      this.growth[row] = growth;
    } else if (!isBefore(firstAt, first, this.lastAt[row]!, this.last[row]!)) {
      this.growth[row] = this.growth[row]! + counterStep(this.last[row]!, first) + growth;
    } else if (!isBefore(this.firstAt[row]!, this.first[row]!, lastAt, last)) {
      this.growth[row] = growth + counterStep(last, this.first[row]!) + this.growth[row]!;
    } else {
      this.counterOverlap = true;
    }
  }

  #sketch(row: number): DdSketch {
    return (this.#sketches[row] ??= new DdSketch());
  }

  #distinct(row: number): HyperLogLog {
    return (this.#uniques[row] ??= new HyperLogLog());
  }
}

function grown(column: Float64Array, capacity: number, from: number, empty: number): Float64Array {
  const next = new Float64Array(capacity);
  next.set(column);
  if (empty !== 0) next.fill(empty, from);
  return next;
}
