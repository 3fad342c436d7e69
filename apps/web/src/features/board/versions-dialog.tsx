import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import type { Board, BoardContent, BoardVersion } from '@nowcast/contract';
import { api, messageOf } from '../../api/http.ts';
import { versionsQuery } from '../../api/queries.ts';
import { describeAge } from '../../time/range.ts';
import { formatMoment, type ZoneName } from '../../time/zone.ts';
import { Button } from '../../ui/button.tsx';
import { Modal } from '../../ui/modal.tsx';
import { Failure, Skeleton } from '../../ui/states.tsx';
import { showToast } from '../../ui/toast.tsx';
import { boardContent } from './board-content.ts';
import { compareBoards } from './compare-boards.ts';

const differenceTitles = { added: 'Added', removed: 'Removed', changed: 'Changed' } as const;

/** What has been done to the board since `earlier`. */
function Differences({ earlier, now }: { earlier: BoardContent; now: BoardContent }) {
  const found = compareBoards(earlier, now);
  if (found.length === 0) return <p className="mt-2 text-xs text-muted">Nothing has changed since.</p>;
  return (
    <ul aria-label="Changes since" className="mt-2 space-y-1 border-s-2 border-line ps-3 text-xs">
      {found.map(({ kind, text }) => (
        <li key={`${kind} ${text}`}>
          <span className="text-muted">{`${differenceTitles[kind]} since: `}</span>
          {text}
        </li>
      ))}
    </ul>
  );
}

/** Every save of the board; an old one is compared, or brought back as a change that can be undone and has to be saved. */
export function VersionsDialog({
  boardId,
  current,
  content,
  zone,
  onRestore,
  onClose,
}: {
  boardId: string;
  /** Version that is being edited. */
  current: number;
  /** The board as it is edited now. */
  content: BoardContent;
  zone: ZoneName;
  onRestore: (content: BoardContent, version: number) => void;
  onClose: () => void;
}) {
  const versions = useQuery(versionsQuery(boardId));
  const [busy, setBusy] = useState(false);
  const [compared, setCompared] = useState<{ version: number; content: BoardContent } | null>(null);
  const withVersion = (version: number, use: (content: BoardContent) => void): void => {
    // A button that is disabled under the hand loses the focus, and Esc its dialog: a second press is ignored instead.
    if (busy) return;
    setBusy(true);
    api<Board>('GET', `/api/v1/boards/${boardId}/versions/${version}`)
      .then((board) => use(boardContent(board)))
      .catch((error: unknown) => showToast('error', messageOf(error)))
      .finally(() => setBusy(false));
  };
  const compare = (version: number): void => {
    if (compared?.version === version) setCompared(null);
    else withVersion(version, (earlier) => setCompared({ version, content: earlier }));
  };
  const row = (one: BoardVersion) => (
    <li key={one.version} className="py-2.5">
      <div className="flex items-center gap-2">
        <div className="min-w-0 flex-1">
          <p className="text-sm font-medium">{`Version ${one.version}`}</p>
          <p className="truncate text-xs text-muted" title={formatMoment(one.saved_at, zone)}>
            {`${one.owner_name}, ${describeAge(Date.now() - one.saved_at)} ago`}
          </p>
        </div>
        {one.version === current && <span className="chip text-muted">this one</span>}
        <Button
          variant="ghost"
          size="small"
          aria-label={`Compare version ${one.version}`}
          aria-expanded={compared?.version === one.version}
          onPress={() => compare(one.version)}
        >
          Compare
        </Button>
        {one.version !== current && (
          <Button
            size="small"
            aria-label={`Restore version ${one.version}`}
            onPress={() => withVersion(one.version, (earlier) => onRestore(earlier, one.version))}
          >
            Restore
          </Button>
        )}
      </div>
      {compared?.version === one.version && <Differences earlier={compared.content} now={content} />}
    </li>
  );
  return (
    <Modal title="Versions" open onClose={onClose} width={520}>
      {versions.isError && <Failure error={versions.error} onRetry={() => void versions.refetch()} />}
      {versions.isPending && <Skeleton className="h-40" />}
      <ul className="max-h-[60dvh] divide-y divide-line overflow-y-auto">{versions.data?.map(row)}</ul>
    </Modal>
  );
}
