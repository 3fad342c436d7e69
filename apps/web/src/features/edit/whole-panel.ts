import type { Panel } from '@nowcast/contract';
import { lacksNumber } from '../../ui/number-text.ts';

/** The tab of the editor on which a field of the panel still needs its number; null: on none. */
export function unfinishedTab({ query, display }: Panel): 'query' | 'display' | null {
  if (lacksNumber(query)) return 'query';
  return lacksNumber(display) || display.thresholds.some(lacksNumber) ? 'display' : null;
}

/** The panel as it can be drawn: without the numbers that are still being written. */
export function wholePanel(panel: Panel): Panel {
  if (unfinishedTab(panel) === null) return panel;
  const { query, display } = panel;
  const thresholds = display.thresholds.filter((one) => !lacksNumber(one));
  return { ...panel, query: withoutNaN(query), display: { ...withoutNaN(display), thresholds } };
}

function withoutNaN<T extends object>(part: T): T {
  return Object.fromEntries(Object.entries(part).filter(([, value]) => !Number.isNaN(value))) as T;
}
