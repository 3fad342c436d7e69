import type { Board, BoardContent, ChartType, Panel } from '@nowcast/contract';

/** The part of a board that is edited and saved. */
export function boardContent(board: Board): BoardContent {
  const { title, description, window, shared, variables, panels } = board;
  return { title, description, window, shared, variables, panels };
}

export function newPanelId(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(8));
  return `viz_${[...bytes].map((byte) => byte.toString(36).padStart(2, '0')).join('')}`;
}

export const chartTitles: Record<ChartType, string> = {
  line: 'Line',
  area: 'Area',
  stacked: 'Stacked area',
  bar: 'Bars',
  pie: 'Pie',
  stat: 'Stat',
  gauge: 'Gauge',
  table: 'Table',
  feed: 'Feed',
  status: 'Status',
  alerts: 'Alert list',
};

/** Rows below which a chart cannot be read. */
export function minimumHeight(chart: ChartType): number {
  return chart === 'stat' ? 4 : 6;
}

/** Sizes a new panel of a kind starts with. */
export function startingSize(chart: ChartType): { w: number; h: number } {
  if (chart === 'stat') return { w: 3, h: 4 };
  if (chart === 'gauge') return { w: 3, h: 6 };
  if (chart === 'status') return { w: 6, h: 6 };
  return { w: 6, h: 8 };
}

export function replacePanel(panels: readonly Panel[], next: Panel): Panel[] {
  return panels.map((panel) => (panel.visualization_id === next.visualization_id ? next : panel));
}
