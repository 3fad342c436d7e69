import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { CircleCheck, Clock } from 'lucide-react';
import { bothWhere, severities, type AlertState, type Panel } from '@nowcast/contract';
import { ApiError, messageOf } from '../../api/http.ts';
import { useLive } from '../../live/live-context.ts';
import { useLostLink } from '../../live/use-lost-link.ts';
import type { TimeRange } from '../../time/range.ts';
import { formatMoment } from '../../time/zone.ts';
import { useBoardView } from '../board/board-context.ts';
import { combineWhere } from '../board/panel-query.ts';
import { PanelMessage, PanelState } from '../board/panel-state.tsx';
import { AlertLine } from './alert-line.tsx';
import { sortAlerts } from './alert-order.ts';
import { selectedAlertsQuery } from './alert-queries.ts';
import { aboutWhere } from './watching.ts';

const usualStates: readonly AlertState[] = ['firing', 'acknowledged'];
const usualLines = 50;

/** Between two readings of what leaves a sliding range by itself, ms. */
function rereadMs(range: TimeRange): number | false {
  return range.kind === 'live' && Math.min(60_000, Math.max(1000, range.windowMs / 15));
}

/** An `alerts` panel: what is not well, worst first, then what is over. */
export function AlertList({ panel }: { panel: Panel }) {
  const board = useBoardView();
  const live = useLive();
  const { alert_states: states = usualStates, alert_severity: weakest = 'info' } = panel.display;
  const selection = {
    states,
    ...(panel.metric_type === '' ? {} : { metricType: panel.metric_type }),
    ...(weakest === 'info' ? {} : { severities: severities.slice(severities.indexOf(weakest)) }),
    where: bothWhere(panel.query.where, aboutWhere(combineWhere({}, board.filter, undefined))),
    // What is not over is not over, whatever the board shows; what is over is of its range.
    ...(states.includes('resolved') ? { range: board.range } : {}),
    limit: panel.query.limit ?? usualLines,
  };
  const alerts = useQuery({
    ...selectedAlertsQuery(selection, () => live.serverNow()),
    refetchInterval: states.includes('resolved') && rereadMs(board.range),
  });
  const isLost = useLostLink() !== null;
  if (alerts.isPending) return <PanelState kind="loading" text="" onRetry={() => void alerts.refetch()} />;
  if (alerts.data === undefined) {
    const isForbidden = alerts.error instanceof ApiError && alerts.error.status === 403;
    return (
      <PanelState
        kind={isForbidden ? 'forbidden' : 'error'}
        text={messageOf(alerts.error)}
        onRetry={() => void alerts.refetch()}
      />
    );
  }
  const found = alerts.data.alerts;
  // What was answered last is no news of now.
  const asOf =
    isLost || alerts.isError ? `As of ${formatMoment(alerts.dataUpdatedAt, board.zone)}` : undefined;
  if (found.length === 0)
    return asOf === undefined ? (
      <PanelMessage
        icon={<CircleCheck size={18} className="text-ok" aria-hidden />}
        title="All is well"
        text="Nothing that this panel lists."
      />
    ) : (
      <PanelMessage
        icon={<Clock size={18} className="text-nodata" aria-hidden />}
        title="All was well"
        text={`${asOf}.`}
      />
    );
  const sorted = [
    ...sortAlerts(
      found.filter(({ state }) => state !== 'resolved'),
      'firing',
    ),
    ...sortAlerts(
      found.filter(({ state }) => state === 'resolved'),
      'resolved',
    ),
  ];
  return (
    <div className="h-full overflow-y-auto" tabIndex={0} role="group" aria-label={`${panel.title}: alerts`}>
      {asOf !== undefined && (
        <p className="flex items-center gap-1.5 text-xs text-warn">
          <Clock size={12} aria-hidden />
          {asOf}
        </p>
      )}
      <ul className={`divide-y divide-line text-sm ${asOf === undefined ? '' : 'opacity-70'}`}>
        {sorted.map((alert) => (
          <AlertLine key={alert.alert_id} alert={alert} />
        ))}
      </ul>
      {alerts.data.cursor !== undefined && (
        <p className="py-2">
          <Link to="/alerts" className="link">
            There are more
          </Link>
        </p>
      )}
    </div>
  );
}
