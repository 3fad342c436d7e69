import {
  defaultsFor,
  titleOf,
  unitFor,
  type ChartType,
  type LabelValues,
  type MetricInfo,
  type Panel,
} from '@nowcast/contract';
import { newPanelId, startingSize } from '../board/board-content.ts';
import { boxesOf } from '../board/panel-boxes.ts';
import { placeBox } from '../board/move-boxes.ts';
import { boardColumns } from '../board/grid-layout.ts';

/**
 * A panel that is right at once: nobody should have to choose an aggregate before having seen a line move.
 * Labels that tell the series apart become the groups, as long as the chart stays readable.
 */
const readableGroups = 12;

/** The label with the most values that still fit a chart; none when all series are alike. */
export function suggestGroups(labels: readonly LabelValues[]): string[] {
  const useful = labels
    .map((one) => ({ label: one.label, count: one.values.length }))
    .filter((one) => one.count > 1 && one.count <= readableGroups && one.label !== 'source')
    .sort((a, b) => b.count - a.count);
  return useful.slice(0, 1).map((one) => one.label);
}

function suggestChart(metric: MetricInfo, groups: readonly string[]): ChartType {
  if (metric.default_agg === 'none') return 'feed';
  const { chart_type } = defaultsFor(metric.metric_type, {
    looksLikeCounter: metric.default_agg === 'increase',
  });
  // Areas of several lines hide each other.
  return chart_type === 'area' && groups.length > 0 ? 'stacked' : chart_type;
}

export function suggestPanel(
  metric: MetricInfo,
  labels: readonly LabelValues[],
  panels: readonly Panel[],
  wanted?: ChartType,
): Panel {
  const groups = suggestGroups(labels);
  const chart = wanted ?? suggestChart(metric, groups);
  const id = newPanelId();
  const { x, y, w, h } = placeBox(boxesOf(panels), { id, ...startingSize(chart) }, boardColumns);
  return {
    visualization_id: id,
    title: titleOf(metric.metric_type),
    metric_type: metric.metric_type,
    chart_type: chart,
    query: {
      agg: metric.default_agg,
      across: metric.default_across,
      group_by: groups,
      where: {},
    },
    layout: { x, y, w, h },
    display: {
      unit: unitFor(metric.metric_type, metric.default_agg),
      legend: 'list',
      thresholds: [],
      connect_gaps: false,
      // A counter's growth means more by the second than by the bucket.
      ...(metric.default_agg === 'increase' ? { per_second: true } : {}),
    },
  };
}

/** A list of what is not well, of any metric. */
export function alertListPanel(panels: readonly Panel[]): Panel {
  const id = newPanelId();
  const { x, y, w, h } = placeBox(boxesOf(panels), { id, ...startingSize('alerts') }, boardColumns);
  return {
    visualization_id: id,
    title: 'Alerts',
    metric_type: '',
    chart_type: 'alerts',
    query: { group_by: [], where: {} },
    layout: { x, y, w, h },
    display: { unit: 'none', legend: 'none', thresholds: [], connect_gaps: false },
  };
}

export function duplicatePanel(panel: Panel, panels: readonly Panel[]): Panel {
  const id = newPanelId();
  const { x, y, w, h } = placeBox(
    boxesOf(panels),
    { id, w: panel.layout.w, h: panel.layout.h },
    boardColumns,
  );
  return {
    ...panel,
    visualization_id: id,
    title: `${panel.title} (copy)`.slice(0, 200),
    layout: { x, y, w, h },
  };
}
