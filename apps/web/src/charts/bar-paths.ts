import type uPlot from 'uplot';
import type { BaseOf } from './area-paths.ts';

/**
 * Bars as wide as their bucket. uPlot's own are as wide as the smallest distance of a series' values, so a sale a
 * minute in buckets of a second would draw slabs, each series its own.
 */
interface BarSpan {
  left: number;
  width: number;
}

/** Share of the bucket that is bar; the rest separates it from the next. */
const filled = 0.84;

/** Place of a bar in a bucket from `left` to `right`, device pixels: whole ones, at least one of bar. */
export function barSpan(left: number, right: number): BarSpan {
  const start = Math.round(left);
  const room = Math.round(right) - start;
  return { left: start, width: Math.max(1, Math.min(Math.round(room * filled), room - 1)) };
}

/** Draws each value over its bucket of `stepMs()`, from where it begins (`baseOf`, null: all at zero) to its end. */
export function barPaths(stepMs: () => number, baseOf: BaseOf): uPlot.Series.PathBuilder {
  return (plot, seriesIndex, first, last) => {
    const times = plot.data[0];
    const ends = plot.data[seriesIndex]!;
    const bases = baseOf(seriesIndex);
    const { min = 0, max = 1 } = plot.scales['y']!;
    const path = new Path2D();
    const yOf = (value: number): number =>
      Math.round(plot.valToPos(Math.min(max ?? 1, Math.max(min ?? 0, value)), 'y', true));
    const step = stepMs();
    for (let i = first; i <= last; i++) {
      const value = ends[i];
      if (value === null || value === undefined) continue;
      const left = plot.valToPos(times[i]!, 'x', true);
      const bar = barSpan(left, plot.valToPos(times[i]! + step, 'x', true));
      const base = yOf(bases?.[i] ?? 0);
      const end = yOf(value);
      path.rect(bar.left, Math.min(base, end), bar.width, Math.abs(base - end));
    }
    return { fill: path, stroke: null, clip: null, band: null, gaps: [], flags: 1 };
  };
}
