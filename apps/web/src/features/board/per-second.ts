import { unitPerSecond, type Panel } from '@nowcast/contract';
import type { Rate } from '../../live/view-store.ts';
import type { PanelView } from './panel-query.ts';

/** Aggregates that grow with the width of their bucket; only of these "per second" says something. */
const amounts: ReadonlySet<string> = new Set(['count', 'sum', 'increase']);

/** A panel and its view as they are drawn: with `display.per_second`, amounts become rates and change their unit. */
export function asShown(
  panel: Panel,
  view: PanelView,
): { panel: Panel; view: PanelView; perSecond: boolean; rate: Rate } {
  if (panel.display.per_second !== true || !amounts.has(view.agg))
    return { panel, view, perSecond: false, rate: 'none' };
  const unit = unitPerSecond(panel.display.unit);
  // A rate is the latest one, not a total: its headline is chosen as for `rate`.
  return {
    panel: { ...panel, display: { ...panel.display, unit } },
    view: { ...view, agg: 'rate' },
    perSecond: true,
    rate: view.agg === 'increase' ? 'growth' : 'bucket',
  };
}
