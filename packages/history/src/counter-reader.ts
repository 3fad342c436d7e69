import { isBefore, type QueryGrid } from '@nowcast/aggregate';
import type { SeriesIndex } from '@nowcast/head';
import { formatDuration } from '@nowcast/contract';
import { type Clock, isAppError } from '@nowcast/kernel';
import type { OffsetVector, QueryLimits } from '@nowcast/ports';
import { byTime, CounterCells, type CounterRow, CounterRows, closed, rowOf } from './counter-rows.ts';
import { CounterPoints } from './counter-points.ts';
import { type Piece, type PieceRequest, statePartsOf } from './piece.ts';
import { type Selection, subset } from './selection.ts';
import type { HeadSource } from './sources.ts';
import { endOf, startOf, type TailSpan } from './tail-fold.ts';

const hourMs = 3_600_000;
/** Statements that cells which lie apart are read in. */
const mostStretches = 8;
/** Points read for the cells of one answer, about: as many as one statement may bring. */
const mostPoints = 10_000_000;

interface CounterOptions {
  index: SeriesIndex;
  head: HeadSource;
  clock: Clock;
  /** How long single points are kept, ms. */
  rawMs: number;
  read: (request: PieceRequest) => Promise<Piece>;
}

/** One load of counters: where in the tails, at which vector, and what is known of their cells. */
export interface CounterLoad {
  selection: Selection;
  grid: QueryGrid;
  span: TailSpan;
  at: OffsetVector;
  limits: QueryLimits;
  /** Cells, by the starts of their buckets, whose pieces did not chain when they were put together. */
  unchained: CounterCells;
}

/** What is stored of an answer. */
export interface StoredParts {
  /** One that ends where the range begins says what counters count from. */
  pieces: Piece[];
  /** What of them must be met in turn with their points. */
  rows: CounterRows;
  note: string | undefined;
}

interface Stretch {
  from: number;
  to: number;
  units: Set<number>;
}

/**
 * Counters follow time, so states only chain when no late point lies between them. Where one does (the growth of a
 * stored state is unknown, or pieces met in a cell of an earlier attempt), that cell alone is looked at more closely:
 *
 * ```
 *   bucket    |--------- a day ---------|
 *   hours     |····|····|····|····|·····|       states again, of hours; in turn with the tail's points
 *   points              |····|                  of the hours that still do not chain
 * ```
 * An hour whose points are gone counts from its first value to its last, and the answer says so.
 */
export class CounterReader {
  readonly #options: CounterOptions;

  constructor(options: CounterOptions) {
    this.#options = options;
  }

  async read(load: CounterLoad): Promise<StoredParts> {
    const { grid, selection, span } = load;
    const { from, to, buckets } = grid.spec;
    const borders = buckets.boundaries(from, to);
    const [main, seed] = await Promise.all([
      this.#piece(load, selection, borders),
      this.#options.read({
        ...this.#request(load, selection, Float64Array.of(span.reach, from)),
        parts: { ...statePartsOf(grid), growth: false },
      }),
    ]);
    const cells = brokenCells(main, load.unchained);
    if (cells.isEmpty) return { pieces: [main, seed], rows: new CounterRows([]), note: undefined };
    const byHour = borders.every((border) => border % hourMs === 0);
    const partOf = (time: number) => (byHour ? Math.floor(time / hourMs) * hourMs : buckets.start(time));
    const endOfPart = (start: number) => (byHour ? start + hourMs : buckets.end(start));
    const rows = await this.#rowsOf(load, main, cells, byHour);
    const spoilt = byHour ? this.#spoilt(load, rows) : cells;
    const { kept, lost } = this.#split(spoilt);
    const isTooOld = !lost.isEmpty;
    const { read, tooMany, points } = await this.#pointsOf(load, kept, { partOf, endOfPart });
    lost.addAll(tooMany);
    const rest = {
      ...without(main, (unit, start) => cells.has(unit, start)),
      points: read.isEmpty ? main.points : pointsWhere(main, (unit, time) => !read.has(unit, partOf(time))),
    };
    return {
      pieces: [rest, seed, ...points],
      rows: new CounterRows(keptRows(rows, read, lost)),
      note: lost.isEmpty ? undefined : noteOf(isTooOld ? this.#options.rawMs : undefined),
    };
  }

  #request({ grid, at, limits }: CounterLoad, selection: Selection, borders: Float64Array): PieceRequest {
    return { selection, borders, at, limits, parts: statePartsOf(grid), pointsOnly: false };
  }

  #piece(load: CounterLoad, selection: Selection, borders: Float64Array): Promise<Piece> {
    return this.#options.read(this.#request(load, selection, borders));
  }

  /** States of the cells: those at hand where buckets are no wider than an hour, or no whole hours, else by the hour. */
  async #rowsOf(load: CounterLoad, main: Piece, cells: CounterCells, byHour: boolean): Promise<CounterRow[]> {
    const { buckets } = load.grid.spec;
    const isWide = byHour && main.borders.some((start, i) => i > 0 && start - main.borders[i - 1]! > hourMs);
    const pieces = isWide
      ? await Promise.all(
          stretchesOf(cells, (start) => buckets.end(start)).map(({ from, to, units }) =>
            this.#piece(load, chosen(load.selection, units), hoursOf(from, to)),
          ),
        )
      : [main];
    return pieces.flatMap(({ states, borders }) => {
      const found: CounterRow[] = [];
      for (let i = 0; i < (states?.length ?? 0); i++) {
        const start = borders[states!.bucket[i]!]!;
        if (cells.has(states!.group[i]!, buckets.start(start))) found.push(rowOf(states!, i, start));
      }
      return found;
    });
  }

  /** The points of these cells, newest first and as many as may be held; which cells those are, and which are left. */
  async #pointsOf(
    load: CounterLoad,
    cells: CounterCells,
    { partOf, endOfPart }: { partOf: (time: number) => number; endOfPart: (start: number) => number },
  ): Promise<{ read: CounterCells; tooMany: CounterCells; points: Piece[] }> {
    const [read, tooMany] = [new CounterCells(), new CounterCells()];
    const points: Piece[] = [];
    let left = mostPoints;
    for (const stretch of stretchesOf(cells, endOfPart).reverse()) {
      const piece =
        left > 0
          ? await this.#points(load, stretch, (unit, time) => cells.has(unit, partOf(time)))
          : undefined;
      if (piece !== undefined) {
        points.push(piece);
        left -= piece.points?.length ?? 0;
      }
      const into = piece === undefined ? tooMany : read;
      for (const [unit, starts] of cells)
        for (const start of starts) if (start >= stretch.from && start < stretch.to) into.add(unit, start);
    }
    return { read, tooMany, points };
  }

  /** Undefined when they are more than one read may have. */
  async #points(
    load: CounterLoad,
    { from, to, units }: Stretch,
    keep: (unit: number, time: number) => boolean,
  ): Promise<Piece | undefined> {
    const request = this.#request(load, chosen(load.selection, units), Float64Array.of(from, to));
    try {
      const piece = await this.#options.read({ ...request, pointsOnly: true });
      return { ...piece, points: pointsWhere(piece, keep) };
    } catch (error) {
      if (isAppError(error) && error.code === 'query.too_large') return undefined;
      throw error;
    }
  }

  /** Hours whose growth is unknown, whose rows overlap, or in which a point of the tail lies inside a row. */
  #spoilt(load: CounterLoad, rows: readonly CounterRow[]): CounterCells {
    const spoilt = new CounterCells();
    const handleOf = new Map<number, number>();
    load.selection.units.forEach((unit, i) => handleOf.set(unit, load.selection.handles[i]!));
    for (const [unit, own] of Map.groupBy(rows, (row) => row.unit)) {
      own.sort(byTime);
      const points = this.#tailOf(handleOf.get(unit)!, load.span);
      let at = 0;
      own.forEach((row, i) => {
        const before = own[i - 1];
        const overlaps = before !== undefined && isBefore(row.firstAt, row.first, before.lastAt, before.last);
        const { timestamps, values, length } = points;
        while (at < length && !isBefore(row.firstAt, row.first, timestamps[at]!, values[at]!)) at++;
        const isInside = at < length && isBefore(timestamps[at]!, values[at]!, row.lastAt, row.last);
        if (overlaps) spoilt.add(unit, before.start);
        if (overlaps || isInside || Number.isNaN(row.growth)) spoilt.add(unit, row.start);
      });
    }
    return spoilt;
  }

  #tailOf(handle: number, span: TailSpan): CounterPoints {
    const points = new CounterPoints();
    const tail = this.#options.head.tails[this.#options.index.partitionOf(handle)]!;
    tail.walk(handle, startOf(span, tail), endOf(span, tail), (time, value) => {
      if (time >= span.reach) points.add(time, value);
    });
    points.sort();
    return points;
  }

  /** Those whose points are all kept, and those whose are not. */
  #split(cells: CounterCells): { kept: CounterCells; lost: CounterCells } {
    const { clock, rawMs } = this.#options;
    const keptFrom = clock.now() - rawMs;
    const [kept, lost] = [new CounterCells(), new CounterCells()];
    for (const [unit, starts] of cells)
      for (const start of starts) (start >= keptFrom ? kept : lost).add(unit, start);
    return { kept, lost };
  }
}

function brokenCells({ states, borders }: Piece, unchained: CounterCells): CounterCells {
  const cells = new CounterCells();
  cells.addAll(unchained);
  for (let i = 0; i < (states?.length ?? 0); i++)
    if (Number.isNaN(states!.growth[i]!)) cells.add(states!.group[i]!, borders[states!.bucket[i]!]!);
  return cells;
}

/** Rows of cells that are read point by point are left out, those of cells whose points are gone closed. */
function keptRows(rows: readonly CounterRow[], read: CounterCells, lost: CounterCells): CounterRow[] {
  const kept = rows.filter(({ unit, start }) => !read.has(unit, start));
  const gone = kept.filter(({ unit, start }) => lost.has(unit, start)).sort(byTime);
  const parts = Map.groupBy(gone, ({ unit, start }) => `${unit} ${start}`);
  return [...kept.filter(({ unit, start }) => !lost.has(unit, start)), ...Array.from(parts.values(), closed)];
}

/** The piece without the states of some buckets. */
function without(piece: Piece, isOut: (unit: number, start: number) => boolean): Piece {
  const { states, borders } = piece;
  if (states === undefined) return piece;
  const rows = rowsWhere(states.length, (i) => !isOut(states.group[i]!, borders[states.bucket[i]!]!));
  const numbers = (column: Float64Array) =>
    column.length < states.length ? column : Float64Array.from(rows, (i) => column[i]!);
  const kept = {
    ...states,
    length: rows.length,
    group: rows.map((i) => states.group[i]!),
    bucket: rows.map((i) => states.bucket[i]!),
    first: numbers(states.first),
    firstAt: numbers(states.firstAt),
    last: numbers(states.last),
    lastAt: numbers(states.lastAt),
    growth: numbers(states.growth),
  };
  return { ...piece, states: kept };
}

function pointsWhere(
  { points, selection: { units } }: Piece,
  keep: (unit: number, time: number) => boolean,
): Piece['points'] {
  if (points === undefined) return undefined;
  const rows = rowsWhere(points.length, (i) => keep(units[points.series[i]!]!, points.timestamps[i]!));
  return {
    ...points,
    length: rows.length,
    series: rows.map((i) => points.series[i]!),
    timestamps: Float64Array.from(rows, (i) => points.timestamps[i]!),
    values: Float64Array.from(rows, (i) => points.values[i]!),
  };
}

function rowsWhere(length: number, keep: (row: number) => boolean): Uint32Array {
  const rows = new Uint32Array(length);
  let kept = 0;
  for (let i = 0; i < length; i++) if (keep(i)) rows[kept++] = i;
  return rows.subarray(0, kept);
}

function chosen(selection: Selection, units: ReadonlySet<number>): Selection {
  return subset(selection, (i) => units.has(selection.units[i]!));
}

function hoursOf(from: number, to: number): Float64Array {
  return Float64Array.from({ length: (to - from) / hourMs + 1 }, (_, i) => from + i * hourMs);
}

/** Stretches of time that hold all of these cells, with the units of each; few, so that some hold other time as well. */
function stretchesOf(cells: CounterCells, endOfCell: (start: number) => number): Stretch[] {
  const unitsAt = new Map<number, number[]>();
  for (const [unit, starts] of cells)
    for (const start of starts) {
      const units = unitsAt.get(start);
      if (units === undefined) unitsAt.set(start, [unit]);
      else units.push(unit);
    }
  const starts = [...unitsAt.keys()].sort((a, b) => a - b);
  const gap = (i: number) => (i === 0 ? Infinity : starts[i]! - endOfCell(starts[i - 1]!));
  const widest = starts
    .map((_, i) => gap(i))
    .sort((a, b) => b - a)
    .at(mostStretches);
  const stretches: Stretch[] = [];
  starts.forEach((start, i) => {
    if (gap(i) > Math.max(0, widest ?? 0)) stretches.push({ from: start, to: start, units: new Set() });
    const stretch = stretches.at(-1)!;
    stretch.to = endOfCell(start);
    for (const unit of unitsAt.get(start)!) stretch.units.add(unit);
  });
  return stretches;
}

function noteOf(rawMs: number | undefined): string {
  const where =
    rawMs === undefined
      ? 'in more hours than can be read: around the older of those'
      : `more than ${formatDuration(rawMs)} ago: around those`;
  return `some counters had late points ${where}, growth is told from the first and the last value, as if nothing had begun anew in between`;
}
