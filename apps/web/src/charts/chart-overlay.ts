import type uPlot from 'uplot';
import type { Limit } from './limits.ts';
import type { Palette } from './palette.ts';

/** Something that is drawn with a chart but is no data of it, and comes after the chart is on the screen. */
export interface ChartOverlay {
  /** Moves when it must be drawn again. */
  readonly revision: number;
  /** The value axis reaches for these as for thresholds. */
  readonly limits: readonly Limit[];
  /** Between the axes and the data. */
  below(plot: uPlot, palette: Palette, nowMs: number): void;
  above(plot: uPlot, palette: Palette): void;
}
