import { CircleCheck, Hand, Hourglass } from 'lucide-react';
import type { Alert } from '@nowcast/contract';
import { SeverityIcon, severityTitles, stateTitles } from './severity.tsx';

const ranks = { info: 1, warning: 2, critical: 3 };
const stateRanks = { resolved: 0, pending: 1, acknowledged: 2, firing: 3 };

/** The alert that matters most: one nobody has taken before one somebody has, then the worst. */
export function worstAlert(alerts: readonly Alert[]): Alert | undefined {
  return alerts.toSorted(
    (a, b) => stateRanks[b.state] - stateRanks[a.state] || ranks[b.severity] - ranks[a.severity],
  )[0];
}

/** How one alert stands now: a shape and words, in the colour of what it means. */
export function AlertStateIcon({ alert, size }: { alert: Alert | undefined; size: number }) {
  if (alert === undefined || alert.state === 'resolved')
    return <CircleCheck size={size} className="shrink-0 text-ok" aria-hidden />;
  if (alert.state === 'pending') return <Hourglass size={size} className="shrink-0 text-muted" aria-hidden />;
  if (alert.state === 'acknowledged') return <Hand size={size} className="shrink-0 text-muted" aria-hidden />;
  return <SeverityIcon severity={alert.severity} size={size} />;
}

/** `Critical`, `Acknowledged`, `Pending`, `OK`; with how many there are of it when it is not alone. */
export function alertsInWords(alerts: readonly Alert[]): string {
  const worst = worstAlert(alerts);
  if (worst === undefined) return 'OK';
  const alike = alerts.filter(({ state, severity }) => state === worst.state && severity === worst.severity);
  const title = worst.state === 'firing' ? severityTitles[worst.severity] : stateTitles[worst.state];
  return alike.length === 1 ? title : `${alike.length} ${title.toLowerCase()}`;
}
