import type { Across, AggName } from '@nowcast/contract';

/** Which parts of a mergeable state an answer needs; the others are neither kept nor read. */
export interface PartSet {
  /** count, sum, min, max: kept together, though a warehouse may be asked for the sums alone. */
  scalar: boolean;
  /** First and last value with their times. */
  ends: boolean;
  /** Growth of a counter; implies `ends`. */
  growth: boolean;
  /** DDSketch. */
  quantiles: boolean;
  /** HyperLogLog of the actors. */
  uniques: boolean;
}

const nothing: PartSet = { scalar: false, ends: false, growth: false, quantiles: false, uniques: false };

const quantileOf: Partial<Record<AggName, number>> = {
  p50: 0.5,
  p75: 0.75,
  p90: 0.9,
  p95: 0.95,
  p99: 0.99,
};

/** `p95` → 0.95; undefined for everything that is not a quantile. */
export function quantileFraction(agg: AggName): number | undefined {
  return quantileOf[agg];
}

/** A number that equal sets of parts share. */
export function partsNumber({ scalar, ends, growth, quantiles, uniques }: PartSet): number {
  return (
    Number(scalar) + 2 * Number(ends) + 4 * Number(growth) + 8 * Number(quantiles) + 16 * Number(uniques)
  );
}

/** The parts from which `agg` can be answered. */
export function partsOf(agg: AggName): PartSet {
  if (quantileFraction(agg) !== undefined) return { ...nothing, quantiles: true };
  if (agg === 'uniques') return { ...nothing, uniques: true };
  if (agg === 'first' || agg === 'last') return { ...nothing, ends: true };
  if (agg === 'increase') return { ...nothing, ends: true, growth: true };
  return { ...nothing, scalar: true };
}

/**
 * Whether states must be kept for each series rather than for each group: a counter can only be followed series by
 * series, and `across` other than `merge` combines what each series says on its own.
 */
export function isPerSeries(agg: AggName, across: Across): boolean {
  return across !== 'merge' || agg === 'increase';
}
