import { useQuery } from '@tanstack/react-query';
import { useNavigate, useSearch } from '@tanstack/react-router';
import { Activity, LayoutDashboard } from 'lucide-react';
import { useMemo, useState } from 'react';
import { titleOf, unitFor, type Agg, type MetricInfo, type Panel as PanelSpec } from '@nowcast/contract';
import { metricsQuery } from '../../api/queries.ts';
import { Button } from '../../ui/button.tsx';
import { Modal } from '../../ui/modal.tsx';
import { EmptyState } from '../../ui/states.tsx';
import { BoardViewProvider } from '../board/board-context.ts';
import { newPanelId } from '../board/board-content.ts';
import { Panel } from '../board/panel.tsx';
import { TimePicker } from '../board/time-picker.tsx';
import { LiveButton } from '../board/toolbar.tsx';
import { usePausedPill } from '../board/use-paused-pill.ts';
import { useRange } from '../board/use-range.ts';
import { useBoardActions } from '../boards/use-board-actions.ts';
import { MetricPicker } from '../edit/metric-picker.tsx';
import { GroupBy } from '../edit/query-fields.tsx';
import { useCrumb } from '../shell/crumb.ts';
import { useShortcuts } from '../shell/shortcuts.ts';
import { mayEdit, useMe, usePreferredZone } from '../shell/use-me.ts';
import type { ExploreSearch } from './explore-search.ts';
import { exploreCharts, QueryRow } from './query-row.tsx';

const noFilter = { variables: {}, where: {} };

/** The panel an Explore address describes. */
function panelOf(
  search: ExploreSearch,
  metric: MetricInfo | undefined,
  chart: PanelSpec['chart_type'],
  id: string,
): PanelSpec {
  const name = search.metric ?? '';
  const agg: Agg = search.agg ?? metric?.default_agg ?? 'avg';
  return {
    visualization_id: id,
    title: name === '' ? 'Explore' : titleOf(name),
    metric_type: name,
    chart_type: agg === 'none' ? 'feed' : chart,
    query: {
      agg,
      across: search.across ?? metric?.default_across ?? 'merge',
      group_by: search.by ?? [],
      where: search.where ?? {},
    },
    layout: { x: 0, y: 0, w: 12, h: 10 },
    display: {
      unit: unitFor(name, agg),
      legend: 'list',
      thresholds: [],
      connect_gaps: false,
      per_second: agg === 'increase',
    },
  };
}

/** `/explore`: one metric, asked in every way; a chart above, its figures below. */
export function ExplorePage() {
  useCrumb('Explore');
  const search = useSearch({ from: '/app/explore' });
  const navigate = useNavigate({ from: '/explore' });
  const user = useMe();
  const preferredZone = usePreferredZone();
  const zone = search.tz ?? preferredZone;
  const metrics = useQuery(metricsQuery());
  const actions = useBoardActions();
  const [picking, setPicking] = useState(false);
  const [pickerOpen, setPickerOpen] = useState(false);
  const go = (change: Partial<ExploreSearch>, replace = true): void => {
    void navigate({ search: (old: ExploreSearch) => ({ ...old, ...change }), replace });
  };
  const control = useRange(search, '15m', go);
  usePausedPill(control.range.kind === 'fixed');
  useShortcuts({
    l: () => (control.range.kind === 'live' ? control.pause() : control.goLive()),
    t: () => setPickerOpen(true),
  });
  const metric = metrics.data?.find((one) => one.metric_type === search.metric);
  const chart = exploreCharts.find((one) => one === search.chart) ?? 'line';
  const panel = useMemo(() => panelOf(search, metric, chart, 'explore'), [search, metric, chart]);
  const table = useMemo(
    (): PanelSpec => ({ ...panel, visualization_id: 'explore-table', title: 'Figures', chart_type: 'table' }),
    [panel],
  );
  const view = useMemo(
    () => ({
      range: control.range,
      zone,
      filter: noFilter,
      zoom: control.zoom,
      zoomBack: control.zoomBack,
      setRange: control.setRange,
    }),
    [control, zone],
  );
  const pick = (next: MetricInfo): void => {
    setPicking(false);
    go(
      {
        metric: next.metric_type,
        agg: next.default_agg,
        across: next.default_across,
        by: undefined,
        where: undefined,
      },
      false,
    );
  };
  const toBoard = (): void =>
    actions.create.mutate({ title: panel.title, panels: [{ ...panel, visualization_id: newPanelId() }] });
  return (
    <BoardViewProvider value={view}>
      <h1 className="sr-only">Explore</h1>
      <div
        role="toolbar"
        aria-label="Query"
        className="top-12 z-30 -mx-4 sm:sticky mb-3 flex flex-wrap items-end gap-2 border-b border-line bg-bg/95 px-4 py-2 backdrop-blur-sm"
      >
        <Button aria-label={`Metric: ${search.metric ?? 'none'}`} onPress={() => setPicking(true)}>
          <Activity size={15} className="text-muted" aria-hidden />
          <span className="max-w-72 truncate">{search.metric ?? 'Choose a metric'}</span>
        </Button>
        {search.metric !== undefined && <QueryRow panel={panel} chart={chart} onChange={go} />}
        <span className="grow" />
        <TimePicker
          range={control.range}
          zone={zone}
          onRange={control.setRange}
          onZone={(tz) => go({ tz })}
          open={pickerOpen}
          onOpenChange={setPickerOpen}
        />
        <LiveButton control={control} metrics={search.metric === undefined ? [] : [search.metric]} />
        {mayEdit(user) && search.metric !== undefined && (
          <Button isDisabled={actions.create.isPending} onPress={toBoard}>
            <LayoutDashboard size={15} aria-hidden />
            Make a board
          </Button>
        )}
      </div>
      {search.metric === undefined ? (
        <EmptyState
          icon={<Activity size={22} aria-hidden />}
          title="Ask anything of anything"
          text="Choose a metric; split, filter and zoom it without changing a board."
        >
          <Button variant="primary" onPress={() => setPicking(true)}>
            Choose a metric
          </Button>
        </EmptyState>
      ) : (
        <div className="flex flex-col gap-3">
          {panel.chart_type !== 'feed' && (
            <GroupBy metricType={search.metric} groups={search.by ?? []} onGroups={(by) => go({ by })} />
          )}
          <div className="h-[50dvh] min-h-72">
            <Panel panel={panel} />
          </div>
          {panel.chart_type !== 'feed' && (
            <div className="h-72">
              <Panel panel={table} />
            </div>
          )}
        </div>
      )}
      {picking && (
        <Modal title="Choose a metric" open onClose={() => setPicking(false)} width={560}>
          <MetricPicker onPick={pick} />
        </Modal>
      )}
    </BoardViewProvider>
  );
}
