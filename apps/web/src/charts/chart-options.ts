import uPlot from 'uplot';
import type { Agg, Panel } from '@nowcast/contract';
import { isAmount } from '../live/statistics.ts';
import type { StoredSeries } from '../live/stored-series.ts';
import { resolveZone, type ZoneName } from '../time/zone.ts';
import { stackedAreaPaths, type BaseOf } from './area-paths.ts';
import { axes, plotPaddingEnd } from './axes.ts';
import { barPaths } from './bar-paths.ts';
import type { ChartOverlay } from './chart-overlay.ts';
import { lineWidth } from './line-width.ts';
import type { PlotKind } from './plot-kind.ts';
import { drawVeil } from './live-edge.ts';
import { valueRange } from './value-range.ts';
import { slotColour, slotDash, withAlpha, type Palette } from './palette.ts';
import { drawLimitLines, drawLimitTexts } from './limits.ts';
import { limitsOfThresholds } from './thresholds.ts';

export interface PlotSpec {
  kind: PlotKind;
  display: Panel['display'];
  agg: Agg;
  series: readonly StoredSeries[];
  palette: Palette;
  zone: ZoneName;
  /** Name of a series without labels. */
  fallbackName: string;
  syncKey: string;
}

/** Bars of several series always stand on each other: side by side they get too thin to read. */
export function stacking(spec: Pick<PlotSpec, 'kind' | 'series' | 'agg'>): false | 'levels' | 'amounts' {
  if (spec.kind === 'bar') return spec.series.length > 1 && 'amounts';
  // Growth by the second goes on until the next report: a bucket without one is not a bucket of nothing.
  const isOfBuckets = isAmount(spec.agg) && !spec.series.some(({ growths }) => growths !== undefined);
  return spec.kind === 'stacked' && (isOfBuckets ? 'amounts' : 'levels');
}

function fill(colour: string, strong: number): uPlot.Series.Fill {
  return (plot) => {
    const { top, height } = plot.bbox;
    if (!Number.isFinite(top + height) || height === 0) return withAlpha(colour, strong);
    const gradient = plot.ctx.createLinearGradient(0, top, 0, top + height);
    gradient.addColorStop(0, withAlpha(colour, strong));
    gradient.addColorStop(1, withAlpha(colour, strong * 0.12));
    return gradient;
  };
}

/** A value with a hole on both sides has no line to be on: it gets a dot. */
function lonelyPoints(plot: uPlot, seriesIndex: number): number[] {
  const values = plot.data[seriesIndex]!;
  const [first, last] = plot.series[0]!.idxs ?? [0, values.length - 1];
  const near = (from: number, step: 1 | -1): boolean => {
    let i = from + step;
    while (i >= 0 && i < values.length && values[i] === undefined) i += step;
    return i >= 0 && i < values.length && values[i] !== null;
  };
  const lonely: number[] = [];
  for (let i = first; i <= last; i++) {
    const value = values[i];
    if (value !== null && value !== undefined && !near(i, -1) && !near(i, 1)) lonely.push(i);
  }
  return lonely;
}

function plotSeries(spec: PlotSpec, one: StoredSeries, shapes: uPlot.Series.PathBuilder): uPlot.Series {
  const colour = slotColour(spec.palette, one.slot);
  const series: uPlot.Series = {
    label: one.name === '' ? spec.fallbackName : one.name,
    stroke: colour,
    width: lineWidth(spec.kind, 0, 1),
  };
  const dash = slotDash(one.slot);
  if (dash !== undefined) series.dash = dash;
  if (spec.kind === 'bar') {
    series.fill = colour;
    series.paths = shapes;
    series.points = { show: false };
    return series;
  }
  series.points = {
    show: true,
    size: 5,
    fill: colour,
    filter: lonelyPoints,
  };
  if (spec.kind === 'area') series.fill = fill(colour, 0.28);
  if (spec.kind === 'stacked') {
    series.fill = withAlpha(colour, 0.42);
    series.paths = shapes;
  }
  return series;
}

/** Everything uPlot must know, except data and size. */
export function plotOptions(
  spec: PlotSpec,
  hooks: {
    /** Called on every synchronised plot; pixels. */
    onSelect: (plot: uPlot, left: number, width: number) => void;
    onCursor: (plot: uPlot) => void;
    stepMs: () => number;
    baseOf: BaseOf;
    /** Where what is drawn is not the whole yet; null: nowhere. */
    veilFromMs: () => number | null;
    overlay: () => ChartOverlay | null;
    nowMs: () => number;
  },
): Omit<uPlot.Options, 'width' | 'height'> {
  const limits = limitsOfThresholds(spec.display);
  const shapes = spec.kind === 'bar' ? barPaths(hooks.stepMs, hooks.baseOf) : stackedAreaPaths(hooks.baseOf);
  return {
    ms: 1,
    padding: [8, plotPaddingEnd, 0, 0],
    tzDate: (time) => uPlot.tzDate(new Date(time), resolveZone(spec.zone)),
    legend: { show: false },
    series: [{}, ...spec.series.map((one) => plotSeries(spec, one, shapes))],
    scales: {
      x: { time: true, auto: false },
      y: { range: (_plot, low, high) => valueRange(spec, low, high, hooks.overlay()?.limits) },
    },
    axes: axes(spec),
    cursor: {
      y: false,
      drag: { x: true, y: false, setScale: false },
      sync: { key: spec.syncKey, setSeries: false, scales: ['x', null] },
      points: { size: 7, width: 2 },
      bind: { dblclick: () => null },
    },
    hooks: {
      drawAxes: [
        (plot) => {
          drawLimitLines(plot, limits, spec.palette);
          hooks.overlay()?.below(plot, spec.palette, hooks.nowMs());
        },
      ],
      draw: [
        (plot) => {
          const from = hooks.veilFromMs();
          if (from !== null) drawVeil(plot, from, spec.palette);
          drawLimitTexts(plot, limits, spec.palette);
          hooks.overlay()?.above(plot, spec.palette);
        },
      ],
      setCursor: [hooks.onCursor],
      setSelect: [
        (plot) => {
          const { left, width } = plot.select;
          if (width < 4) return;
          hooks.onSelect(plot, left, width);
          plot.setSelect({ left: 0, top: 0, width: 0, height: 0 }, false);
        },
      ],
    },
  };
}
