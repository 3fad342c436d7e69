import { useMutation, useQueryClient } from '@tanstack/react-query';
import type { Alert } from '@nowcast/contract';
import { api, messageOf } from '../../api/http.ts';
import { useLive } from '../../live/live-context.ts';
import { showToast } from '../../ui/toast.tsx';

const hourMs = 3_600_000;
export const snoozeChoices = [
  { title: '1 hour', ms: hourMs },
  { title: '4 hours', ms: 4 * hourMs },
  { title: '1 day', ms: 24 * hourMs },
] as const;

interface Act {
  method: 'POST' | 'DELETE';
  alert: Alert;
  path: 'acknowledge' | 'snooze';
  body?: unknown;
  done: string;
  undo?: () => void;
}

export interface AlertActs {
  acknowledge: (alert: Alert, note?: string) => void;
  takeBack: (alert: Alert) => void;
  snooze: (alert: Alert, ms: number) => void;
  busy: boolean;
}

/** What people do to an alert; a message says that it happened, and how to undo what can be undone. */
export function useAlertActs(): AlertActs {
  const client = useQueryClient();
  const live = useLive();
  const { mutate, isPending } = useMutation({
    mutationFn: ({ method, alert, path, body }: Act) =>
      api<Alert>(method, `/api/v1/alerts/${encodeURIComponent(alert.alert_id)}/${path}`, body),
    onSuccess: (_, { done, undo }) =>
      showToast('ok', done, undo === undefined ? undefined : { title: 'Undo', run: undo }),
    onError: (error) => showToast('error', messageOf(error)),
    onSettled: () => client.invalidateQueries({ queryKey: ['alerts'] }),
  });
  const takeBack = (alert: Alert): void =>
    mutate({
      method: 'DELETE',
      alert,
      path: 'acknowledge',
      done: `“${alert.rule_name}” is nobody’s again`,
    });
  return {
    busy: isPending,
    takeBack,
    acknowledge: (alert, note = '') =>
      mutate({
        method: 'POST',
        alert,
        path: 'acknowledge',
        body: { note },
        done: `You have “${alert.rule_name}”`,
        undo: () => takeBack(alert),
      }),
    snooze: (alert, ms) =>
      mutate({
        method: 'POST',
        alert,
        path: 'snooze',
        body: { until: Math.round(live.serverNow() + ms) },
        done: `“${alert.rule_name}” is quiet; it comes back if it still fires`,
      }),
  };
}
