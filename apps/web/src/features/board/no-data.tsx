import { useQuery } from '@tanstack/react-query';
import { Radio } from 'lucide-react';
import type { Panel } from '@nowcast/contract';
import { metricQuery } from '../../api/queries.ts';
import { useLive } from '../../live/live-context.ts';
import { describeAge, type TimeRange } from '../../time/range.ts';
import { formatMoment } from '../../time/zone.ts';
import { Button } from '../../ui/button.tsx';
import { useSecond } from '../../ui/use-second.ts';
import { useBoardView } from './board-context.ts';
import { emptyReason } from './empty-reason.ts';
import { combineWhere } from './panel-query.ts';
import { PanelMessage } from './panel-state.tsx';

/** Points that a panel's filters leave out are not pushed to it. */
const rereadMs = 15_000;

/** Says why there is nothing, when there last was something, and what to do. */
export function NoData({ panel, range }: { panel: Panel; range: TimeRange }) {
  useSecond();
  const board = useBoardView();
  const live = useLive();
  const { data: metric, dataUpdatedAt } = useQuery({
    ...metricQuery(panel.metric_type),
    refetchInterval: rereadMs,
  });
  const icon = <Radio size={18} className="text-nodata" aria-hidden />;
  if (metric === undefined) {
    // Not looked up yet, or the server could not be asked: nothing is said of what else there is.
    const text = `Nothing of “${panel.metric_type}” is in it.`;
    return <PanelMessage icon={icon} title="No data in this range" text={text} />;
  }
  if (metric === null) {
    const text = `Nothing called “${panel.metric_type}” has arrived yet. The chart starts by itself with the first point.`;
    return <PanelMessage icon={icon} title="No data yet" text={text} />;
  }
  const nowMs = live.serverNow();
  const lastMs = metric.last_timestamp;
  const hasFilters = Object.keys(combineWhere(panel.query.where, board.filter, metric)).length > 0;
  // As of when it was asked: the point may have left a short range since, and others have followed it.
  const reason = emptyReason(range, lastMs, nowMs - Date.now() + dataUpdatedAt, hasFilters);
  const text =
    reason === 'filtered'
      ? 'The filters leave nothing over.'
      : `Last: ${formatMoment(lastMs, board.zone)} (${describeAge(nowMs - lastMs)} ago).`;
  const widen = (): void => {
    board.setRange({
      kind: 'fixed',
      from: lastMs - 900_000,
      to: lastMs + 60_000,
    });
  };
  return (
    <PanelMessage icon={icon} title="No data in this range" text={text}>
      {reason === 'elsewhere' && (
        <Button variant="ghost" size="small" className="mt-1 text-accent" onPress={widen}>
          Show the last data
        </Button>
      )}
    </PanelMessage>
  );
}
