import type { SeriesIndex } from './series-index.ts';
import type { Tail } from './tail.ts';

/** Points `[from, to)` of columns: those of one series, in order of arrival. */
export interface GatheredRun {
  from: number;
  to: number;
  timestamps: Float64Array;
  values: Float64Array;
}

/** Going back from a series' point to the one before costs as much as so many looks at points that lie in a row. */
const walkCost = 10;
/** Points looked at after which other work of the thread may run: less than a millisecond of them. */
const slicePoints = 65_536;

/**
 * What arrived between two positions of each tail, by series. Following one series back through a tail is a jump in
 * memory for each point; when most of what arrived is asked for, one counting sort of all of it costs a tenth.
 */
export class GatheredRuns {
  readonly #index: SeriesIndex;
  readonly #tails: readonly Tail[];
  /** One more than the run of a handle; 0 for none. */
  #slotOf = new Uint32Array(1024);
  #handles: ArrayLike<number> = [];
  #count = 0;
  /** Where each run ends, and, while points are placed, where its next one goes. */
  #ends = new Uint32Array(1024);
  #timestamps = new Float64Array(4096);
  #values = new Float64Array(4096);
  /** Between which positions of each tail. */
  #from: readonly number[] = [];
  #to: readonly number[] = [];

  constructor(index: SeriesIndex, tails: readonly Tail[]) {
    this.#index = index;
    this.#tails = tails;
  }

  /**
   * Gathers the points of the first `count` of these handles, each of which occurs once, with positions in `[from, to)`
   * of their tails. `expected` is about how many those are. Other work of the thread may run at a `yield`, but those
   * points must stay in their tails, and nothing may be read before it has ended.
   */
  *gather(
    handles: ArrayLike<number>,
    count: number,
    from: readonly number[],
    to: readonly number[],
    expected: number,
  ): Generator<void, void> {
    this.#begin(handles, count);
    const starts = this.#tails.map((tail, i) => Math.max(from[i]!, tail.first));
    this.#from = starts;
    this.#to = [...to];
    const whole = this.#tails.reduce((sum, _tail, i) => sum + Math.max(0, to[i]! - starts[i]!), 0);
    yield* whole <= expected * walkCost ? this.#sortAll(starts, to) : this.#walkEach(starts, to);
  }

  /** The run of the handle that was given at `i`. Its columns are valid until the next `gather`. */
  run(i: number): GatheredRun {
    return {
      from: i === 0 ? 0 : this.#ends[i - 1]!,
      to: this.#ends[i]!,
      timestamps: this.#timestamps,
      values: this.#values,
    };
  }

  /** Positions of the run's points in the series' tail. Few ask for them, so the series is followed back for those. */
  positions(i: number): Float64Array {
    const { from, to } = this.run(i);
    const positions = new Float64Array(to - from);
    let left = positions.length;
    const handle = this.#handles[i]!;
    const partition = this.#index.partitionOf(handle);
    this.#tails[partition]!.walk(
      handle,
      this.#from[partition]!,
      this.#to[partition]!,
      (_time, _value, position) => {
        positions[--left] = position;
      },
    );
    return positions;
  }

  #begin(handles: ArrayLike<number>, count: number): void {
    this.#handles = handles;
    this.#count = count;
    if (count > this.#ends.length) this.#ends = new Uint32Array(Math.max(count, 2 * this.#ends.length));
    this.#ends.fill(0, 0, count);
  }

  *#sortAll(from: readonly number[], to: readonly number[]): Generator<void, void> {
    if (this.#index.size > this.#slotOf.length)
      this.#slotOf = new Uint32Array(Math.max(this.#index.size, 2 * this.#slotOf.length));
    const slotOf = this.#slotOf;
    for (let i = 0; i < this.#count; i++) slotOf[this.#handles[i]!] = i + 1;
    const ends = this.#ends;
    yield* this.#scan(from, to, (handles) => {
      for (let i = 0; i < handles.length; i++) {
        const slot = slotOf[handles[i]!]!;
        if (slot !== 0) ends[slot - 1]!++;
      }
    });
    let total = 0;
    for (let i = 0; i < this.#count; i++) {
      const length = ends[i]!;
      ends[i] = total;
      total += length;
    }
    this.#reserve(total);
    yield* this.#scan(from, to, (handles, timestamps, values) => this.#place(handles, timestamps, values));
    // Now, not before the next time: the handles are the caller's, who may have written others over them by then.
    for (let i = 0; i < this.#count; i++) slotOf[this.#handles[i]!] = 0;
  }

  *#scan(
    from: readonly number[],
    to: readonly number[],
    visit: Parameters<Tail['scan']>[2],
  ): Generator<void, void> {
    for (const [partition, tail] of this.#tails.entries()) {
      for (let at = from[partition]!; at < to[partition]!; at += slicePoints) {
        tail.scan(at, Math.min(at + slicePoints, to[partition]!), visit);
        yield;
      }
    }
  }

  #place(handles: Uint32Array, timestamps: Float64Array, values: Float64Array): void {
    const slotOf = this.#slotOf;
    const ends = this.#ends;
    const [toTimestamps, toValues] = [this.#timestamps, this.#values];
    for (let i = 0; i < handles.length; i++) {
      const slot = slotOf[handles[i]!]!;
      if (slot === 0) continue;
      const at = ends[slot - 1]!++;
      toTimestamps[at] = timestamps[i]!;
      toValues[at] = values[i]!;
    }
  }

  *#walkEach(from: readonly number[], to: readonly number[]): Generator<void, void> {
    let end = 0;
    let sliceEnd = slicePoints / walkCost;
    for (let i = 0; i < this.#count; i++) {
      const handle = this.#handles[i]!;
      const partition = this.#index.partitionOf(handle);
      const start = end;
      this.#tails[partition]!.walk(handle, from[partition]!, to[partition]!, (timestamp, value) => {
        this.#reserve(end + 1);
        this.#timestamps[end] = timestamp;
        this.#values[end++] = value;
      });
      this.#ends[i] = end;
      for (const column of [this.#timestamps, this.#values]) column.subarray(start, end).reverse();
      if (end < sliceEnd) continue;
      sliceEnd = end + slicePoints / walkCost;
      yield;
    }
  }

  #reserve(length: number): void {
    if (length <= this.#values.length) return;
    const larger = (column: Float64Array) => {
      const out = new Float64Array(Math.max(length, 2 * column.length));
      out.set(column);
      return out;
    };
    this.#timestamps = larger(this.#timestamps);
    this.#values = larger(this.#values);
  }
}
