import { type UnitName, valueText } from '@nowcast/contract';
import type { AlertChart } from '@nowcast/ports';
import { Canvas, type Color, type Point, textWidth } from './canvas.ts';
import { encodePng } from './png.ts';

/**
 * An alert's value over time as a picture for a mail: the line, its limits dashed, the time it fires shaded, two axes.
 * Drawn here, since a canvas library would be 30 MB of native code for one line (docs/decisions/0006). Dark on white:
 * mail readers in dark mode leave pictures as they are. Drawn at twice the size at which it is shown.
 */

/** As shown, CSS pixels. */
export const chartSize = { width: 560, height: 180 };

const scale = 2;
const white: Color = [255, 255, 255];
const grid: Color = [229, 231, 235];
const ink: Color = [75, 85, 99];
const line: Color = [29, 78, 216];
const limitColor: Color = [185, 28, 28];
const firingColor: Color = [254, 226, 226];

/** Where the plot lies in the picture, pixels. */
interface Frame {
  left: number;
  right: number;
  top: number;
  bottom: number;
}

/** Undefined when there are no two values to draw a line between. */
export async function alertChart(chart: AlertChart, unit: UnitName): Promise<Buffer | undefined> {
  const points = samplesOf(chart);
  const values = points.map(({ value }) => value).filter(isDrawable);
  if (values.length < 2) return undefined;
  const limits = chart.limits.filter(({ value }) => isDrawable(value));
  const range = niceRange([...values, ...limits.map(({ value }) => value)], unit);
  const times = { from: chart.from, to: Math.max(chart.to, chart.from + 1) };
  const labels = range.ticks.map((tick) => valueText(tick, unit));
  const canvas = new Canvas(chartSize.width * scale, chartSize.height * scale, white);
  const frame: Frame = {
    left: Math.max(...labels.map((label) => textWidth(label, scale))) + 20,
    right: canvas.width - 24,
    top: 20,
    bottom: canvas.height - 44,
  };
  const x = (at: number): number =>
    frame.left +
    Math.min(Math.max((at - times.from) / (times.to - times.from), 0), 1) * (frame.right - frame.left);
  const y = (value: number): number =>
    frame.bottom - ((value - range.low) / (range.high - range.low)) * (frame.bottom - frame.top);
  for (const { from, to } of chart.firing) {
    const width = Math.max(x(to) - x(from), leastFiring);
    canvas.fill(x(to) - width, frame.top, width, frame.bottom - frame.top, firingColor);
  }
  range.ticks.forEach((tick, index) => {
    const label = labels[index]!;
    canvas.fill(frame.left, y(tick) - 1, frame.right - frame.left, 2, grid);
    canvas.text(label, frame.left - 12 - textWidth(label, scale), y(tick) - 7, scale, ink);
  });
  drawTimes(canvas, frame, times);
  for (const { value, from, to } of limits) {
    drawLimit(canvas, Math.min(x(from), frame.right - leastLimit), x(to), y(value));
  }
  for (const run of runs(points)) {
    canvas.polyline(thinned(run.map(({ at, value }): Point => ({ x: x(at), y: y(value) }))), 3, line);
  }
  return encodePng(canvas.width, canvas.height, canvas.pixels);
}

/** What has only just begun is still seen, pixels. */
const leastFiring = 6;
const leastLimit = 72;

interface Sample {
  at: number;
  value: number;
}

function samplesOf({ timestamps, values }: AlertChart): Sample[] {
  return timestamps
    .map((at, index) => ({ at, value: values[index] ?? Number.NaN }))
    .filter(({ at }) => Number.isFinite(at))
    .sort((a, b) => a.at - b.at);
}

function isDrawable(value: number): boolean {
  return Math.abs(value) < 1e300;
}

/** Where there is no value, or a silence of more than five usual distances, the line has a gap, as on the page. */
function runs(points: readonly Sample[]): Sample[][] {
  const distances = points.slice(1).map(({ at }, index) => at - points[index]!.at);
  const usual = distances.toSorted((a, b) => a - b)[distances.length >> 1] ?? 0;
  const result: Sample[][] = [[]];
  points.forEach((point, index) => {
    const isSilent = index > 0 && usual > 0 && distances[index - 1]! > usual * 5;
    if (isSilent || !isDrawable(point.value)) result.push([]);
    if (isDrawable(point.value)) result.at(-1)!.push(point);
  });
  return result.filter(({ length }) => length > 0);
}

/** At most the first, lowest, highest and last point of each column of pixels: spikes stay. */
function thinned(points: readonly Point[]): Point[] {
  const byColumn = Map.groupBy(points, ({ x }) => Math.floor(x));
  return [...byColumn.values()].flatMap((column) => {
    const byHeight = column.toSorted((a, b) => a.y - b.y);
    const kept = new Set([column[0]!, byHeight[0]!, byHeight.at(-1)!, column.at(-1)!]);
    return column.filter((point) => kept.has(point));
  });
}

/** Round numbers around the values: 1, 2 or 5 times a power of ten apart, three to six of them. */
function niceRange(
  values: readonly number[],
  unit: UnitName,
): { low: number; high: number; ticks: number[] } {
  const least = values.reduce((a, b) => Math.min(a, b));
  const most = values.reduce((a, b) => Math.max(a, b));
  // A flat line gets room above and below, wider than the distance of two doubles there.
  const span = Math.max(most - least, Math.abs(most) * 1e-9) || 1;
  // Bytes are shown in powers of 1024: round numbers there are round in KiB, MiB, …
  const size = Math.max(Math.abs(least), Math.abs(most), 1);
  const base = unit.startsWith('bytes') ? 1024 ** Math.floor(Math.log2(size) / 10) : 1;
  const rough = span / 4 / base;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = base * power * ([1, 2, 5].find((factor) => factor * power >= rough) ?? 10);
  const first = Math.floor(least / step);
  const count = Math.max(1, Math.ceil(most / step) - first);
  const ticks = Array.from({ length: count + 1 }, (_, index) => (first + index) * step);
  return { low: ticks[0]!, high: ticks.at(-1)!, ticks };
}

function drawTimes(canvas: Canvas, frame: Frame, { from, to }: { from: number; to: number }): void {
  canvas.fill(frame.left, frame.bottom, frame.right - frame.left, 2, ink, 0.5);
  const parts = 4;
  for (let i = 0; i <= parts; i++) {
    const label = `${new Date(from + ((to - from) * i) / parts).toISOString().slice(11, 16)}${i === parts ? ' UTC' : ''}`;
    const middle = frame.left + ((frame.right - frame.left) * i) / parts;
    canvas.fill(middle - 1, frame.bottom, 2, 8, ink, 0.5);
    const left = Math.min(middle - textWidth(label, scale) / 2, canvas.width - 4 - textWidth(label, scale));
    canvas.text(label, Math.max(0, left), frame.bottom + 16, scale, ink);
  }
}

function drawLimit(canvas: Canvas, left: number, right: number, y: number): void {
  for (let x = left; x < right; x += 20) {
    canvas.fill(x, y - 1.5, Math.min(12, right - x), 3, limitColor);
  }
}
