import { maxBuckets, type PartSet, type QueryGrid, rangeNow, type ResolvedQuery } from '@nowcast/aggregate';
import { appError } from '@nowcast/contract';
import type { Clock } from '@nowcast/kernel';
import type { LiveLimits } from './sources.ts';

/** Memory of a cell relative to a plain one (count, sum, min, max): typical sketches of a few hundred points. */
function weightOf(parts: PartSet): number {
  if (parts.uniques) return 16;
  return parts.quantiles ? 8 : 1;
}

/** Throws `query.too_large` when a view would return more groups than it may. */
export function refuseTooManyGroups(groups: number, most: number): void {
  if (groups <= most) return;
  throw appError(
    'query.too_large',
    `this query has ${groups} groups and ${most} are the most; set limit (the rest meets in "Other"), group by fewer labels, or narrow where`,
  );
}

/** What a unit costs even if it had no cells, in cells. */
const unitWeight = 8;

/** Buckets that the range of a query has now. */
export function bucketsNow(query: ResolvedQuery, now: number): number {
  const { from, to } = rangeNow(query, now);
  return query.buckets.countIn(from, to);
}

/**
 * The fewest that it will have from now on: a sliding range is cut into one bucket more or less as it moves (a window
 * that is no multiple of the step, a change of clocks), an open one only grows.
 */
export function fewestBuckets(query: ResolvedQuery, now: number): number {
  const { range, buckets } = query;
  if (range.kind === 'sliding') return buckets.countIn(0, Math.floor(range.windowMs) + 1);
  return bucketsNow(query, now);
}

/** Whether so many units fit the budget of a view's states. */
function fits(grid: QueryGrid, units: number, buckets: number, most: number): boolean {
  return units * (buckets * weightOf(grid.parts) + unitWeight) <= most;
}

/** Throws `query.too_large` when the states of a view would not fit its budget. */
export function refuseTooManyCells(grid: QueryGrid, buckets: number, most: number): void {
  if (fits(grid, grid.unitCount, buckets, most)) return;
  const what = grid.perSeries ? 'series' : 'groups';
  throw appError(
    'query.too_large',
    `${grid.unitCount} ${what} in ${buckets} buckets are too many to keep live; ask for a wider step, a shorter range or fewer ${what} (narrow where${grid.perSeries ? ', or across=merge' : ''})`,
  );
}

/** Whether a range that only grows has outgrown what a view of it may hold. */
export function hasOutgrown(query: ResolvedQuery, grid: QueryGrid, now: number, most: number): boolean {
  if (query.range.kind !== 'open') return false;
  const buckets = bucketsNow(query, now);
  return buckets > maxBuckets || !fits(grid, grid.unitCount, buckets, most);
}

/** What an open view may still take in. */
export class Room {
  readonly #query: ResolvedQuery;
  readonly #limits: LiveLimits;
  readonly #clock: Clock;
  /** Whether no further unit will ever fit: they stay as long as their view. */
  isUsedUp = false;

  constructor(query: ResolvedQuery, limits: LiveLimits, clock: Clock) {
    this.#query = query;
    this.#limits = limits;
    this.#clock = clock;
  }

  /** Whether one more group may be returned; once false it stays so. */
  hasGroup({ groupCount }: QueryGrid): boolean {
    return this.#query.limit !== undefined || groupCount < this.#limits.groups;
  }

  /** Whether the states of one more unit fit. */
  hasUnit(grid: QueryGrid): boolean {
    if (this.isUsedUp) return false;
    const now = this.#clock.now();
    const { cells } = this.#limits;
    if (fits(grid, grid.unitCount + 1, bucketsNow(this.#query, now), cells)) return true;
    this.isUsedUp = !fits(grid, grid.unitCount + 1, fewestBuckets(this.#query, now), cells);
    return false;
  }
}
