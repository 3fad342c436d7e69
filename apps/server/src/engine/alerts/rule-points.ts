import { FoldedRun, mostGroups, type RuleEntry, type RuleEvaluator, type WindowRun } from '@nowcast/alerts';
import { type GatheredRun, GatheredRuns, type SeriesIndex, type Tail } from '@nowcast/head';
import type { Unsubscribe } from '@nowcast/kernel';
import type { SeriesWatch } from '../series-watch.ts';
import { RuleTargets } from './rule-targets.ts';

/** Points after which other work of the thread may run: about a millisecond of them. */
const slicePoints = 8192;

/**
 * Brings new points to the rules that read their series. A point of a series without a rule costs one byte's test;
 * the others are read from the tail once a tick, between two positions, so that a replay reads the same.
 */
export class RulePoints {
  readonly #index: SeriesIndex;
  readonly #watch: SeriesWatch;
  readonly #tails: readonly Tail[];
  readonly #targets = new RuleTargets();
  readonly #unwatch = new Map<RuleEntry, Unsubscribe[]>();
  /** Whether any rule reads the series: 0 no, 1 yes, 2 and it has new points. */
  #marks = new Uint8Array(1024);
  #touched: number[] = [];
  /** Points of series with rules since the last `take`, and those of before it that were taken. */
  #noted = 0;
  #taken = 0;
  readonly #runs: GatheredRuns;
  readonly #folded = new FoldedRun();

  constructor(index: SeriesIndex, watch: SeriesWatch, tails: readonly Tail[]) {
    this.#index = index;
    this.#watch = watch;
    this.#tails = tails;
    this.#runs = new GatheredRuns(index, tails);
  }

  get touchedCount(): number {
    return this.#touched.length;
  }

  /**
   * From now on the rule gets the points of every series that matches, those of the running tick included. Returns the
   * series that match by now: none for a rule with a problem.
   */
  add(entry: RuleEntry): readonly number[] {
    if (entry.problem !== undefined) return [];
    const present: number[] = [];
    let isNew = false;
    const unwatch = entry.plan.queries.map((query, side) =>
      this.#watch.watch(entry.tenant, query, (handle) => {
        this.#targets.add(handle, entry, side);
        this.#reserve(handle);
        this.#touch(handle);
        if (!isNew) present.push(handle);
      }),
    );
    isNew = true;
    this.#unwatch.set(entry, unwatch);
    return present;
  }

  remove(entry: RuleEntry): void {
    for (const unwatch of this.#unwatch.get(entry) ?? []) unwatch();
    this.#unwatch.delete(entry);
    this.#targets.remove(entry, (handle) => (this.#marks[handle] = 0));
    this.#touched = this.#touched.filter((handle) => this.#targets.has(handle));
  }

  /** Points of these series were applied. */
  note(handles: Uint32Array): void {
    const marks = this.#marks;
    for (let i = 0; i < handles.length; i++) {
      const handle = handles[i]!;
      const mark = handle < marks.length ? marks[handle]! : 0;
      if (mark === 0) continue;
      this.#noted++;
      if (mark === 1) {
        marks[handle] = 2;
        this.#touched.push(handle);
      }
    }
  }

  /** Notes what the tails hold between these positions: the same as if each record had been noted. */
  noteBetween(from: readonly number[], to: readonly number[]): void {
    this.#tails.forEach((tail, partition) => {
      const start = Math.max(from[partition]!, tail.first);
      if (start < to[partition]!) tail.scan(start, to[partition]!, (handles) => this.note(handles));
    });
  }

  /** The series with new points; they are noted anew from here on. */
  take(): number[] {
    const touched = this.#touched;
    this.#touched = [];
    this.#taken = this.#noted;
    this.#noted = 0;
    for (const handle of touched) if (this.#marks[handle] === 2) this.#marks[handle] = 1;
    return touched;
  }

  /** After a tick that could not be written: its series are still to be read. */
  giveBack(handles: readonly number[]): void {
    for (const handle of handles) this.#touch(handle);
    this.#noted += this.#taken;
  }

  /**
   * Hands the points of these series, which were taken last, between two positions of each tail to their rules. Yields
   * once many were handed on: other work of the thread may run, but no rule may come or go.
   */
  *fold(
    handles: readonly number[],
    from: readonly number[],
    to: readonly number[],
    now: number,
  ): Generator<void, void> {
    yield* this.#runs.gather(handles, handles.length, from, to, this.#taken);
    this.#joinInOrder(handles, now);
    let folded = 0;
    for (const [i, handle] of handles.entries()) {
      const run = this.#runs.run(i);
      if (run.from === run.to) continue;
      this.#folded.set(this.#countsPeople(handle) ? this.#withActors(handle, run, i) : run);
      this.#targets.forEach(handle, ({ evaluator }, side, unit, cell) => {
        if (!evaluator!.isStale(side, unit)) evaluator!.add(side, unit, this.#folded, now);
        else if (!evaluator!.isTooLate(this.#folded, now))
          evaluator!.add(side, this.#join(handle, evaluator!, side, cell), this.#folded, now);
      });
      folded += run.to - run.from;
      if (folded < slicePoints) continue;
      folded = 0;
      yield;
    }
  }

  /**
   * Where a rule may not have room for all that come, they ask in the order of their ids: live they came in the order of
   * arrival, and at a replay by partition, and both have to find the same ones watched.
   */
  #joinInOrder(handles: readonly number[], now: number): void {
    const isCrowded = ({ evaluator }: RuleEntry) =>
      evaluator !== undefined && evaluator.groups.size + handles.length > mostGroups;
    const crowded = new Set([...this.#unwatch.keys()].filter(isCrowded));
    if (crowded.size === 0) return;
    const asking: { handle: number; evaluator: RuleEvaluator; side: number; cell: number }[] = [];
    for (const [i, handle] of handles.entries()) {
      const run = this.#runs.run(i);
      if (run.from === run.to) continue;
      this.#folded.set(run);
      this.#targets.forEach(handle, (entry, side, unit, cell) => {
        const evaluator = entry.evaluator!;
        if (!crowded.has(entry) || !evaluator.isStale(side, unit)) return;
        if (!evaluator.isTooLate(this.#folded, now)) asking.push({ handle, evaluator, side, cell });
      });
    }
    const idOf = ({ handle }: { handle: number }) => this.#index.idOf(handle);
    asking.sort((a, b) => (idOf(a) < idOf(b) ? -1 : idOf(a) > idOf(b) ? 1 : a.side - b.side));
    for (const { handle, evaluator, side, cell } of asking) this.#join(handle, evaluator, side, cell);
  }

  #join(handle: number, evaluator: RuleEvaluator, side: number, cell: number): number {
    const name = String(this.#index.idOf(handle));
    const unit = evaluator.addSeries(side, this.#index.definitionOf(handle), name);
    this.#targets.setUnit(cell, unit);
    return unit;
  }

  #countsPeople(handle: number): boolean {
    let counts = false;
    this.#targets.forEach(handle, ({ plan }, side) => {
      if (plan.queries[side]!.agg === 'uniques') counts = true;
    });
    return counts;
  }

  #withActors(handle: number, { from, to, timestamps, values }: GatheredRun, i: number): WindowRun {
    const tail = this.#tails[this.#index.partitionOf(handle)]!;
    return {
      from: 0,
      to: to - from,
      timestamps: timestamps.subarray(from, to),
      values: values.subarray(from, to),
      actors: Array.from(this.#runs.positions(i), (position) => tail.textsAt(position)?.actor),
    };
  }

  #touch(handle: number): void {
    if (this.#marks[handle] === 2 || !this.#targets.has(handle)) return;
    this.#marks[handle] = 2;
    this.#touched.push(handle);
  }

  #reserve(handle: number): void {
    if (handle < this.#marks.length) {
      if (this.#marks[handle] === 0) this.#marks[handle] = 1;
      return;
    }
    const marks = new Uint8Array(Math.max(handle + 1, this.#marks.length * 2));
    marks.set(this.#marks);
    marks[handle] = 1;
    this.#marks = marks;
  }
}
