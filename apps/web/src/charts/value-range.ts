import type { Agg, ChartType, Panel } from '@nowcast/contract';
import { isAmount } from '../live/statistics.ts';

/**
 * The ends of a value axis. Doubles end it in two ways that a chart must survive: room added to the largest of them
 * is infinite, as is the distance between two of opposite sign (a scale of infinite length shows nothing); and ticks
 * closer together than neighbouring doubles never get from one end to the other, which would stop the page.
 */
interface ValueRangeSpec {
  kind: ChartType;
  agg: Agg;
  display: Pick<Panel['display'], 'min' | 'max' | 'thresholds'>;
}

/** Shortest axis as a share of the values on it: some 45 neighbouring doubles. */
const shortestShare = 1e-14;

/** Distance of the ends stays finite: half the largest double to each side, all of it to one. */
function bounded([from, to]: [number, number]): [number, number] {
  const largest = Number.MAX_VALUE;
  const low = Math.min(largest, Math.max(-largest, from));
  const high = Math.min(largest, Math.max(-largest, to));
  if (Number.isFinite(high - low)) return [low, high];
  return [Math.max(-largest / 2, low), Math.min(largest / 2, high)];
}

/** Zero belongs to filled shapes and to amounts; the ends a panel names are kept; an empty panel still gets an axis. */
export function valueRange(
  spec: ValueRangeSpec,
  low: number | null,
  high: number | null,
  limits: readonly { value: number }[] = [],
): [number, number] {
  const { min, max } = spec.display;
  let [from, to] = bounded([low ?? 0, high ?? 1]);
  const grounded = spec.kind !== 'line' || isAmount(spec.agg);
  if (grounded || (from >= 0 && from < (to - from) * 1.5)) from = Math.min(0, from);
  if (grounded) to = Math.max(0, to);
  for (const { value } of [...spec.display.thresholds, ...limits]) {
    if (value > to && value < to + (to - from)) to = value;
  }
  if (to - from <= Math.max(Math.abs(from), Math.abs(to)) * shortestShare) {
    const room = Math.abs(from) * 0.1 || 1;
    if (from !== 0) from -= room;
    to += room;
  }
  const room = (to - from) * 0.08;
  return bounded([min ?? (from === 0 ? 0 : from - room), max ?? (to === 0 ? 0 : to + room)]);
}
