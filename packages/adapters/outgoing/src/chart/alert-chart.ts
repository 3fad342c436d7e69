import { type UnitName, valueText } from '@nowcast/contract';
import type { AlertMessage } from '@nowcast/ports';
import { Canvas, type Color, type Point, textWidth } from './canvas.ts';
import { encodePng } from './png.ts';

/**
 * The last hour of an alert's value as a picture for a mail: the line, its limit, two axes. Drawn here, since a canvas
 * library would be 30 MB of native code for one line (docs/decisions/0006). Dark on white: mail readers in dark mode
 * leave pictures as they are. Drawn at twice the size at which it is shown.
 */
type Chart = NonNullable<AlertMessage['chart']>;

/** As shown, CSS pixels. */
export const chartSize = { width: 560, height: 180 };

const scale = 2;
const white: Color = [255, 255, 255];
const grid: Color = [229, 231, 235];
const ink: Color = [75, 85, 99];
const line: Color = [29, 78, 216];
const limitColor: Color = [185, 28, 28];

/** Where the plot lies in the picture, pixels. */
interface Frame {
  left: number;
  right: number;
  top: number;
  bottom: number;
}

/** Undefined when there are no two values to draw a line between. */
export async function alertChart(chart: Chart, unit: UnitName): Promise<Buffer | undefined> {
  const points = finitePoints(chart);
  if (points.length < 2) return undefined;
  const limit = chart.limit !== undefined && Number.isFinite(chart.limit) ? chart.limit : undefined;
  const values = points.map(({ value }) => value);
  const range = niceRange(limit === undefined ? values : [...values, limit], unit);
  const times = { from: points[0]!.at, to: Math.max(points.at(-1)!.at, points[0]!.at + 1) };
  const labels = range.ticks.map((tick) => valueText(tick, unit));
  const canvas = new Canvas(chartSize.width * scale, chartSize.height * scale, white);
  const frame: Frame = {
    left: Math.max(...labels.map((label) => textWidth(label, scale))) + 20,
    right: canvas.width - 24,
    top: 20,
    bottom: canvas.height - 44,
  };
  const x = (at: number): number =>
    frame.left + ((at - times.from) / (times.to - times.from)) * (frame.right - frame.left);
  const y = (value: number): number =>
    frame.bottom - ((value - range.low) / (range.high - range.low)) * (frame.bottom - frame.top);
  range.ticks.forEach((tick, index) => {
    const label = labels[index]!;
    canvas.fill(frame.left, y(tick) - 1, frame.right - frame.left, 2, grid);
    canvas.text(label, frame.left - 12 - textWidth(label, scale), y(tick) - 7, scale, ink);
  });
  drawTimes(canvas, frame, times);
  if (limit !== undefined) drawLimit(canvas, frame, y(limit));
  for (const run of runs(points)) {
    canvas.polyline(thinned(run.map(({ at, value }): Point => ({ x: x(at), y: y(value) }))), 3, line);
  }
  return encodePng(canvas.width, canvas.height, canvas.pixels);
}

interface Sample {
  at: number;
  value: number;
}

function finitePoints({ timestamps, values }: Chart): Sample[] {
  return timestamps
    .map((at, index) => ({ at, value: values[index] ?? Number.NaN }))
    .filter(({ at, value }) => Number.isFinite(at) && Math.abs(value) < 1e300)
    .sort((a, b) => a.at - b.at);
}

/** A silence of more than five usual distances is a gap in the line, as on the page. */
function runs(points: readonly Sample[]): Sample[][] {
  const distances = points.slice(1).map(({ at }, index) => at - points[index]!.at);
  const usual = distances.toSorted((a, b) => a - b)[distances.length >> 1] ?? 0;
  const result: Sample[][] = [[]];
  points.forEach((point, index) => {
    if (index > 0 && usual > 0 && distances[index - 1]! > usual * 5) result.push([]);
    result.at(-1)!.push(point);
  });
  return result;
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

function drawLimit(canvas: Canvas, frame: Frame, y: number): void {
  for (let x = frame.left; x < frame.right; x += 20) {
    canvas.fill(x, y - 1.5, Math.min(12, frame.right - x), 3, limitColor);
  }
}
