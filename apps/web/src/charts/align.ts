/**
 * Turns series that each have times of their own into the shape uPlot draws: one ascending column of times and one
 * column of values a series. `undefined` means "no bucket here, draw through"; `null` means "a hole, lift the pen".
 *
 * A hole is more than 2.5 × the series' usual distance without a value. Where no other series has a time inside the
 * hole one is put in, or the line would run straight across it.
 */
import { usualGapMs } from '../live/statistics.ts';
import type { StoredSeries } from '../live/stored-series.ts';
import { lowerBound } from '../live/view-store.ts';
import { stack, type Column } from './stack.ts';

export interface Aligned {
  x: number[];
  /** As drawn: stacked columns are cumulated, the first farthest from zero. */
  drawn: Column[];
  /** Where the shape below each drawn value begins; null: nothing is stacked, all begin at zero. */
  bases: Column[] | null;
  /** The values themselves, for tooltips. */
  values: Column[];
}

const gapFactor = 2.5;

interface Slice {
  series: StoredSeries;
  start: number;
  end: number;
  /** Usual distance of its values, ms. */
  usualMs: number;
  /** Distance between two values above which the line breaks, ms. */
  breakMs: number;
}

/** One bucket beyond each end is kept, so that lines reach the plot's edges. */
function slice(series: StoredSeries, fromMs: number, toMs: number, stepMs: number, connect: boolean): Slice {
  const start = Math.max(0, lowerBound(series.t, fromMs) - 1);
  const end = Math.min(series.t.length, lowerBound(series.t, toMs) + 1);
  const usualMs = usualGapMs(series.t, stepMs);
  const breakMs = connect ? Number.POSITIVE_INFINITY : gapFactor * usualMs;
  return { series, start, end, usualMs, breakMs };
}

function times(slices: Slice[]): number[] {
  const all: number[] = [];
  for (const { series, start, end, usualMs, breakMs } of slices) {
    let previous = Number.NaN;
    for (let i = start; i < end; i++) {
      const time = series.t[i]!;
      if (series.v[i] === null) {
        all.push(time);
        continue;
      }
      if (time - previous > breakMs) all.push(previous + usualMs);
      all.push(time);
      previous = time;
    }
  }
  const sorted = Float64Array.from(all).sort();
  const unique: number[] = [];
  for (const time of sorted) if (time !== unique.at(-1)) unique.push(time);
  return unique;
}

/**
 * A series that fell silent while others go on until `untilMs` has a hole after its last value as well: a stack would
 * carry its level on to the edge and into the sum.
 */
function column(
  x: readonly number[],
  { series, start, end, usualMs, breakMs }: Slice,
  untilMs: number,
): Column {
  const values: Column = [];
  values.length = x.length;
  let at = 0;
  let previousAt = -1;
  const breakLine = (): void => {
    const hole = lowerBound(x, x[previousAt]! + usualMs);
    if (hole < x.length) values[hole] = null;
  };
  for (let i = start; i < end; i++) {
    const value = series.v[i];
    if (value === null || value === undefined) continue;
    const time = series.t[i]!;
    while (x[at]! < time) at++;
    values[at] = value;
    if (previousAt >= 0 && time - x[previousAt]! > breakMs) breakLine();
    previousAt = at;
  }
  if (previousAt >= 0 && untilMs - x[previousAt]! > gapFactor * usualMs) breakLine();
  return values;
}

export function align(
  series: readonly StoredSeries[],
  fromMs: number,
  toMs: number,
  stepMs: number,
  options: { connectGaps: boolean; stacked: false | 'levels' | 'amounts' },
): Aligned {
  const slices = series.map((one) => slice(one, fromMs, toMs, stepMs, options.connectGaps));
  const x = times(slices);
  const untilMs = Math.min(toMs, x.at(-1) ?? toMs);
  const values = slices.map((one) => column(x, one, untilMs));
  if (options.stacked === false) return { x, values, drawn: values, bases: null };
  return { x, values, ...stack(values, x.length, options.stacked === 'levels') };
}
