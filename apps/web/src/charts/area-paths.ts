import type uPlot from 'uplot';
import type { Column } from './stack.ts';

/** Where the shapes of a series of the plot begin (`Aligned.bases`); null: at zero. */
export type BaseOf = (seriesIndex: number) => Column | null;

/** First and last index of every stretch of `values` without a hole. */
export function stretches(
  values: ArrayLike<number | null | undefined>,
  first: number,
  last: number,
): [number, number][] {
  const found: [number, number][] = [];
  let start = -1;
  for (let i = first; i <= last + 1; i++) {
    const isHole = i > last || values[i] === null || values[i] === undefined;
    if (isHole && start >= 0) found.push([start, i - 1]);
    if (isHole) start = -1;
    else if (start < 0) start = i;
  }
  return found;
}

/**
 * Areas of a stack, each between its own two lines. uPlot's bands fill from one series to the next: they know one
 * direction only, and lose an area where the series below it has a hole.
 */
export function stackedAreaPaths(baseOf: BaseOf): uPlot.Series.PathBuilder {
  return (plot, seriesIndex, first, last) => {
    const ends = plot.data[seriesIndex]!;
    const bases = baseOf(seriesIndex);
    const stroke = new Path2D();
    const fill = new Path2D();
    const xOf = (i: number): number => Math.round(plot.valToPos(plot.data[0][i]!, 'x', true));
    const yOf = (value: number): number => Math.round(plot.valToPos(value, 'y', true));
    for (const [from, to] of stretches(ends, first, last)) {
      for (let i = from; i <= to; i++) {
        const at = [xOf(i), yOf(ends[i]!)] as const;
        for (const path of [stroke, fill]) {
          if (i === from) path.moveTo(...at);
          else path.lineTo(...at);
        }
      }
      for (let i = to; i >= from; i--) fill.lineTo(xOf(i), yOf(bases?.[i] ?? 0));
      fill.closePath();
    }
    return { stroke, fill, clip: null, band: null, gaps: [], flags: 1 };
  };
}
