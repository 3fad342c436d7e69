import type uPlot from 'uplot';
import type { Panel } from '@nowcast/contract';
import { formatClock, formatDay, wallTime, type ZoneName } from '../time/zone.ts';
import { tickLabels } from '../units/tick-labels.ts';
import { withAlpha, type Palette } from './palette.ts';

const font = "11px 'Inter Variable', system-ui, sans-serif";

export function formatTick(time: number, incrementMs: number, zone: ZoneName): string {
  const wall = wallTime(time, zone);
  if (incrementMs >= 86_400_000) return formatDay(time, zone, Date.now());
  if (incrementMs >= 60_000) {
    const midnight = wall.hour === 0 && wall.minute === 0;
    return midnight ? formatDay(time, zone, Date.now()) : formatClock(time, zone, 'minute');
  }
  return formatClock(time, zone, incrementMs >= 1000 ? 'second' : 'ms');
}

const day = 86_400_000;
/** Distances of time ticks, ms. uPlot's own lack 2 min and 2 h; from 30 days on it counts months and years. */
const timeSteps = [1, 2, 5, 10, 20, 50, 100, 200, 500].concat(
  [1, 2, 5, 10, 15, 30].map((count) => count * 1000),
  [1, 2, 5, 10, 15, 30].map((count) => count * 60_000),
  [1, 2, 3, 6, 12].map((count) => count * 3_600_000),
  [1, 2, 4, 7, 14, 30, 60, 90, 180, 365, 730].map((count) => count * day),
);
/**
 * 1, 2, 5 and their tens, to the end of what a number holds: where no distance is wide enough, uPlot draws no tick.
 * Read from text, because `10 ** 23` is not the number nearest to 1e23.
 */
const decimalSteps = Array.from({ length: 317 }, (_, power) =>
  [1, 2, 5].map((digit) => Number(`${digit}e${power - 9}`)),
).flat();
/** 4 GiB, 8 GiB: multiples of ten would read 3.73 GiB. */
const binarySteps = Array.from({ length: 1023 }, (_, power) => 2 ** power);
/** Seconds: 5 min and 2 h, where multiples of ten would read 3.33 min. */
const durationSteps = decimalSteps
  .filter((step) => step < 10)
  .concat([10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 21_600, 43_200, 86_400])
  .concat(decimalSteps.filter((days) => days >= 2 && days < 1e300).map((days) => days * 86_400));
const millisecondSteps = durationSteps.map((step) => step * 1000);

/** Distances of value ticks that read well in the unit; never finer than the decimals that are printed. */
export function valueSteps({ unit, decimals }: Pick<Panel['display'], 'unit' | 'decimals'>): number[] {
  if (unit === 'bytes' || unit === 'bytes_per_second') return binarySteps;
  if (unit === 'seconds') return durationSteps;
  if (unit === 'milliseconds') return millisecondSteps;
  const printed = decimals ?? (unit === 'count' ? 0 : 9);
  const finest = 10 ** -(unit === 'ratio' ? printed + 2 : printed);
  return decimalSteps.filter((step) => step >= finest * 0.999);
}

/** Room right of the plot, px; a time may stand in it with half its width. */
export const plotPaddingEnd = 12;

const measured = new Map<string, number>();
/** Width of a label, px. The widest digit stands for all, so that a running clock does not move the plot. */
function textWidth(plot: uPlot, text: string): number {
  const shape = text.replace(/\d/g, '0');
  let width = measured.get(shape);
  if (width === undefined) {
    const { ctx } = plot;
    ctx.save();
    ctx.font = font;
    width = ctx.measureText(shape).width;
    ctx.restore();
    if (measured.size > 1000) measured.clear();
    measured.set(shape, width);
  }
  return width;
}

/** Times whose label would be cut off by the edge of the panel get none. */
function timeLabels(plot: uPlot, times: readonly number[], increment: number, zone: ZoneName) {
  const { min, max } = plot.scales['x']!;
  const width = plot.bbox.width / devicePixelRatio;
  return times.map((time) => {
    const text = formatTick(time, increment, zone);
    const end = ((time - (min ?? 0)) / ((max ?? 1) - (min ?? 0))) * width + textWidth(plot, text) / 2;
    return end > width + plotPaddingEnd ? null : text;
  });
}

/** Time below, values at the start. */
export function axes(spec: { palette: Palette; display: Panel['display']; zone: ZoneName }): uPlot.Axis[] {
  const { palette, display, zone } = spec;
  const shared: uPlot.Axis = {
    stroke: palette.muted,
    font,
    grid: { stroke: withAlpha(palette.line, 0.75), width: 1 },
    ticks: { show: false },
    border: { show: false },
  };
  let widest = 28;
  return [
    {
      ...shared,
      size: 30,
      gap: 8,
      // `14:02` takes less room than `14:02:11`.
      space: (_plot, _axis, from, to) => (to - from < 600_000 ? 76 : 60),
      incrs: timeSteps,
      grid: { show: false },
      values: (plot, splits, _axis, _space, increment) => timeLabels(plot, splits, increment, zone),
    },
    {
      ...shared,
      gap: 6,
      space: 34,
      incrs: valueSteps(display),
      values: (_plot, splits, _axis, _space, increment) => tickLabels(splits, increment, display.unit),
      // Grows with its labels and never shrinks: a plot that jumps sideways with every new maximum cannot be read.
      size(plot, values) {
        for (const text of values ?? []) widest = Math.max(widest, textWidth(plot, text) + 10);
        return widest;
      },
    },
  ];
}
