import { useMutation, useQueryClient } from '@tanstack/react-query';
import { KeyRound, Trash2 } from 'lucide-react';
import { useState } from 'react';
import type { ApiKey } from '@nowcast/contract';
import { api, messageOf } from '../../api/http.ts';
import { useLive } from '../../live/live-context.ts';
import { describeAge } from '../../time/range.ts';
import { formatDay } from '../../time/zone.ts';
import { Button } from '../../ui/button.tsx';
import { ConfirmDelete } from '../../ui/confirm-delete.tsx';
import { EmptyState, Failure, Skeleton } from '../../ui/states.tsx';
import { showToast } from '../../ui/toast.tsx';
import { useSecond } from '../../ui/use-second.ts';
import { formatCount } from '../../units/format.ts';
import { mayAdminister, useMe, usePreferredZone } from '../shell/use-me.ts';
import { madeBy } from './made-by.ts';
import { SourceState } from './source-state.tsx';
import { useSources } from './use-sources.ts';

/** Every key, what it sent, and the way to end it. */
export function KeyList() {
  const client = useQueryClient();
  useSecond();
  const nowMs = useLive().serverNow();
  const { keys, sources } = useSources();
  const manages = mayAdminister(useMe());
  const [deleting, setDeleting] = useState<ApiKey | null>(null);
  const remove = useMutation({
    mutationFn: (keyId: string) => api<void>('DELETE', `/api/v1/keys/${keyId}`),
    onSuccess: async () => {
      await client.invalidateQueries({ queryKey: ['keys'] });
      showToast('ok', 'Key deleted. Whoever used it is refused from now on.');
    },
    onError: (error) => showToast('error', messageOf(error)),
  });
  if (keys.isError && sources === undefined)
    return <Failure error={keys.error} onRetry={() => void keys.refetch()} />;
  if (sources === undefined) return <Skeleton className="h-40" />;
  if (sources.length === 0) {
    return (
      <EmptyState
        icon={<KeyRound size={22} aria-hidden />}
        title="No keys yet"
        text="A key is made with the first source that you connect."
      />
    );
  }
  return (
    <div className="card relative overflow-x-auto" tabIndex={0} role="group" aria-label="Keys">
      <table className="table">
        <thead>
          <tr>
            <th scope="col">Source</th>
            <th scope="col" className="max-sm:hidden">
              Key
            </th>
            <th scope="col" className="max-sm:hidden">
              May
            </th>
            <th scope="col" className="text-end! max-sm:hidden">
              Accepted
            </th>
            <th scope="col" className="text-end! max-sm:hidden">
              Rejected
            </th>
            <th scope="col" className="max-sm:hidden">
              Last seen
            </th>
            <th scope="col" className="max-sm:hidden">
              Expires
            </th>
            <th scope="col">
              <span className="sr-only">Actions</span>
            </th>
          </tr>
        </thead>
        <tbody>
          {sources.map((source) => {
            const { key, status, seenAt } = source;
            const seen = seenAt === null ? 'never' : `${describeAge(nowMs - seenAt)} ago`;
            return (
              <tr key={key.key_id}>
                <td>
                  <span className="flex items-center gap-2 font-medium">
                    <SourceState source={source} nowMs={nowMs} />
                    {key.name}
                  </span>
                  <span className="block ps-6 text-xs text-muted">{madeBy(key)}</span>
                  <span className="block ps-6 text-xs text-muted sm:hidden">
                    {`${key.prefix}… · ${key.scopes.join(', ')}`}
                    <br />
                    {`${formatCount(status?.accepted ?? 0)} accepted · ${
                      seenAt === null ? 'never seen' : `seen ${seen}`
                    }`}
                  </span>
                  {status?.last_error != null && (
                    <span
                      className="block ps-6 text-xs text-crit sm:max-w-md sm:truncate"
                      title={status.last_error.message}
                    >
                      {status.last_error.message}
                    </span>
                  )}
                </td>
                <td className="max-sm:hidden">
                  <code className="font-mono text-xs whitespace-nowrap text-muted">{`${key.prefix}…`}</code>
                </td>
                <td className="max-sm:hidden">{key.scopes.join(', ')}</td>
                <td className="text-end max-sm:hidden">{formatCount(status?.accepted ?? 0)}</td>
                <td className="text-end max-sm:hidden">{formatCount(status?.rejected ?? 0)}</td>
                <td className="whitespace-nowrap text-muted max-sm:hidden">{seen}</td>
                <td className="whitespace-nowrap text-muted max-sm:hidden">
                  <Expiry atMs={key.expires_at} nowMs={nowMs} />
                </td>
                <td className="text-end">
                  {manages && (
                    <Button
                      variant="ghost"
                      size="small"
                      icon
                      aria-label={`Delete key ${key.name}`}
                      onPress={() => setDeleting(key)}
                    >
                      <Trash2 size={15} aria-hidden />
                    </Button>
                  )}
                </td>
              </tr>
            );
          })}
        </tbody>
      </table>
      {deleting !== null && (
        <ConfirmDelete
          what="key"
          name={deleting.name}
          consequence="Whoever sends with this key is refused within a second. What it sent is kept."
          onClose={() => setDeleting(null)}
          onDelete={() => {
            remove.mutate(deleting.key_id);
            setDeleting(null);
          }}
        />
      )}
    </div>
  );
}

function Expiry({ atMs, nowMs }: { atMs: number | null; nowMs: number }) {
  const zone = usePreferredZone();
  if (atMs === null) return 'never';
  const day = formatDay(atMs, zone, nowMs);
  return atMs > nowMs ? day : <span className="text-crit">{`expired ${day}`}</span>;
}
