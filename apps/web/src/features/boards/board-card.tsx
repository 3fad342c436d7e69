import { Link, useNavigate } from '@tanstack/react-router';
import { Copy, Ellipsis, Pencil, Star, Trash2, Users } from 'lucide-react';
import type { BoardSummary } from '@nowcast/contract';
import { describeAge } from '../../time/range.ts';
import { Button } from '../../ui/button.tsx';
import type { MenuEntry } from '../../ui/menu-entry.ts';
import { Menu } from '../../ui/menu.tsx';
import { useStar } from '../board/use-star.ts';

/** One board of the list: opens as a whole; its star and menu lie on top. */
export function BoardCard({
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
    <li className="card relative flex flex-col p-4 sm:min-h-32 transition-colors hover:border-control">
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
        <span className="ms-auto">{`saved ${describeAge(Date.now() - board.last_updated)} ago`}</span>
      </p>
    </li>
  );
}
