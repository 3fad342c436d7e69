import { counterReach, type QueryGrid, type ResolvedQuery } from '@nowcast/aggregate';
import type { SeriesIndex } from '@nowcast/head';
import { inSlices } from '@nowcast/kernel/slices';
import type { Clock } from '@nowcast/kernel';
import type { QueryLimits } from '@nowcast/ports';
import { CounterReader, type StoredParts } from './counter-reader.ts';
import { type CounterCells, CounterRows } from './counter-rows.ts';
import {
  feedPoints,
  feedStates,
  type Piece,
  type PieceRequest,
  readPiece,
  seedFrom,
  statePartsOf,
} from './piece.ts';
import type { Selection } from './selection.ts';
import type { HeadSource, Pin } from './sources.ts';
import type { LayeredRows } from './stored-rows.ts';
import type { WarmStore } from './warm/warm-store.ts';
import { foldTail, tailReaches, type TailSpan } from './tail-fold.ts';

/** The asynchronous part of an answer is at hand; `finish` adds it and the tail to the grid in one turn. */
export interface Join {
  /**
   * Feeds the grid: from then on it holds exactly what was applied up to now. Call it once, or `release`.
   * False when a counter's late points came between its states, or when points left memory meanwhile: the grid is of
   * no use then, and the load must be repeated with a fresh one and the same `unchained`, which says by now which cells
   * must be looked at more closely.
   */
  finish(): boolean;
  /** What the answer lacks, in words for people; undefined: nothing. */
  readonly note: string | undefined;
  release(): void;
}

export interface LoadOptions {
  limits: QueryLimits;
  /** Position in each tail at which the answer stands; undefined: wherever the tail ends when it is finished. */
  until?: readonly number[];
  /** Empty at first; the same for all attempts at one answer. */
  unchained: CounterCells;
}

const noRows = new CounterRows([]);

/** Flushed points of a query in the tails from which on folding them is slow. */
const manyPoints = 20_000;

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
  readonly #stored: LayeredRows;
  readonly #warm: WarmStore | undefined;
  readonly #counters: CounterReader;

  /** `stored` answers what neither the tails nor `warm` hold; `rawMs` is how long single points are kept. */
  constructor(options: {
    index: SeriesIndex;
    head: HeadSource;
    stored: LayeredRows;
    warm: WarmStore | undefined;
    clock: Clock;
    rawMs: number;
  }) {
    this.#index = options.index;
    this.#head = options.head;
    this.#stored = options.stored;
    this.#warm = options.warm;
    this.#counters = new CounterReader({ ...options, read: (request) => this.#piece(request) });
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
    const held = this.#held(selection, grid, options);
    if (held === undefined && inMemory()) {
      this.#wantIfMany(selection, grid, options);
      const span: TailSpan = { start: undefined, end, reach };
      // Nothing is pinned here: a flush that commits before `finish` may make memory let go of some of it.
      const finish = () =>
        inMemory() && this.#finish(selection, grid, span, { pieces: [], rows: noRows }, options);
      return { finish, release: () => undefined, note: undefined };
    }
    const pin = held?.pin ?? this.#head.pin();
    try {
      const span: TailSpan = { start: pin.positions, end, reach };
      const stored = grid.parts.growth
        ? await this.#counters.read({ ...options, selection, grid, span, at: pin.at })
        : await this.#read(selection, grid, pin, options, held?.piece);
      return {
        finish: () => {
          pin.release();
          return this.#finish(selection, grid, span, stored, options);
        },
        release: () => pin.release(),
        note: stored.note,
      };
    } catch (error) {
      pin.release();
      throw error;
    }
  }

  /**
   * What the warm store has of the range, with the pin it stands at. It is asked before the tails: these are made for
   * what is new, and most of a day in them takes longer to fold than its hours.
   */
  #held(
    selection: Selection,
    grid: QueryGrid,
    { limits, until }: LoadOptions,
  ): { pin: Pin; piece: Promise<Piece> } | undefined {
    if (this.#warm === undefined || grid.parts.growth || selection.handles.length === 0) return undefined;
    if (!Number.isFinite(grid.spec.to - grid.spec.from)) return undefined;
    const pin = this.#head.pin();
    // What is flushed already and still to come for a live view must not be in its first answer.
    const isAhead = until?.some((end, partition) => pin.positions[partition]! > end) === true;
    const piece = isAhead ? undefined : this.#warm.read(requestOf(selection, grid, pin, limits));
    if (piece !== undefined) return { pin, piece };
    pin.release();
    return undefined;
  }

  /** The tails answer it, slowly when they hold many points of these series: the next time may be better. */
  #wantIfMany(selection: Selection, grid: QueryGrid, { limits }: LoadOptions): void {
    const flushed = this.#head.pin();
    const points = this.#head.tails.reduce(
      (sum, tail) => sum + flushed.positions[tail.partition]! - tail.first,
      0,
    );
    const share = selection.handles.length / Math.max(1, this.#index.size);
    if (!grid.parts.growth && points * share > manyPoints)
      this.#warm?.want(requestOf(selection, grid, flushed, limits));
    flushed.release();
  }

  #finish(
    selection: Selection,
    grid: QueryGrid,
    span: TailSpan,
    { pieces, rows }: Pick<StoredParts, 'pieces' | 'rows'>,
    { unchained }: LoadOptions,
  ): boolean {
    for (const piece of pieces) {
      if (grid.parts.growth && piece.borders[0] === span.reach) seedFrom(piece, grid);
      else feedStates(piece, grid);
    }
    foldTail(grid, selection, this.#index, this.#head.tails, span, pieces, rows);
    unchained.addAll(grid.overlapping);
    return grid.overlapping.size === 0;
  }

  /** Synchronously asked, so that what is in memory stands at the very vector that was pinned. */
  #piece(request: PieceRequest): Promise<Piece> {
    const want = () => this.#warm?.want(request);
    return this.#warm?.read(request) ?? readPiece(this.#stored, this.#index, request, want);
  }

  async #read(
    selection: Selection,
    grid: QueryGrid,
    pin: Pin,
    { limits }: LoadOptions,
    held: Promise<Piece> | undefined,
  ): Promise<StoredParts> {
    const piece = await (held ?? this.#piece(requestOf(selection, grid, pin, limits)));
    // What was stored is the same whenever it is added; `finish` must not keep the thread for it.
    await inSlices(feedPoints(piece, grid));
    return { pieces: [piece], rows: noRows, note: undefined };
  }
}

function requestOf(selection: Selection, grid: QueryGrid, { at }: Pin, limits: QueryLimits): PieceRequest {
  const { from, to, buckets } = grid.spec;
  return {
    selection,
    borders: buckets.boundaries(from, to),
    parts: statePartsOf(grid),
    at,
    limits,
    pointsOnly: false,
  };
}
