import {
  type BoardContent,
  defaultsFor,
  type MetricDefaults,
  type MetricInfo,
  type Panel,
  titleOf,
} from '@nowcast/contract';
import { gridColumns, panelsFromRows, type RowDraft } from './panel-builder.ts';

const maxMetrics = 24;
const statsInRow = 4;
const readableGroups = 10;

/** The label that tells the series of a metric apart, when a chart of it has more than one line. */
function groupOf(metric: MetricInfo): string[] {
  if (metric.series < 2) return [];
  const names = metric.labels.filter((label) => label !== 'source');
  const usual = [
    'host',
    'region',
    'service',
    'name',
    'path',
    'status',
    'kind',
    'type',
    'device',
    'direction',
  ];
  const chosen = usual.find((label) => names.includes(label)) ?? names[0] ?? 'source';
  return [chosen];
}

interface Described {
  metric: MetricInfo;
  defaults: MetricDefaults;
  query: Partial<Panel['query']>;
  display: Partial<Panel['display']>;
}

function describe(metric: MetricInfo): Described {
  const named = defaultsFor(metric.metric_type);
  // The catalog may know better than the name: it has seen the values.
  const defaults =
    metric.default_agg === named.default_agg
      ? named
      : defaultsFor(metric.metric_type, { looksLikeCounter: metric.default_agg === 'increase' });
  return {
    metric,
    defaults,
    query: { agg: metric.default_agg, across: metric.default_across },
    display: { unit: defaults.unit, ...(defaults.per_second && { per_second: true }) },
  };
}

function statRow(described: readonly Described[]): RowDraft {
  const shown = described.slice(0, statsInRow);
  return {
    height: 4,
    panels: shown.map(({ metric, query, display }) => ({
      title: titleOf(metric.metric_type),
      metric: metric.metric_type,
      chart: 'stat',
      width: gridColumns / shown.length,
      query,
      display,
    })),
  };
}

function chartRow(pair: readonly Described[]): RowDraft {
  return {
    height: 8,
    panels: pair.map(({ metric, defaults, query, display }) => {
      const group = groupOf(metric);
      // Areas of several lines hide each other.
      const grouped = group.length > 0 && defaults.chart_type === 'area' ? 'stacked' : defaults.chart_type;
      return {
        title: titleOf(metric.metric_type),
        metric: metric.metric_type,
        chart: metric.default_agg === 'none' ? 'feed' : grouped,
        width: gridColumns / pair.length,
        query: { ...query, group_by: group, ...(group.length > 0 && { limit: readableGroups }) },
        display: { ...display, legend: group.length > 0 ? 'list' : 'none' },
      };
    }),
  };
}

/** A board of whatever a source sends: figures on top, a chart for each metric below, newest metrics first. */
export function boardFromMetrics(
  metrics: readonly MetricInfo[],
  options: { title?: string; source?: string } = {},
): BoardContent {
  const described = [...metrics]
    .sort((a, b) => b.last_timestamp - a.last_timestamp || (a.metric_type < b.metric_type ? -1 : 1))
    .slice(0, maxMetrics)
    .map(describe);
  const numeric = described.filter(({ metric }) => metric.default_agg !== 'none');
  const rows: RowDraft[] = numeric.length > 0 ? [statRow(numeric)] : [];
  for (let i = 0; i < described.length; i += 2) rows.push(chartRow(described.slice(i, i + 2)));
  return {
    title: (options.title ?? 'New board').slice(0, 120) || 'New board',
    description: '',
    window: '15m',
    shared: false,
    variables: variablesOf(described, options.source),
    panels: panelsFromRows(rows),
  };
}

/** A choice for each label that most of the metrics carry. */
function variablesOf(described: readonly Described[], source: string | undefined) {
  const carriers = new Map<string, number>();
  for (const { metric } of described)
    for (const label of metric.labels) carriers.set(label, (carriers.get(label) ?? 0) + 1);
  const common = [...carriers]
    .filter(([label, count]) => label !== 'source' && count * 2 > described.length)
    .sort(([a, x], [b, y]) => y - x || (a < b ? -1 : 1))
    .slice(0, 3)
    .map(([label]) => ({ label, title: titleOf(label), metric_type: '', selected: [] as string[] }));
  if (source === undefined) return common;
  return [{ label: 'source', title: 'Source', metric_type: '', selected: [source] }, ...common];
}
