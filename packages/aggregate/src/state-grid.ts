import type { AggName, ByteReader, ByteWriter } from '@nowcast/contract';
import { unreachable } from '@nowcast/kernel';
import { DdSketch } from './dd-sketch.ts';
import { HyperLogLog } from './hyperloglog.ts';
import { type PartSet, quantileFraction } from './parts.ts';

/**
 * Mergeable aggregate states: row numbers are the caller's, an object per state would cost ten times the memory. The
 * numbers of a row lie side by side, so that a state is one miss of the cache, or two, where columns would be one each.
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
  /** Both empty where nobody asks for them. */
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

/** The numbers of a state that callers may read. */
export type StateNumber = 'count' | 'min' | 'max' | 'first' | 'firstAt' | 'last' | 'lastAt' | 'growth';

/** Places in a row. Those of the ends count from where the ends begin, behind the scalars if there are any. */
const scalars = { count: 0, sum: 1, lost: 2, min: 3, max: 4 } as const;
const scalarCount = 5;
const ends = { first: 0, firstAt: 1, last: 2, lastAt: 3, growth: 4 } as const;
const endCount = 4;

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
  #numbers = new Float64Array(0);
  /** Numbers a row, and where its ends begin. */
  readonly #width: number;
  readonly #ends: number;
  #sketches: (DdSketch | undefined)[] = [];
  #uniques: (HyperLogLog | undefined)[] = [];
  /**
   * Set by the last merge or add that met a counter piece inside the range its row already covered; such a row's
   * growth must be computed anew from sorted points. Cleared by the reader.
   */
  counterOverlap = false;

  constructor(parts: PartSet, capacity = 16) {
    this.parts = parts;
    this.#ends = parts.scalar ? scalarCount : 0;
    this.#width = this.#ends + (parts.ends ? endCount : 0) + (parts.growth ? 1 : 0);
    this.reserve(capacity);
  }

  /** Makes rows 0 … rows − 1 usable; new ones are empty. */
  reserve(rows: number): void {
    if (rows <= this.capacity) return;
    const from = this.capacity;
    const capacity = Math.max(rows, from * 2);
    const numbers = new Float64Array(capacity * this.#width);
    numbers.set(this.#numbers);
    this.#numbers = numbers;
    this.capacity = capacity;
    for (let row = from; row < capacity; row += 1) this.#empty(row);
  }

  clear(row: number): void {
    this.#empty(row);
    this.#sketches[row]?.clear();
    this.#uniques[row]?.clear();
  }

  #empty(row: number): void {
    const numbers = this.#numbers;
    const at = row * this.#width;
    if (this.parts.scalar) {
      numbers[at + scalars.count] = 0;
      numbers[at + scalars.sum] = 0;
      numbers[at + scalars.lost] = 0;
      numbers[at + scalars.min] = Infinity;
      numbers[at + scalars.max] = -Infinity;
    }
    const e = at + this.#ends;
    if (this.parts.ends) {
      numbers[e + ends.first] = Number.NaN;
      numbers[e + ends.firstAt] = Infinity;
      numbers[e + ends.last] = Number.NaN;
      numbers[e + ends.lastAt] = -Infinity;
    }
    if (this.parts.growth) numbers[e + ends.growth] = 0;
  }

  /** One number of a row; its part must be kept. */
  read(row: number, name: StateNumber): number {
    return this.#numbers[row * this.#width + this.#placeOf(name)]!;
  }

  /** One number of the first `length` rows; empty when its part is not kept. */
  column(name: StateNumber, length: number): Float64Array {
    const { scalar, ends: hasEnds, growth } = this.parts;
    const isKept = name in scalars ? scalar : name === 'growth' ? growth : hasEnds;
    const place = this.#placeOf(name);
    const column = new Float64Array(isKept ? length : 0);
    for (let row = 0; row < column.length; row += 1) column[row] = this.#numbers[row * this.#width + place]!;
    return column;
  }

  /** Says that a row's growth is not known: NaN. */
  breakGrowth(row: number): void {
    this.#numbers[row * this.#width + this.#ends + ends.growth] = Number.NaN;
  }

  #placeOf(name: StateNumber): number {
    switch (name) {
      case 'count':
      case 'min':
      case 'max':
        return scalars[name];
      case 'first':
      case 'firstAt':
      case 'last':
      case 'lastAt':
      case 'growth':
        return this.#ends + ends[name];
      default:
        return unreachable(name);
    }
  }

  /** `value` must be finite. */
  addPoint(row: number, timestamp: number, value: number, actor?: string): void {
    if (this.parts.scalar) {
      const numbers = this.#numbers;
      const at = row * this.#width;
      numbers[at + scalars.count]! += 1;
      this.#addSum(at, value);
      this.#joinRange(at, value, value);
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
    if (this.parts.quantiles) this.#sketch(row).addRun(values, from, to);
    if (!this.parts.uniques || run.actors === undefined) return;
    for (let i = from; i < to; i += 1) {
      const actor = run.actors[i];
      if (actor !== undefined) this.#distinct(row).addActor(actor);
    }
  }

  /** Merges entry `i` of state columns; columns of parts that are not kept are not looked at. */
  mergeColumns(row: number, source: StateSource, i: number): void {
    if (this.parts.scalar) {
      const at = row * this.#width;
      this.#numbers[at + scalars.count]! += source.count[i]!;
      this.#addSum(at, source.sum[i]!);
      if (source.min.length > 0) this.#joinRange(at, source.min[i]!, source.max[i]!);
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
    const theirs = other.#numbers;
    if (this.parts.scalar) {
      const numbers = this.#numbers;
      const at = row * this.#width;
      const from = otherRow * other.#width;
      numbers[at + scalars.count]! += theirs[from + scalars.count]!;
      this.#addSum(at, theirs[from + scalars.sum]!);
      numbers[at + scalars.lost]! += theirs[from + scalars.lost]!;
      this.#joinRange(at, theirs[from + scalars.min]!, theirs[from + scalars.max]!);
    }
    if (this.parts.ends) {
      const from = otherRow * other.#width + other.#ends;
      const firstAt = theirs[from + ends.firstAt]!;
      if (firstAt !== Infinity) {
        const first = theirs[from + ends.first]!;
        const last = theirs[from + ends.last]!;
        const growth = this.parts.growth ? theirs[from + ends.growth]! : 0;
        this.#joinRun(row, firstAt, first, theirs[from + ends.lastAt]!, last, growth);
      }
    }
    const sketch = this.parts.quantiles ? other.#sketches[otherRow] : undefined;
    if (sketch !== undefined && sketch.total > 0) this.#sketch(row).merge(sketch);
    const distinct = this.parts.uniques ? other.#uniques[otherRow] : undefined;
    if (distinct !== undefined && !distinct.isEmpty()) this.#distinct(row).merge(distinct);
  }

  /** The aggregate of a row; NaN when it has none. `bucketSeconds` is what `rate` divides by. */
  value(row: number, agg: AggName, bucketSeconds: number): number {
    switch (agg) {
      case 'avg':
      case 'sum':
      case 'count':
      case 'min':
      case 'max':
      case 'rate':
        return this.#scalarValue(row, agg, bucketSeconds);
      case 'first':
      case 'last':
        return this.read(row, agg);
      case 'increase':
        return this.read(row, 'firstAt') === Infinity ? Number.NaN : this.read(row, 'growth');
      case 'uniques': {
        const distinct = this.#uniques[row];
        return distinct === undefined || distinct.isEmpty() ? Number.NaN : distinct.estimate();
      }
      default:
        return this.#sketches[row]?.quantile(quantileFraction(agg)!) ?? Number.NaN;
    }
  }

  /** Compensated sum of the row's values. */
  sumOf(row: number): number {
    const at = row * this.#width;
    const sum = this.#numbers[at + scalars.sum]!;
    const total = sum + this.#numbers[at + scalars.lost]!;
    // The compensation of an overflowed sum is −∞ or NaN; the sum itself then says all there is to say.
    return Number.isNaN(total) ? sum : total;
  }

  /** Writes a row so that `load` gives back exactly this state, to the last bit of its sums. */
  save(row: number, writer: ByteWriter): void {
    const at = row * this.#width;
    for (let i = at; i < at + this.#width; i += 1) writer.f64(this.#numbers[i]!);
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
    const at = row * this.#width;
    for (let i = at; i < at + this.#width; i += 1) this.#numbers[i] = reader.f64();
    if (this.parts.quantiles) {
      for (let left = reader.varint(); left > 0; left -= 1)
        this.#sketch(row).addKey(reader.f64(), reader.f64());
    }
    if (!this.parts.uniques) return;
    for (let left = reader.varint(); left > 0; left -= 1)
      this.#distinct(row).addRank(reader.varint(), reader.u8());
  }

  /** The row's sketch and registers, for writing them down; undefined when the row never had one. */
  sketchOf(row: number): DdSketch | undefined {
    return this.#sketches[row];
  }

  uniquesOf(row: number): HyperLogLog | undefined {
    return this.#uniques[row];
  }

  #scalarValue(row: number, agg: AggName, bucketSeconds: number): number {
    const count = this.read(row, 'count');
    if (count === 0) return Number.NaN;
    if (agg === 'count') return count;
    if (agg === 'min' || agg === 'max') return this.read(row, agg);
    const sum = this.sumOf(row);
    if (agg === 'avg') return sum / count;
    return agg === 'rate' ? sum / bucketSeconds : sum;
  }

  #addScalars(row: number, values: Float64Array, from: number, to: number): void {
    const numbers = this.#numbers;
    const at = row * this.#width;
    let sum = numbers[at + scalars.sum]!;
    let lost = numbers[at + scalars.lost]!;
    let min = numbers[at + scalars.min]!;
    let max = numbers[at + scalars.max]!;
    for (let i = from; i < to; i += 1) {
      const value = values[i]!;
      const next = sum + value;
      lost += Math.abs(sum) >= Math.abs(value) ? sum - next + value : value - next + sum;
      sum = next;
      if (value < min) min = value;
      if (value > max) max = value;
    }
    numbers[at + scalars.sum] = sum;
    numbers[at + scalars.lost] = lost;
    numbers[at + scalars.min] = min;
    numbers[at + scalars.max] = max;
    numbers[at + scalars.count]! += to - from;
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

  /** Here and below, `at` is where the row begins. */
  #addSum(at: number, value: number): void {
    const numbers = this.#numbers;
    const sum = numbers[at + scalars.sum]!;
    const next = sum + value;
    const lost = Math.abs(sum) >= Math.abs(value) ? sum - next + value : value - next + sum;
    numbers[at + scalars.sum] = next;
    numbers[at + scalars.lost]! += lost;
  }

  #joinRange(at: number, min: number, max: number): void {
    const numbers = this.#numbers;
    if (min < numbers[at + scalars.min]!) numbers[at + scalars.min] = min;
    if (max > numbers[at + scalars.max]!) numbers[at + scalars.max] = max;
  }

  #joinRun(row: number, firstAt: number, first: number, lastAt: number, last: number, growth: number): void {
    const numbers = this.#numbers;
    const e = row * this.#width + this.#ends;
    // Growth first: it needs the row's own ends as they were.
    if (this.parts.growth) this.#joinGrowth(e, firstAt, first, lastAt, last, growth);
    if (isBefore(firstAt, first, numbers[e + ends.firstAt]!, numbers[e + ends.first]!)) {
      numbers[e + ends.first] = first;
      numbers[e + ends.firstAt] = firstAt;
    }
    if (isBefore(numbers[e + ends.lastAt]!, numbers[e + ends.last]!, lastAt, last)) {
      numbers[e + ends.last] = last;
      numbers[e + ends.lastAt] = lastAt;
    }
  }

  /** `e` is where the row's ends begin. */
  #joinGrowth(e: number, firstAt: number, first: number, lastAt: number, last: number, growth: number): void {
    const numbers = this.#numbers;
    const ownFirst = numbers[e + ends.first]!;
    const ownLast = numbers[e + ends.last]!;
    const ownGrowth = numbers[e + ends.growth]!;
    if (numbers[e + ends.firstAt] === Infinity) {
      numbers[e + ends.growth] = growth;
    } else if (!isBefore(firstAt, first, numbers[e + ends.lastAt]!, ownLast)) {
      numbers[e + ends.growth] = ownGrowth + counterStep(ownLast, first) + growth;
    } else if (!isBefore(numbers[e + ends.firstAt]!, ownFirst, lastAt, last)) {
      numbers[e + ends.growth] = growth + counterStep(last, ownFirst) + ownGrowth;
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
