import type { Across, AggName, SeriesDefinition, SeriesLabels } from '@nowcast/contract';
import { assert } from '@nowcast/kernel';
import type { Buckets } from './buckets.ts';
import { groupLabels, groupValues, labelText, labelValues, otherLabels } from './labels.ts';
import { isPerSeries, type PartSet } from './parts.ts';
import { type PointColumns, StateGrid, type StateSource } from './state-grid.ts';
import { UnitStates } from './unit-states.ts';

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
  /** `labelText` of the labels, once somebody asked. */
  text: string | undefined;
  units: number[];
}

const scalarOnly: PartSet = { scalar: true, ends: false, growth: false, quantiles: false, uniques: false };

/** Finding a cell by its start costs so many times a look at the next one. */
const findCost = 3;

export class QueryGrid {
  readonly spec: GridSpec;
  readonly perSeries: boolean;
  readonly parts: PartSet;
  readonly #cells: UnitStates;
  readonly #groups: Group[] = [];
  /** Groups by the values of their labels in the order of `groupBy`. */
  readonly #groupByValues = new Map<string, number>();
  readonly #unitGroup: number[] = [];
  readonly #scratch: StateGrid;
  readonly #combined = new StateGrid(scalarOnly, 1);

  constructor(spec: GridSpec) {
    this.spec = { ...spec };
    this.#cells = new UnitStates(spec.agg, spec.buckets, spec.from);
    this.perSeries = isPerSeries(spec.agg, spec.across);
    this.parts = this.#cells.parts;
    this.#scratch = new StateGrid(this.parts, 1);
  }

  /** Number of the group with these labels, made when it is new. */
  addGroup(labels: SeriesLabels): number {
    const values = labelValues(labels, this.spec.groupBy);
    return this.#groupByValues.get(values) ?? this.#addGroup(values, labels);
  }

  /** Number of the group a series belongs to, or −1 while there is none. */
  findGroupOf(definition: SeriesDefinition): number {
    return this.#groupByValues.get(groupValues(definition, this.spec.groupBy)) ?? -1;
  }

  /** The same, made when it is new: a string and a look-up where `addGroup` needs the labels. */
  addGroupOf(definition: SeriesDefinition): number {
    const { groupBy } = this.spec;
    const values = groupValues(definition, groupBy);
    return this.#groupByValues.get(values) ?? this.#addGroup(values, groupLabels(definition, groupBy));
  }

  #addGroup(values: string, labels: SeriesLabels): number {
    const group = this.#groups.length;
    this.#groups.push({ labels, text: undefined, units: [] });
    this.#groupByValues.set(values, group);
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

  /** Units whose counter growth cannot be told from the pieces seen, and starts of the cells that these meet in. */
  get overlapping(): ReadonlyMap<number, ReadonlySet<number>> {
    return this.#cells.overlapping;
  }

  get groupCount(): number {
    return this.#groups.length;
  }

  get unitCount(): number {
    return this.#cells.unitCount;
  }

  /** Cells with points, over all units. */
  get cellCount(): number {
    return this.#cells.cellCount;
  }

  groupOf(unit: number): number {
    return this.#unitGroup[unit]!;
  }

  labelsOf(group: number): SeriesLabels {
    return this.#groups[group]!.labels;
  }

  #textOf(group: number): string {
    const found = this.#groups[group]!;
    return (found.text ??= labelText(found.labels));
  }

  unitsOf(group: number): readonly number[] {
    return this.#groups[group]!.units;
  }

  /** Bucket start of the point's cell, or NaN when it lies outside the range. */
  addPoint(unit: number, timestamp: number, value: number, actor?: string): number {
    if (timestamp < this.spec.from) {
      if (this.parts.growth) this.seedCounter(unit, timestamp, value);
      return Number.NaN;
    }
    if (timestamp >= this.spec.to) return Number.NaN;
    const start = this.spec.buckets.start(timestamp);
    this.#cells.addPoint(unit, start, timestamp, value, actor);
    return start;
  }

  /** Adds the points `[from, to)` of columns, ascending in (time, value): the same as adding each, a look-up a bucket. */
  addSorted(unit: number, columns: PointColumns, from: number, to: number): void {
    const { timestamps } = columns;
    const { buckets } = this.spec;
    for (let i = from; i < to;) {
      const timestamp = timestamps[i]!;
      if (timestamp < this.spec.from || timestamp >= this.spec.to) {
        this.addPoint(unit, timestamp, columns.values[i]!, columns.actors?.[i]);
        i += 1;
        continue;
      }
      const end = Math.min(buckets.end(timestamp), this.spec.to);
      let next = i + 1;
      while (next < to && timestamps[next]! < end) next += 1;
      this.#cells.addRun(unit, buckets.start(timestamp), columns, i, next);
      i = next;
    }
  }

  /**
   * Merges state columns: entry i goes to unit `columns.group[i]` and the bucket that holds `starts[columns.bucket[i]]`.
   * For counters entries are taken in time order, so that finer states than the step may be given.
   */
  mergeStates(
    columns: StateSource & { length: number; group: Uint32Array; bucket: Uint32Array },
    starts: Float64Array,
  ): void {
    const { agg } = this.spec;
    assert((agg !== 'min' && agg !== 'max') || columns.min.length >= columns.length, 'extremes were read');
    const order = this.parts.growth ? timeOrder(columns) : undefined;
    this.#cells.expect(columns);
    for (let k = 0; k < columns.length; k += 1) {
      const i = order === undefined ? k : order[k]!;
      const unit = columns.group[i]!;
      const start = this.spec.buckets.start(starts[columns.bucket[i]!]!);
      this.#cells.mergeColumns(unit, start, columns, i);
    }
  }

  /** Merges entry i of state columns into the bucket that holds `time`; those of a counter must come in time order. */
  mergeEntry(columns: StateSource, i: number, unit: number, time: number): void {
    this.#cells.mergeColumns(unit, this.spec.buckets.start(time), columns, i);
  }

  /**
   * Merges one row of another grid into the cell that starts at `start`; false when that lies outside the range (a
   * counter is seeded by what lies before it).
   */
  mergeCell(unit: number, start: number, other: StateGrid, row: number): boolean {
    if (start >= this.spec.to) return false;
    if (start < this.spec.from) {
      if (this.parts.growth) this.seedCounter(unit, other.read(row, 'lastAt'), other.read(row, 'last'));
      return false;
    }
    this.#cells.mergeRow(unit, start, other, row);
    return true;
  }

  /**
   * Merges everything another grid of the same query holds; both must have been given the same series in the same
   * order. For counters the other grid's points should be the later ones: whatever lies inside is `overlapping`.
   */
  mergeGrid(other: QueryGrid): void {
    for (let unit = 0; unit < other.unitCount; unit += 1) {
      this.#cells.seedLike(unit, other.#cells);
      other.#cells.forEach(unit, (start, states, row) => this.mergeCell(unit, start, states, row));
    }
    for (const [unit, starts] of other.overlapping) this.#cells.noteOverlapping(unit, starts);
  }

  /** An empty grid of the same query that begins at `from`, with the same groups and units under the same numbers. */
  emptyCopy(from: number): QueryGrid {
    const copy = new QueryGrid({ ...this.spec, from });
    for (const { labels } of this.#groups) copy.addGroup(labels);
    if (this.perSeries) for (const group of this.#unitGroup) copy.addSeries(group);
    return copy;
  }

  /** A counter's last point before the range; of several the latest counts, and none before the grid's reach. */
  seedCounter(unit: number, timestamp: number, value: number): void {
    this.#cells.seed(unit, timestamp, value);
  }

  /** Empties one unit, its seed too: it will be fed again. */
  resetUnit(unit: number): void {
    this.#cells.reset(unit);
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
    this.#cells.dropBefore(
      from,
      (unit) => onDrop?.(this.groupOf(unit)),
      (unit, start) => onChange?.(this.groupOf(unit), start),
    );
  }

  /** Start of the first cell of the unit after the bucket at `start`, or NaN: a counter's change shows there too. */
  startAfter(unit: number, start: number): number {
    return this.#cells.startAfter(unit, start);
  }

  /** Every cell of a unit, ascending: its bucket's start, and the row of `states` that holds it. */
  forEachCell(unit: number, visit: (start: number, states: StateGrid, row: number) => void): void {
    this.#cells.forEach(unit, visit);
  }

  /** Whether the group has any cell at all. */
  hasCells(group: number): boolean {
    return this.#groups[group]!.units.some((unit) => this.#cells.hasCells(unit));
  }

  /** Value of one bucket of a line made of these units; NaN when it has none. */
  valueAt(units: readonly number[], start: number): number {
    const { agg, across, buckets } = this.spec;
    if (units.length === 1) return this.#cells.valueAt(units[0]!, start);
    if (this.perSeries) {
      this.#combined.clear(0);
      for (const unit of units) {
        const value = this.#cells.valueAt(unit, start);
        if (!Number.isNaN(value)) this.#combined.addPoint(0, 0, value);
      }
      return this.#combined.value(0, combination(across), 1);
    }
    this.#scratch.clear(0);
    for (const unit of units) this.#cells.mergeInto(this.#scratch, unit, start);
    return this.#scratch.value(0, agg, buckets.seconds(start));
  }

  /** `valueAt` for each of these buckets; when they are most of the line's, every cell is looked at once instead. */
  forEachValue(
    units: readonly number[],
    starts: readonly number[],
    visit: (start: number, value: number) => void,
  ): void {
    const cells = units.reduce((sum, unit) => sum + this.#cells.lengthOf(unit), 0);
    if (units.length < 2 || starts.length * units.length * findCost < cells) {
      for (const start of starts) visit(start, this.valueAt(units, start));
      return;
    }
    const { timestamps, values } = this.columns(units);
    const found = new Map<number, number>();
    for (let i = 0; i < timestamps.length; i += 1) found.set(timestamps[i]!, values[i]!);
    for (const start of starts) visit(start, found.get(start) ?? Number.NaN);
  }

  /** Distinct bucket starts of a group's cells, in no order. */
  startsOf(group: number): Iterable<number> {
    const starts = new Set<number>();
    for (const unit of this.unitsOf(group)) this.#cells.forEach(unit, (start) => starts.add(start));
    return starts;
  }

  /** All buckets of a line made of these units, ascending, without those that have no value. */
  columns(units: readonly number[]): { timestamps: Float64Array; values: Float64Array } {
    if (units.length === 1) return this.#cells.columns(units[0]!);
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
    const { across } = this.spec;
    const { units } = this.#groups[group]!;
    if (!this.perSeries) return this.#cells.total(units[0]!);
    this.#combined.clear(0);
    for (const unit of units) {
      const value = this.#cells.total(unit);
      if (!Number.isNaN(value)) this.#combined.addPoint(0, 0, value);
    }
    return this.#combined.value(0, combination(across), 1);
  }

  /** Groups that have a value, best first: by `total`, ties by label text. */
  ranked(order: 'asc' | 'desc'): number[] {
    const sign = order === 'desc' ? -1 : 1;
    const totals = Float64Array.from(this.#groups, (_, group) => this.total(group));
    const groups = Array.from(totals.keys()).filter((group) => !Number.isNaN(totals[group]!));
    return groups.sort((a, b) => {
      if (totals[a]! !== totals[b]!) return totals[a]! < totals[b]! ? -sign : sign;
      return this.#textOf(a) < this.#textOf(b) ? -1 : 1;
    });
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
    const unit = this.#cells.addUnit();
    this.#unitGroup.push(group);
    this.#groups[group]!.units.push(unit);
    return unit;
  }

  #collect(unit: number, slots: Map<number, number>, merged: StateGrid): void {
    const slotOf = (start: number) => {
      let slot = slots.get(start);
      if (slot === undefined) {
        slot = slots.size;
        slots.set(start, slot);
        merged.reserve(slots.size);
      }
      return slot;
    };
    if (this.perSeries) {
      this.#cells.forEachValue(unit, (start, value) => {
        const slot = slotOf(start);
        if (!Number.isNaN(value)) merged.addPoint(slot, 0, value);
      });
    } else this.#cells.forEach(unit, (start, states, row) => merged.mergeRow(slotOf(start), states, row));
  }
}

/** How the values of several series combine; the increases of a merged population add up. */
function combination(across: Across): AggName {
  return across === 'merge' ? 'sum' : across;
}

/**
 * Rows so that each begins where the one before it ends, if they chain at all: by (first, last), each (time, value).
 * Undefined when the rows of each group are so already, as they are when read series by series.
 */
function timeOrder({
  length,
  group,
  firstAt,
  first,
  lastAt,
  last,
}: StateSource & { length: number; group: Uint32Array }): Uint32Array | undefined {
  let inOrder = true;
  for (let i = 1; i < length && inOrder; i += 1) {
    inOrder = group[i] === group[i - 1] ? firstAt[i]! > firstAt[i - 1]! : group[i]! > group[i - 1]!;
  }
  if (inOrder) return undefined;
  const order = new Uint32Array(length);
  for (let i = 0; i < length; i += 1) order[i] = i;
  return order.sort(
    (a, b) =>
      firstAt[a]! - firstAt[b]! || first[a]! - first[b]! || lastAt[a]! - lastAt[b]! || last[a]! - last[b]!,
  );
}
