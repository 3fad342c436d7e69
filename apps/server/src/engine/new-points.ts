import type { PointRun, RunWants } from '@nowcast/live';
import { type GatheredRun, GatheredRuns, type SeriesIndex, type Tail } from '@nowcast/head';

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
  readonly #runs: GatheredRuns;
  #gathered: Readonly<Uint32Array> = new Uint32Array(0);

  constructor(index: SeriesIndex, tails: readonly Tail[]) {
    this.#index = index;
    this.#tails = tails;
    this.#runs = new GatheredRuns(index, tails);
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

  /** Makes the new points of the first `count` of these series ready to be read. */
  gather(handles: Uint32Array, count: number): void {
    const arrived = this.#tails.reduce((sum, tail, i) => sum + tail.end - this.advanced[i]!, 0);
    const share = count / Math.max(1, this.touchedCount);
    this.#runs.gather(handles, count, this.advanced, this.ends(), arrived * share);
    this.#gathered = handles;
  }

  /** New points of the series that was given at `i`, in order of arrival; valid until the next call. */
  read(i: number, wants: RunWants): PointRun {
    const run = this.#runs.run(i);
    if (!wants.actors && !wants.records) return run;
    const tail = this.#tails[this.#index.partitionOf(this.#gathered[i]!)]!;
    return this.#withTexts(tail, run, this.#runs.positions(i));
  }

  #withTexts(tail: Tail, { from, to, timestamps, values }: GatheredRun, at: Float64Array): PointRun {
    const texts = Array.from(at, (position) => tail.textsAt(position));
    return {
      from: 0,
      to: to - from,
      timestamps: timestamps.subarray(from, to),
      values: values.subarray(from, to),
      actors: texts.map((text) => text?.actor),
      dataIds: texts.map((text) => text?.dataId),
      messages: texts.map((text) => text?.message),
      receivedAt: at.map((position) => tail.recordAt(position).receivedAt),
    };
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
}
