import type { RulePreview } from '@nowcast/contract';
import { startOfDay, type ZoneName } from '../../time/zone.ts';

/**
 * Geometry of the rule editor's chart, apart from drawing. A week in minutes is ten thousand points a series on a few
 * hundred pixels: each column is drawn as its lowest and highest value, so that a peak that fires is a peak that shows.
 */
export type PreviewSeries = RulePreview['series'][number];

export interface Frame {
  left: number;
  top: number;
  width: number;
  height: number;
  /** Epoch ms. */
  from: number;
  to: number;
  low: number;
  high: number;
}

export const xOf = (frame: Frame, at: number): number =>
  frame.left + ((at - frame.from) / Math.max(1, frame.to - frame.from)) * frame.width;
export const yOf = (frame: Frame, value: number): number =>
  frame.top + (1 - (value - frame.low) / (frame.high - frame.low)) * frame.height;
export const valueAt = (frame: Frame, y: number): number =>
  frame.low + (1 - (y - frame.top) / frame.height) * (frame.high - frame.low);

/** Ends of the value axis: everything drawn and every limit, with room to drag a limit beyond both. */
export function valueEnds(
  series: readonly PreviewSeries[],
  limits: readonly number[],
): { low: number; high: number } {
  let low = Number.POSITIVE_INFINITY;
  let high = Number.NEGATIVE_INFINITY;
  const take = (value: number | null): void => {
    if (value === null || !Number.isFinite(value)) return;
    low = Math.min(low, value);
    high = Math.max(high, value);
  };
  for (const one of series) {
    one.value.forEach(take);
    one.least?.forEach(take);
    one.greatest?.forEach(take);
    one.lower?.forEach(take);
    one.upper?.forEach(take);
  }
  limits.forEach(take);
  if (low > high) return { low: 0, high: 1 };
  if (low > 0 && low < (high - low) * 2) low = 0;
  const room = (high - low) * 0.12 || Math.abs(high) * 0.1 || 1;
  return { low: low === 0 ? 0 : low - room, high: high + room };
}

/** A step that people count in: 1, 2 or 5 times a power of ten, at most `most` of them in `span`. */
export function niceStep(span: number, most: number): number {
  const rough = span / most;
  const power = 10 ** Math.floor(Math.log10(rough));
  const digit = [1, 2, 5, 10].find((one) => one * power >= rough * 0.999) ?? 10;
  return digit * power;
}

export function valueTicks(frame: Frame, most: number): { values: number[]; step: number } {
  const step = niceStep(frame.high - frame.low, most);
  const values: number[] = [];
  for (let i = Math.ceil(frame.low / step); i * step <= frame.high; i++) values.push(i === 0 ? 0 : i * step);
  return { values, step };
}

/** The value a drag means: no finer than a pixel can say. */
export function roundedTo(value: number, frame: Frame): number {
  const step = niceStep(frame.high - frame.low, Math.max(50, frame.height));
  return Number((Math.round(value / step) * step).toPrecision(12));
}

const minuteMs = 60_000;
const timeSteps = [1, 2, 5, 10, 15, 30, 60, 120, 180, 360, 720].map((minutes) => minutes * minuteMs);
const dayMs = 86_400_000;

/** Moments for the time axis, at whole hours and days of the zone. */
export function timeTicks(
  from: number,
  to: number,
  most: number,
  zone: ZoneName,
): { at: number[]; days: boolean } {
  const step = timeSteps.find((one) => (to - from) / one <= most);
  const at: number[] = [];
  if (step === undefined) {
    const each = Math.max(1, Math.ceil((to - from) / dayMs / most));
    for (let day = 0, moment = startOfDay(from, zone); moment <= to; day += each) {
      moment = startOfDay(from, zone, day);
      if (moment >= from && moment <= to) at.push(moment);
    }
    return { at, days: true };
  }
  const midnight = startOfDay(from, zone);
  for (let moment = midnight + Math.ceil((from - midnight) / step) * step; moment <= to; moment += step)
    at.push(moment);
  return { at, days: false };
}

/** Points further apart than this many times their spacing have a gap between them. */
const gapSteps = 2.5;

/** SVG path of the area between two lines, broken where either has no value. */
export function bandPath(
  timestamps: readonly number[],
  least: readonly (number | null)[],
  greatest: readonly (number | null)[],
  pointMs: number,
  frame: Frame,
): string {
  let path = '';
  let above: string[] = [];
  let below: string[] = [];
  let previous = Number.NEGATIVE_INFINITY;
  const flush = (): void => {
    if (above.length > 0) path += `M${[...above, ...below.toReversed()].join('L')}Z`;
    [above, below] = [[], []];
  };
  timestamps.forEach((at, i) => {
    const [low, high] = [least[i] ?? null, greatest[i] ?? null];
    if (low === null || high === null || at - previous > pointMs * gapSteps) flush();
    if (low === null || high === null) return;
    // The values are of the time before the point.
    if (above.length === 0) {
      const x = Math.max(frame.left, xOf(frame, at - pointMs)).toFixed(1);
      above.push(`${x} ${yOf(frame, high).toFixed(1)}`);
      below.push(`${x} ${yOf(frame, low).toFixed(1)}`);
    }
    previous = at;
    const x = xOf(frame, at).toFixed(1);
    above.push(`${x} ${yOf(frame, high).toFixed(1)}`);
    below.push(`${x} ${yOf(frame, low).toFixed(1)}`);
  });
  flush();
  return path;
}

/** SVG path of one series: at most a lowest and a highest value a pixel column, broken where values are missing. */
export function linePath(
  timestamps: readonly number[],
  values: readonly (number | null)[],
  pointMs: number,
  frame: Frame,
): string {
  let path = '';
  let column = Number.NaN;
  let lowest = 0;
  let highest = 0;
  let previous = Number.NEGATIVE_INFINITY;
  let isOpen = false;
  const flush = (): void => {
    if (Number.isNaN(column)) return;
    const x = column.toFixed(0);
    // A point alone is a line of no length, which round ends make a dot.
    path += isOpen ? `L${x} ${yOf(frame, lowest).toFixed(1)}` : `M${x} ${yOf(frame, lowest).toFixed(1)}h0`;
    if (highest !== lowest) path += `L${x} ${yOf(frame, highest).toFixed(1)}`;
    isOpen = true;
    column = Number.NaN;
  };
  timestamps.forEach((at, i) => {
    const value = values[i] ?? null;
    if (value === null || at - previous > pointMs * gapSteps) {
      flush();
      isOpen = false;
    }
    if (value === null) return;
    previous = at;
    const x = Math.round(xOf(frame, at));
    if (x !== column) {
      flush();
      column = x;
      lowest = value;
      highest = value;
    } else {
      lowest = Math.min(lowest, value);
      highest = Math.max(highest, value);
    }
  });
  flush();
  return path;
}

export interface Stretch {
  state: 'pending' | 'firing' | 'recovering';
  from: number;
  /** Null: it lasts still at the end of what was computed. */
  to: number | null;
  /** What was read when it began. */
  value: number | null;
}

/** What a series went through, one stretch for each state that is not well, oldest first. */
export function stretchesOf(series: PreviewSeries): Stretch[] {
  const stretches: Stretch[] = [];
  for (const { to, at, value } of series.transitions) {
    const last = stretches.at(-1);
    if (last !== undefined && last.to === null) last.to = at;
    if (to !== 'ok') stretches.push({ state: to, from: at, to: null, value });
  }
  return stretches;
}

export interface Firing {
  from: number;
  /** Null: it fires still at the end of what was computed. */
  to: number | null;
  value: number | null;
}

/** The times a series would have fired, oldest first. `recovering` is firing still. */
export function firingsOf(series: PreviewSeries): Firing[] {
  const firings: Firing[] = [];
  for (const { from, to, at, value } of series.transitions) {
    const last = firings.at(-1);
    if (to === 'firing' && from !== 'recovering') firings.push({ from: at, to: null, value });
    else if (to === 'ok' && last !== undefined && last.to === null) last.to = at;
  }
  return firings;
}
