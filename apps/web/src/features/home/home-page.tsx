import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { LayoutDashboard, Plus, RadioTower, Star } from 'lucide-react';
import { useState } from 'react';
import type { BoardSummary } from '@nowcast/contract';
import { boardsQuery, infoQuery } from '../../api/queries.ts';
import { describeAge } from '../../time/range.ts';
import { Button } from '../../ui/button.tsx';
import { EmptyState, Failure, PageHead, Skeleton } from '../../ui/states.tsx';
import { NewBoardDialog } from '../boards/new-board-dialog.tsx';
import { useBoardActions } from '../boards/use-board-actions.ts';
import { useCrumb } from '../shell/crumb.ts';
import { mayEdit, useMe } from '../shell/use-me.ts';
import { BoardPreview } from './board-preview.tsx';
import { FiringAlerts } from './firing-alerts.tsx';
import { SourceHealth } from './source-health.tsx';

const shownBoards = 6;

/** `/`: what fires, starred and recent boards, each with a line that is alive, and how the sources are. */
export function HomePage() {
  useCrumb('Home');
  const user = useMe();
  const boards = useQuery(boardsQuery);
  const [creating, setCreating] = useState(false);
  const actions = useBoardActions();
  const sorted = [...(boards.data ?? [])].sort((a, b) => b.last_updated - a.last_updated);
  const starred = sorted.filter((board) => board.starred);
  const recent = sorted.filter((board) => !board.starred).slice(0, shownBoards);
  return (
    <div className="mx-auto max-w-6xl pt-6">
      <PageHead title={`Hello, ${user.name.split(' ')[0]}`} text="What is happening right now.">
        {mayEdit(user) && (
          <Button variant="primary" onPress={() => setCreating(true)}>
            <Plus size={15} aria-hidden />
            New board
          </Button>
        )}
      </PageHead>
      <FiringAlerts />
      {boards.isError && <Failure error={boards.error} onRetry={() => void boards.refetch()} />}
      {boards.isPending && <Skeleton className="h-48" />}
      {starred.length > 0 && <BoardSection title="Starred" boards={starred} />}
      {recent.length > 0 && (
        <BoardSection title={starred.length > 0 ? 'Other boards' : 'Boards'} boards={recent} />
      )}
      {boards.isSuccess && sorted.length === 0 && <FirstSteps onCreate={() => setCreating(true)} />}
      {mayEdit(user) && <SourceHealth />}
      {creating && (
        <NewBoardDialog
          busy={actions.create.isPending}
          onCreate={(title) => actions.create.mutate({ title })}
          onClose={() => setCreating(false)}
        />
      )}
    </div>
  );
}

function BoardSection({ title, boards }: { title: string; boards: readonly BoardSummary[] }) {
  return (
    <section className="mb-8" aria-label={title}>
      <div className="mb-3 flex items-center justify-between">
        <h2 className="text-base font-semibold">{title}</h2>
        <Link to="/boards" className="link text-sm">
          All boards
        </Link>
      </div>
      <ul className="grid gap-3 sm:grid-cols-2 lg:grid-cols-3">
        {boards.map((board) => (
          <li
            key={board.board_id}
            className="card relative flex min-h-28 flex-col p-4 sm:h-44 transition-colors hover:border-control"
          >
            <h3 className="flex items-center gap-1.5 font-semibold">
              <Link
                to="/boards/$boardId"
                params={{ boardId: board.board_id }}
                className="truncate after:absolute after:inset-0 after:rounded-lg"
              >
                {board.title}
              </Link>
              {board.starred && (
                <Star size={13} className="shrink-0 fill-warn text-warn" aria-label="starred" />
              )}
            </h3>
            <BoardPreview boardId={board.board_id} />
            <p className="flex gap-3 text-xs text-muted">
              <span>{board.panel_count === 1 ? '1 panel' : `${board.panel_count} panels`}</span>
              <span className="ms-auto">{`saved ${describeAge(Date.now() - board.last_updated)} ago`}</span>
            </p>
          </li>
        ))}
      </ul>
    </section>
  );
}

function FirstSteps({ onCreate }: { onCreate: () => void }) {
  const info = useQuery(infoQuery);
  const host = info.data?.host_name ?? 'this machine';
  return (
    <EmptyState
      icon={<LayoutDashboard size={22} aria-hidden />}
      title="Nothing here yet"
      text={`Make a board of what ${host} already measures, or connect a source of your own.`}
    >
      <Button variant="primary" onPress={onCreate}>
        <Plus size={15} aria-hidden />
        New board
      </Button>
      <Link to="/sources" className="btn btn-plain">
        <RadioTower size={15} aria-hidden />
        Connect a source
      </Link>
    </EmptyState>
  );
}
