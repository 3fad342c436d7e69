import { type Buckets, type PartSet, StateGrid, stepKey } from '@nowcast/aggregate';
import { FeedView } from './feed-view.ts';
import { FoldCohort, type Sink, unionOf } from './fold-cohort.ts';
import type { GridView } from './grid-view.ts';
import type { PointRun, RunWants, Tick } from './sources.ts';

/** Views that cut a series' points into the same buckets. */
interface StepGroup {
  key: string;
  buckets: Buckets;
  /** What any of the targets keeps. */
  parts: PartSet;
  /** One row that keeps those parts; shared by all groups that keep the same. */
  scratch: StateGrid;
  targets: { sink: Sink; unit: number }[];
}

interface SeriesWatch {
  steps: StepGroup[];
  feeds: FeedView[];
  wants: RunWants;
}

/**
 * The index series → (view, unit), and the fold of new points through it.
 *
 * Pushing each point into each view would cost points × views. Instead the points of one series are cut into buckets
 * once for each step in use and added up there; what goes on are a few ready states, to views that need each series
 * on its own directly, to all others through the cohort of those that group it alike. Fifty views of the same thousand
 * series then cost little more than a few, and a series that nobody watches costs one look into an array.
 */
export class SeriesWatchers {
  readonly #watches: (SeriesWatch | undefined)[] = [];
  readonly #scratches = new Map<string, StateGrid>();
  readonly #cohorts = new Map<string, FoldCohort>();

  addGrid(handle: number, view: GridView, unit: number): void {
    const watch = this.#watchOf(handle);
    const { buckets } = view.query;
    const key = stepName(buckets);
    let step = watch.steps.find((other) => other.key === key);
    if (step === undefined) {
      step = { key, buckets, parts: view.parts, scratch: this.#scratchOf(view.parts), targets: [] };
      watch.steps.push(step);
    }
    this.#addTarget(step, view, unit);
    this.#refresh(watch);
  }

  #addTarget(step: StepGroup, view: GridView, unit: number): void {
    if (view.cohortKey === undefined) {
      step.targets.push({ sink: view, unit });
      return;
    }
    const key = `${step.key} ${view.cohortKey}`;
    let cohort = this.#cohorts.get(key);
    if (cohort === undefined) {
      cohort = new FoldCohort();
      this.#cohorts.set(key, cohort);
    }
    const group = cohort.join(view, unit);
    if (!step.targets.some(({ sink }) => sink === cohort)) step.targets.push({ sink: cohort, unit: group });
  }

  addFeed(handle: number, view: FeedView): void {
    const watch = this.#watchOf(handle);
    watch.feeds.push(view);
    this.#refresh(watch);
  }

  remove(handle: number, view: GridView | FeedView): void {
    const watch = this.#watches[handle];
    if (watch === undefined) return;
    watch.feeds = watch.feeds.filter((feed) => feed !== view);
    for (const step of watch.steps) {
      step.targets = step.targets.filter(({ sink }) => {
        if (!(sink instanceof FoldCohort)) return sink !== view;
        if (!(view instanceof FeedView)) sink.leave(view);
        return !sink.isEmpty;
      });
    }
    watch.steps = watch.steps.filter((step) => step.targets.length > 0);
    if (watch.steps.length === 0 && watch.feeds.length === 0) this.#watches[handle] = undefined;
    else this.#refresh(watch);
  }

  fold(tick: Tick): void {
    for (let i = 0; i < tick.touchedCount; i += 1) {
      const handle = tick.touched[i]!;
      const watch = this.#watches[handle];
      if (watch === undefined) continue;
      const run = tick.read(handle, watch.wants);
      for (const feed of watch.feeds) feed.addRun(handle, run);
      for (const step of watch.steps) this.#foldStep(step, run);
    }
    for (const [key, cohort] of this.#cohorts) {
      if (cohort.isEmpty) this.#cohorts.delete(key);
      else if (cohort.isPending) cohort.flush();
    }
  }

  #foldStep(step: StepGroup, arrived: PointRun): void {
    const { buckets, parts, scratch, targets } = step;
    const run = parts.growth ? inTime(arrived) : arrived;
    const { timestamps, length } = run;
    let from = 0;
    while (from < length) {
      const start = buckets.start(timestamps[from]!);
      const end = buckets.end(timestamps[from]!);
      let to = from + 1;
      while (to < length && timestamps[to]! >= start && timestamps[to]! < end) to += 1;
      scratch.clear(0);
      scratch.addRun(0, run, from, to);
      from = to;
      for (const { sink, unit } of targets) sink.merge(unit, start, scratch, 0);
    }
  }

  #scratchOf(parts: PartSet): StateGrid {
    const key = JSON.stringify(parts);
    let scratch = this.#scratches.get(key);
    if (scratch === undefined) {
      scratch = new StateGrid(parts, 1);
      this.#scratches.set(key, scratch);
    }
    return scratch;
  }

  /** Brings what a series must be read with in line with who watches it. */
  #refresh(watch: SeriesWatch): void {
    for (const step of watch.steps) {
      step.parts = unionOf(step.targets.map(({ sink }) => sink.parts));
      step.scratch = this.#scratchOf(step.parts);
    }
    watch.wants = {
      orders: watch.steps.some(({ parts }) => parts.ends),
      actors: watch.steps.some(({ parts }) => parts.uniques) || watch.feeds.length > 0,
      records: watch.feeds.length > 0,
    };
  }

  #watchOf(handle: number): SeriesWatch {
    let watch = this.#watches[handle];
    if (watch === undefined) {
      watch = { steps: [], feeds: [], wants: { orders: false, actors: false, records: false } };
      this.#watches[handle] = watch;
    }
    return watch;
  }
}

/** Counters are followed in time order; the run itself stays as it is, for the feeds. */
function inTime(run: PointRun): PointRun {
  const { length, timestamps, values, orders } = run;
  let ascending = true;
  for (let i = 1; i < length && ascending; i += 1) ascending = timestamps[i]! > timestamps[i - 1]!;
  if (ascending) return run;
  const at = Uint32Array.from({ length }, (_, i) => i).sort(
    (a, b) =>
      timestamps[a]! - timestamps[b]! || (orders?.[a] ?? 0) - (orders?.[b] ?? 0) || values[a]! - values[b]!,
  );
  return {
    length,
    timestamps: Float64Array.from(at, (i) => timestamps[i]!),
    values: Float64Array.from(at, (i) => values[i]!),
    orders: Float64Array.from(at, (i) => orders?.[i] ?? 0),
    actors: run.actors === undefined ? undefined : Array.from(at, (i) => run.actors![i]),
  };
}

/** Unique text of a way to cut time; the zone only matters to calendars. */
function stepName({ step, tz }: Buckets): string {
  return step.kind === 'fixed' ? stepKey(step) : `${stepKey(step)} ${tz}`;
}
