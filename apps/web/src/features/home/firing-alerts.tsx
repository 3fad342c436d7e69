import { useInfiniteQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { Failure } from '../../ui/states.tsx';
import { AlertLine } from '../alerts/alert-line.tsx';
import { alertsQuery } from '../alerts/alert-lists.ts';

const shownAlerts = 5;

/** What fires now, worst first; nothing at all while all is well. */
export function FiringAlerts() {
  const alerts = useInfiniteQuery(alertsQuery('firing'));
  // What is known to fire stays to be seen when it cannot be asked for again.
  if (alerts.isError && alerts.data === undefined)
    return <Failure error={alerts.error} onRetry={() => void alerts.refetch()} />;
  const firing = alerts.data ?? [];
  if (firing.length === 0) return null;
  const count = `${firing.length}${alerts.hasNextPage ? '+' : ''}`;
  return (
    <section aria-label="Firing" className="mb-8">
      <div className="mb-3 flex items-center justify-between">
        <h2 className="text-base font-semibold">Firing</h2>
        <Link to="/alerts" className="link text-sm">
          {firing.length > shownAlerts ? `All ${count} alerts` : 'All alerts'}
        </Link>
      </div>
      <ul className="card divide-y divide-line px-4 text-sm">
        {firing.slice(0, shownAlerts).map((alert) => (
          <AlertLine key={alert.alert_id} alert={alert} />
        ))}
      </ul>
    </section>
  );
}
