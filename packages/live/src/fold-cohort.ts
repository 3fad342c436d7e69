import { type Buckets, type PartSet, StateGrid } from '@nowcast/aggregate';
import type { SeriesDefinition } from '@nowcast/contract';
import type { Unsubscribe } from '@nowcast/kernel';
import type { GridView } from './grid-view.ts';
import type { MatchingSeries, SeriesFollower } from './matching-series.ts';
import { noGroup, SeriesGroups } from './series-groups.ts';
import type { SeriesWatchers } from './series-watchers.ts';
import { type Sink, unionOf } from './sink.ts';
import type { SeriesSelection } from './view-series.ts';

interface Member {
  view: GridView;
  /** The view's unit for each group of the cohort; −1 where it had no room for the group. */
  units: number[];
}

/**
 * Views that group the same series in the same way at the same step and differ only in aggregate, window or limit: the
 * usual case on a board.
 *
 * They list their series together: a further series of a known group costs one look-up and nothing for each view, and
 * a view that comes later joins group by group. A group that a view has no room for stays out of it for good: let in
 * later, it would lack what its first series sent.
 *
 * The series of a group are added up once for all of them, in rows that live for one tick, and each view then gets one
 * ready state a group: series × views merges become series + groups × views.
 */
export class FoldCohort implements Sink, SeriesFollower {
  readonly sharesUnits = true;
  readonly #buckets: Buckets;
  readonly #matching: MatchingSeries;
  readonly #watchers: SeriesWatchers;
  readonly #series: SeriesGroups;
  readonly #unfollow: Unsubscribe;
  #isComplete = true;
  #members: Member[] = [];
  #parts: PartSet = unionOf([]);
  #states = new StateGrid(this.#parts);
  /** Of this tick: rows of each group that has several, by bucket start, and all rows as a list. */
  readonly #rowsOf: (Map<number, number> | undefined)[] = [];
  readonly #used: { group: number; start: number }[] = [];
  /** The bucket start and row each group was last given a state for in this tick. */
  readonly #recentStart: number[] = [];
  readonly #recentRow: number[] = [];

  /** The cohort of this view, and of those that join it. Throws `query.invalid` for a bad regular expression. */
  constructor(first: GridView, matching: MatchingSeries, watchers: SeriesWatchers) {
    const { buckets, groupBy } = first.query;
    this.#buckets = buckets;
    this.#matching = matching;
    this.#watchers = watchers;
    this.#series = new SeriesGroups(groupBy);
    this.join(first);
    this.#unfollow = matching.follow(this, () => this.#unlink());
  }

  get parts(): PartSet {
    return this.#parts;
  }

  get isEmpty(): boolean {
    return this.#members.length === 0;
  }

  /** Whether every group is known; without those that no member had room for, no further view may join. */
  get isComplete(): boolean {
    return this.#isComplete;
  }

  /** Whether states of this tick wait for `flush`. */
  get isPending(): boolean {
    return this.#used.length > 0;
  }

  /** Only while the cohort is complete, and before the view is loaded. */
  join(view: GridView): void {
    const units = this.#series.groups.map((labels) => view.addGroup(labels));
    const member = { view, units };
    this.#members.push(member);
    view.attach({ selection: () => this.#selectionOf(member), leftOut: () => this.#leftOut(member) });
    this.#setParts();
  }

  /** Harmless when the view has left already. The last one to leave ends the cohort. */
  leave(view: GridView): void {
    if (!this.#members.some((member) => member.view === view)) return;
    // In the middle of a tick: what was added up so far is the others' too.
    this.flush();
    this.#members = this.#members.filter((member) => member.view !== view);
    this.#setParts();
    if (this.isEmpty) this.#close();
  }

  addSeries(handle: number, definition: SeriesDefinition): true {
    const values = this.#series.valuesOf(definition);
    const group = this.#series.find(values) ?? this.#addGroup(values, definition);
    this.#series.addSeries(group);
    if (group !== noGroup) this.#watchers.link(handle, this.#buckets, this, group);
    return true;
  }

  merge(group: number, start: number, states: StateGrid, row: number): void {
    const only = this.#members.length === 1 ? this.#members[0] : undefined;
    if (only === undefined) this.#states.mergeRow(this.#rowFor(group, start), states, row);
    else mergeInto(only, group, start, states, row);
  }

  /** Hands the tick's states on. Call it when every series of the tick has been folded. */
  flush(): void {
    for (let row = 0; row < this.#used.length; row += 1) {
      const { group, start } = this.#used[row]!;
      for (const member of this.#members) mergeInto(member, group, start, this.#states, row);
      this.#states.clear(row);
      this.#rowsOf[group]?.clear();
      this.#recentStart[group] = Number.NaN;
    }
    this.#used.length = 0;
  }

  #rowFor(group: number, start: number): number {
    if (this.#recentStart[group] === start) return this.#recentRow[group]!;
    const rows = (this.#rowsOf[group] ??= new Map());
    let row = rows.get(start);
    if (row === undefined) {
      row = this.#used.push({ group, start }) - 1;
      rows.set(start, row);
      this.#states.reserve(this.#used.length);
    }
    this.#recentStart[group] = start;
    this.#recentRow[group] = row;
    return row;
  }

  /** Number of a new group; `noGroup` when no view has room for it nor ever will, for then nobody must know it. */
  #addGroup(values: string, definition: SeriesDefinition): number {
    const takers = new Set(this.#members.filter(({ view }) => view.hasRoomForGroup()));
    if (takers.size === 0 && this.#members.every(({ view }) => view.isFull)) {
      this.#isComplete = false;
      return noGroup;
    }
    const labels = this.#series.addGroup(values, definition);
    for (const member of this.#members)
      member.units.push(takers.has(member) ? member.view.addGroup(labels) : -1);
    this.#rowsOf.push(undefined);
    this.#recentStart.push(Number.NaN);
    return this.#recentRow.push(0) - 1;
  }

  #selectionOf({ units }: Member): SeriesSelection {
    const { groupOf } = this.#series;
    const { handles } = this.#matching;
    const chosen = { handles: new Uint32Array(handles.length), units: new Uint32Array(handles.length) };
    let length = 0;
    for (let i = 0; i < groupOf.length; i += 1) {
      const unit = groupOf[i] === noGroup ? -1 : units[groupOf[i]!]!;
      if (unit < 0) continue;
      chosen.handles[length] = handles[i]!;
      chosen.units[length++] = unit;
    }
    return { handles: chosen.handles.subarray(0, length), units: chosen.units.subarray(0, length) };
  }

  #leftOut({ units }: Member): number {
    let taken = 0;
    for (let group = 0; group < units.length; group += 1)
      if (units[group]! >= 0) taken += this.#series.sizeOf(group);
    return this.#matching.count - taken;
  }

  #close(): void {
    this.#unfollow();
    this.#unlink();
  }

  #unlink(): void {
    const { groupOf } = this.#series;
    const { handles } = this.#matching;
    for (let i = 0; i < groupOf.length; i += 1)
      if (groupOf[i] !== noGroup) this.#watchers.unlink(handles[i]!, this);
  }

  /** Only between ticks: nothing is kept then. */
  #setParts(): void {
    this.#parts = unionOf(this.#members.map(({ view }) => view.parts));
    this.#states = new StateGrid(this.#parts);
    this.#watchers.notePartsChanged();
  }
}

function mergeInto(
  { view, units }: Member,
  group: number,
  start: number,
  states: StateGrid,
  row: number,
): void {
  const unit = units[group]!;
  if (unit >= 0) view.merge(unit, start, states, row);
}
