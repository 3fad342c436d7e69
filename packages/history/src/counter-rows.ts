import { counterStep, isBefore, type QueryGrid, type StateSource } from '@nowcast/aggregate';
import type { StateColumns } from '@nowcast/ports';
import type { CounterPoints } from './counter-points.ts';
import { noSketches } from './cells/no-sketches.ts';

/** Cells of counters: units, and starts of their buckets or of parts of them, epoch ms. */
export class CounterCells {
  readonly #starts = new Map<number, Set<number>>();

  get isEmpty(): boolean {
    return this.#starts.size === 0;
  }

  add(unit: number, start: number): void {
    let starts = this.#starts.get(unit);
    if (starts === undefined) this.#starts.set(unit, (starts = new Set()));
    starts.add(start);
  }

  addAll(cells: Iterable<readonly [number, Iterable<number>]>): void {
    for (const [unit, starts] of cells) for (const start of starts) this.add(unit, start);
  }

  has(unit: number, start: number): boolean {
    return this.#starts.get(unit)?.has(start) === true;
  }

  [Symbol.iterator](): Iterator<readonly [unit: number, starts: ReadonlySet<number>]> {
    return this.#starts.entries();
  }
}

/** A stretch of a counter: of its growth nothing more is known than what is here. */
export interface CounterRow {
  unit: number;
  /** Start of the hour, or of the bucket, that it lies in. */
  start: number;
  first: number;
  firstAt: number;
  last: number;
  lastAt: number;
  growth: number;
  /** Points that lie inside are left out, because nobody can tell any more what they followed. */
  isClosed: boolean;
}

export function rowOf(states: StateColumns, i: number, start: number): CounterRow {
  return {
    unit: states.group[i]!,
    start,
    first: states.first[i]!,
    firstAt: states.firstAt[i]!,
    last: states.last[i]!,
    lastAt: states.lastAt[i]!,
    growth: states.growth[i]!,
    isClosed: false,
  };
}

/**
 * What a stretch grew by at least, when the points are gone: as if it had not begun anew in between. Rows in order of
 * time.
 */
export function closed(rows: readonly CounterRow[]): CounterRow {
  const first = rows[0]!;
  const last = rows.reduce((a, b) => (isBefore(a.lastAt, a.last, b.lastAt, b.last) ? b : a));
  const known = rows.length === 1 && !Number.isNaN(first.growth);
  const growth = known ? first.growth : counterStep(first.first, last.last);
  return { ...first, last: last.last, lastAt: last.lastAt, growth, isClosed: true };
}

export function byTime(a: CounterRow, b: CounterRow): number {
  return a.firstAt - b.firstAt || a.first - b.first || a.lastAt - b.lastAt || a.last - b.last;
}

/** Rows that must be met in turn with the points of their counters, since these lie between them. */
export class CounterRows {
  readonly #columns: StateSource;
  readonly #rows: readonly CounterRow[];
  /** Unit → the first of its rows and the end of them. */
  readonly #places = new Map<number, [number, number]>();

  constructor(rows: readonly CounterRow[]) {
    this.#rows = rows.toSorted((a, b) => a.unit - b.unit || byTime(a, b));
    this.#rows.forEach(({ unit }, i) => {
      const place = this.#places.get(unit);
      if (place === undefined) this.#places.set(unit, [i, i + 1]);
      else place[1] = i + 1;
    });
    const column = (name: 'first' | 'firstAt' | 'last' | 'lastAt' | 'growth') =>
      Float64Array.from(this.#rows, (row) => row[name]);
    const none = new Float64Array(0);
    this.#columns = {
      count: none,
      sum: none,
      min: none,
      max: none,
      first: column('first'),
      firstAt: column('firstAt'),
      last: column('last'),
      lastAt: column('lastAt'),
      growth: column('growth'),
      ...noSketches,
    };
  }

  /** Adds the unit's rows and these points of it, which are in (time, value) order. */
  addInTurn(unit: number, points: CounterPoints, grid: QueryGrid): void {
    const { timestamps, values, length } = points;
    const [from, to] = this.#places.get(unit) ?? [0, 0];
    let at = 0;
    for (let i = from; i < to; i++) {
      const row = this.#rows[i]!;
      let end = at;
      while (end < length && !isBefore(row.firstAt, row.first, timestamps[end]!, values[end]!)) end++;
      grid.addSorted(unit, points, at, end);
      grid.mergeEntry(this.#columns, i, unit, row.start);
      at = end;
      if (!row.isClosed) continue;
      while (at < length && isBefore(timestamps[at]!, values[at]!, row.lastAt, row.last)) at++;
    }
    grid.addSorted(unit, points, at, length);
  }
}
