import type { PartSet, QueryGrid } from '@nowcast/aggregate';
import { appError } from '@nowcast/contract';

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

/** Whether so many units fit the budget of a view's states. */
export function fits(grid: QueryGrid, units: number, buckets: number, most: number): boolean {
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
