import type { AggName } from '@nowcast/contract';
import type { Buckets } from './buckets.ts';
import { counterReach } from './counter-reach.ts';
import { partsOf, type PartSet } from './parts.ts';
import { counterStep, isBefore, type PointColumns, StateGrid, type StateSource } from './state-grid.ts';
import { UnitCells } from './unit-cells.ts';

interface CounterSeed {
  at: number;
  value: number;
}

/**
 * The cells of all units of a query: which row of one `StateGrid` holds which (unit, bucket), what came before a
 * counter's range, and the value of a cell. Rows of dropped cells are used again, so a sliding window does not grow.
 */
export class UnitStates {
  readonly parts: PartSet;
  /** Units whose counter growth cannot be told from the pieces seen, and starts of the cells that these meet in. */
  readonly overlapping = new Map<number, Set<number>>();
  readonly #agg: AggName;
  readonly #buckets: Buckets;
  readonly #states: StateGrid;
  readonly #scratch: StateGrid;
  readonly #units: UnitCells[] = [];
  readonly #seeds: (CounterSeed | undefined)[] = [];
  readonly #free: number[] = [];
  #rows = 0;
  #reach: number;
  /** Bucket start and row of the cell each unit was last given points for: nearly always the next ones' too. */
  #recentStart = new Float64Array(16).fill(Number.NaN);
  #recentRow = new Int32Array(16);
  /** Start of each unit's newest cell, −∞ for none. */
  #newest = new Float64Array(16).fill(-Infinity);

  constructor(agg: AggName, buckets: Buckets, from: number) {
    this.parts = partsOf(agg);
    this.#agg = agg;
    this.#buckets = buckets;
    this.#states = new StateGrid(this.parts);
    this.#scratch = new StateGrid(this.parts, 1);
    this.#reach = counterReach(buckets, from);
  }

  get unitCount(): number {
    return this.#units.length;
  }

  get cellCount(): number {
    return this.#rows - this.#free.length;
  }

  addUnit(): number {
    const unit = this.#units.length;
    if (unit === this.#recentRow.length) this.#growUnits(unit * 2);
    this.#units.push(new UnitCells());
    this.#seeds.push(undefined);
    return unit;
  }

  /** Makes room for entries that will be merged: for each bucket of a unit, if those lie side by side. */
  expect({ length, group, bucket }: { length: number; group: Uint32Array; bucket: Uint32Array }): void {
    let rows = 0;
    for (let i = 0; i < length;) {
      const unit = group[i]!;
      let cells = 0;
      for (let last = -1; i < length && group[i] === unit; i += 1) {
        if (bucket[i] === last) continue;
        last = bucket[i]!;
        cells += 1;
      }
      this.#units[unit]!.reserve(cells);
      rows += cells;
    }
    this.#states.reserve(this.#rows + rows);
  }

  addPoint(unit: number, start: number, timestamp: number, value: number, actor?: string): void {
    this.#states.addPoint(this.#rowOf(unit, start), timestamp, value, actor);
    this.#noteOverlap(unit, start);
  }

  /** Adds the points `[from, to)` of columns, all of one bucket; those of a counter ascending in (time, value). */
  addRun(unit: number, start: number, columns: PointColumns, from: number, to: number): void {
    this.#states.addRun(this.#rowOf(unit, start), columns, from, to);
    this.#noteOverlap(unit, start);
  }

  mergeColumns(unit: number, start: number, columns: StateSource, i: number): void {
    this.#states.mergeColumns(this.#rowOf(unit, start), columns, i);
    this.#noteOverlap(unit, start);
  }

  mergeRow(unit: number, start: number, other: StateGrid, row: number): void {
    this.#states.mergeRow(this.#rowOf(unit, start), other, row);
    this.#noteOverlap(unit, start);
  }

  /** Calls `visit` with every cell of a unit, oldest first; the row belongs to `states`. */
  forEach(unit: number, visit: (start: number, states: StateGrid, row: number) => void): void {
    const cells = this.#units[unit]!;
    for (let i = 0; i < cells.length; i += 1) visit(cells.startAt(i), this.#states, cells.rowAt(i));
  }

  /** The same with the value of each cell, NaN where it has none. */
  forEachValue(unit: number, visit: (start: number, value: number) => void): void {
    const cells = this.#units[unit]!;
    for (let i = 0; i < cells.length; i += 1) visit(cells.startAt(i), this.#value(unit, i));
  }

  /** Number of a unit's cells. */
  lengthOf(unit: number): number {
    return this.#units[unit]!.length;
  }

  /** A counter's last point before the range; of several the latest counts, and none before the reach. */
  seed(unit: number, timestamp: number, value: number): void {
    if (timestamp < this.#reach) return;
    const seed = this.#seeds[unit];
    if (seed === undefined || isBefore(seed.at, seed.value, timestamp, value))
      this.#seeds[unit] = { at: timestamp, value };
  }

  /** Seeds a unit as the same unit of another store is seeded. */
  seedLike(unit: number, other: UnitStates): void {
    const seed = other.#seeds[unit];
    if (seed !== undefined) this.seed(unit, seed.at, seed.value);
  }

  reset(unit: number): void {
    while (this.#units[unit]!.length > 0) this.#shift(unit);
    this.#seeds[unit] = undefined;
    this.overlapping.delete(unit);
  }

  /** Drops a unit's cells that begin before `from`; `onDrop` once a cell, `onChange` when the first one left changed. */
  dropBefore(
    from: number,
    onDrop: (unit: number) => void,
    onChange: (unit: number, start: number) => void,
  ): void {
    this.#reach = counterReach(this.#buckets, from);
    for (let unit = 0; unit < this.#units.length; unit += 1) {
      const cells = this.#units[unit]!;
      while (cells.length > 0 && cells.startAt(0) < from) {
        if (this.parts.growth) {
          const row = cells.rowAt(0);
          this.seed(unit, this.#states.read(row, 'lastAt'), this.#states.read(row, 'last'));
        }
        this.#shift(unit);
        onDrop(unit);
      }
      if ((this.#seeds[unit]?.at ?? Infinity) >= this.#reach) continue;
      this.#seeds[unit] = undefined;
      if (cells.length > 0) onChange(unit, cells.startAt(0));
    }
  }

  hasCells(unit: number): boolean {
    return this.#units[unit]!.length > 0;
  }

  /** Start of the first cell after the bucket at `start`, or NaN. */
  startAfter(unit: number, start: number): number {
    if (start >= this.#newest[unit]!) return Number.NaN;
    const cells = this.#units[unit]!;
    return cells.startAt(cells.lowerBound(start + 1));
  }

  /** Merges the unit's cell at `start`, if there is one, into row 0 of `target`. */
  mergeInto(target: StateGrid, unit: number, start: number): void {
    if (this.#recentStart[unit] === start) {
      target.mergeRow(0, this.#states, this.#recentRow[unit]!);
      return;
    }
    if (start > this.#newest[unit]!) return;
    const i = this.#units[unit]!.find(start);
    if (i >= 0) target.mergeRow(0, this.#states, this.#units[unit]!.rowAt(i));
  }

  /** Value of one cell; NaN when there is none. */
  valueAt(unit: number, start: number): number {
    if (!this.parts.growth && this.#recentStart[unit] === start)
      return this.#states.value(this.#recentRow[unit]!, this.#agg, this.#secondsOf(start));
    const i = start > this.#newest[unit]! ? -1 : this.#units[unit]!.find(start);
    return i < 0 ? Number.NaN : this.#value(unit, i);
  }

  /** The cells of a unit that have a value, ascending. */
  columns(unit: number): { timestamps: Float64Array; values: Float64Array } {
    const cells = this.#units[unit]!;
    const timestamps = new Float64Array(cells.length);
    const values = new Float64Array(cells.length);
    let length = 0;
    for (let i = 0; i < cells.length; i += 1) {
      const value = this.#value(unit, i);
      if (Number.isNaN(value)) continue;
      timestamps[length] = cells.startAt(i);
      values[length++] = value;
    }
    return { timestamps: timestamps.subarray(0, length), values: values.subarray(0, length) };
  }

  /** Aggregate over all cells, `rate` per second of one second; NaN when there are none. */
  total(unit: number): number {
    const cells = this.#units[unit]!;
    if (this.parts.growth) {
      let sum = cells.length === 0 ? Number.NaN : 0;
      for (let i = 0; i < cells.length; i += 1) sum += this.#increase(unit, i);
      return sum;
    }
    this.#scratch.clear(0);
    for (let i = 0; i < cells.length; i += 1) this.#scratch.mergeRow(0, this.#states, cells.rowAt(i));
    return this.#scratch.value(0, this.#agg, 1);
  }

  #value(unit: number, i: number): number {
    if (this.parts.growth) return this.#increase(unit, i);
    const cells = this.#units[unit]!;
    return this.#states.value(cells.rowAt(i), this.#agg, this.#secondsOf(cells.startAt(i)));
  }

  /** Length of the bucket at `start`, for those whose value depends on it. */
  #secondsOf(start: number): number {
    return this.#agg === 'rate' ? this.#buckets.seconds(start) : 1;
  }

  /** Growth inside the i-th cell and the step to it from whatever came before. */
  #increase(unit: number, i: number): number {
    const cells = this.#units[unit]!;
    const row = cells.rowAt(i);
    const before = i > 0 ? this.#states.read(cells.rowAt(i - 1), 'last') : this.#seeds[unit]?.value;
    const step = before === undefined ? 0 : counterStep(before, this.#states.read(row, 'first'));
    return this.#states.read(row, 'growth') + step;
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

  #noteOverlap(unit: number, start: number): void {
    if (!this.#states.counterOverlap) return;
    this.#states.counterOverlap = false;
    this.noteOverlapping(unit, [start]);
  }

  noteOverlapping(unit: number, starts: Iterable<number>): void {
    let known = this.overlapping.get(unit);
    if (known === undefined) this.overlapping.set(unit, (known = new Set()));
    for (const start of starts) known.add(start);
  }
}
