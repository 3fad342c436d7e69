import { useQuery } from '@tanstack/react-query';
import { useNavigate, useSearch } from '@tanstack/react-router';
import { Activity, LayoutDashboard, SlidersHorizontal } from 'lucide-react';
import { useMemo, useState } from 'react';
import type { MetricInfo } from '@nowcast/contract';
import { metricQuery } from '../../api/queries.ts';
import { Button } from '../../ui/button.tsx';
import { clearOfTop } from '../../ui/clear-of.ts';
import { Modal } from '../../ui/modal.tsx';
import { EmptyState } from '../../ui/states.tsx';
import { useIsHere } from '../../ui/use-is-here.ts';
import { BoardViewProvider } from '../board/board-context.ts';
import { newPanelId } from '../board/board-content.ts';
import { TimePicker } from '../board/time-picker.tsx';
import { LiveButton } from '../board/toolbar.tsx';
import { usePausedPill } from '../board/use-paused-pill.ts';
import { useRange } from '../board/use-range.ts';
import { useBoardActions } from '../boards/use-board-actions.ts';
import { MetricPicker } from '../edit/metric-picker.tsx';
import { useCrumb } from '../shell/crumb.ts';
import { useShortcuts } from '../shell/shortcuts.ts';
import { mayEdit, useMe, usePreferredZone } from '../shell/use-me.ts';
import { explorePanels } from './explore-panel.ts';
import type { ExploreSearch } from './explore-search.ts';
import { ExploreResult } from './explore-result.tsx';
import { QueryRow } from './query-row.tsx';

const noFilter = { variables: {}, where: {} };

/** `/explore`: one metric, asked in every way; a chart above, its figures below. */
export function ExplorePage() {
  useCrumb('Explore');
  const search = useSearch({ from: '/app/explore' });
  const navigate = useNavigate({ from: '/explore' });
  const user = useMe();
  const preferredZone = usePreferredZone();
  const zone = search.tz ?? preferredZone;
  const actions = useBoardActions();
  const [picking, setPicking] = useState(false);
  /** On phones the query folds away under a button. */
  const [asking, setAsking] = useState(false);
  const [pickerOpen, setPickerOpen] = useState(false);
  const isHere = useIsHere();
  const go = (change: Partial<ExploreSearch>, replace = true): void => {
    if (isHere()) void navigate({ search: (old: ExploreSearch) => ({ ...old, ...change }), replace });
  };
  const control = useRange(search, '15m', go);
  usePausedPill(control.range.kind === 'fixed');
  useShortcuts({
    l: () => (control.range.kind === 'live' ? control.pause() : control.goLive()),
    t: () => setPickerOpen(true),
  });
  const metric = useQuery(metricQuery(search.metric ?? '')).data ?? undefined;
  const panels = useMemo(() => explorePanels(search, metric), [search, metric]);
  const panel = panels.chart;
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
        ref={clearOfTop}
        className="top-12 z-30 -mx-4 sm:sticky mb-3 flex flex-wrap items-end gap-2 border-b border-line bg-bg/95 px-4 py-2 backdrop-blur-sm"
      >
        <Button
          aria-label={search.metric === undefined ? undefined : `Metric: ${search.metric}`}
          onPress={() => setPicking(true)}
        >
          <Activity size={15} className="text-muted" aria-hidden />
          <span className="max-w-72 truncate">{search.metric ?? 'Choose a metric'}</span>
        </Button>
        {search.metric !== undefined && (
          <>
            <Button
              className="sm:hidden"
              aria-expanded={asking}
              aria-controls="explore-query"
              onPress={() => setAsking(!asking)}
            >
              <SlidersHorizontal size={15} aria-hidden />
              Query
            </Button>
            <div
              id="explore-query"
              className={`${asking ? 'order-last grid w-full grid-cols-2 gap-2' : 'hidden'} sm:order-none sm:contents`}
            >
              <QueryRow panel={panel} compare={search.compare} onChange={go} />
            </div>
          </>
        )}
        <span className="grow max-sm:hidden" />
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
            <span className="max-sm:sr-only">Make a board</span>
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
        <ExploreResult panels={panels} metric={metric} search={search} onChange={go} />
      )}
      {picking && (
        <Modal title="Choose a metric" open onClose={() => setPicking(false)} width={560}>
          <MetricPicker onPick={pick} />
        </Modal>
      )}
    </BoardViewProvider>
  );
}
