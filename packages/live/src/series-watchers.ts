import { type Buckets, type PartSet, partsNumber, StateGrid } from '@nowcast/aggregate';
import type { FeedView } from './feed-view.ts';
import type { Sink } from './sink.ts';
import type { PointRun, Tick } from './sources.ts';
import { WatchNode, type WatchStep } from './watch-node.ts';

/** Points after which other work of the thread may run: about a millisecond of them. */
const slicePoints = 8192;

/**
 * The index series → (sink, unit), and the fold of new points through it.
 *
 * Pushing each point into each view would cost points × views. Instead the points of one series are cut into buckets
 * once for each step in use and added up there; what goes on are a few ready states, to views that need each series
 * on its own directly, to all others through the cohort of those that group it alike. Fifty views of the same thousand
 * series then cost little more than a few, and a series that nobody watches costs one look into an array.
 */
export class SeriesWatchers {
  readonly #watches: (WatchNode | undefined)[] = [];
  readonly #nobody = new WatchNode([], []);
  /** One row for each set of parts: of a whole run, and of a piece of one. */
  readonly #wholes: (StateGrid | undefined)[] = [];
  readonly #pieces: (StateGrid | undefined)[] = [];
  /** Of the running tick: the touched series that somebody watches. */
  #watched = new Uint32Array(1024);
  /** Counts changes of what any sink keeps. */
  #version = 0;

  /** The points of the series go to this unit of the sink from now on. */
  link(handle: number, buckets: Buckets, sink: Sink, unit: number): void {
    this.#watches[handle] = (this.#watches[handle] ?? this.#nobody).withSink(buckets, sink, unit);
  }

  linkFeed(handle: number, feed: FeedView): void {
    this.#watches[handle] = (this.#watches[handle] ?? this.#nobody).withFeed(feed);
  }

  unlink(handle: number, gone: Sink | FeedView): void {
    const left = this.#watches[handle]?.without(gone);
    this.#watches[handle] = left?.isEmpty === true ? undefined : left;
  }

  /** Call it when a sink that has links keeps other parts than before. */
  notePartsChanged(): void {
    this.#version += 1;
  }

  /** Yields between series once many points were folded: other work of the thread may run. */
  *fold(tick: Tick): Generator<void, void> {
    const count = this.#noteWatched(tick);
    if (count > 0) yield* tick.gather(this.#watched, count);
    let folded = 0;
    for (let i = 0; i < count; i += 1) {
      const handle = this.#watched[i]!;
      // Left by its last sink between two slices.
      const node = this.#watches[handle];
      if (node === undefined) continue;
      node.refresh(this.#version);
      const run = tick.read(i, node.wants);
      for (const feed of node.feeds) feed.addRun(handle, run);
      if (node.steps.length > 0) this.#foldSteps(node, run);
      folded += run.to - run.from;
      if (folded < slicePoints) continue;
      folded = 0;
      yield;
    }
  }

  /** Lists the touched series that somebody watches, and says how many those are. */
  #noteWatched({ touched, touchedCount }: Tick): number {
    if (touchedCount > this.#watched.length) this.#watched = new Uint32Array(touched.length);
    let count = 0;
    for (let i = 0; i < touchedCount; i += 1)
      if (this.#watches[touched[i]!] !== undefined) this.#watched[count++] = touched[i]!;
    return count;
  }

  /** A run that does not leave a bucket, as nearly all do, is added up once for all steps for which that is so. */
  #foldSteps({ steps, parts }: WatchNode, arrived: PointRun): void {
    const run = parts.growth ? inTime(arrived) : arrived;
    const { oldest, newest } = spanOf(run);
    let whole: StateGrid | undefined;
    for (const step of steps) {
      if (newest >= step.buckets.end(oldest)) {
        this.#foldStep(step, run);
        continue;
      }
      if (whole === undefined) {
        whole = rowOf(this.#wholes, parts);
        whole.clear(0);
        whole.addRun(0, run, run.from, run.to);
      }
      const start = step.buckets.start(oldest);
      for (const { sink, unit } of step.targets) sink.merge(unit, start, whole, 0);
    }
  }

  #foldStep({ buckets, parts, targets }: WatchStep, run: PointRun): void {
    const piece = rowOf(this.#pieces, parts);
    const { timestamps, to: end } = run;
    let { from } = run;
    while (from < end) {
      const start = buckets.start(timestamps[from]!);
      const next = buckets.end(timestamps[from]!);
      let to = from + 1;
      while (to < end && timestamps[to]! >= start && timestamps[to]! < next) to += 1;
      piece.clear(0);
      piece.addRun(0, run, from, to);
      from = to;
      for (const { sink, unit } of targets) sink.merge(unit, start, piece, 0);
    }
  }
}

function rowOf(grids: (StateGrid | undefined)[], parts: PartSet): StateGrid {
  return (grids[partsNumber(parts)] ??= new StateGrid(parts, 1));
}

function spanOf({ from, to, timestamps }: PointRun): { oldest: number; newest: number } {
  let oldest = timestamps[from]!;
  let newest = oldest;
  for (let i = from + 1; i < to; i += 1) {
    const timestamp = timestamps[i]!;
    if (timestamp < oldest) oldest = timestamp;
    if (timestamp > newest) newest = timestamp;
  }
  return { oldest, newest };
}

/** Counters are followed in time order; the run itself stays as it is, for the feeds. */
function inTime(run: PointRun): PointRun {
  const { from, to, timestamps, values } = run;
  let ascending = true;
  for (let i = from + 1; i < to && ascending; i += 1) ascending = timestamps[i]! > timestamps[i - 1]!;
  if (ascending) return run;
  const at = Uint32Array.from({ length: to - from }, (_, i) => from + i).sort(
    (a, b) => timestamps[a]! - timestamps[b]! || values[a]! - values[b]!,
  );
  return {
    from: 0,
    to: at.length,
    timestamps: Float64Array.from(at, (i) => timestamps[i]!),
    values: Float64Array.from(at, (i) => values[i]!),
    actors: run.actors === undefined ? undefined : Array.from(at, (i) => run.actors![i]),
  };
}
