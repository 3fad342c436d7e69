/**
 * Everything that is stored of a metric, in about as many buckets as a strip has pixels. Nobody knows when a metric
 * begins: a look over the longest retention finds its first bucket, and a look from there is sharper; a few such
 * looks meet. All are answered from the coarsest states.
 */
import type { DataAnswer, QueryInput } from '@nowcast/contract';
import { api } from '../../api/http.ts';
import { dataParameters } from '../board/panel-query.ts';
import type { Span } from './overview-span.ts';

export interface OverviewData {
  whole: Span;
  /** Bucket starts, epoch ms. */
  times: number[];
  values: (number | null)[];
}

const longestMs = 5 * 366 * 86_400_000;
const shortestMs = 15 * 60_000;
const mostLooks = 5;

export type Read = (query: QueryInput, span: Span) => Promise<Pick<DataAnswer, 'series'>>;

export const readFromServer: Read = (query, span) =>
  api<DataAnswer>('GET', `/data?${dataParameters(query, span).toString()}`);

/** Null: nothing is stored. */
export async function readOverview(
  asked: QueryInput,
  nowMs: number,
  read: Read,
): Promise<OverviewData | null> {
  const { window: _window, step: _step, limit: _limit, ...rest } = asked;
  const query: QueryInput = { ...rest, group_by: [] };
  let from = nowMs - longestMs;
  for (let look = 1; ; look++) {
    const whole = { from, to: nowMs };
    const { series } = await read(query, whole);
    const { timestamp: times = [], value: values = [] } = series[0] ?? {};
    const first = times.find((_, i) => values[i] !== null);
    if (first === undefined) return null;
    const start = Math.min(first, nowMs - shortestMs);
    const isSharp = start - from < (nowMs - from) * 0.1;
    if (isSharp || look === mostLooks)
      return { whole: { from: Math.max(from, start), to: nowMs }, times, values };
    from = start;
  }
}

/** The strip's line as an SVG path over a box of 1000 × 100, and the area below it; broken where nothing was. */
export function overviewPaths({ whole, times, values }: OverviewData): { line: string; area: string } {
  const known = values.filter((value) => value !== null);
  const high = Math.max(...known);
  const low = Math.min(0, ...known);
  const x = (time: number): number => ((time - whole.from) / (whole.to - whole.from)) * 1000;
  const y = (value: number): number => 96 - ((value - low) / (high - low || 1)) * 90;
  const breakMs = 2.5 * usualStep(times);
  let line = '';
  let area = '';
  let run: string[] = [];
  let runStart = 0;
  let previous = Number.NaN;
  const close = (): void => {
    if (run.length === 0) return;
    // A bucket that is alone is still something: a hair's width of it.
    const points =
      run.length === 1 ? [run[0]!, `${(x(previous) + 1.5).toFixed(1)} ${run[0]!.split(' ')[1]}`] : run;
    const end = points.at(-1)!.split(' ')[0];
    line += `M${points.join('L')}`;
    area += `M${x(runStart).toFixed(1)} 100L${points.join('L')}L${end} 100Z`;
    run = [];
  };
  times.forEach((time, i) => {
    const value = values[i] ?? null;
    if (value === null) return;
    if (time - previous > breakMs) close();
    if (run.length === 0) runStart = time;
    run.push(`${x(time).toFixed(1)} ${y(value).toFixed(1)}`);
    previous = time;
  });
  close();
  return { line, area };
}

function usualStep(times: readonly number[]): number {
  let step = Number.POSITIVE_INFINITY;
  for (let i = 1; i < times.length; i++) step = Math.min(step, times[i]! - times[i - 1]!);
  return step;
}
