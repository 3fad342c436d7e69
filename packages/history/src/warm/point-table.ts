import { isBefore, powersOfTen, scaleToIntegers } from '@nowcast/aggregate';

/**
 * Points of one metric's series for one period, as they are stored: steps in the narrowest integers that hold them, so
 * that 20 M points of two decimals take 25 MB instead of 320.
 */
export interface PointTable {
  /** Chunks of slot s are `starts[s]` … `starts[s + 1]`, ascending in time; slots beyond have none. */
  starts: Uint32Array;
  /** Points of all chunks, and the most that one chunk has. */
  points: number;
  n: Uint16Array;
  /** First and last time of each chunk. */
  start: Float64Array;
  until: Float64Array;
  /** Step of even times, ms; NaN: see `timesAt`. */
  step: Float64Array;
  /** Where a chunk's uneven times begin in `times`. */
  timesAt: Uint32Array;
  times: Float64Array;
  /** Decimals of the values; `rawValues`: in `raw` as they are. */
  exponent: Uint8Array;
  first: Float64Array;
  /** Bytes of a step (1, 2, 4), and where the steps (or raw values) begin in their pool. */
  width: Uint8Array;
  valuesAt: Uint32Array;
  steps8: Int8Array;
  steps16: Int16Array;
  steps32: Int32Array;
  raw: Float64Array;
  bytes: number;
}

export const chunkPoints = 512;
const rawValues = 255;

/** Points by slot (`starts[s]` … `starts[s + 1]`), ascending in (time, value) inside each. */
export interface SlotPoints {
  starts: Uint32Array;
  timestamps: Float64Array;
  values: Float64Array;
}

/** Points of a slice: between two of them other work of the thread can run. */
export const slicePoints = 4096;

/** The table of points that may be in any order inside a slot; puts them in order. */
export function* sortAndPack(points: SlotPoints): Generator<void, PointTable> {
  const { starts, timestamps, values } = points;
  for (let slot = 0, done = 0; slot + 1 < starts.length; slot++) {
    const end = starts[slot + 1]!;
    sortPoints(timestamps, values, starts[slot]!, end);
    if (end < done + slicePoints) continue;
    done = end;
    yield;
  }
  return yield* packPoints(points);
}

function* packPoints(points: SlotPoints): Generator<void, PointTable> {
  const { starts, timestamps, values } = points;
  const slots = starts.length - 1;
  const chunkStarts = new Uint32Array(slots + 1);
  for (let s = 0; s < slots; s++)
    chunkStarts[s + 1] = chunkStarts[s]! + Math.ceil((starts[s + 1]! - starts[s]!) / chunkPoints);
  const packer = new Packer(chunkStarts[slots]!);
  let sliceEnd = slicePoints;
  for (let s = 0, chunk = 0; s < slots; s++) {
    for (let from = starts[s]!; from < starts[s + 1]!; from += chunkPoints) {
      packer.pack(chunk++, timestamps, values, from, Math.min(from + chunkPoints, starts[s + 1]!));
      if (from >= sliceEnd) {
        sliceEnd = from + slicePoints;
        yield;
      }
    }
  }
  return packer.finish(chunkStarts, timestamps.length);
}

class Packer {
  readonly #chunks: number;
  readonly #n: Uint16Array;
  readonly #start: Float64Array;
  readonly #until: Float64Array;
  readonly #step: Float64Array;
  readonly #timesAt: Uint32Array;
  readonly #exponent: Uint8Array;
  readonly #first: Float64Array;
  readonly #width: Uint8Array;
  readonly #valuesAt: Uint32Array;
  readonly #times = new Pool((size) => new Float64Array(size));
  readonly #steps8 = new Pool((size) => new Int8Array(size));
  readonly #steps16 = new Pool((size) => new Int16Array(size));
  readonly #steps32 = new Pool((size) => new Int32Array(size));
  readonly #raw = new Pool((size) => new Float64Array(size));
  readonly #integers = new Float64Array(chunkPoints);

  constructor(chunks: number) {
    this.#chunks = chunks;
    this.#n = new Uint16Array(chunks);
    this.#start = new Float64Array(chunks);
    this.#until = new Float64Array(chunks);
    this.#step = new Float64Array(chunks);
    this.#timesAt = new Uint32Array(chunks);
    this.#exponent = new Uint8Array(chunks);
    this.#first = new Float64Array(chunks);
    this.#width = new Uint8Array(chunks);
    this.#valuesAt = new Uint32Array(chunks);
  }

  pack(chunk: number, times: Float64Array, values: Float64Array, from: number, to: number): void {
    this.#n[chunk] = to - from;
    this.#start[chunk] = times[from]!;
    this.#until[chunk] = times[to - 1]!;
    this.#step[chunk] = evenStep(times, from, to);
    if (Number.isNaN(this.#step[chunk])) {
      this.#timesAt[chunk] = this.#times.length;
      this.#times.take(to - from).set(times.subarray(from, to));
    }
    this.#packValues(chunk, values, from, to);
  }

  #packValues(chunk: number, values: Float64Array, from: number, to: number): void {
    const integers = this.#integers;
    const exponent = scaleToIntegers(values, from, to, integers);
    const count = to - from - 1;
    const most = exponent < 0 ? Number.POSITIVE_INFINITY : largestStep(integers, count);
    if (most > 0x7fffffff) {
      this.#exponent[chunk] = rawValues;
      this.#valuesAt[chunk] = this.#raw.length;
      this.#raw.take(to - from).set(values.subarray(from, to));
      return;
    }
    this.#exponent[chunk] = exponent;
    this.#first[chunk] = integers[0]!;
    const [width, pool] =
      most <= 127
        ? ([1, this.#steps8] as const)
        : most <= 32_767
          ? ([2, this.#steps16] as const)
          : ([4, this.#steps32] as const);
    this.#width[chunk] = width;
    this.#valuesAt[chunk] = pool.length;
    const out = pool.take(count);
    for (let i = 0; i < count; i++) out[i] = integers[i + 1]! - integers[i]!;
  }

  finish(starts: Uint32Array, points: number): PointTable {
    const pools = {
      times: this.#times.values(),
      steps8: this.#steps8.values(),
      steps16: this.#steps16.values(),
      steps32: this.#steps32.values(),
      raw: this.#raw.values(),
    };
    const pooled = Object.values(pools).reduce((sum, pool) => sum + pool.byteLength, 0);
    return {
      starts,
      points,
      n: this.#n,
      start: this.#start,
      until: this.#until,
      step: this.#step,
      timesAt: this.#timesAt,
      exponent: this.#exponent,
      first: this.#first,
      width: this.#width,
      valuesAt: this.#valuesAt,
      ...pools,
      bytes: starts.byteLength + this.#chunks * 44 + pooled,
    };
  }
}

function largestStep(integers: Float64Array, count: number): number {
  let most = 0;
  for (let i = 0; i < count; i++) most = Math.max(most, Math.abs(integers[i + 1]! - integers[i]!));
  return most;
}

/** A growable column. */
class Pool<T extends Float64Array | Int8Array | Int16Array | Int32Array> {
  readonly #make: (size: number) => T;
  #values: T;
  length = 0;

  constructor(make: (size: number) => T) {
    this.#make = make;
    this.#values = make(0);
  }

  take(count: number): T {
    const end = this.length + count;
    if (end > this.#values.length) {
      const grown = this.#make(Math.max(end, this.#values.length * 2, 1024));
      (grown as Float64Array).set(this.#values);
      this.#values = grown;
    }
    const view = this.#values.subarray(this.length, end) as T;
    this.length = end;
    return view;
  }

  /** No larger than it need be: it is held for long. */
  values(): T {
    return this.#values.slice(0, this.length) as T;
  }
}

/** The one step of whole milliseconds between all neighbours; NaN when there is none. */
function evenStep(times: Float64Array, from: number, to: number): number {
  if (!Number.isSafeInteger(times[from])) return Number.NaN;
  const step = to - from > 1 ? times[from + 1]! - times[from]! : 0;
  if (!Number.isSafeInteger(step)) return Number.NaN;
  for (let i = from + 1; i < to; i++) if (times[i]! - times[i - 1]! !== step) return Number.NaN;
  return step;
}

/** Decodes the points `[low, high)` of a chunk into the first entries of both columns; all by default. */
export function unpack(
  table: PointTable,
  chunk: number,
  times: Float64Array,
  values: Float64Array,
  low = 0,
  high = table.n[chunk]!,
): number {
  const n = Math.max(0, high - low);
  const step = table.step[chunk]!;
  if (Number.isNaN(step)) {
    const at = table.timesAt[chunk]! + low;
    for (let i = 0; i < n; i++) times[i] = table.times[at + i]!;
  } else {
    let time = table.start[chunk]! + low * step;
    for (let i = 0; i < n; i++, time += step) times[i] = time;
  }
  const at = table.valuesAt[chunk]!;
  const exponent = table.exponent[chunk]!;
  if (exponent === rawValues) {
    for (let i = 0; i < n; i++) values[i] = table.raw[at + low + i]!;
    return n;
  }
  const scale = powersOfTen[exponent]!;
  const width = table.width[chunk]!;
  const steps = width === 1 ? table.steps8 : width === 2 ? table.steps16 : table.steps32;
  addUp(steps, at, table.first[chunk]!, scale, values, low, n);
  return n;
}

function addUp(
  steps: Int8Array | Int16Array | Int32Array,
  at: number,
  first: number,
  scale: number,
  out: Float64Array,
  low: number,
  n: number,
): void {
  if (n === 0) return;
  let integer = first;
  for (let i = 0; i < low; i++) integer += steps[at + i]!;
  out[0] = integer / scale;
  for (let i = 1; i < n; i++) {
    integer += steps[at + low + i - 1]!;
    out[i] = integer / scale;
  }
}

/** How many of a chunk's points lie before `time`. */
export function pointsBefore(table: PointTable, chunk: number, time: number): number {
  if (time <= table.start[chunk]!) return 0;
  const n = table.n[chunk]!;
  if (time > table.until[chunk]!) return n;
  const step = table.step[chunk]!;
  if (!Number.isNaN(step)) return Math.min(n, Math.ceil((time - table.start[chunk]!) / step));
  const at = table.timesAt[chunk]!;
  let low = 0;
  let high = n;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (table.times[at + middle]! < time) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** All points of some tables as one, slot by slot in (time, value) order. */
export function* mergePoints(tables: readonly PointTable[]): Generator<void, PointTable> {
  const slots = Math.max(...tables.map((table) => table.starts.length - 1));
  const total = tables.reduce((sum, table) => sum + table.points, 0);
  const starts = new Uint32Array(slots + 1);
  const timestamps = new Float64Array(total);
  const values = new Float64Array(total);
  let end = 0;
  let sliceEnd = slicePoints;
  for (let slot = 0; slot < slots; slot++) {
    const start = end;
    for (const table of tables) {
      const last = table.starts[slot + 1] ?? 0;
      for (let chunk = table.starts[slot] ?? last; chunk < last; chunk++)
        end += unpack(table, chunk, timestamps.subarray(end), values.subarray(end));
    }
    sortPoints(timestamps, values, start, end);
    starts[slot + 1] = end;
    if (end >= sliceEnd) {
      sliceEnd = end + slicePoints;
      yield;
    }
  }
  return yield* packPoints({ starts, timestamps, values });
}

/** Puts points `[start, end)` in (time, value) order; mostly they are, but for a few late ones, which are merged in. */
function sortPoints(times: Float64Array, values: Float64Array, start: number, end: number): void {
  const late: [time: number, value: number][] = [];
  let kept = start;
  for (let i = start; i < end; i++) {
    const [time, value] = [times[i]!, values[i]!];
    if (kept > start && isBefore(time, value, times[kept - 1]!, values[kept - 1]!)) {
      late.push([time, value]);
      continue;
    }
    times[kept] = time;
    values[kept++] = value;
  }
  late.sort((a, b) => a[0] - b[0] || a[1] - b[1]);
  for (let at = end - 1, last = kept - 1; late.length > 0; at--) {
    const [time, value] = late.at(-1)!;
    const isLate = last < start || !isBefore(time, value, times[last]!, values[last]!);
    times[at] = isLate ? time : times[last]!;
    values[at] = isLate ? value : values[last]!;
    if (isLate) late.pop();
    else last--;
  }
}
