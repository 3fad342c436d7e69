import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { CircleCheck } from 'lucide-react';
import { bothWhere, severities, type Alert, type AlertState, type Panel } from '@nowcast/contract';
import { ApiError, messageOf } from '../../api/http.ts';
import { useLive } from '../../live/live-context.ts';
import { describeAge } from '../../time/range.ts';
import { useSecond } from '../../ui/use-second.ts';
import { useBoardView } from '../board/board-context.ts';
import { combineWhere } from '../board/panel-query.ts';
import { PanelMessage, PanelState } from '../board/panel-state.tsx';
import { AlertStateIcon, alertsInWords } from './alert-now.tsx';
import { describeLabels, sortAlerts } from './alert-order.ts';
import { selectedAlertsQuery } from './alert-queries.ts';
import { aboutWhere } from './watching.ts';

const usualStates: readonly AlertState[] = ['firing', 'acknowledged'];
const usualLines = 50;

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
  const alerts = useQuery(selectedAlertsQuery(selection, () => live.serverNow()));
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
  if (found.length === 0)
    return (
      <PanelMessage
        icon={<CircleCheck size={18} className="text-ok" aria-hidden />}
        title="All is well"
        text="Nothing that this panel lists."
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
      <ul className="divide-y divide-line text-sm">
        {sorted.map((alert) => (
          <Line key={alert.alert_id} alert={alert} />
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

function Line({ alert }: { alert: Alert }) {
  const labels = describeLabels(alert.labels);
  return (
    <li className="flex items-start gap-2 py-2">
      <span className="pt-0.5">
        <AlertStateIcon alert={alert} size={16} />
      </span>
      <span className="min-w-0 flex-1">
        <Link
          to="/alerts/$alertId"
          params={{ alertId: alert.alert_id }}
          className="font-medium break-words hover:underline"
        >
          {alert.rule_name}
        </Link>
        {labels !== '' && <span className="block text-xs break-words text-muted">{labels}</span>}
      </span>
      <span className="shrink-0 text-end text-xs">
        <span className="block">{alert.state === 'resolved' ? 'Over' : alertsInWords([alert])}</span>
        <span className="block text-muted">
          <Age alert={alert} />
        </span>
      </span>
    </li>
  );
}

function Age({ alert }: { alert: Alert }) {
  useSecond();
  const now = useLive().serverNow();
  if (alert.resolved_at !== null) return <>{`${describeAge(now - alert.resolved_at)} ago`}</>;
  return <>{describeAge(now - (alert.fired_at ?? alert.since))}</>;
}
