/**
 * The bucket that time has not finished. A sum over it is always too small, so the line would fall at the live edge
 * of every chart of sums, all the time, and mean nothing. It is drawn behind a veil instead, and not counted as "last".
 * Averages and extremes of a part are as good as those of the whole: they need no veil (`isGrowing`).
 */
import type uPlot from 'uplot';
import type { BucketEnd } from '../live/bucket-end.ts';
import { withAlpha, type Palette } from './palette.ts';

/** Start of the first bucket that is not over at `nowMs`; null: all are. */
export function unfinishedFrom(times: readonly number[], endOf: BucketEnd, nowMs: number): number | null {
  let found: number | null = null;
  for (let i = times.length - 1; i >= 0 && endOf(times[i]!) > nowMs; i--) found = times[i]!;
  return found;
}

/** Where the veil begins: at the bar itself, or at the end of the last whole piece of line. */
export function veilFrom(
  times: readonly number[],
  endOf: BucketEnd,
  nowMs: number,
  kind: 'bar' | 'line',
): number | null {
  const unfinished = unfinishedFrom(times, endOf, nowMs);
  if (unfinished === null || kind === 'bar') return unfinished;
  const at = times.indexOf(unfinished);
  return at === 0 ? unfinished : times[at - 1]!;
}

const veil = 0.62;

/** Lets the panel shine through everything drawn from `fromMs` on. */
export function drawVeil(plot: uPlot, fromMs: number, palette: Palette): void {
  const { ctx, bbox } = plot;
  const end = bbox.left + bbox.width;
  const left = Math.max(bbox.left, Math.round(plot.valToPos(fromMs, 'x', true)));
  if (left >= end) return;
  ctx.save();
  ctx.fillStyle = withAlpha(palette.panel, veil);
  ctx.fillRect(left, bbox.top, end - left, bbox.height);
  ctx.restore();
}
