import { useQuery } from '@tanstack/react-query';
import { LayoutDashboard, Plus } from 'lucide-react';
import { useState } from 'react';
import type { BoardSummary } from '@nowcast/contract';
import { boardsQuery } from '../../api/queries.ts';
import { Button } from '../../ui/button.tsx';
import { ConfirmDelete } from '../../ui/confirm-delete.tsx';
import { EmptyState, Failure, PageHead, Skeleton } from '../../ui/states.tsx';
import { useCrumb } from '../shell/crumb.ts';
import { mayEdit, useMe } from '../shell/use-me.ts';
import { BoardCard } from './board-card.tsx';
import { NewBoardDialog } from './new-board-dialog.tsx';
import { useBoardActions } from './use-board-actions.ts';

const groups = [
  { id: 'all', title: 'All' },
  { id: 'starred', title: 'Starred' },
  { id: 'mine', title: 'Mine' },
  { id: 'shared', title: 'Shared' },
] as const;
type Group = (typeof groups)[number]['id'];

function belongs(board: BoardSummary, group: Group, userId: string): boolean {
  if (group === 'starred') return board.starred;
  if (group === 'mine') return board.user_id === userId;
  return group === 'all' || board.shared;
}

/** `/boards`: every board this user may see. */
export function BoardsPage() {
  useCrumb('Boards');
  const user = useMe();
  const boards = useQuery(boardsQuery);
  const [search, setSearch] = useState('');
  const [group, setGroup] = useState<Group>('all');
  const [creating, setCreating] = useState(false);
  const [deleting, setDeleting] = useState<BoardSummary | null>(null);
  const actions = useBoardActions();
  const words = search.toLowerCase().split(/\s+/).filter(Boolean);
  const shown = (boards.data ?? [])
    .filter((board) => belongs(board, group, user.user_id))
    .filter((board) => {
      const text = `${board.title} ${board.description} ${board.owner_name}`.toLowerCase();
      return words.every((word) => text.includes(word));
    })
    .sort((a, b) => Number(b.starred) - Number(a.starred) || b.last_updated - a.last_updated);
  const narrowed = search !== '' || group !== 'all';
  const newButton = mayEdit(user) && (
    <Button variant="primary" onPress={() => setCreating(true)}>
      <Plus size={15} aria-hidden />
      New board
    </Button>
  );
  return (
    <div className="mx-auto max-w-6xl pt-6">
      <PageHead title="Boards" text="Yours, and those shared in the organisation.">
        {newButton}
      </PageHead>
      {boards.isError && <Failure error={boards.error} onRetry={() => void boards.refetch()} />}
      {boards.isPending && <Skeleton className="h-64" />}
      {boards.data !== undefined && boards.data.length > 0 && (
        <div className="mb-4 flex flex-wrap items-center gap-3">
          <input
            type="search"
            className="field sm:max-w-xs"
            aria-label="Search boards"
            placeholder="Title, description, owner…"
            value={search}
            onChange={(event) => setSearch(event.target.value)}
          />
          <div role="group" aria-label="Which boards" className="flex flex-wrap gap-1">
            {groups.map(({ id, title }) => (
              <Button key={id} variant="ghost" aria-pressed={id === group} onPress={() => setGroup(id)}>
                {title}
              </Button>
            ))}
          </div>
        </div>
      )}
      {shown.length > 0 && (
        <ul className="grid gap-3 sm:grid-cols-2 lg:grid-cols-3">
          {shown.map((board) => (
            <BoardCard
              key={board.board_id}
              board={board}
              canDuplicate={mayEdit(user)}
              onDuplicate={() => actions.duplicate.mutate(board.board_id)}
              onDelete={() => setDeleting(board)}
            />
          ))}
        </ul>
      )}
      {boards.isSuccess && shown.length === 0 && (
        <EmptyState
          icon={<LayoutDashboard size={22} aria-hidden />}
          title={narrowed ? 'No board matches' : 'No boards yet'}
          text={
            narrowed
              ? 'Try fewer letters, or look at all boards.'
              : mayEdit(user)
                ? 'A board is made in a minute: choose what is measured, and it moves.'
                : 'Nobody has shared a board yet. Editors share theirs with the Share button.'
          }
        >
          {narrowed ? (
            <Button
              onPress={() => {
                setSearch('');
                setGroup('all');
              }}
            >
              Show all boards
            </Button>
          ) : (
            newButton
          )}
        </EmptyState>
      )}
      {creating && (
        <NewBoardDialog
          busy={actions.create.isPending}
          onCreate={(title) => actions.create.mutate({ title })}
          onClose={() => setCreating(false)}
        />
      )}
      {deleting !== null && (
        <ConfirmDelete
          what="board"
          name={deleting.title}
          consequence="The board and all its versions are deleted for everyone. Data are kept."
          onClose={() => setDeleting(null)}
          onDelete={() => {
            actions.remove.mutate(deleting.board_id);
            setDeleting(null);
          }}
        />
      )}
    </div>
  );
}
