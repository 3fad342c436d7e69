import { groupLabels, type QueryGrid, type ResolvedQuery } from '@nowcast/aggregate';
import type { SeriesIndex } from '@nowcast/head';
import type { OffsetVector, QueryLimits, StateParts, Warehouse } from '@nowcast/ports';
import { feedPiece, type Piece, readPiece, seedFrom } from './piece.ts';
import { type Selection, subset } from './selection.ts';
import type { HeadSource, Pin } from './sources.ts';
import { foldTail, tailReaches } from './tail-fold.ts';

/** The asynchronous part of an answer is at hand; `finish` adds it and the tail to the grid in one turn. */
export interface Join {
  /**
   * Feeds the grid: from then on it holds exactly what was applied up to now. Call it once, or `release`.
   * False when a counter's late points came between its states: the grid is of no use then, and the load must be
   * repeated with a fresh one and the next attempt number (from the second on, counters are read point by point).
   */
  finish(): boolean;
  release(): void;
}

/** How far a counter looks back for the point before its range, at least; milliseconds. */
const lookbackMs = 5 * 60_000;

/**
 * The exact join of history and live: `warehouse(≤ W) ⊕ tail(> W)` at one vector.
 *
 * The warehouse answers in its own time. Meanwhile points arrive, flushes commit and W moves; so the vector is pinned
 * first, the tail above it stays, and what came above the pinned W is added at the very end without giving up the
 * thread. Joining by time instead would lose late points or count them twice.
 */
export class HistoryReader {
  readonly #index: SeriesIndex;
  readonly #head: HeadSource;
  readonly #warehouse: Warehouse;

  constructor(index: SeriesIndex, head: HeadSource, warehouse: Warehouse) {
    this.#index = index;
    this.#head = head;
    this.#warehouse = warehouse;
  }

  /** Adds the groups and units of the matching series to the grid. Throws `query.invalid` for a bad expression. */
  select(tenant: string, query: ResolvedQuery, grid: QueryGrid): Selection {
    const handles = this.#index.match(tenant, query.metricType, query.where);
    const units = handles.map((handle) => this.addSeries(grid, query, handle));
    return { tenant, metric: query.metricType, handles, units };
  }

  /** Adds one further series of the query and returns its unit. */
  addSeries(grid: QueryGrid, query: ResolvedQuery, handle: number): number {
    return grid.addSeries(grid.addGroup(groupLabels(this.#index.definitionOf(handle), query.groupBy)));
  }

  /** Reads what lies below the watermark. Rejects with `warehouse.unavailable`, `query.timeout`, `request.cancelled`. */
  async load(selection: Selection, grid: QueryGrid, limits: QueryLimits, attempt = 0): Promise<Join> {
    const { from, buckets } = grid.spec;
    const reach = grid.parts.growth ? Math.min(from - lookbackMs, buckets.start(from - 1)) : from;
    const { tails } = this.#head;
    if (selection.handles.length === 0 || tailReaches(tails, reach)) {
      return { finish: () => this.#finish(selection, grid, reach, [], undefined), release: () => undefined };
    }
    const pin = this.#head.pin();
    try {
      const pieces = grid.parts.growth
        ? await this.#readCounters(selection, grid, reach, pin, limits, attempt > 0)
        : [await this.#read(selection, grid, pin.at, limits)];
      return {
        finish: () => {
          pin.release();
          return this.#finish(selection, grid, reach, pieces, pin.positions);
        },
        release: () => pin.release(),
      };
    } catch (error) {
      pin.release();
      throw error;
    }
  }

  #finish(
    selection: Selection,
    grid: QueryGrid,
    reach: number,
    pieces: readonly Piece[],
    positions: readonly number[] | undefined,
  ): boolean {
    for (const piece of pieces) {
      if (grid.parts.growth && piece.borders[0] === reach) seedFrom(piece, grid);
      else feedPiece(piece, grid);
    }
    foldTail(grid, selection, this.#index, this.#head.tails, positions, reach, pieces);
    return grid.overlapping.size === 0;
  }

  #read(selection: Selection, grid: QueryGrid, at: OffsetVector, limits: QueryLimits): Promise<Piece> {
    const { from, to, buckets } = grid.spec;
    const borders = buckets.boundaries(from, to);
    return readPiece(this.#warehouse, this.#index, {
      selection,
      borders,
      parts: partsOf(grid),
      at,
      limits,
      pointsOnly: false,
    });
  }

  /**
   * Counters follow time, so states only chain when no late point lies between them. Series where one does, in the
   * warehouse (growth unknown) or in the tail, are read point by point; finding such a series costs a second round.
   */
  async #readCounters(
    selection: Selection,
    grid: QueryGrid,
    reach: number,
    pin: Pin,
    limits: QueryLimits,
    pointsOnly: boolean,
  ): Promise<Piece[]> {
    const { from, to } = grid.spec;
    const parts = partsOf(grid);
    const byPoints = new Set<number>(pointsOnly ? selection.units : []);
    for (;;) {
      const straight = subset(selection, (i) => !byPoints.has(selection.units[i]!));
      const late = subset(selection, (i) => byPoints.has(selection.units[i]!));
      const common = { at: pin.at, limits };
      const [main, seed, points] = await Promise.all([
        this.#read(straight, grid, pin.at, limits),
        readPiece(this.#warehouse, this.#index, {
          ...common,
          selection: straight,
          borders: Float64Array.of(reach, from),
          parts: { ...parts, growth: false },
          pointsOnly: false,
        }),
        readPiece(this.#warehouse, this.#index, {
          ...common,
          selection: late,
          borders: Float64Array.of(reach, to),
          parts,
          pointsOnly: true,
        }),
      ]);
      const found = this.#unchained(main, pin);
      if (found.length === 0) return [main, seed, points];
      for (const unit of found) byPoints.add(unit);
    }
  }

  /** Units whose states do not chain: their rows overlap, or the tail has a point before the end of one. */
  #unchained(piece: Piece, pin: Pin): number[] {
    const { states, selection } = piece;
    if (states === undefined) return [];
    const newest = new Map<number, number>();
    for (let i = 0; i < states.length; i++) {
      const at = Number.isNaN(states.growth[i]!) ? Number.POSITIVE_INFINITY : states.lastAt[i]!;
      newest.set(states.group[i]!, Math.max(at, newest.get(states.group[i]!) ?? Number.NEGATIVE_INFINITY));
    }
    return Array.from(selection.units).filter((unit, i) => {
      const end = newest.get(unit) ?? Number.NEGATIVE_INFINITY;
      return end === Number.POSITIVE_INFINITY || this.#oldestInTail(selection.handles[i]!, pin) <= end;
    });
  }

  #oldestInTail(handle: number, pin: Pin): number {
    const tail = this.#head.tails[this.#index.partitionOf(handle)]!;
    let oldest = Number.POSITIVE_INFINITY;
    tail.walk(handle, pin.positions[tail.partition]!, tail.end, (timestamp) => {
      if (timestamp < oldest) oldest = timestamp;
    });
    return oldest;
  }
}

function partsOf(grid: QueryGrid): StateParts {
  const { scalar, ends, growth, quantiles, uniques } = grid.parts;
  return { scalar, ends, growth, quantiles, uniques };
}
