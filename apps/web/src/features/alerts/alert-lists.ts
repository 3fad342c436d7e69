/**
 * Alerts that fire or did, worst first. The server lists by time alone, where a crowd of small alerts pushes an older
 * critical one off the page: what does not fit on one page is asked for by severity. Within a severity both orders are
 * the same, so pages follow on each other.
 */
import { infiniteQueryOptions, queryOptions } from '@tanstack/react-query';
import { severities, type Alert } from '@nowcast/contract';
import { api } from '../../api/http.ts';
import { sortAlerts } from './alert-order.ts';
import type { AlertTab } from './alert-queries.ts';

/** Where a page begins: in the first of these severities (one name or several), after what the cursor names. */
interface Place {
  severities: readonly string[];
  cursor?: string;
}

interface Page {
  alerts: Alert[];
  /** Undefined: there are no more. */
  next?: Place;
}

export type Ask = (
  severity: string,
  limit: number,
  cursor: string | undefined,
) => Promise<{ alerts: Alert[]; cursor?: string }>;

const pageSize = 200;
const together: Place = { severities: [severities.join(',')] };
const worstFirst: Place = { severities: severities.toReversed() };
const criticals: Place = { severities: ['critical'] };

async function readFrom(ask: Ask, start: Place): Promise<Page> {
  const alerts: Alert[] = [];
  let place = start;
  for (;;) {
    const [severity, ...others] = place.severities;
    if (severity === undefined) return { alerts };
    if (alerts.length === pageSize) return { alerts, next: place };
    const answer = await ask(severity, pageSize - alerts.length, place.cursor);
    alerts.push(...answer.alerts);
    place = answer.cursor === undefined ? { severities: others } : { ...place, cursor: answer.cursor };
  }
}

/** A page of a list; `place` null: its first. What is over is listed by time alone. */
export async function readPage(ask: Ask, state: AlertTab, place: Place | null): Promise<Page> {
  if (place !== null) return readFrom(ask, place);
  const first = await readFrom(ask, together);
  return first.next === undefined || state === 'resolved' ? first : readFrom(ask, worstFirst);
}

/** Critical ones that are not muted: a page's worth, none only where there is none. */
export async function readLoud(ask: Ask): Promise<Alert[]> {
  for (let place: Place | undefined = criticals; place !== undefined;) {
    const page: Page = await readFrom(ask, place);
    const loud = page.alerts.filter(({ muted_by: mutedBy }) => mutedBy === null);
    if (loud.length > 0) return loud;
    place = page.next;
  }
  return [];
}

function askServer(state: AlertTab, signal: AbortSignal): Ask {
  return (severity, limit, cursor) => {
    const parameters = new URLSearchParams({ state, severity, limit: String(limit) });
    if (cursor !== undefined) parameters.set('cursor', cursor);
    return api('GET', `/api/v1/alerts?${parameters}`, undefined, signal);
  };
}

export const alertsQuery = (state: AlertTab) =>
  infiniteQueryOptions({
    queryKey: ['alerts', 'list', state],
    queryFn: ({ pageParam, signal }) => readPage(askServer(state, signal), state, pageParam),
    initialPageParam: null as Place | null,
    getNextPageParam: (page) => page.next,
    // One that changed between two pages may be in both.
    select: ({ pages }) => {
      const found = new Map(pages.flatMap(({ alerts }) => alerts).map((alert) => [alert.alert_id, alert]));
      return sortAlerts([...found.values()], state);
    },
  });

export const loudCriticalsQuery = queryOptions({
  queryKey: ['alerts', 'list', 'loud'],
  queryFn: ({ signal }) => readLoud(askServer('firing', signal)),
});
