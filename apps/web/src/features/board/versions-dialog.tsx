import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import type { Board, BoardContent } from '@nowcast/contract';
import { api, messageOf } from '../../api/http.ts';
import { versionsQuery } from '../../api/queries.ts';
import { describeAge } from '../../time/range.ts';
import { formatMoment, type ZoneName } from '../../time/zone.ts';
import { Button } from '../../ui/button.tsx';
import { Modal } from '../../ui/modal.tsx';
import { Failure, Skeleton } from '../../ui/states.tsx';
import { showToast } from '../../ui/toast.tsx';
import { boardContent } from './board-content.ts';

/** Every save of the board; an old one is brought back as a change that can be undone and has to be saved. */
export function VersionsDialog({
  boardId,
  current,
  zone,
  onRestore,
  onClose,
}: {
  boardId: string;
  /** Version that is being edited. */
  current: number;
  zone: ZoneName;
  onRestore: (content: BoardContent, version: number) => void;
  onClose: () => void;
}) {
  const versions = useQuery(versionsQuery(boardId));
  const [busy, setBusy] = useState(false);
  const restore = (version: number): void => {
    setBusy(true);
    api<Board>('GET', `/api/v1/boards/${boardId}/versions/${version}`)
      .then((board) => onRestore(boardContent(board), version))
      .catch((error: unknown) => showToast('error', messageOf(error)))
      .finally(() => setBusy(false));
  };
  return (
    <Modal title="Versions" open onClose={onClose} width={520}>
      {versions.isError && <Failure error={versions.error} onRetry={() => void versions.refetch()} />}
      {versions.isPending && <Skeleton className="h-40" />}
      <ul className="max-h-[60dvh] divide-y divide-line overflow-y-auto">
        {versions.data?.map((one) => (
          <li key={one.version} className="flex items-center gap-3 py-2.5">
            <div className="min-w-0 flex-1">
              <p className="text-sm font-medium">{`Version ${one.version}`}</p>
              <p className="truncate text-xs text-muted" title={formatMoment(one.saved_at, zone)}>
                {`${one.owner_name}, ${describeAge(Date.now() - one.saved_at)} ago`}
              </p>
            </div>
            {one.version === current ? (
              <span className="chip text-muted">this one</span>
            ) : (
              <Button
                size="small"
                aria-label={`Restore version ${one.version}`}
                isDisabled={busy}
                onPress={() => restore(one.version)}
              >
                Restore
              </Button>
            )}
          </li>
        ))}
      </ul>
    </Modal>
  );
}
