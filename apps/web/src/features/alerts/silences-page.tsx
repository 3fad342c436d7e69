import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { BellOff, Plus } from 'lucide-react';
import { useState } from 'react';
import type { Rule, Silence } from '@nowcast/contract';
import { api, messageOf } from '../../api/http.ts';
import { useLive } from '../../live/live-context.ts';
import { describeAge } from '../../time/range.ts';
import { Button } from '../../ui/button.tsx';
import { EmptyState, Failure, Skeleton } from '../../ui/states.tsx';
import { showToast } from '../../ui/toast.tsx';
import { useSecond } from '../../ui/use-second.ts';
import { mayEdit, useMe } from '../shell/use-me.ts';
import { alertsInWords } from './alert-matchers.ts';
import { rulesQuery, silencesQuery } from './alert-queries.ts';
import { AlertsFrame } from './alerts-frame.tsx';
import { NewSilenceDialog } from './new-silence-dialog.tsx';

/** `/alerts/silences`: what nobody is told of, why, and until when. */
export function SilencesPage() {
  useSecond();
  const live = useLive();
  const silences = useQuery(silencesQuery);
  const rules = useQuery(rulesQuery);
  const now = live.serverNow();
  const standing = (silences.data ?? []).filter((one) => one.to > now).toSorted((a, b) => a.to - b.to);
  const mayAct = mayEdit(useMe());
  const [making, setMaking] = useState(false);
  const isEmpty = silences.isSuccess && standing.length === 0;
  const add = mayAct && (
    <Button variant="primary" onPress={() => setMaking(true)}>
      <Plus size={15} aria-hidden />
      New silence
    </Button>
  );
  return (
    <AlertsFrame
      title="Silences"
      text="Alerts that nobody is told of. They are evaluated and listed as ever."
      actions={!isEmpty && add}
    >
      {silences.isError && <Failure error={silences.error} onRetry={() => void silences.refetch()} />}
      {silences.isPending && <Skeleton className="h-32" />}
      {isEmpty && (
        <EmptyState
          icon={<BellOff size={22} aria-hidden />}
          title="Nothing is silenced"
          text="Silence an alert from the inbox, or some that are yet to come: they stay quiet for as long as you say."
        >
          {add}
        </EmptyState>
      )}
      {standing.length > 0 && (
        <ul className="card divide-y divide-line" aria-label="Silences">
          {standing.map((silence) => (
            <SilenceLine key={silence.silence_id} silence={silence} rules={rules.data ?? []} now={now} />
          ))}
        </ul>
      )}
      {making && <NewSilenceDialog onClose={() => setMaking(false)} />}
    </AlertsFrame>
  );
}

function SilenceLine({ silence, rules, now }: { silence: Silence; rules: readonly Rule[]; now: number }) {
  const client = useQueryClient();
  const mayEnd = mayEdit(useMe());
  const end = useMutation({
    mutationFn: () => api<void>('DELETE', `/api/v1/silences/${encodeURIComponent(silence.silence_id)}`),
    onSuccess: async () => {
      await Promise.all([
        client.invalidateQueries({ queryKey: ['silences'] }),
        client.invalidateQueries({ queryKey: ['alerts'] }),
      ]);
      showToast('ok', 'Silence ended. What still fires is said now.');
    },
    onError: (error) => showToast('error', messageOf(error)),
  });
  const when =
    silence.from > now
      ? `begins in ${describeAge(silence.from - now)}`
      : `ends in ${describeAge(silence.to - now)}`;
  return (
    <li className="flex items-start gap-3 p-3 sm:px-4">
      <BellOff size={18} className="mt-0.5 shrink-0 text-muted" aria-hidden />
      <div className="min-w-0 flex-1">
        <p className="font-semibold break-words">{silence.reason}</p>
        <p className="text-sm break-words">{alertsInWords(silence.where, rules)}</p>
        <p className="text-xs text-muted">{`${when} · by ${silence.owner_name}`}</p>
      </div>
      {mayEnd && (
        <Button
          size="small"
          aria-label={`End now: “${silence.reason}”`}
          isDisabled={end.isPending}
          onPress={() => end.mutate()}
        >
          End now
        </Button>
      )}
    </li>
  );
}
