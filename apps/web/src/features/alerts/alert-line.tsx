import { Link } from '@tanstack/react-router';
import type { Alert } from '@nowcast/contract';
import { useLive } from '../../live/live-context.ts';
import { describeAge } from '../../time/range.ts';
import { useSecond } from '../../ui/use-second.ts';
import { AlertStateIcon, alertsInWords } from './alert-now.tsx';
import { describeLabels } from './alert-order.ts';

/** An alert in a list of several: what it is about, how it stands, since when. */
export function AlertLine({ alert }: { alert: Alert }) {
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
        <span className="block leading-5">
          {alert.state === 'resolved' ? 'Over' : alertsInWords([alert])}
        </span>
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
