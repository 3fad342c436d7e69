import type { Agg, MetricInfo, Panel, QueryInput, Where } from '@nowcast/contract';
import { bothWhere, formatDuration, parseDuration } from '@nowcast/contract';
import { queryParameters } from '@nowcast/client';
import type { TimeRange } from '../../time/range.ts';
import { resolveZone, type ZoneName } from '../../time/zone.ts';

/** What stands above the panels and narrows all of them. */
export interface BoardFilter {
  /** Chosen values of the board's variables; an empty list means all. */
  variables: Readonly<Record<string, readonly string[]>>;
  /** Filter chips. */
  where: Where;
}

export interface PanelView {
  query: QueryInput;
  agg: Agg;
  range: TimeRange;
  /** The sliding range, ms; null when it stands still. */
  windowMs: number | null;
}

/** Groups that are drawn unless the panel says otherwise; the rest meets in "Other". */
const defaultGroups = 20;
const defaultRecords = 200;

/** A filter concerns a panel only if its series carry the label; unknown metrics are taken to carry all. */
function carries(metric: MetricInfo | undefined, label: string): boolean {
  return metric === undefined || label === 'source' || metric.labels.includes(label);
}

/** Series must satisfy the panel's own filter, the variables and the chips. */
export function combineWhere(panelWhere: Where, filter: BoardFilter, metric: MetricInfo | undefined): Where {
  const chosen = Object.entries(filter.variables).filter(([, values]) => values.length > 0);
  const variables: Where = Object.fromEntries(chosen.map(([label, values]) => [label, [...values]]));
  const board = Object.entries(bothWhere(variables, filter.where));
  return bothWhere(panelWhere, Object.fromEntries(board.filter(([label]) => carries(metric, label))));
}

/** A panel with a window of its own keeps it while the board is live; in the past all panels show the same time. */
function rangeOf(panel: Panel, board: TimeRange): TimeRange {
  if (board.kind === 'fixed' || panel.query.window === undefined) return board;
  return { kind: 'live', windowMs: parseDuration(panel.query.window) };
}

export function panelAgg(panel: Panel, metric: MetricInfo | undefined): Agg {
  if (panel.chart_type === 'feed') return 'none';
  const agg = panel.query.agg ?? metric?.default_agg ?? 'avg';
  return agg === 'none' ? 'count' : agg;
}

/** The live view behind a panel. */
export function panelView(
  panel: Panel,
  board: TimeRange,
  filter: BoardFilter,
  metric: MetricInfo | undefined,
  zone: ZoneName,
): PanelView {
  const agg = panelAgg(panel, metric);
  const range = rangeOf(panel, board);
  const query: QueryInput = {
    metric_type: panel.metric_type,
    agg,
    across: panel.query.across ?? metric?.default_across ?? 'merge',
    group_by: agg === 'none' ? [] : panel.query.group_by,
    where: combineWhere(panel.query.where, filter, metric),
    tz: resolveZone(zone),
    order: panel.query.order ?? 'desc',
  };
  if (range.kind === 'live') query.window = formatDuration(range.windowMs);
  else Object.assign(query, { from: Math.round(range.from), to: Math.round(range.to) });
  if (panel.query.step !== undefined && agg !== 'none') query.step = panel.query.step;
  if (agg === 'none') query.limit = panel.query.limit ?? defaultRecords;
  else if (panel.query.group_by.length > 0) query.limit = panel.query.limit ?? defaultGroups;
  return { query, agg, range, windowMs: range.kind === 'live' ? range.windowMs : null };
}

/** The same query as the parameters of `GET /data`, its range at this moment. */
export function dataParameters(query: QueryInput, ends: { from: number; to: number }): URLSearchParams {
  const { window: _, ...rest } = query;
  return queryParameters({ ...rest, from: Math.round(ends.from), to: Math.round(ends.to) });
}
