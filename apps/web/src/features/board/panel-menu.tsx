import { useNavigate } from '@tanstack/react-router';
import {
  Bell,
  Compass,
  Copy,
  Download,
  Ellipsis,
  Image,
  Link,
  Maximize2,
  Move,
  Pencil,
  Table2,
  Trash2,
} from 'lucide-react';
import type { Panel } from '@nowcast/contract';
import { messageOf } from '../../api/http.ts';
import { useLive } from '../../live/live-context.ts';
import type { ViewStore } from '../../live/view-store.ts';
import { describeAge, rangeEnds, rangeToSearch } from '../../time/range.ts';
import { Button } from '../../ui/button.tsx';
import { copyText } from '../../ui/copy-button.tsx';
import type { MenuEntry } from '../../ui/menu-entry.ts';
import { Menu } from '../../ui/menu.tsx';
import { showToast } from '../../ui/toast.tsx';
import { mayEdit, useMe } from '../shell/use-me.ts';
import { useBoardView } from './board-context.ts';
import type { PanelData } from './panel.tsx';

export interface PanelActions {
  onView: () => void;
  onTable: (store: ViewStore) => void;
  /** Absent where the board may not be changed. */
  onEdit?: () => void;
  onDuplicate?: () => void;
  onMove?: () => void;
  onDelete?: () => void;
}

function copyLink(panel: Panel): void {
  const url = new URL(location.href);
  url.searchParams.set('panel', panel.visualization_id);
  url.searchParams.delete('edit');
  copyText(url.href).then(
    () => showToast('ok', 'Link copied'),
    (error: unknown) => showToast('error', messageOf(error)),
  );
}

const ms = (value: number): string => `${Math.max(0, Math.round(value))}\u00a0ms`;

/** How old the newest point is, how late its source sent it, and how long the way from the server to here takes. */
function describeFreshness(store: ViewStore, nowMs: number, lagMs: number | null): string {
  const parts =
    store.newestMs === 0 ? ['Nothing received yet'] : [`Newest ${describeAge(nowMs - store.newestMs)} ago`];
  if (store.sourceLagMs !== null) parts.push(`source lag ${ms(store.sourceLagMs)}`);
  if (lagMs !== null) parts.push(`ingest and transport ${ms(lagMs)}`);
  return parts.join(' · ');
}

/** What can be done with the data of a panel. */
function useDataEntries(
  panel: Panel,
): ({ view, live }: PanelData, onTable: PanelActions['onTable']) => MenuEntry[] {
  const navigate = useNavigate();
  const user = useMe();
  const port = useLive();
  const board = useBoardView();
  return ({ view, live }, onTable) => {
    const explore = (): void => {
      const { query } = view;
      void navigate({
        to: '/explore',
        search: {
          metric: query.metric_type,
          agg: view.agg,
          across: query.across,
          by: query.group_by,
          where: query.where,
          chart: panel.chart_type,
          ...(board.zone === user.preferences.time_zone ? {} : { tz: board.zone }),
          ...rangeToSearch(view.range),
        },
      });
    };
    const watch = (): void => {
      import('../alerts/hand-over-panel.ts')
        .then(({ handOverPanel }) => {
          handOverPanel(panel, view);
          return navigate({ to: '/alerts/rules/new' });
        })
        .catch((error: unknown) => showToast('error', messageOf(error)));
    };
    const csv = (): void => {
      const ends = rangeEnds(view.range, port.serverNow());
      import('./download-csv.ts')
        .then(({ downloadCsv }) =>
          downloadCsv(view.query, ends, panel.title, { zone: board.zone, rate: live.store.rate }),
        )
        .catch((error: unknown) => showToast('error', messageOf(error)));
    };
    return [
      { id: 'explore', title: 'Explore', apart: true, icon: <Compass size={15} aria-hidden />, run: explore },
      ...(mayEdit(user)
        ? [{ id: 'alert', title: 'Create alert', icon: <Bell size={15} aria-hidden />, run: watch }]
        : []),
      {
        id: 'table',
        title: 'View as table',
        icon: <Table2 size={15} aria-hidden />,
        run: () => onTable(live.store),
      },
      { id: 'csv', title: 'Download CSV', icon: <Download size={15} aria-hidden />, run: csv },
    ];
  };
}

/** Everything that can be done with a panel; also the way to move and resize without dragging. */
export function PanelMenu({
  panel,
  data,
  actions,
}: {
  panel: Panel;
  data: PanelData | null;
  actions: PanelActions;
}) {
  const live = useLive();
  const dataEntries = useDataEntries(panel);
  const png = (): void => {
    import('./download-png.ts')
      .then(({ downloadPng }) => downloadPng(panel.visualization_id, panel.title))
      .catch((error: unknown) => showToast('error', messageOf(error)));
  };
  const change: MenuEntry[] = [];
  const { onEdit, onDuplicate, onMove, onDelete } = actions;
  if (onEdit) change.push({ id: 'edit', title: 'Edit', icon: <Pencil size={15} aria-hidden />, run: onEdit });
  if (onDuplicate) {
    change.push({
      id: 'duplicate',
      title: 'Duplicate',
      icon: <Copy size={15} aria-hidden />,
      run: onDuplicate,
    });
  }
  if (onMove)
    change.push({ id: 'move', title: 'Move/size…', icon: <Move size={15} aria-hidden />, run: onMove });
  const entries: MenuEntry[] = [
    { id: 'view', title: 'View', hint: 'v', icon: <Maximize2 size={15} aria-hidden />, run: actions.onView },
    ...change,
    ...(data === null ? [] : dataEntries(data, actions.onTable)),
    { id: 'link', title: 'Copy link', icon: <Link size={15} aria-hidden />, run: () => copyLink(panel) },
    { id: 'png', title: 'Download PNG', icon: <Image size={15} aria-hidden />, run: png },
  ];
  if (onDelete) {
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
    <Menu
      label={`${panel.title}: actions`}
      entries={entries}
      {...(data === null
        ? {}
        : { note: () => describeFreshness(data.live.store, live.serverNow(), live.lagMs()) })}
      trigger={(props) => (
        <Button
          {...props}
          variant="ghost"
          size="small"
          icon
          aria-label={`Menu of ${panel.title}`}
          className="-me-1.5"
        >
          <Ellipsis size={16} aria-hidden />
        </Button>
      )}
    />
  );
}
