import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useNavigate } from '@tanstack/react-router';
import { CircleCheck, LoaderCircle } from 'lucide-react';
import { useEffect, useState } from 'react';
import type { Board, PointRecord, SourceStatus } from '@nowcast/contract';
import { api, messageOf } from '../../api/http.ts';
import { keysQuery } from '../../api/queries.ts';
import { useLive } from '../../live/live-context.ts';
import { formatClock } from '../../time/zone.ts';
import { Button } from '../../ui/button.tsx';
import { singleFlight } from '../../ui/single-flight.ts';
import { showToast } from '../../ui/toast.tsx';
import { useSecond } from '../../ui/use-second.ts';
import { formatCount } from '../../units/format.ts';
import { usePreferredZone } from '../shell/use-me.ts';
import { CheckList } from './check-list.tsx';
import { checksOf, type SourceCheck } from './source-checks.ts';
import { useSourceEvents } from './use-source-events.ts';

const patienceMs = 60_000;
const keyPollMs = 5000;

/** "Waiting for first event…", until it is there: then that event, and a board of what its sender sends. */
export function FirstEvent({
  keyId,
  address,
  onAnother,
}: {
  keyId: string;
  address: string;
  onAnother: () => void;
}) {
  const status = useSourceEvents(keyId);
  const received = status !== null && status.accepted > 0;
  return (
    <div className="flex min-w-0 flex-col gap-3 rounded-md border border-line bg-bg p-4">
      {received ? (
        <Received status={status} address={address} />
      ) : (
        <Waiting keyId={keyId} status={status} address={address} />
      )}
      <span className="grow" />
      <Button variant="ghost" className="-ms-3 self-start" onPress={onAnother}>
        Connect another source
      </Button>
    </div>
  );
}

/** The checks as of now; the key's own "last used" is asked for while nothing has arrived. */
function useChecks(status: SourceStatus | null, keyId: string, address: string): SourceCheck[] {
  useSecond();
  const live = useLive();
  const keys = useQuery({ ...keysQuery, refetchInterval: status?.accepted ? false : keyPollMs });
  const lastUsedAt = keys.data?.find((key) => key.key_id === keyId)?.last_used_at ?? null;
  return checksOf(status, { lastUsedAt, nowMs: live.serverNow(), address });
}

function Waiting({
  keyId,
  status,
  address,
}: {
  keyId: string;
  status: SourceStatus | null;
  address: string;
}) {
  const [long, setLong] = useState(false);
  useEffect(() => {
    const timer = setTimeout(() => setLong(true), patienceMs);
    return () => clearTimeout(timer);
  }, []);
  const refused = status?.last_error != null;
  return (
    <>
      <p className="flex items-center gap-2 font-semibold" role="status">
        <LoaderCircle size={18} className="shrink-0 animate-spin text-accent" aria-hidden />
        Waiting for first event…
      </p>
      {long || refused ? (
        <Checks keyId={keyId} status={status} address={address} />
      ) : (
        <p className="text-sm text-muted">Run the snippet; this changes by itself, nothing to reload.</p>
      )}
    </>
  );
}

function Checks(props: { keyId: string; status: SourceStatus | null; address: string }) {
  return <CheckList checks={useChecks(props.status, props.keyId, props.address)} />;
}

/** The payload as it was understood: empty fields left out, its time readable. */
function previewOf(point: PointRecord): string {
  const shown = { ...point, timestamp: new Date(point.timestamp).toISOString(), received_at: undefined };
  return JSON.stringify(shown, (_key, value: unknown) => (value === '' ? undefined : value), 2);
}

function Received({ status, address }: { status: SourceStatus; address: string }) {
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
  const first = status.first_sample ?? status.sample;
  const troubled = useChecks(status, status.key_id, address).filter((check) => check.state !== 'ok');
  return (
    <>
      <p className="flex items-center gap-2 font-semibold" role="status">
        <CircleCheck size={18} className="shrink-0 text-ok" aria-hidden />
        {`First event received ${formatClock(status.first_seen_at ?? Date.now(), zone)}`}
      </p>
      {first !== null && (
        <pre
          tabIndex={0}
          aria-label="First point"
          className="max-h-56 overflow-auto rounded-md border border-line bg-panel p-3 font-mono text-xs leading-5"
        >
          {previewOf(first)}
        </pre>
      )}
      <p className="text-xs text-muted">
        {status.accepted === 1 ? '1 point accepted' : `${formatCount(status.accepted)} points accepted`}
        {status.rejected > 0 && `, ${formatCount(status.rejected)} rejected`}
      </p>
      {troubled.length > 0 && <CheckList checks={troubled} />}
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
