import { type PartSet, StateGrid } from '@nowcast/aggregate';
import type { GridView } from './grid-view.ts';

interface Member {
  view: GridView;
  /** The view's unit for each group of the cohort. */
  units: number[];
}

/** Where states of one (unit, bucket) go: a view, or a cohort of them. */
export interface Sink {
  readonly parts: PartSet;
  merge(unit: number, start: number, states: StateGrid, row: number): void;
}

/**
 * Views that group the same series in the same way at the same step and differ only in aggregate, window or limit: the
 * usual case on a board. The series of a group are added up once for all of them, in rows that live for one tick, and
 * each view then gets one ready state a group: series × views merges become series + groups × views.
 */
export class FoldCohort implements Sink {
  #members: Member[] = [];
  #parts: PartSet = unionOf([]);
  #states = new StateGrid(this.#parts);
  readonly #groupByText = new Map<string, number>();
  /** Of this tick: rows of each group by bucket start, and the same as a list. */
  readonly #rowsOf: Map<number, number>[] = [];
  readonly #used: { group: number; start: number }[] = [];
  /** The bucket start and row each group was last given a state for in this tick. */
  readonly #recentStart: number[] = [];
  readonly #recentRow: number[] = [];

  get parts(): PartSet {
    return this.#parts;
  }

  get isEmpty(): boolean {
    return this.#members.length === 0;
  }

  /** Whether states of this tick wait for `flush`. */
  get isPending(): boolean {
    return this.#used.length > 0;
  }

  /** Notes which unit of the view a series of this label text goes to; returns the cohort's own number for it. */
  join(view: GridView, unit: number): number {
    const text = view.grid.textOf(view.grid.groupOf(unit));
    let group = this.#groupByText.get(text);
    if (group === undefined) {
      group = this.#groupByText.size;
      this.#groupByText.set(text, group);
      this.#rowsOf.push(new Map());
      this.#recentStart.push(Number.NaN);
      this.#recentRow.push(0);
    }
    let member = this.#members.find((other) => other.view === view);
    if (member === undefined) {
      member = { view, units: [] };
      this.#members.push(member);
      this.#setParts();
    }
    member.units[group] = unit;
    return group;
  }

  /** Harmless when the view has left already. */
  leave(view: GridView): void {
    if (!this.#members.some((member) => member.view === view)) return;
    this.#members = this.#members.filter((member) => member.view !== view);
    this.#setParts();
  }

  merge(group: number, start: number, states: StateGrid, row: number): void {
    const only = this.#members.length === 1 ? this.#members[0] : undefined;
    if (only !== undefined) only.view.merge(only.units[group]!, start, states, row);
    else this.#states.mergeRow(this.#rowFor(group, start), states, row);
  }

  /** Hands the tick's states on. Call it when every series of the tick has been folded. */
  flush(): void {
    for (let row = 0; row < this.#used.length; row += 1) {
      const { group, start } = this.#used[row]!;
      for (const { view, units } of this.#members) view.merge(units[group]!, start, this.#states, row);
      this.#states.clear(row);
      this.#rowsOf[group]!.clear();
      this.#recentStart[group] = Number.NaN;
    }
    this.#used.length = 0;
  }

  #rowFor(group: number, start: number): number {
    if (this.#recentStart[group] === start) return this.#recentRow[group]!;
    let row = this.#rowsOf[group]!.get(start);
    if (row === undefined) {
      row = this.#used.push({ group, start }) - 1;
      this.#rowsOf[group]!.set(start, row);
      this.#states.reserve(this.#used.length);
    }
    this.#recentStart[group] = start;
    this.#recentRow[group] = row;
    return row;
  }

  /** Only between ticks: nothing is kept then. */
  #setParts(): void {
    this.#parts = unionOf(this.#members.map(({ view }) => view.parts));
    this.#states = new StateGrid(this.#parts);
  }
}

/** The parts that any of these needs. */
export function unionOf(all: readonly PartSet[]): PartSet {
  return {
    scalar: all.some(({ scalar }) => scalar),
    ends: all.some(({ ends }) => ends),
    growth: all.some(({ growth }) => growth),
    quantiles: all.some(({ quantiles }) => quantiles),
    uniques: all.some(({ uniques }) => uniques),
  };
}
