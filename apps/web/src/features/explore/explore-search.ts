import {
  acrossSchema,
  aggSchema,
  chartTypeSchema,
  whereSchema,
  type Across,
  type Agg,
  type ChartType,
  type Where,
} from '@nowcast/contract';
import { readBoardSearch } from '../board/board-search.ts';
import type { RangeSearch } from '../../time/range.ts';

/** What a chart is compared with; the router reads addresses, so this file stays small. */
export const comparisons = ['previous', 'day', 'week'] as const;
export type Compare = (typeof comparisons)[number];

/** The query of Explore lives in its address alone. */
export interface ExploreSearch extends RangeSearch {
  metric?: string | undefined;
  agg?: Agg | undefined;
  across?: Across | undefined;
  by?: string[] | undefined;
  where?: Where | undefined;
  chart?: ChartType | undefined;
  tz?: string | undefined;
  compare?: Compare | undefined;
  /** What stands below the chart; figures when absent. */
  below?: 'log' | undefined;
}

export function readExploreSearch(raw: Record<string, unknown>): ExploreSearch {
  const { from, to, tz, where } = readBoardSearch(raw);
  const search: ExploreSearch = {};
  if (from !== undefined) search.from = from;
  if (to !== undefined) search.to = to;
  if (tz !== undefined) search.tz = tz;
  if (where !== undefined && whereSchema.safeParse(where).success) search.where = where;
  if (typeof raw['metric'] === 'string') search.metric = raw['metric'];
  const agg = aggSchema.safeParse(raw['agg']);
  if (agg.success) search.agg = agg.data;
  const across = acrossSchema.safeParse(raw['across']);
  if (across.success) search.across = across.data;
  const chart = chartTypeSchema.safeParse(raw['chart']);
  if (chart.success) search.chart = chart.data;
  const compare = comparisons.find((one) => one === raw['compare']);
  if (compare !== undefined) search.compare = compare;
  if (raw['below'] === 'log') search.below = 'log';
  const by = raw['by'];
  if (Array.isArray(by) && by.every((label) => typeof label === 'string')) search.by = by;
  return search;
}
