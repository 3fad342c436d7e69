import type { PointColumns } from '@nowcast/ports';
import { rawExponent } from './chunk-columns.ts';
import { powersOfTen } from '@nowcast/aggregate';
import type { ArrayColumn, NativeAnswer } from './native-reader.ts';

/** What `flushes` needs beside the values; upkeep alone asks which flush a point came with. */
export const chunkFlushColumns = 'run_lengths, run_flushes, flush_to';

type Steps = ArrayColumn<Int8Array | Int16Array | Int32Array | BigInt64Array>;

/** A compacted chunk holds points of several flushes, in runs; others have none and are of one. */
interface FlushColumns {
  flushTo: Float64Array;
  lengths: ArrayColumn<Uint32Array>;
  flushes: ArrayColumn<BigUint64Array>;
}

interface ReceiptColumns {
  lag: Float64Array;
  step: Int32Array;
  steps: ArrayColumn<Int32Array>;
  runs: ArrayColumn<Uint32Array>;
}

/** Undoes chunk-columns.ts, a row at a time. */
export class ChunkReader {
  readonly rows: number;
  readonly series: BigUint64Array;
  readonly n: Uint32Array;
  readonly #start: Float64Array;
  readonly #timeScale: Uint16Array;
  readonly #timeFraction: Uint16Array;
  readonly #timeStep: Uint32Array;
  readonly #timeSteps: ArrayColumn<Uint32Array>;
  readonly #timeRaw: ArrayColumn<Float64Array>;
  readonly #exponent: Uint8Array;
  readonly #first: Float64Array;
  readonly #steps: readonly Steps[];
  readonly #valuesRaw: ArrayColumn<Float64Array>;
  readonly #answer: NativeAnswer;
  #runs: FlushColumns | undefined;
  #scratch = new Float64Array(1024);
  readonly #receipts: ReceiptColumns | undefined;
  readonly texts: Readonly<Record<TextName, ArrayColumn<string[]>>> | undefined;

  constructor(answer: NativeAnswer, records: boolean) {
    this.#answer = answer;
    this.rows = answer.rows;
    this.series = answer.fixed('series', 'UInt64');
    this.n = answer.fixed('n', 'UInt32');
    this.#start = answer.numbers('start');
    this.#timeScale = answer.fixed('time_scale', 'UInt16');
    this.#timeFraction = answer.fixed('time_fraction', 'UInt16');
    this.#timeStep = answer.fixed('time_step', 'UInt32');
    this.#timeSteps = answer.array('time_steps', 'UInt32');
    this.#timeRaw = answer.array('time_raw', 'Float64');
    this.#exponent = answer.fixed('exponent', 'UInt8');
    this.#first = answer.numbers('first');
    this.#steps = [
      answer.array('steps8', 'Int8'),
      answer.array('steps16', 'Int16'),
      answer.array('steps32', 'Int32'),
      answer.array('steps64', 'Int64'),
    ];
    this.#valuesRaw = answer.array('values_raw', 'Float64');
    if (!records) return;
    this.#receipts = {
      lag: answer.numbers('receipt_lag'),
      step: answer.fixed('receipt_step', 'Int32'),
      steps: answer.array('receipt_steps', 'Int32'),
      runs: answer.array('receipt_runs', 'UInt32'),
    };
    this.texts = {
      dataIds: answer.stringArray('data_ids'),
      actors: answer.stringArray('actors'),
      messages: answer.stringArray('messages'),
    };
  }

  /** First and last time of each row, ms, rounded down; for the latter the answer must have `until`. */
  borders(): { start: Float64Array; until: Float64Array } {
    return { start: this.#start, until: this.#answer.numbers('until') };
  }

  /** All times of a row; valid until the next call. */
  timesOf(row: number): Float64Array {
    const n = this.n[row]!;
    if (n > this.#scratch.length) this.#scratch = new Float64Array(2 * n);
    const times = this.#scratch.subarray(0, n);
    this.times(row, times);
    return times;
  }

  times(row: number, out: Float64Array): void {
    const scale = this.#timeScale[row]!;
    if (scale === 0) {
      out.set(slice(this.#timeRaw, row));
      return;
    }
    let step = this.#start[row]! * scale + this.#timeFraction[row]!;
    const even = this.#timeStep[row]!;
    const { offsets, values } = this.#timeSteps;
    const base = offsets[row]!;
    const isEven = offsets[row + 1] === base;
    for (let i = 0; i < out.length; i++) {
      out[i] = scale === 1 ? step : step / scale;
      step += isEven ? even : (values[base + i] ?? 0);
    }
  }

  /** Values of a row from its point `low` on, as many as there is room for. */
  values(row: number, out: Float64Array, low = 0): void {
    const exponent = this.#exponent[row]!;
    if (exponent === rawExponent) {
      out.set(slice(this.#valuesRaw, row).subarray(low, low + out.length));
      return;
    }
    const scale = powersOfTen[exponent]!;
    const first = this.#first[row]!;
    // A row of one point has no steps.
    const steps = this.#steps.find(({ offsets }) => offsets[row + 1]! > offsets[row]!);
    if (steps === undefined) out.fill(first / scale);
    else addUp(steps.values, steps.offsets[row]!, low, first, scale, out);
  }

  /** Receipt times of a row from its point `low` on, as many as there is room for. */
  receipts(row: number, out: Float64Array, low = 0): void {
    const { lag, step, steps, runs } = this.#receipts!;
    let at = this.#start[row]! + lag[row]!;
    const base = steps.offsets[row]!;
    const lengths = slice(runs, row);
    if (lengths.length > 0) {
      let end = -low;
      for (let run = 0; run < lengths.length; run++) {
        const start = end;
        end += lengths[run]!;
        if (end > 0) out.fill(at, Math.max(0, start), end);
        at += steps.values[base + run] ?? 0;
      }
      return;
    }
    const isEven = steps.offsets[row + 1] === base;
    for (let i = 0; i < low + out.length; i++) {
      if (i >= low) out[i - low] = at;
      at += isEven ? step[row]! : (steps.values[base + i] ?? 0);
    }
  }

  /** `flush_to` of each point; the answer must have `chunkFlushColumns`. */
  flushes(row: number, out: Float64Array): void {
    const runs = (this.#runs ??= {
      flushTo: this.#answer.numbers('flush_to'),
      lengths: this.#answer.array('run_lengths', 'UInt32'),
      flushes: this.#answer.array('run_flushes', 'UInt64'),
    });
    const lengths = slice(runs.lengths, row);
    if (lengths.length === 0) {
      out.fill(runs.flushTo[row]!);
      return;
    }
    const base = runs.flushes.offsets[row]!;
    let at = 0;
    for (let run = 0; run < lengths.length; run++) {
      out.fill(Number(runs.flushes.values[base + run]!), at, at + lengths[run]!);
      at += lengths[run]!;
    }
  }
}

/** What the steps from `base` on make of `first`: the quotients from the point `low` on. */
function addUp(
  steps: Steps['values'],
  base: number,
  low: number,
  first: number,
  scale: number,
  out: Float64Array,
): void {
  let integer = first;
  // Nothing is divided or kept of the points before: of a day's chunk, an hour is asked for.
  for (let i = base; i < base + low; i++) integer += Number(steps[i]);
  for (let i = 0; i < out.length; i++) {
    out[i] = integer / scale;
    integer += Number(steps[base + low + i] ?? 0);
  }
}

/** Index of the first of the ascending times at or after `time`. */
function firstSince(times: Float64Array, time: number): number {
  let low = 0;
  let high = times.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (times[middle]! < time) low = middle + 1;
    else high = middle;
  }
  return low;
}

function slice<T extends Float64Array | Uint32Array>(column: ArrayColumn<T>, row: number): T {
  return column.values.subarray(column.offsets[row], column.offsets[row + 1]) as T;
}

export type TextName = 'dataIds' | 'actors' | 'messages';
export const textNames: readonly TextName[] = ['dataIds', 'actors', 'messages'];

/** Collects decoded points, cut to a range, as flat columns. */
export class PointSink {
  #length = 0;
  #capacity = 4096;
  #series = new Uint32Array(this.#capacity);
  #timestamps = new Float64Array(this.#capacity);
  #values = new Float64Array(this.#capacity);
  #receivedAt: Float64Array;
  readonly #records: boolean;
  readonly #texts: Record<TextName, (string | undefined)[] | undefined>;

  constructor(records: boolean) {
    this.#records = records;
    this.#receivedAt = new Float64Array(records ? this.#capacity : 0);
    this.#texts = { dataIds: undefined, actors: undefined, messages: undefined };
  }

  get length(): number {
    return this.#length;
  }

  /** Adds the points of a row with `from <= time < to`; within a row times ascend. */
  add(reader: ChunkReader, row: number, series: number, from: number, to: number): void {
    const times = reader.timesOf(row);
    const low = firstSince(times, from);
    const high = firstSince(times, to);
    if (low >= high) return;
    const start = this.#length;
    const end = start + high - low;
    this.#reserve(high - low);
    this.#timestamps.set(times.subarray(low, high), start);
    reader.values(row, this.#values.subarray(start, end), low);
    if (this.#records) reader.receipts(row, this.#receivedAt.subarray(start, end), low);
    this.#series.fill(series, start, end);
    this.#length = end;
    if (this.#records) this.#addTexts(reader, row, start, low, high);
  }

  #addTexts(reader: ChunkReader, row: number, start: number, low: number, high: number): void {
    for (const name of textNames) {
      const { offsets, values } = reader.texts![name];
      const base = offsets[row]!;
      if (offsets[row + 1] === base) continue;
      const column = (this.#texts[name] ??= []);
      padTo(column, start);
      for (let i = low; i < high; i++) column.push(values[base + i] === '' ? undefined : values[base + i]);
    }
  }

  #reserve(count: number): void {
    if (this.#length + count <= this.#capacity) return;
    this.#capacity = Math.max(this.#length + count, this.#capacity * 2);
    const grow = (column: Float64Array) => {
      const grown = new Float64Array(this.#capacity);
      grown.set(column.subarray(0, this.#length));
      return grown;
    };
    this.#timestamps = grow(this.#timestamps);
    this.#values = grow(this.#values);
    if (this.#records) this.#receivedAt = grow(this.#receivedAt);
    const series = new Uint32Array(this.#capacity);
    series.set(this.#series.subarray(0, this.#length));
    this.#series = series;
  }

  columns(): PointColumns {
    const n = this.#length;
    const text = (name: TextName) => {
      const column = this.#texts[name];
      if (column !== undefined) padTo(column, n);
      return column;
    };
    return {
      length: n,
      series: this.#series.subarray(0, n),
      timestamps: this.#timestamps.subarray(0, n),
      values: this.#values.subarray(0, n),
      receivedAt: this.#receivedAt.subarray(0, this.#records ? n : 0),
      dataIds: text('dataIds'),
      actors: text('actors'),
      messages: text('messages'),
    };
  }
}

function padTo(column: (string | undefined)[], length: number): void {
  while (column.length < length) column.push(undefined);
}
