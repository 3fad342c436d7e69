import type { ChartType, Panel } from '@nowcast/contract';
import { randomId } from '@nowcast/kernel';

/** Columns of the grid of a board. */
export const gridColumns = 12;

interface PanelDraft {
  title: string;
  metric: string;
  chart: ChartType;
  query?: Partial<Panel['query']>;
  display?: Partial<Panel['display']>;
}

/** One row of a board: its panels share the width, by their weights, and the height. */
export interface RowDraft {
  height: number;
  panels: readonly (PanelDraft & { width: number })[];
}

function toPanel(draft: PanelDraft, layout: Panel['layout']): Panel {
  return {
    visualization_id: randomId('panel'),
    title: draft.title,
    metric_type: draft.metric,
    chart_type: draft.chart,
    query: { group_by: [], where: {}, ...draft.query },
    layout,
    display: {
      unit: 'none',
      legend: draft.chart === 'stat' || draft.chart === 'gauge' ? 'none' : 'list',
      thresholds: [],
      connect_gaps: false,
      ...draft.display,
    },
  };
}

/** Lays rows out below each other, panels from left to right. Widths of a row must not exceed the grid. */
export function panelsFromRows(rows: readonly RowDraft[]): Panel[] {
  const panels: Panel[] = [];
  let y = 0;
  for (const { height, panels: drafts } of rows) {
    let x = 0;
    for (const { width, ...draft } of drafts) {
      panels.push(toPanel(draft, { x, y, w: width, h: height }));
      x += width;
    }
    y += height;
  }
  return panels;
}
