import { counterReach, type QueryGrid, type ResolvedQuery } from '@nowcast/aggregate';
import type { SeriesIndex } from '@nowcast/head';
import type { QueryLimits, StateParts } from '@nowcast/ports';
import { feedPiece, type Piece, readPiece, seedFrom } from './piece.ts';
import { type Selection, subset } from './selection.ts';
import type { HeadSource, Pin } from './sources.ts';
import type { StoredRows } from './stored-rows.ts';
import { endOf, foldTail, startOf, tailReaches, type TailSpan } from './tail-fold.ts';

/** The asynchronous part of an answer is at hand; `finish` adds it and the tail to the grid in one turn. */
export interface Join {
  /**
   * Feeds the grid: from then on it holds exactly what was applied up to now. Call it once, or `release`.
   * False when a counter's late points came between its states, or when points left memory meanwhile: the grid is of
   * no use then, and the load must be repeated with a fresh one and the next attempt number (from the second on,
   * counters are read point by point).
   */
  finish(): boolean;
  release(): void;
}

export interface LoadOptions {
  limits: QueryLimits;
  /** Position in each tail at which the answer stands; undefined: wherever the tail ends when it is finished. */
  until?: readonly number[];
  /** 0, then one more each time `finish` returned false. */
  attempt?: number;
}

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
  readonly #stored: StoredRows;

  constructor(index: SeriesIndex, head: HeadSource, stored: StoredRows) {
    this.#index = index;
    this.#head = head;
    this.#stored = stored;
  }

  /** Adds the groups and units of the matching series to the grid. Throws `query.invalid` for a bad expression. */
  select(tenant: string, query: ResolvedQuery, grid: QueryGrid): Selection {
    const handles = this.#index.match(tenant, query.metricType, query.where);
    const units = handles.map((handle) => grid.addSeries(grid.addGroupOf(this.#index.definitionOf(handle))));
    return { tenant, metric: query.metricType, handles, units };
  }

  /** Reads what lies below the watermark. Rejects with `warehouse.unavailable`, `query.timeout`, `request.cancelled`. */
  async load(selection: Selection, grid: QueryGrid, options: LoadOptions): Promise<Join> {
    const { from, buckets } = grid.spec;
    const reach = grid.parts.growth ? counterReach(buckets, from) : from;
    const end = options.until;
    const inMemory = () => selection.handles.length === 0 || tailReaches(this.#head.tails, reach);
    if (inMemory()) {
      const span: TailSpan = { start: undefined, end, reach };
      // Nothing is pinned here: a flush that commits before `finish` may make memory let go of some of it.
      const finish = () => inMemory() && this.#finish(selection, grid, span, []);
      return { finish, release: () => undefined };
    }
    const pin = this.#head.pin();
    try {
      const span: TailSpan = { start: pin.positions, end, reach };
      const pieces = grid.parts.growth
        ? await this.#readCounters(selection, grid, span, pin, options)
        : [await this.#read(selection, grid, pin, options)];
      return {
        finish: () => {
          pin.release();
          return this.#finish(selection, grid, span, pieces);
        },
        release: () => pin.release(),
      };
    } catch (error) {
      pin.release();
      throw error;
    }
  }

  #finish(selection: Selection, grid: QueryGrid, span: TailSpan, pieces: readonly Piece[]): boolean {
    for (const piece of pieces) {
      if (grid.parts.growth && piece.borders[0] === span.reach) seedFrom(piece, grid);
      else feedPiece(piece, grid);
    }
    foldTail(grid, selection, this.#index, this.#head.tails, span, pieces);
    return grid.overlapping.size === 0;
  }

  #read(selection: Selection, grid: QueryGrid, { at }: Pin, { limits }: LoadOptions): Promise<Piece> {
    const { from, to, buckets } = grid.spec;
    const borders = buckets.boundaries(from, to);
    return readPiece(this.#stored, this.#index, {
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
    span: TailSpan,
    pin: Pin,
    options: LoadOptions,
  ): Promise<Piece[]> {
    const { from, to } = grid.spec;
    const parts = partsOf(grid);
    const common = { at: pin.at, limits: options.limits };
    const byPoints = new Set<number>((options.attempt ?? 0) > 0 ? selection.units : []);
    for (;;) {
      const straight = subset(selection, (i) => !byPoints.has(selection.units[i]!));
      const late = subset(selection, (i) => byPoints.has(selection.units[i]!));
      const [main, seed, points] = await Promise.all([
        this.#read(straight, grid, pin, options),
        readPiece(this.#stored, this.#index, {
          ...common,
          selection: straight,
          borders: Float64Array.of(span.reach, from),
          parts: { ...parts, growth: false },
          pointsOnly: false,
        }),
        readPiece(this.#stored, this.#index, {
          ...common,
          selection: late,
          borders: Float64Array.of(span.reach, to),
          parts,
          pointsOnly: true,
        }),
      ]);
      const found = this.#unchained(main, span);
      if (found.length === 0) return [main, seed, points];
      for (const unit of found) byPoints.add(unit);
    }
  }

  /** Units whose states do not chain: their rows overlap, or the tail has a point before the end of one. */
  #unchained(piece: Piece, span: TailSpan): number[] {
    const { states, selection } = piece;
    if (states === undefined) return [];
    const newest = new Map<number, number>();
    for (let i = 0; i < states.length; i++) {
      const at = Number.isNaN(states.growth[i]!) ? Number.POSITIVE_INFINITY : states.lastAt[i]!;
      newest.set(states.group[i]!, Math.max(at, newest.get(states.group[i]!) ?? Number.NEGATIVE_INFINITY));
    }
    return Array.from(selection.units).filter((unit, i) => {
      const end = newest.get(unit) ?? Number.NEGATIVE_INFINITY;
      return end === Number.POSITIVE_INFINITY || this.#oldestInTail(selection.handles[i]!, span) <= end;
    });
  }

  #oldestInTail(handle: number, span: TailSpan): number {
    const tail = this.#head.tails[this.#index.partitionOf(handle)]!;
    let oldest = Number.POSITIVE_INFINITY;
    tail.walk(handle, startOf(span, tail), endOf(span, tail), (timestamp) => {
      if (timestamp < oldest) oldest = timestamp;
    });
    return oldest;
  }
}

function partsOf(grid: QueryGrid): StateParts {
  const { scalar, ends, growth, quantiles, uniques } = grid.parts;
  return { scalar, ends, growth, quantiles, uniques };
}
