import { titleOf, unitFor, type Agg, type MetricInfo, type Panel } from '@nowcast/contract';
import type { TimeRange } from '../../time/range.ts';
import type { Choice } from '../../ui/field.tsx';
import type { Comparison } from './comparing-live.ts';
import type { Compare, ExploreSearch } from './explore-search.ts';

/** Charts that Explore offers. */
export const exploreCharts = ['line', 'area', 'stacked', 'bar', 'pie'] as const;
export type ExploreChart = (typeof exploreCharts)[number];

/** What an Explore address asks for, as panels: the chart, and what stands below it. */
export function explorePanels(
  search: ExploreSearch,
  metric: MetricInfo | undefined,
): { chart: Panel; table: Panel; log: Panel } {
  const name = search.metric ?? '';
  // Single points have no chart of their own: it counts them, and they stand below.
  const asked = search.agg === 'none' ? 'count' : search.agg;
  const agg: Agg = asked ?? metric?.default_agg ?? 'avg';
  const chart: Panel = {
    visualization_id: 'explore',
    title: name === '' ? 'Explore' : titleOf(name),
    metric_type: name,
    chart_type: exploreCharts.find((one) => one === search.chart) ?? 'line',
    query: {
      agg,
      across: search.across ?? metric?.default_across ?? 'merge',
      group_by: search.by ?? [],
      where: search.where ?? {},
    },
    layout: { x: 0, y: 0, w: 12, h: 10 },
    display: {
      unit: unitFor(name, agg),
      legend: 'list',
      thresholds: [],
      connect_gaps: false,
      per_second: agg === 'increase',
    },
  };
  const table: Panel = { ...chart, visualization_id: 'explore-table', chart_type: 'table' };
  const log: Panel = {
    ...chart,
    visualization_id: 'explore-log',
    title: 'Single points',
    chart_type: 'feed',
    query: { agg: 'none', group_by: [], where: search.where ?? {} },
    display: { ...chart.display, unit: unitFor(name, 'last') },
  };
  return { chart, table, log };
}

export const compareChoices: readonly Choice<Compare | 'off'>[] = [
  { value: 'off', title: 'Compare with…' },
  { value: 'previous', title: 'Previous period' },
  { value: 'day', title: 'A day earlier' },
  { value: 'week', title: 'A week earlier' },
];

const dayMs = 86_400_000;
const fixed = {
  day: { shiftMs: dayMs, name: 'a day earlier' },
  week: { shiftMs: 7 * dayMs, name: 'a week earlier' },
} as const;

/** Null: nothing to compare with, or parts of a whole, which would add up with those of another time. */
export function comparisonOf(search: ExploreSearch, range: TimeRange, chart: Panel): Comparison | null {
  if (search.compare === undefined || chart.chart_type === 'pie' || chart.chart_type === 'stacked')
    return null;
  if (search.compare !== 'previous') return fixed[search.compare];
  const shiftMs = range.kind === 'live' ? range.windowMs : range.to - range.from;
  return { shiftMs, name: 'previous period' };
}
