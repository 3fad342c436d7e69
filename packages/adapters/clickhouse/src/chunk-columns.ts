import type { ChunkRows } from '@nowcast/ports';
import { Int64Column } from './int64-column.ts';
import { scaleToIntegers } from '@nowcast/aggregate';

/**
 * Packs chunk rows into the columns of the `chunks` table (schema.ts).
 *
 * A chunk is one first value and the steps from point to point, in the narrowest integer column that holds them all:
 * a two-decimal walk of ± 0.50 needs one byte a point, and the codec's entropy stage takes it below that. Columns that
 * a chunk does not use are empty arrays, which cost nothing. Times are steps too, and one number when they are even.
 */
export const rawExponent = 255;

/** A growable column of array elements. */
class Pool<T extends Int8Array | Int16Array | Int32Array | Uint32Array | BigInt64Array | Float64Array> {
  #length = 0;
  #values: T;
  readonly offsets: Uint32Array;

  constructor(values: T, rows: number) {
    this.#values = values;
    this.offsets = new Uint32Array(rows + 1);
  }

  /** Room for `count` more elements, as a view that the caller fills. */
  take(count: number): T {
    const end = this.#length + count;
    if (end > this.#values.length) {
      const Type = this.#values.constructor as new (length: number) => T;
      const grown = new Type(Math.max(end, this.#values.length * 2));
      (grown as Float64Array).set(this.#values as Float64Array);
      this.#values = grown;
    }
    const view = this.#values.subarray(this.#length, end) as T;
    this.#length = end;
    return view;
  }

  endRow(row: number): void {
    this.offsets[row + 1] = this.#length;
  }

  get values(): T {
    return this.#values.subarray(0, this.#length) as T;
  }
}

type PointSource = Pick<ChunkRows, 'timestamps' | 'values' | 'receivedAt'>;

export class ChunkColumns {
  readonly rows: number;
  readonly start: Int64Column;
  readonly end: Int64Column;
  readonly n: Uint32Array;
  /** Steps a millisecond of the times: 1, 1000, or 0 when they are stored as they are. */
  readonly timeScale: Uint16Array;
  /** First time minus `start`, in steps. */
  readonly timeFraction: Uint16Array;
  /** All steps of an even chunk; 0 when they are in `timeSteps`. */
  readonly timeStep: Uint32Array;
  readonly exponent: Uint8Array;
  readonly first: Int64Column;
  /** First receipt time minus `start`, ms. */
  readonly receiptLag: Int64Column;
  readonly receiptStep: Int32Array;
  readonly timeSteps;
  readonly timeRaw;
  readonly steps8;
  readonly steps16;
  readonly steps32;
  readonly steps64;
  readonly valuesRaw;
  readonly receiptSteps;
  readonly receiptRuns;
  #integers = new Float64Array(8192);

  constructor(rows: number, points: number) {
    this.rows = rows;
    this.start = new Int64Column(rows);
    this.end = new Int64Column(rows);
    this.n = new Uint32Array(rows);
    this.timeScale = new Uint16Array(rows);
    this.timeFraction = new Uint16Array(rows);
    this.timeStep = new Uint32Array(rows);
    this.exponent = new Uint8Array(rows);
    this.first = new Int64Column(rows);
    this.receiptLag = new Int64Column(rows);
    this.receiptStep = new Int32Array(rows);
    this.timeSteps = new Pool(new Uint32Array(1024), rows);
    this.timeRaw = new Pool(new Float64Array(0), rows);
    this.steps8 = new Pool(new Int8Array(points), rows);
    this.steps16 = new Pool(new Int16Array(1024), rows);
    this.steps32 = new Pool(new Int32Array(0), rows);
    this.steps64 = new Pool(new BigInt64Array(0), rows);
    this.valuesRaw = new Pool(new Float64Array(0), rows);
    this.receiptSteps = new Pool(new Int32Array(1024), rows);
    this.receiptRuns = new Pool(new Uint32Array(1024), rows);
  }

  /** Packs the points `[from, to)` as row `row`; rows are packed in order. */
  pack(row: number, points: PointSource, from: number, to: number): void {
    if (to - from > this.#integers.length) this.#integers = new Float64Array((to - from) * 2);
    this.n[row] = to - from;
    this.start.set(row, Math.floor(points.timestamps[from]!));
    this.end.set(row, Math.floor(points.timestamps[to - 1]!));
    this.#packTimes(row, points.timestamps, from, to);
    this.#packValues(row, points.values, from, to);
    this.#packReceipts(row, points, from, to);
    for (const pool of this.#pools()) pool.endRow(row);
  }

  #pools() {
    const { timeSteps, timeRaw, steps8, steps16, steps32, steps64, valuesRaw } = this;
    const { receiptSteps, receiptRuns } = this;
    return [timeSteps, timeRaw, steps8, steps16, steps32, steps64, valuesRaw, receiptSteps, receiptRuns];
  }

  #packTimes(row: number, times: Float64Array, from: number, to: number): void {
    const scale = timeScaleOf(times, from, to);
    this.timeScale[row] = scale;
    if (scale === 0) {
      this.timeRaw.take(to - from).set(times.subarray(from, to));
      return;
    }
    this.timeFraction[row] = Math.round(times[from]! * scale) - Math.floor(times[from]!) * scale;
    const last = to - from - 1;
    const step = last > 0 ? Math.round(times[from + 1]! * scale) - Math.round(times[from]! * scale) : 0;
    let even = true;
    for (let i = from + 1; i < to && even; i++)
      even = Math.round(times[i]! * scale) - Math.round(times[i - 1]! * scale) === step;
    if (even) {
      this.timeStep[row] = step;
      return;
    }
    const out = this.timeSteps.take(last);
    let previous = Math.round(times[from]! * scale);
    for (let i = 0; i < last; i++) {
      const current = Math.round(times[from + 1 + i]! * scale);
      out[i] = current - previous;
      previous = current;
    }
  }

  #packValues(row: number, values: Float64Array, from: number, to: number): void {
    const integers = this.#integers;
    const exponent = scaleToIntegers(values, from, to, integers);
    if (exponent < 0) {
      this.exponent[row] = rawExponent;
      this.valuesRaw.take(to - from).set(values.subarray(from, to));
      return;
    }
    this.exponent[row] = exponent;
    this.first.set(row, integers[0]!);
    const steps = to - from - 1;
    let low = 0;
    let high = 0;
    for (let i = 0; i < steps; i++) {
      const step = integers[i + 1]! - integers[i]!;
      if (step < low) low = step;
      else if (step > high) high = step;
    }
    if (low >= -128 && high <= 127) fillSteps(this.steps8.take(steps), integers);
    else if (low >= -32_768 && high <= 32_767) fillSteps(this.steps16.take(steps), integers);
    else if (low >= -(2 ** 31) && high < 2 ** 31) fillSteps(this.steps32.take(steps), integers);
    else {
      const out = this.steps64.take(steps);
      for (let i = 0; i < steps; i++) out[i] = BigInt(integers[i + 1]! - integers[i]!);
    }
  }

  /**
   * Whole milliseconds. A step beyond 24 days (the log stood still for that long within one flush) is spread over the
   * following ones, so that only the receipt times in between are off.
   */
  #packReceipts(row: number, points: PointSource, from: number, to: number): void {
    const times = points.receivedAt;
    const first = Math.round(times[from]!);
    this.receiptLag.set(row, first - Math.floor(points.timestamps[from]!));
    const step = to - from > 1 ? Math.round(times[from + 1]!) - first : 0;
    if (step === (step | 0) && areEven(times, from, to, step)) {
      this.receiptStep[row] = step;
      return;
    }
    const runs = runsOf(times, from, to);
    if (runs * leastRun <= to - from) this.#packRuns(times, from, to, runs);
    else packSteps(this.receiptSteps.take(to - from - 1), times, from);
  }

  /** One length and one step for all points that came together. */
  #packRuns(times: Float64Array, from: number, to: number, count: number): void {
    const lengths = this.receiptRuns.take(count);
    const firsts = new Float64Array(count);
    let start = from;
    for (let run = 0; run < count; run++) {
      firsts[run] = Math.round(times[start]!);
      let end = start + 1;
      while (end < to && times[end] === times[start]) end++;
      lengths[run] = end - start;
      start = end;
    }
    packSteps(this.receiptSteps.take(count - 1), firsts, 0);
  }
}

/** Receipt times are runs when a run has this many points on average: two numbers each instead of one a point. */
const leastRun = 4;

/** Whether each time is `step` after the one before, in whole milliseconds. */
function areEven(times: Float64Array, from: number, to: number, step: number): boolean {
  for (let i = from + 1; i < to; i++) {
    const [before, after] = [times[i - 1]!, times[i]!];
    if (step === 0 && before === after) continue;
    if (Math.round(after) - Math.round(before) !== step) return false;
  }
  return true;
}

/** How many runs of equal times there are. */
function runsOf(times: Float64Array, from: number, to: number): number {
  let runs = 1;
  for (let i = from + 1; i < to; i++) if (times[i] !== times[i - 1]) runs++;
  return runs;
}

/** Steps from time to time, from the one at `from` on, in whole milliseconds. */
function packSteps(out: Int32Array, times: Float64Array, from: number): void {
  let previous = Math.round(times[from]!);
  for (let i = 0; i < out.length; i++) {
    const wanted = Math.round(times[from + 1 + i]!) - previous;
    out[i] = Math.max(-(2 ** 31), Math.min(2 ** 31 - 1, wanted));
    previous += out[i]!;
  }
}

function fillSteps(out: Int8Array | Int16Array | Int32Array, integers: Float64Array): void {
  for (let i = 0; i < out.length; i++) out[i] = integers[i + 1]! - integers[i]!;
}

/** Whole milliseconds (1), whole microseconds (1000), or neither, or steps too long for 32 bits (0). */
function timeScaleOf(times: Float64Array, from: number, to: number): number {
  const isWhole = areWhole(times, from, to);
  if (!isWhole && !areMicroseconds(times, from, to)) return 0;
  const scale = isWhole ? 1 : 1000;
  // They ascend: no step is longer than all of them together.
  if ((times[to - 1]! - times[from]!) * scale < longestStep) return scale;
  for (let i = from + 1; i < to; i++) if ((times[i]! - times[i - 1]!) * scale >= longestStep) return 0;
  return scale;
}

const longestStep = 4_294_967_295;

function areWhole(times: Float64Array, from: number, to: number): boolean {
  for (let i = from; i < to; i++) {
    const time = times[i]!;
    if (time !== Math.floor(time) || Object.is(time, -0)) return false;
  }
  return true;
}

function areMicroseconds(times: Float64Array, from: number, to: number): boolean {
  for (let i = from; i < to; i++) {
    const time = times[i]!;
    if (Math.round(time * 1000) / 1000 !== time || Object.is(time, -0)) return false;
  }
  return true;
}
