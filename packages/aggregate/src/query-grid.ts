import type { Across, AggName, SeriesLabels } from '@nowcast/contract';
import { assert } from '@nowcast/kernel';
import type { Buckets } from './buckets.ts';
import { labelText, otherLabels } from './labels.ts';
import { counterReach } from './counter-reach.ts';
import { isPerSeries, partsOf, type PartSet } from './parts.ts';
import { counterStep, isBefore, StateGrid, type StateSource } from './state-grid.ts';
import { UnitCells } from './unit-cells.ts';

/**
 * The answer to one query while it is being put together, the same for history and for live views: both feed points
 * and merged states in any order and read lines of (bucket, value).
 *
 * ```
 *   series ──addSeries──► unit ──(unit, bucket)──► row of a StateGrid
 *                          │
 *   group ◄────────────────┘   line of a group = its units, combined bucket by bucket
 *                              line "Other"    = the units of all groups beyond the limit, combined the same way
 * ```
 *
 * A unit is a group when the points of its series are one population (`across=merge`), and a single series when each
 * series must first speak for itself (`across=sum…`, and every counter). Only cells that have points exist: a gap
 * is the absence of a cell.
 *
 * Counters: the step from a series' last point in one bucket to its first in a later one belongs to the later bucket;
 * `seedCounter` says what came before the range, as far back as `counterReach` (see there). A piece that lies inside what its cell already covers cannot be
 * merged; the unit is then in `overlapping` and must be reset and fed its points in time order (`addPoint` in any
 * order across buckets, ascending inside one).
 */
export interface GridSpec {
  agg: AggName;
  across: Across;
  groupBy: readonly string[];
  buckets: Buckets;
  /** Epoch ms; what lies before `from` or at or after `to` is ignored (a counter's point before `from` seeds it). */
  from: number;
  to: number;
}

export interface GridLine {
  labels: SeriesLabels;
  /** The line of all groups beyond the limit. */
  other: boolean;
  /** Bucket starts, ascending, and their values; never NaN. */
  timestamps: Float64Array;
  values: Float64Array;
}

export interface Ranking {
  limit: number | undefined;
  order: 'asc' | 'desc';
}

interface Group {
  labels: SeriesLabels;
  text: string;
  units: number[];
}

interface CounterSeed {
  at: number;
  order: number;
  value: number;
}

const scalarOnly: PartSet = { scalar: true, ends: false, growth: false, quantiles: false, uniques: false };

export class QueryGrid {
  readonly spec: GridSpec;
  readonly perSeries: boolean;
  readonly parts: PartSet;
  /** Units whose counter growth cannot be told from the pieces seen. */
  readonly overlapping = new Set<number>();
  readonly #states: StateGrid;
  readonly #free: number[] = [];
  #rows = 0;
  readonly #groups: Group[] = [];
  readonly #groupByText = new Map<string, number>();
  readonly #units: UnitCells[] = [];
  readonly #unitGroup: number[] = [];
  /** Bucket start and row of the cell each unit was last given points for: nearly always the next ones' too. */
  #recentStart = new Float64Array(16).fill(Number.NaN);
  #recentRow = new Int32Array(16);
  /** Start of each unit's newest cell, −∞ for none. */
  #newest = new Float64Array(16).fill(-Infinity);
  readonly #seeds: (CounterSeed | undefined)[] = [];
  #reach: number;
  readonly #scratch: StateGrid;
  readonly #combined = new StateGrid(scalarOnly, 1);

  constructor(spec: GridSpec) {
    this.spec = { ...spec };
    this.#reach = counterReach(spec.buckets, spec.from);
    this.perSeries = isPerSeries(spec.agg, spec.across);
    this.parts = partsOf(spec.agg);
    this.#states = new StateGrid(this.parts);
    this.#scratch = new StateGrid(this.parts, 1);
  }

  /** Number of the group with these labels, made when it is new. */
  addGroup(labels: SeriesLabels): number {
    const text = labelText(labels);
    const known = this.#groupByText.get(text);
    if (known !== undefined) return known;
    const group = this.#groups.length;
    this.#groups.push({ labels, text, units: [] });
    this.#groupByText.set(text, group);
    if (!this.perSeries) this.#addUnit(group);
    return group;
  }

  /** The unit that points of a further series of the group go to. Call it once for each series. */
  addSeries(group: number): number {
    if (this.perSeries) return this.#addUnit(group);
    const unit = this.#groups[group]?.units[0];
    assert(unit !== undefined, 'group exists');
    return unit;
  }

  get groupCount(): number {
    return this.#groups.length;
  }

  get unitCount(): number {
    return this.#units.length;
  }

  /** Cells with points, over all units. */
  get cellCount(): number {
    return this.#rows - this.#free.length;
  }

  groupOf(unit: number): number {
    return this.#unitGroup[unit]!;
  }

  labelsOf(group: number): SeriesLabels {
    return this.#groups[group]!.labels;
  }

  textOf(group: number): string {
    return this.#groups[group]!.text;
  }

  unitsOf(group: number): readonly number[] {
    return this.#groups[group]!.units;
  }

  /** Bucket start of the point's cell, or NaN when it lies outside the range. */
  addPoint(unit: number, timestamp: number, value: number, order: number, actor?: string): number {
    if (timestamp < this.spec.from) {
      if (this.parts.growth) this.seedCounter(unit, timestamp, value, order);
      return Number.NaN;
    }
    if (timestamp >= this.spec.to) return Number.NaN;
    const start = this.spec.buckets.start(timestamp);
    this.#states.addPoint(this.#rowOf(unit, start), timestamp, value, order, actor);
    this.#noteOverlap(unit);
    return start;
  }

  /**
   * Merges state columns: entry i goes to unit `columns.group[i]` and the bucket that holds `starts[columns.bucket[i]]`.
   * For counters entries are taken in time order, so that finer states than the step may be given.
   */
  mergeStates(
    columns: StateSource & { length: number; group: Uint32Array; bucket: Uint32Array },
    starts: Float64Array,
  ): void {
    const order = this.parts.growth ? timeOrder(columns) : undefined;
    for (let k = 0; k < columns.length; k += 1) {
      const i = order === undefined ? k : order[k]!;
      const unit = columns.group[i]!;
      const start = this.spec.buckets.start(starts[columns.bucket[i]!]!);
      this.#states.mergeColumns(this.#rowOf(unit, start), columns, i);
      this.#noteOverlap(unit);
    }
  }

  /**
   * Merges one row of another grid into the cell that starts at `start`; false when that lies outside the range (a
   * counter is seeded by what lies before it).
   */
  mergeCell(unit: number, start: number, other: StateGrid, row: number): boolean {
    if (start >= this.spec.to) return false;
    if (start < this.spec.from) {
      if (this.parts.growth)
        this.seedCounter(unit, other.lastAt[row]!, other.last[row]!, other.lastOrder[row]!);
      return false;
    }
    this.#states.mergeRow(this.#rowOf(unit, start), other, row);
    this.#noteOverlap(unit);
    return true;
  }

  /**
   * Merges everything another grid of the same query holds; both must have been given the same series in the same
   * order. For counters the other grid's points should be the later ones: whatever lies inside is `overlapping`.
   */
  mergeGrid(other: QueryGrid): void {
    for (let unit = 0; unit < other.unitCount; unit += 1) {
      const seed = other.#seeds[unit];
      if (seed !== undefined) this.seedCounter(unit, seed.at, seed.value, seed.order);
      const cells = other.#units[unit]!;
      for (let i = 0; i < cells.length; i += 1)
        this.mergeCell(unit, cells.startAt(i), other.#states, cells.rowAt(i));
    }
    for (const unit of other.overlapping) this.overlapping.add(unit);
  }

  /** An empty grid of the same query that begins at `from`, with the same groups and units under the same numbers. */
  emptyCopy(from: number): QueryGrid {
    const copy = new QueryGrid({ ...this.spec, from });
    for (const { labels } of this.#groups) copy.addGroup(labels);
    if (this.perSeries) for (const group of this.#unitGroup) copy.addSeries(group);
    return copy;
  }

  /** A counter's last point before the range; of several the latest counts, and none before the grid's reach. */
  seedCounter(unit: number, timestamp: number, value: number, order: number): void {
    if (timestamp < this.#reach) return;
    const seed = this.#seeds[unit];
    if (seed === undefined || isBefore(seed.at, seed.order, seed.value, timestamp, order, value))
      this.#seeds[unit] = { at: timestamp, order, value };
  }

  /** Empties one unit, its seed too: it will be fed again. */
  resetUnit(unit: number): void {
    const cells = this.#units[unit]!;
    while (cells.length > 0) this.#shift(unit);
    this.#seeds[unit] = undefined;
    this.overlapping.delete(unit);
  }

  /**
   * Moves the range's start on; cells that begin before it are dropped and a counter's last point becomes its seed.
   * `onDrop` hears, repeatedly, of groups that lost cells; `onChange` of a group whose cell at `start` changed, because
   * the seed it counted from is out of reach now.
   */
  dropBefore(
    from: number,
    onDrop?: (group: number) => void,
    onChange?: (group: number, start: number) => void,
  ): void {
    this.spec.from = from;
    this.#reach = counterReach(this.spec.buckets, from);
    for (let unit = 0; unit < this.#units.length; unit += 1) {
      const cells = this.#units[unit]!;
      while (cells.length > 0 && cells.startAt(0) < from) {
        if (this.parts.growth) {
          const row = cells.rowAt(0);
          const { last, lastAt, lastOrder } = this.#states;
          this.seedCounter(unit, lastAt[row]!, last[row]!, lastOrder[row]!);
        }
        this.#shift(unit);
        onDrop?.(this.#unitGroup[unit]!);
      }
      if ((this.#seeds[unit]?.at ?? Infinity) >= this.#reach) continue;
      this.#seeds[unit] = undefined;
      if (cells.length > 0) onChange?.(this.#unitGroup[unit]!, cells.startAt(0));
    }
  }

  /** Start of the first cell of the unit after the bucket at `start`, or NaN: a counter's change shows there too. */
  startAfter(unit: number, start: number): number {
    if (start >= this.#newest[unit]!) return Number.NaN;
    const cells = this.#units[unit]!;
    const i = cells.lowerBound(start + 1);
    return i < cells.length ? cells.startAt(i) : Number.NaN;
  }

  /** Whether the group has any cell at all. */
  hasCells(group: number): boolean {
    return this.#groups[group]!.units.some((unit) => this.#units[unit]!.length > 0);
  }

  /** Value of one bucket of a line made of these units; NaN when it has none. */
  valueAt(units: readonly number[], start: number): number {
    const { agg, across, buckets } = this.spec;
    if (units.length === 1) return this.#bucketValue(units[0]!, start);
    if (this.perSeries) {
      this.#combined.clear(0);
      for (const unit of units) {
        const value = this.#bucketValue(unit, start);
        if (!Number.isNaN(value)) this.#combined.addPoint(0, 0, value, 0);
      }
      return this.#combined.value(0, combination(across), 1);
    }
    this.#scratch.clear(0);
    for (const unit of units) {
      const i = this.#units[unit]!.find(start);
      if (i >= 0) this.#scratch.mergeRow(0, this.#states, this.#units[unit]!.rowAt(i));
    }
    return this.#scratch.value(0, agg, buckets.seconds(start));
  }

  /** All buckets of a line made of these units, ascending, without those that have no value. */
  columns(units: readonly number[]): { timestamps: Float64Array; values: Float64Array } {
    const slots = new Map<number, number>();
    const merged = new StateGrid(this.perSeries ? scalarOnly : this.parts, 64);
    for (const unit of units) this.#collect(unit, slots, merged);
    const agg = this.perSeries ? combination(this.spec.across) : this.spec.agg;
    const starts = Float64Array.from(slots.keys()).sort();
    const values = starts.map((start) =>
      merged.value(slots.get(start)!, agg, this.spec.buckets.seconds(start)),
    );
    const kept = starts.filter((_, i) => !Number.isNaN(values[i]!));
    return { timestamps: kept, values: values.filter((value) => !Number.isNaN(value)) };
  }

  /** A group's aggregate over the whole range, which ranks it; NaN when it has none. `rate` counts per second of 1 s. */
  total(group: number): number {
    const { across, agg } = this.spec;
    const { units } = this.#groups[group]!;
    if (!this.perSeries) return this.#unitTotal(units[0]!, agg);
    this.#combined.clear(0);
    for (const unit of units) {
      const value = this.#unitTotal(unit, agg);
      if (!Number.isNaN(value)) this.#combined.addPoint(0, 0, value, 0);
    }
    return this.#combined.value(0, combination(across), 1);
  }

  /** Groups that have a value, best first: by `total`, ties by label text. */
  ranked(order: 'asc' | 'desc'): number[] {
    const sign = order === 'desc' ? -1 : 1;
    return this.#groups
      .map(({ text }, group) => ({ group, text, total: this.total(group) }))
      .filter(({ total }) => !Number.isNaN(total))
      .sort((a, b) => {
        if (a.total !== b.total) return a.total < b.total ? -sign : sign;
        return a.text < b.text ? -1 : 1;
      })
      .map(({ group }) => group);
  }

  /** The whole answer: the best `limit` groups in order, then "Other" with the rest, when there is a rest. */
  lines(ranking: Ranking): GridLine[] {
    const ranked = this.ranked(ranking.order);
    const limit = ranking.limit ?? ranked.length;
    const lines: GridLine[] = ranked.slice(0, limit).map((group) => ({
      labels: this.labelsOf(group),
      other: false,
      ...this.columns(this.unitsOf(group)),
    }));
    const rest = ranked.slice(limit).flatMap((group) => this.unitsOf(group));
    if (rest.length > 0)
      lines.push({ labels: otherLabels(this.spec.groupBy), other: true, ...this.columns(rest) });
    return lines;
  }

  #addUnit(group: number): number {
    const unit = this.#units.length;
    if (unit === this.#recentRow.length) this.#growUnits(unit * 2);
    this.#units.push(new UnitCells());
    this.#unitGroup.push(group);
    this.#seeds.push(undefined);
    this.#groups[group]!.units.push(unit);
    return unit;
  }

  #growUnits(size: number): void {
    const starts = new Float64Array(size).fill(Number.NaN);
    starts.set(this.#recentStart);
    this.#recentStart = starts;
    const newest = new Float64Array(size).fill(-Infinity);
    newest.set(this.#newest);
    this.#newest = newest;
    const rows = new Int32Array(size);
    rows.set(this.#recentRow);
    this.#recentRow = rows;
  }

  #rowOf(unit: number, start: number): number {
    if (this.#recentStart[unit] === start) return this.#recentRow[unit]!;
    const row = this.#findRow(unit, start);
    this.#recentStart[unit] = start;
    this.#recentRow[unit] = row;
    return row;
  }

  #findRow(unit: number, start: number): number {
    const cells = this.#units[unit]!;
    const i = cells.lowerBound(start);
    if (i < cells.length && cells.startAt(i) === start) return cells.rowAt(i);
    let row = this.#free.pop();
    if (row === undefined) {
      row = this.#rows;
      this.#rows += 1;
      this.#states.reserve(this.#rows);
    }
    cells.insert(i, start, row);
    if (start > this.#newest[unit]!) this.#newest[unit] = start;
    return row;
  }

  /** Drops the unit's oldest cell. */
  #shift(unit: number): void {
    const cells = this.#units[unit]!;
    const row = cells.shift();
    if (cells.length === 0) this.#newest[unit] = -Infinity;
    if (this.#recentRow[unit] === row) this.#recentStart[unit] = Number.NaN;
    this.#states.clear(row);
    this.#free.push(row);
  }

  #noteOverlap(unit: number): void {
    if (!this.#states.counterOverlap) return;
    this.#states.counterOverlap = false;
    this.overlapping.add(unit);
  }

  #bucketValue(unit: number, start: number): number {
    if (!this.parts.growth && this.#recentStart[unit] === start)
      return this.#states.value(this.#recentRow[unit]!, this.spec.agg, this.spec.buckets.seconds(start));
    const i = start > this.#newest[unit]! ? -1 : this.#units[unit]!.find(start);
    return i < 0 ? Number.NaN : this.#unitValue(unit, i);
  }

  #unitValue(unit: number, i: number): number {
    const cells = this.#units[unit]!;
    if (this.parts.growth) return this.#increase(unit, i);
    return this.#states.value(cells.rowAt(i), this.spec.agg, this.spec.buckets.seconds(cells.startAt(i)));
  }

  /** Growth inside the i-th cell and the step to it from whatever came before. */
  #increase(unit: number, i: number): number {
    const cells = this.#units[unit]!;
    const row = cells.rowAt(i);
    const seed = this.#seeds[unit];
    const before = i > 0 ? this.#states.last[cells.rowAt(i - 1)]! : seed?.value;
    const step = before === undefined ? 0 : counterStep(before, this.#states.first[row]!);
    return this.#states.growth[row]! + step;
  }

  #unitTotal(unit: number, agg: AggName): number {
    const cells = this.#units[unit]!;
    if (this.parts.growth) {
      let sum = cells.length === 0 ? Number.NaN : 0;
      for (let i = 0; i < cells.length; i += 1) sum += this.#increase(unit, i);
      return sum;
    }
    this.#scratch.clear(0);
    for (let i = 0; i < cells.length; i += 1) this.#scratch.mergeRow(0, this.#states, cells.rowAt(i));
    return this.#scratch.value(0, agg, 1);
  }

  #collect(unit: number, slots: Map<number, number>, merged: StateGrid): void {
    const cells = this.#units[unit]!;
    for (let i = 0; i < cells.length; i += 1) {
      const start = cells.startAt(i);
      let slot = slots.get(start);
      if (slot === undefined) {
        slot = slots.size;
        slots.set(start, slot);
        merged.reserve(slots.size);
      }
      if (!this.perSeries) {
        merged.mergeRow(slot, this.#states, cells.rowAt(i));
        continue;
      }
      const value = this.#unitValue(unit, i);
      if (!Number.isNaN(value)) merged.addPoint(slot, 0, value, 0);
    }
  }
}

/** How the values of several series combine; the increases of a merged population add up. */
function combination(across: Across): AggName {
  return across === 'merge' ? 'sum' : across;
}

function timeOrder(columns: StateSource & { length: number }): Uint32Array {
  const order = new Uint32Array(columns.length);
  for (let i = 0; i < order.length; i += 1) order[i] = i;
  const { firstAt, firstOrder } = columns;
  return order.sort((a, b) => firstAt[a]! - firstAt[b]! || firstOrder[a]! - firstOrder[b]!);
}
