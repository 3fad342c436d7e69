import { useQuery } from '@tanstack/react-query';
import { useNavigate, useParams, useSearch } from '@tanstack/react-router';
import { LayoutDashboard } from 'lucide-react';
import { Suspense, useEffect, useMemo, useState, type ReactNode } from 'react';
import type { Board, BoardContent, Panel as PanelSpec, Where } from '@nowcast/contract';
import { boardQuery } from '../../api/queries.ts';
import type { ViewStore } from '../../live/view-store.ts';
import { Button } from '../../ui/button.tsx';
import { EmptyState, Failure, Skeleton } from '../../ui/states.tsx';
import { lazyDialog, lazyPart } from '../../ui/lazy-part.tsx';
import { useIsHere } from '../../ui/use-is-here.ts';
import { useCrumb } from '../shell/crumb.ts';
import { usePreferredZone } from '../shell/use-me.ts';
import { useShortcuts } from '../shell/shortcuts.ts';
import { liveRange, quickRanges } from '../../time/range.ts';
import { BoardViewProvider } from './board-context.ts';
import { BoardGrid } from './board-grid.tsx';
import type { BoardSearch } from './board-search.ts';
import { FullPanel } from './full-panel.tsx';
import { PanelMenu } from './panel-menu.tsx';
import { Panel } from './panel.tsx';
import { BoardActions, Toolbar } from './toolbar.tsx';
import { usePausedPill } from './use-paused-pill.ts';
import { useRange } from './use-range.ts';
import type { EditIntent } from '../edit/edit-intent.ts';
import { useStar } from './use-star.ts';

const BoardEditor = lazyPart(async () => (await import('../edit/board-editor.tsx')).BoardEditor);
const ShareDialog = lazyDialog(async () => (await import('./share-dialog.tsx')).ShareDialog);
const DataTableDialog = lazyDialog(async () => (await import('./data-table-dialog.tsx')).DataTableDialog);

const noWhere: Where = {};
const rereadMs = 60_000;

/** `/boards/$boardId`: loads the board, then shows it. */
export function BoardPage() {
  const { boardId } = useParams({ from: '/app/boards/$boardId' });
  const { edit, kiosk } = useSearch({ from: '/app/boards/$boardId' });
  // On a wall nobody looks away and back, which would read it again.
  const board = useQuery({
    ...boardQuery(boardId),
    refetchInterval: ({ state }) => !(edit === true && kiosk !== true && state.data?.editable) && rereadMs,
  });
  useCrumb(board.data?.title ?? '');
  if (board.isError && board.data === undefined) {
    return <Failure headingLevel="h1" error={board.error} onRetry={() => void board.refetch()} />;
  }
  if (board.data === undefined) return <Skeleton className="mt-4 h-80" />;
  return <LoadedBoard key={boardId} board={board.data} />;
}

function LoadedBoard({ board }: { board: Board }) {
  const search = useSearch({ from: '/app/boards/$boardId' });
  const navigate = useNavigate({ from: '/boards/$boardId' });
  const preferredZone = usePreferredZone();
  const zone = search.tz ?? preferredZone;
  const [pickerOpen, setPickerOpen] = useState(false);
  const [sharing, setSharing] = useState(false);
  const [table, setTable] = useState<{ panel: PanelSpec; store: ViewStore } | null>(null);
  const [intent, setIntent] = useState<EditIntent | null>(null);
  const star = useStar(board.board_id);
  const isHere = useIsHere();
  const go = (change: Partial<BoardSearch>, replace = false): void => {
    if (isHere()) void navigate({ search: (old: BoardSearch) => ({ ...old, ...change }), replace });
  };
  const control = useRange(search, board.window, go);
  usePausedPill(control.range.kind === 'fixed');

  const where = search.where ?? noWhere;
  const editable = board.editable && search.kiosk !== true;
  const editing = search.edit === true && editable;
  const [drafted, setDrafted] = useState(board.variables);
  const filterable = editing ? drafted : board.variables;
  const variables = useMemo(
    () => Object.fromEntries(filterable.map((one) => [one.label, search.vars?.[one.label] ?? one.selected])),
    [filterable, search.vars],
  );
  const view = useMemo(
    () => ({
      range: control.range,
      zone,
      filter: { variables, where },
      zoom: control.zoom,
      zoomBack: control.zoomBack,
      setRange: control.setRange,
    }),
    [control, zone, variables, where],
  );
  useShortcuts({
    e: () => editable && go({ edit: editing ? undefined : true, panel: undefined }),
    l: () => (control.range.kind === 'live' ? control.pause() : control.goLive()),
    t: () => setPickerOpen(true),
    v: () => !editing && go({ panel: search.panel === undefined ? panelInHand() : undefined }),
    ...Object.fromEntries(
      quickRanges.slice(0, 8).map((one, i) => [`${i}`, () => control.setRange(liveRange(one.window))]),
    ),
  });
  useEffect(() => {
    document.documentElement.toggleAttribute('data-kiosk', search.kiosk === true);
    return () => document.documentElement.removeAttribute('data-kiosk');
  }, [search.kiosk]);

  const frame = (buttons: ReactNode, grid: ReactNode, content: BoardContent): ReactNode => (
    <>
      {search.kiosk !== true && (
        <Toolbar
          board={{ ...board, variables: content.variables }}
          control={control}
          metrics={metricsOf(content.panels)}
          zone={zone}
          onZone={(tz) => go({ tz: tz === preferredZone ? undefined : tz }, true)}
          variables={variables}
          onVariable={(label, values) => go({ vars: { ...search.vars, [label]: values } }, true)}
          where={where}
          onWhere={(next) => go({ where: Object.keys(next).length > 0 ? next : undefined }, true)}
          pickerOpen={pickerOpen}
          onPickerOpen={setPickerOpen}
        >
          {buttons}
        </Toolbar>
      )}
      {search.kiosk === true ? <div className="pt-3">{grid}</div> : grid}
    </>
  );
  const actions = (panel: PanelSpec) => {
    const id = panel.visualization_id;
    const shared = {
      onView: () => go({ panel: id }),
      onTable: (store: ViewStore) => setTable({ panel, store }),
    };
    if (!board.editable) return shared;
    const begin = (kind: EditIntent['kind']) => (): void => {
      setIntent({ kind, panelId: id });
      go({ edit: true, panel: undefined });
    };
    return {
      ...shared,
      onEdit: () => go({ edit: true, panel: id }),
      onDuplicate: begin('duplicate'),
      onMove: begin('move'),
      onDelete: begin('delete'),
    };
  };
  const full = editing ? undefined : board.panels.find((panel) => panel.visualization_id === search.panel);
  return (
    <BoardViewProvider value={view}>
      <h1 className="sr-only">{board.title}</h1>
      {editing ? (
        <Suspense fallback={<Skeleton className="mt-4 h-80" />}>
          <BoardEditor
            board={board}
            intent={intent}
            selected={search.panel}
            onSelect={(panel) => go({ panel }, true)}
            onDone={() => {
              setIntent(null);
              go({ edit: undefined, panel: undefined });
            }}
            onView={(panel) => go({ edit: undefined, panel })}
            onTable={(panel, store) => setTable({ panel, store })}
            onVariables={setDrafted}
            frame={frame}
          />
        </Suspense>
      ) : (
        frame(
          <BoardActions
            board={board}
            onStar={() => star.mutate(!board.starred)}
            onShare={() => setSharing(true)}
            onEdit={() => {
              setIntent(null);
              go({ edit: true });
            }}
          />,
          full !== undefined ? (
            <FullPanel panel={full} onClose={() => go({ panel: undefined })} />
          ) : board.panels.length === 0 ? (
            <EmptyBoard editable={editable} onEdit={() => go({ edit: true })} />
          ) : (
            <BoardGrid panels={board.panels}>
              {(panel) => (
                <Panel
                  panel={panel}
                  menu={(data) =>
                    search.kiosk !== true && <PanelMenu panel={panel} data={data} actions={actions(panel)} />
                  }
                />
              )}
            </BoardGrid>
          ),
          board,
        )
      )}
      <Suspense>
        {sharing && <ShareDialog board={board} onClose={() => setSharing(false)} />}
        {table !== null && <DataTableDialog {...table} zone={zone} onClose={() => setTable(null)} />}
      </Suspense>
    </BoardViewProvider>
  );
}

function metricsOf(panels: readonly PanelSpec[]): string[] {
  return [...new Set(panels.map((panel) => panel.metric_type))].filter((name) => name !== '');
}

/** The panel that the keyboard is in, else the one under the pointer. */
function panelInHand(): string | undefined {
  const focused = document.activeElement?.closest<HTMLElement>('[data-panel]');
  const panel = focused ?? document.querySelector<HTMLElement>('[data-panel]:hover');
  return panel?.dataset['panel'];
}

function EmptyBoard({ editable, onEdit }: { editable: boolean; onEdit: () => void }) {
  const text = editable
    ? 'Add a panel: choose a metric and it is already moving.'
    : 'Its owner has not added panels yet.';
  return (
    <EmptyState
      icon={<LayoutDashboard size={22} aria-hidden />}
      title="Nothing on this board yet"
      text={text}
    >
      {editable && (
        <Button variant="primary" onPress={onEdit}>
          Add panels
        </Button>
      )}
    </EmptyState>
  );
}
