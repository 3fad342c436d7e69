import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useNavigate } from '@tanstack/react-router';
import { CircleAlert, CircleCheck, LoaderCircle } from 'lucide-react';
import { useEffect, useState } from 'react';
import type { Board, SourceStatus } from '@nowcast/contract';
import { api, messageOf } from '../../api/http.ts';
import { formatClock } from '../../time/zone.ts';
import { Button } from '../../ui/button.tsx';
import { singleFlight } from '../../ui/single-flight.ts';
import { showToast } from '../../ui/toast.tsx';
import { usePreferredZone } from '../shell/use-me.ts';
import { useSourceEvents } from './use-source-events.ts';

const patienceMs = 60_000;

/** "Waiting for first event…", until it is there: then the event, and a board of it. */
export function FirstEvent({ keyId, onAnother }: { keyId: string; onAnother: () => void }) {
  const status = useSourceEvents(keyId);
  const received = status !== null && status.accepted > 0;
  return (
    <div className="flex min-w-0 flex-col gap-3 rounded-md border border-line bg-bg p-4" aria-live="polite">
      {received ? <Received status={status} /> : <Waiting status={status} />}
      <span className="grow" />
      <Button variant="ghost" className="self-start" onPress={onAnother}>
        Connect another source
      </Button>
    </div>
  );
}

function Waiting({ status }: { status: SourceStatus | null }) {
  const [long, setLong] = useState(false);
  useEffect(() => {
    const timer = setTimeout(() => setLong(true), patienceMs);
    return () => clearTimeout(timer);
  }, []);
  return (
    <>
      <p className="flex items-center gap-2 font-semibold">
        <LoaderCircle size={18} className="animate-spin text-accent" aria-hidden />
        Waiting for first event…
      </p>
      {status?.last_error != null && (
        <p className="flex items-start gap-2 text-sm text-crit">
          <CircleAlert size={16} className="mt-0.5 shrink-0" aria-hidden />
          <span>{`Something arrived and was rejected: ${status.last_error.message}`}</span>
        </p>
      )}
      {long && status?.last_error == null && (
        <ul className="list-disc ps-5 text-sm text-muted">
          <li>The key has not been used yet. Was the command run?</li>
          <li>Can that machine reach this address? Open it there in a browser.</li>
          <li>Is its clock right? Points more than five minutes ahead are refused.</li>
        </ul>
      )}
    </>
  );
}

function Received({ status }: { status: SourceStatus }) {
  const zone = usePreferredZone();
  const navigate = useNavigate();
  const client = useQueryClient();
  const [once] = useState(singleFlight);
  const generate = useMutation({
    mutationFn: () => api<Board>('POST', `/api/v1/sources/${status.key_id}/board`),
    onSuccess: async (board) => {
      await client.invalidateQueries({ queryKey: ['boards'] });
      await navigate({ to: '/boards/$boardId', params: { boardId: board.board_id } });
    },
    onError: (error) => showToast('error', messageOf(error)),
  });
  const { sample } = status;
  return (
    <>
      <p className="flex items-center gap-2 font-semibold">
        <CircleCheck size={18} className="text-ok" aria-hidden />
        {`First event received ${formatClock(status.first_seen_at ?? Date.now(), zone)}`}
      </p>
      {sample !== null && (
        <pre
          tabIndex={0}
          aria-label="Newest point"
          className="max-h-56 overflow-auto rounded-md border border-line bg-panel p-3 font-mono text-xs leading-5"
        >
          {JSON.stringify(sample, (_, value: unknown) => (value === '' ? undefined : value), 2)}
        </pre>
      )}
      <p className="text-xs text-muted">
        {status.accepted === 1
          ? '1 point accepted'
          : `${status.accepted.toLocaleString('en')} points accepted`}
        {status.rejected > 0 && `, ${status.rejected.toLocaleString('en')} rejected`}
      </p>
      <Button
        variant="primary"
        isDisabled={generate.isPending}
        onPress={() => void once(() => generate.mutateAsync().catch(() => undefined))}
      >
        {generate.isPending ? 'Building…' : 'Open generated board'}
      </Button>
    </>
  );
}
