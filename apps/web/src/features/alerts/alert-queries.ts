import { keepPreviousData, queryOptions, type QueryClient } from '@tanstack/react-query';
import type {
  Alert,
  AlertEvent,
  AlertState,
  Channel,
  Evaluation,
  Inhibition,
  Maintenance,
  MaintenanceContent,
  Notification,
  NotificationPreferences,
  NotifyInfo,
  PushDevice,
  Rule,
  RulePreview,
  Schedule,
  ScheduleContent,
  Severity,
  Shift,
  Silence,
  Span,
  TenantEvent,
  Where,
} from '@nowcast/contract';
import { queryParameters } from '@nowcast/client';
import { calmly } from '../../api/calmly.ts';
import { api } from '../../api/http.ts';
import { rangeEnds, type TimeRange } from '../../time/range.ts';

/** Everything about alerts that is read over REST; `calmReader` keeps it fresh when the server says what changed. */
const get =
  <T>(path: string) =>
  ({ signal }: { signal: AbortSignal }): Promise<T> =>
    api<T>('GET', path, undefined, signal);

export type AlertTab = 'firing' | 'acknowledged' | 'resolved';

/** Rules for charts. The counts of their groups, which change with each alert, are not read here. */
export const watchingRulesQuery = queryOptions({
  queryKey: ['watching-rules'],
  queryFn: get<{ rules: Rule[] }>('/api/v1/rules'),
  select: (answer) => answer.rules,
  staleTime: 60_000,
});

export interface AlertSelection {
  states: readonly AlertState[];
  ruleIds?: readonly string[];
  metricType?: string;
  severities?: readonly Severity[];
  where: Where;
  /** Not well at some moment of it; absent: whenever. */
  range?: TimeRange;
  limit: number;
}

/** Alerts as charts and panels ask for them. A live range ends at the moment of the request. */
export const selectedAlertsQuery = (selection: AlertSelection, serverNow: () => number) =>
  queryOptions({
    queryKey: ['alerts', 'selected', selection],
    queryFn: ({ signal }) => {
      const { states, ruleIds, metricType, severities, where, range, limit } = selection;
      const parameters = queryParameters({ metric_type: metricType ?? '', where });
      if (metricType === undefined) parameters.delete('metric_type');
      parameters.set('state', states.join(','));
      parameters.set('limit', String(limit));
      if (ruleIds !== undefined) parameters.set('rule_id', ruleIds.join(','));
      if (severities !== undefined) parameters.set('severity', severities.join(','));
      if (range !== undefined) {
        const { from, to } = rangeEnds(range, serverNow());
        parameters.set('from', String(Math.round(from)));
        if (range.kind === 'fixed') parameters.set('to', String(Math.round(to)));
      }
      return api<{ alerts: Alert[]; cursor?: string }>(
        'GET',
        `/api/v1/alerts?${parameters}`,
        undefined,
        signal,
      );
    },
    placeholderData: keepPreviousData,
  });

export const alertQuery = (alertId: string) =>
  queryOptions({
    queryKey: ['alerts', 'one', alertId],
    queryFn: get<{ alert: Alert; events: AlertEvent[]; rule: Rule | null }>(
      `/api/v1/alerts/${encodeURIComponent(alertId)}`,
    ),
  });

export const rulesQuery = queryOptions({
  queryKey: ['rules'],
  queryFn: get<{ rules: Rule[] }>('/api/v1/rules'),
  select: (answer) => answer.rules,
});

export const ruleQuery = (ruleId: string) =>
  queryOptions({
    queryKey: ['rules', ruleId],
    queryFn: get<Rule>(`/api/v1/rules/${encodeURIComponent(ruleId)}`),
  });

export const previewQuery = (evaluation: Evaluation, range: string) =>
  queryOptions({
    queryKey: ['rule-preview', evaluation, range],
    queryFn: ({ signal }) => api<RulePreview>('POST', '/api/v1/rules/preview', { evaluation, range }, signal),
    placeholderData: keepPreviousData,
    staleTime: 60_000,
  });

export const channelsQuery = queryOptions({
  queryKey: ['channels'],
  queryFn: get<{ channels: Channel[] }>('/api/v1/channels'),
  select: (answer) => answer.channels,
});

export const schedulesQuery = queryOptions({
  queryKey: ['schedules'],
  queryFn: get<{ schedules: Schedule[] }>('/api/v1/schedules'),
  select: (answer) => answer.schedules,
});

export const maintenanceQuery = queryOptions({
  queryKey: ['maintenance'],
  queryFn: get<{ maintenance: Maintenance[] }>('/api/v1/maintenance'),
  select: (answer) => answer.maintenance,
});

export const inhibitionsQuery = queryOptions({
  queryKey: ['inhibitions'],
  queryFn: get<{ inhibitions: Inhibition[] }>('/api/v1/inhibitions'),
  select: (answer) => answer.inhibitions,
});

/** When a window would be open, and who would be on call, by what is not saved yet: the server's own calendar. */
export const upcomingQuery = (content: MaintenanceContent) =>
  queryOptions({
    queryKey: ['maintenance-preview', content],
    queryFn: ({ signal }) =>
      api<{ upcoming: Span[] }>('POST', '/api/v1/maintenance/preview', content, signal),
    select: (answer) => answer.upcoming,
    placeholderData: keepPreviousData,
    retry: false,
  });

export const shiftsQuery = (content: ScheduleContent) =>
  queryOptions({
    queryKey: ['schedule-preview', content],
    queryFn: ({ signal }) => api<{ shifts: Shift[] }>('POST', '/api/v1/schedules/preview', content, signal),
    select: (answer) => answer.shifts,
    placeholderData: keepPreviousData,
    retry: false,
  });

export const silencesQuery = queryOptions({
  queryKey: ['silences'],
  queryFn: get<{ silences: Silence[] }>('/api/v1/silences'),
  select: (answer) => answer.silences,
});

export const notificationsQuery = queryOptions({
  queryKey: ['notifications'],
  queryFn: get<{ notifications: Notification[]; unread: number }>('/api/v1/notifications?limit=50'),
});

export const notificationPreferencesQuery = queryOptions({
  queryKey: ['notification-preferences'],
  queryFn: get<NotificationPreferences>('/api/v1/me/notification-preferences'),
});

export const pushDevicesQuery = queryOptions({
  queryKey: ['push-devices'],
  queryFn: get<{ devices: PushDevice[] }>('/api/v1/me/push-devices'),
  select: (answer) => answer.devices,
});

export const notifyInfoQuery = queryOptions({
  queryKey: ['notify-info'],
  queryFn: get<NotifyInfo>('/api/v1/notify-info'),
  staleTime: 60_000,
});

const policies = ['silences', 'maintenance', 'inhibitions', 'schedules', 'channels'];

/** Lists that an event makes old, by the first part of their keys. */
const oldLists: Readonly<Record<TenantEvent['topic'], readonly string[]>> = {
  alerts: ['alerts', 'rules'],
  rules: ['rules', 'watching-rules'],
  notifications: ['notifications'],
  unread: ['notifications'],
  policies,
};
const allLists = [...new Set(Object.values(oldLists).flat())];

const readList = (client: QueryClient, list: string): Promise<void> =>
  client.invalidateQueries({ queryKey: [list] });

export const readNotifications = (client: QueryClient): Promise<void> => readList(client, 'notifications');

/** Events may be lost while the socket is down: whoever reconnects reads all again, whatever is still asked for. */
export async function readAll(client: QueryClient): Promise<void> {
  await Promise.all(allLists.map((list) => readList(client, list)));
}

/** Between two readings of a list, ms. */
const restMs = 500;

/**
 * Reads again what events make old. A reading aborts the one before it, so each list waits for its answer first: it
 * would never have one in a storm of events that come faster.
 */
export function calmReader(client: QueryClient): (topic: TenantEvent['topic']) => void {
  const read = calmly((list: string) => readList(client, list), restMs);
  return (topic) => oldLists[topic].forEach(read);
}
