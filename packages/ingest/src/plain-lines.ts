/**
 * The most frequent line by far, read in one piece: a series with one field that came next the last time too, a plain
 * number, a timestamp.
 *
 *     cpu,host=a,region=eu usage=0.5 1700000000000000000
 *     └───── known bytes ──────┘└num┘└ as in the line before, or digits ┘
 *
 * Everything up to the value is one comparison with bytes that were kept, and a batch repeats its timestamps, so that
 * most of them are two or three comparisons with the one before. Whatever differs is left to the decoder, untouched.
 */
import { sameBytes } from './byte-table.ts';
import { scanDecimal, scanMillis, scanNanos } from './decimal.ts';
import { LastTime } from './last-time.ts';
import type { LineSeries } from './line-series.ts';
import type { Precision } from './line-time.ts';
import type { PointColumns } from './point-columns.ts';

const newline = 10;
const space = 32;
/** Nineteen digits and a newline. */
export const roomForTime = 20;
/** A digit and a space besides. */
const roomAfterField = roomForTime + 2;
/** A line that has no entry came before. */
const unknown = -1;

export class PlainLines {
  #bytes: Uint8Array = new Uint8Array(0);
  #view: DataView = new DataView(new ArrayBuffer(0));
  #end = 0;
  #series!: LineSeries;
  #columns!: PointColumns;
  #digits = 0;
  #minTimestamp = 0;
  #maxTimestamp = 0;
  #last = 0;
  readonly #time = new LastTime();

  /** A body begins. */
  begin(
    bytes: Uint8Array,
    view: DataView,
    precision: Precision,
    series: LineSeries,
    columns: PointColumns,
    bounds: { min: number; max: number },
  ): void {
    this.#bytes = bytes;
    this.#view = view;
    this.#end = bytes.length;
    this.#series = series;
    this.#columns = columns;
    this.#digits = precision === 'ns' ? 19 : precision === 'ms' ? 13 : 0;
    this.#minTimestamp = bounds.min;
    this.#maxTimestamp = bounds.max;
    this.#last = 0;
    this.#time.begin(view, this.#digits);
  }

  /** Key of the line read last by `read`; 0 where the decoder read it itself. */
  get lastKey(): number {
    return this.#last <= 0 ? 0 : this.#series.keyOfLine[this.#last]!;
  }

  /** Reads the line at `start` into a row; the place of its newline, or −1 for any other line, with nothing changed. */
  read(start: number): number {
    if (this.#last === unknown) return -1;
    const series = this.#series;
    const { lines } = series;
    const line = series.nextLine[this.#last]!;
    const valueAt = start + lines.lengths[line]!;
    // Room for the longest timestamp and its newline, too.
    if (line === 0 || valueAt + roomAfterField > this.#end) return -1;
    if (!sameBytes(this.#view, start, lines.view, lines.starts[line]!, valueAt - start)) return -1;
    const columns = this.#columns;
    const row = columns.length;
    if (row === columns.capacity) columns.grow();
    const timeAt = scanDecimal(this.#bytes, valueAt, columns.values, row) + 1;
    if (timeAt === 0 || this.#bytes[timeAt - 1] !== space || timeAt + roomForTime > this.#end) return -1;
    const next = timeAt + this.#digits;
    if (!this.#time.isAt(timeAt) && !this.#readTime(timeAt, next)) return -1;
    if (this.#bytes[next] !== newline) return -1;
    columns.timestamps[row] = this.#time.value;
    columns.series[row] = series.handleOfLine[line]!;
    columns.length = row + 1;
    this.#last = line;
    return next;
  }

  /**
   * The decoder read the line at `start` itself. `handle` is the series of its only field, whose value stands `length`
   * bytes on; `key` 0: the line is none of those that are read here.
   */
  note(start: number, length: number, key: number, handle: number): void {
    const before = this.#last;
    this.#last = key === 0 ? unknown : this.#series.lineOf(this.#bytes, start, length, key, handle);
    if (before !== unknown && this.#last > 0) this.#series.nextLine[before] = this.#last;
    if (this.#last === 0) this.#last = unknown;
  }

  #readTime(at: number, end: number): boolean {
    const { timestamps, length: row } = this.#columns;
    const next =
      this.#digits === 19
        ? scanNanos(this.#view, at, timestamps, row)
        : this.#digits === 13
          ? scanMillis(this.#view, at, timestamps, row)
          : -1;
    const time = timestamps[row]!;
    if (next !== end || !(time >= this.#minTimestamp && time <= this.#maxTimestamp)) return false;
    this.#time.note(at, time);
    return true;
  }
}
