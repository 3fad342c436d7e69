import type { PointRun, RunWants } from '@nowcast/live';
import type { SeriesIndex, Tail } from '@nowcast/head';

/**
 * What arrived since the last tick: the series it touched, and each one's new points. Noting a point costs one byte's
 * test; points are read from the tail only for series somebody looks at.
 */
export class NewPoints {
  readonly #index: SeriesIndex;
  readonly #tails: readonly Tail[];
  /** Position in each tail up to which the views have seen everything. */
  readonly advanced: number[];
  touched = new Uint32Array(1024);
  touchedCount = 0;
  #marks = new Uint8Array(1024);
  #timestamps = new Float64Array(256);
  #values = new Float64Array(256);
  #receivedAt = new Float64Array(256);
  #positions = new Float64Array(256);

  constructor(index: SeriesIndex, tails: readonly Tail[]) {
    this.#index = index;
    this.#tails = tails;
    this.advanced = tails.map((tail) => tail.end);
  }

  note(handles: Uint32Array): void {
    if (this.#index.size > this.#marks.length) this.#grow();
    const marks = this.#marks;
    for (let i = 0; i < handles.length; i++) {
      const handle = handles[i]!;
      if (marks[handle] !== 0) continue;
      marks[handle] = 1;
      this.touched[this.touchedCount++] = handle;
    }
  }

  /**
   * Where a view that loads now must begin to listen. Views load right behind a pass, or inside one that has read
   * everything but is not settled yet: `advanced` would leave out the points of that very pass.
   */
  ends(): number[] {
    return this.#tails.map((tail) => tail.end);
  }

  /** The views have seen everything up to the tails' ends. */
  settle(): void {
    for (let i = 0; i < this.touchedCount; i++) this.#marks[this.touched[i]!] = 0;
    this.touchedCount = 0;
    this.#tails.forEach((tail, partition) => {
      this.advanced[partition] = tail.end;
    });
  }

  /** New points of one series in order of arrival; valid until the next call. */
  read(handle: number, wants: RunWants): PointRun {
    const tail = this.#tails[this.#index.partitionOf(handle)]!;
    let length = 0;
    tail.walk(handle, this.advanced[tail.partition]!, tail.end, (timestamp, value, position) => {
      if (length === this.#values.length) this.#growRun();
      this.#timestamps[length] = timestamp;
      this.#values[length] = value;
      this.#positions[length++] = position;
    });
    const timestamps = this.#timestamps.subarray(0, length).reverse();
    const values = this.#values.subarray(0, length).reverse();
    const run: PointRun = { length, timestamps, values };
    if (wants.actors || wants.records)
      this.#addTexts(run, tail, this.#positions.subarray(0, length).reverse());
    return run;
  }

  #addTexts(run: PointRun, tail: Tail, positions: Float64Array): void {
    const texts = Array.from(positions, (position) => tail.textsAt(position));
    run.actors = texts.map((text) => text?.actor);
    run.dataIds = texts.map((text) => text?.dataId);
    run.messages = texts.map((text) => text?.message);
    positions.forEach((position, i) => {
      this.#receivedAt[i] = tail.recordAt(position).receivedAt;
    });
    run.receivedAt = this.#receivedAt;
  }

  #grow(): void {
    const size = Math.max(this.#index.size, this.#marks.length * 2);
    const marks = new Uint8Array(size);
    marks.set(this.#marks);
    const touched = new Uint32Array(size);
    touched.set(this.touched.subarray(0, this.touchedCount));
    this.#marks = marks;
    this.touched = touched;
  }

  #growRun(): void {
    const size = this.#values.length * 2;
    const larger = (column: Float64Array) => {
      const out = new Float64Array(size);
      out.set(column);
      return out;
    };
    this.#timestamps = larger(this.#timestamps);
    this.#values = larger(this.#values);
    this.#positions = larger(this.#positions);
    this.#receivedAt = new Float64Array(size);
  }
}
