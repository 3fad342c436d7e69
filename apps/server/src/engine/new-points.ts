import type { PointRun, RunWants } from '@nowcast/live';
import { type GatheredRun, GatheredRuns, type SeriesIndex, type Tail } from '@nowcast/head';

/** Handles of series, each once; valid below `count`. */
interface Touched {
  handles: Uint32Array;
  count: number;
}

/**
 * What arrived since the last pass of the views: the series it touched, and each one's new points. Noting a point costs
 * one byte's test; points are read from the tail only for series somebody looks at.
 *
 * ```
 * note … note ─► begin ─► gather, read ─► settle
 *                  └─ from here on points are noted for the next pass
 * ```
 */
export class NewPoints {
  readonly #index: SeriesIndex;
  readonly #tails: readonly Tail[];
  /** Position in each tail up to which the views have seen everything. */
  readonly advanced: number[];
  #touched: Touched = { handles: new Uint32Array(1024), count: 0 };
  /** Of the running pass, which is settled; otherwise memory to be used again. */
  #passing: Touched = { handles: new Uint32Array(1024), count: 0 };
  /** Position in each tail at which the running pass ends. */
  #passEnds: readonly number[] | undefined;
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
    const touched = this.#touched;
    for (let i = 0; i < handles.length; i++) {
      const handle = handles[i]!;
      if (marks[handle] !== 0) continue;
      marks[handle] = 1;
      touched.handles[touched.count++] = handle;
    }
  }

  /** Series that were noted since the last `begin`. */
  get touchedCount(): number {
    return this.#touched.count;
  }

  /**
   * Where a view that loads now must begin to listen: right behind the last pass, or the running one. `advanced` would
   * leave out the points of that very pass.
   */
  ends(): readonly number[] {
    return this.#passEnds ?? this.#tails.map((tail) => tail.end);
  }

  /** The series with new points, of which a pass reads what there is by now. */
  begin(): Readonly<Touched> {
    const touched = this.#touched;
    this.#touched = this.#passing;
    this.#touched.count = 0;
    if (this.#touched.handles.length < this.#marks.length)
      this.#touched.handles = new Uint32Array(this.#marks.length);
    for (let i = 0; i < touched.count; i++) this.#marks[touched.handles[i]!] = 0;
    this.#passing = touched;
    this.#passEnds = this.#tails.map((tail) => tail.end);
    return touched;
  }

  /** The views have seen everything that the pass began with. */
  settle(): void {
    this.ends().forEach((end, partition) => (this.advanced[partition] = end));
    this.#passEnds = undefined;
  }

  /** Makes the new points of the first `count` of these series ready to be read. */
  *gather(handles: Uint32Array, count: number): Generator<void, void> {
    const ends = this.ends();
    const arrived = ends.reduce((sum, end, i) => sum + end - this.advanced[i]!, 0);
    const share = count / Math.max(1, this.#passing.count);
    yield* this.#runs.gather(handles, count, this.advanced, ends, arrived * share);
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
    const handles = new Uint32Array(size);
    handles.set(this.#touched.handles.subarray(0, this.#touched.count));
    this.#marks = marks;
    this.#touched.handles = handles;
  }
}
