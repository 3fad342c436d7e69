import { firstBucket, usualGapMs, type BucketRange } from '../live/statistics.ts';
import type { StoredSeries } from '../live/stored-series.ts';
import { withAlpha } from './palette.ts';
import { openCanvas } from './use-figure.ts';

/**
 * A line without axes over a range, filled below; it breaks at holes like its big sisters and ends with the last
 * whole bucket (`settledMs`).
 */
export function drawSparkline(
  canvas: HTMLCanvasElement,
  series: StoredSeries,
  { from, to, stepMs, endOf }: BucketRange,
  colour: string,
  settledMs = Number.POSITIVE_INFINITY,
): void {
  const opened = openCanvas(canvas);
  if (opened === null) return;
  const { ctx, width, height } = opened;
  const start = firstBucket(series.t, from, endOf);
  const breakMs = 2.5 * usualGapMs(series.t, stepMs);
  let low = Number.POSITIVE_INFINITY;
  let high = Number.NEGATIVE_INFINITY;
  for (let i = start; i < series.t.length; i++) {
    const value = series.v[i];
    if (value === null || value === undefined) continue;
    if (value < low) low = value;
    if (value > high) high = value;
  }
  if (high < low) return;
  if (low >= 0 && low < (high - low) * 2) low = 0;
  const room = (high - low || Math.abs(high) || 1) * 0.1;
  const xOf = (time: number): number => ((time - from) / (to - from)) * width;
  const yOf = (value: number): number => height - 2 - ((value - low) / (high - low + room)) * (height - 4);
  const gradient = ctx.createLinearGradient(0, 0, 0, height);
  gradient.addColorStop(0, withAlpha(colour, 0.28));
  gradient.addColorStop(1, withAlpha(colour, 0.02));
  ctx.lineWidth = 1.5;
  ctx.lineJoin = 'round';
  ctx.strokeStyle = colour;
  ctx.fillStyle = gradient;
  let run: [number, number][] = [];
  const flush = (): void => {
    if (run.length > 1) strokeRun(ctx, run, height);
    run = [];
  };
  let previous = Number.NaN;
  for (let i = start; i < series.t.length && series.t[i]! <= to && endOf(series.t[i]!) <= settledMs; i++) {
    const value = series.v[i];
    if (value === null || value === undefined) continue;
    if (series.t[i]! - previous > breakMs) flush();
    previous = series.t[i]!;
    run.push([xOf(previous), yOf(value)]);
  }
  flush();
}

function strokeRun(ctx: CanvasRenderingContext2D, run: [number, number][], height: number): void {
  ctx.beginPath();
  run.forEach(([x, y], i) => (i === 0 ? ctx.moveTo(x, y) : ctx.lineTo(x, y)));
  ctx.stroke();
  ctx.lineTo(run.at(-1)![0], height);
  ctx.lineTo(run[0]![0], height);
  ctx.closePath();
  ctx.fill();
}
