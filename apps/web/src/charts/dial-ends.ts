import type { Agg, Panel } from '@nowcast/contract';
import { headline, summarise, type BucketRange } from '../live/statistics.ts';
import type { StoredSeries } from '../live/stored-series.ts';

/** Ends that one value would exceed by its rounding are none: what is left below the largest double is headroom. */
const largestTop = 1e307;

/**
 * Ends of the dials of a panel, the same for all of them: dials side by side are compared by how full they are, and
 * a scale each would draw 3 and 300 alike. Percentages have natural ends; others grow with the largest value shown.
 */
export function dialEnds(
  display: Pick<Panel['display'], 'min' | 'max' | 'unit' | 'thresholds'>,
  agg: Agg,
  shown: readonly StoredSeries[],
  span: BucketRange,
): [number, number] {
  const min = display.min ?? 0;
  if (display.max !== undefined) return [min, display.max];
  if (display.unit === 'percent') return [min, 100];
  if (display.unit === 'ratio') return [min, 1];
  const reached = shown.map((series) => {
    const summary = summarise(series, span);
    return Math.max(headline(agg, summary) ?? 0, summary.max ?? 0);
  });
  const top = Math.max(...reached, ...display.thresholds.map((one) => one.value), min + 1);
  if (top > largestTop) return [min, Number.MAX_VALUE];
  const power = 10 ** Math.floor(Math.log10(top));
  return [min, Math.ceil((top * 1.05) / power) * power];
}
