import { useQuery } from '@tanstack/react-query';
import { Link, useNavigate } from '@tanstack/react-router';
import { Copy, Ellipsis, LayoutDashboard, Pencil, Plus, Star, Trash2, Users } from 'lucide-react';
import { useState } from 'react';
import type { BoardSummary } from '@nowcast/contract';
import { boardsQuery } from '../../api/queries.ts';
import { describeAge } from '../../time/range.ts';
import { Button } from '../../ui/button.tsx';
import { ConfirmDelete } from '../../ui/confirm-delete.tsx';
import type { MenuEntry } from '../../ui/menu-entry.ts';
import { Menu } from '../../ui/menu.tsx';
import { EmptyState, Failure, PageHead, Skeleton } from '../../ui/states.tsx';
import { useStar } from '../board/use-star.ts';
import { useCrumb } from '../shell/crumb.ts';
import { mayEdit, useMe } from '../shell/use-me.ts';
import { NewBoardDialog } from './new-board-dialog.tsx';
import { useBoardActions } from './use-board-actions.ts';

/** `/boards`: every board this user may see. */
export function BoardsPage() {
  useCrumb('Boards');
  const user = useMe();
  const boards = useQuery(boardsQuery);
  const [search, setSearch] = useState('');
  const [creating, setCreating] = useState(false);
  const [deleting, setDeleting] = useState<BoardSummary | null>(null);
  const actions = useBoardActions();
  const shown = (boards.data ?? [])
    .filter((board) =>
      `${board.title} ${board.description} ${board.owner_name}`.toLowerCase().includes(search.toLowerCase()),
    )
    .sort((a, b) => Number(b.starred) - Number(a.starred) || b.last_updated - a.last_updated);
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
      {boards.data !== undefined && boards.data.length > 6 && (
        <input
          type="search"
          className="field mb-4 max-w-sm"
          aria-label="Search boards"
          placeholder="Search boards…"
          value={search}
          onChange={(event) => setSearch(event.target.value)}
        />
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
          title={search === '' ? 'No boards yet' : 'No board matches'}
          text={
            search === ''
              ? 'A board is made in a minute: choose what is measured, and it moves.'
              : 'Try fewer letters.'
          }
        >
          {newButton}
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

function BoardCard({
  board,
  canDuplicate,
  onDuplicate,
  onDelete,
}: {
  board: BoardSummary;
  canDuplicate: boolean;
  onDuplicate: () => void;
  onDelete: () => void;
}) {
  const navigate = useNavigate();
  const star = useStar(board.board_id);
  const params = { boardId: board.board_id };
  const entries: MenuEntry[] = [];
  if (board.editable) {
    entries.push({
      id: 'edit',
      title: 'Edit',
      icon: <Pencil size={15} aria-hidden />,
      run: () => void navigate({ to: '/boards/$boardId', params, search: { edit: true } }),
    });
  }
  if (canDuplicate) {
    entries.push({
      id: 'duplicate',
      title: 'Duplicate',
      icon: <Copy size={15} aria-hidden />,
      run: onDuplicate,
    });
  }
  if (board.editable) {
    entries.push({
      id: 'delete',
      title: 'Delete',
      apart: true,
      danger: true,
      icon: <Trash2 size={15} aria-hidden />,
      run: onDelete,
    });
  }
  return (
    <li className="card relative flex min-h-32 flex-col p-4 transition-colors hover:border-control">
      <div className="flex items-start gap-1">
        <h2 className="min-w-0 flex-1 text-base font-semibold">
          <Link
            to="/boards/$boardId"
            params={params}
            className="after:absolute after:inset-0 after:rounded-lg"
          >
            {board.title}
          </Link>
        </h2>
        <div className="relative z-1 -mt-1.5 -me-2 flex">
          <Button
            variant="ghost"
            size="small"
            icon
            aria-label={board.starred ? `Remove star from ${board.title}` : `Star ${board.title}`}
            aria-pressed={board.starred}
            className="border-transparent! bg-transparent!"
            onPress={() => star.mutate(!board.starred)}
          >
            <Star size={15} aria-hidden className={board.starred ? 'fill-warn text-warn' : ''} />
          </Button>
          {entries.length > 0 && (
            <Menu
              label={`${board.title}: actions`}
              entries={entries}
              trigger={(props) => (
                <Button {...props} variant="ghost" size="small" icon aria-label={`Menu of ${board.title}`}>
                  <Ellipsis size={15} aria-hidden />
                </Button>
              )}
            />
          )}
        </div>
      </div>
      {board.description !== '' && (
        <p className="mt-0.5 line-clamp-2 text-sm text-muted">{board.description}</p>
      )}
      <span className="grow" />
      <p className="mt-3 flex flex-wrap items-center gap-x-3 gap-y-1 text-xs text-muted">
        <span>{board.panel_count === 1 ? '1 panel' : `${board.panel_count} panels`}</span>
        <span>{board.owner_name}</span>
        {board.shared && (
          <span className="inline-flex items-center gap-1">
            <Users size={12} aria-hidden />
            shared
          </span>
        )}
        <span className="ms-auto">{`${describeAge(Date.now() - board.last_updated)} ago`}</span>
      </p>
    </li>
  );
}
