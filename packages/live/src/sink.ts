import type { PartSet, StateGrid } from '@nowcast/aggregate';

/** Where states of one (unit, bucket) go: a view, or a cohort of them. */
export interface Sink {
  readonly parts: PartSet;
  /** Whether several series may go to one unit. */
  readonly sharesUnits: boolean;
  merge(unit: number, start: number, states: StateGrid, row: number): void;
}

/** The parts that any of these needs. */
export function unionOf(all: readonly PartSet[]): PartSet {
  return {
    scalar: all.some(({ scalar }) => scalar),
    ends: all.some(({ ends }) => ends),
    growth: all.some(({ growth }) => growth),
    quantiles: all.some(({ quantiles }) => quantiles),
    uniques: all.some(({ uniques }) => uniques),
  };
}
