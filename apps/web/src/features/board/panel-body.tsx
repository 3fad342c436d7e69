import { Suspense, useState } from 'react';
import type { Panel } from '@nowcast/contract';
import type { ChartOverlay } from '../../charts/chart-overlay.ts';
import { Legend } from '../../charts/legend.tsx';
import { Stat } from '../../charts/stat.tsx';
import { TimeSeries } from '../../charts/time-series.tsx';
import type { LiveView } from '../../live/use-live-view.ts';
import { lazyPart } from '../../ui/lazy-part.tsx';
import { useCalmLoading } from '../../ui/use-calm-loading.ts';
import { useBoardView } from './board-context.ts';
import type { PanelView } from './panel-query.ts';
import { PanelMessage, PanelState } from './panel-state.tsx';

const figures = () => import('../../charts/figures.ts');
const Feed = lazyPart(async () => (await figures()).Feed);
const Gauge = lazyPart(async () => (await figures()).Gauge);
const Pie = lazyPart(async () => (await figures()).Pie);
const SeriesTable = lazyPart(async () => (await figures()).SeriesTable);

const NoData = lazyPart(
  async () => (await import('./no-data.tsx')).NoData,
  () => <PanelMessage icon={null} title="No data in this range" text="" />,
);
const StatusTiles = lazyPart(async () => (await import('../alerts/status-tiles.tsx')).StatusTiles);

const noneHidden: ReadonlySet<string> = new Set();

interface PanelBodyProps {
  panel: Panel;
  view: PanelView;
  live: LiveView;
  stale: boolean;
  /** It has the screen to itself. */
  alone: boolean;
  /** Drawn on charts over time. */
  overlay: ChartOverlay | null;
}

function Drawing({ panel, view, live, stale, alone, overlay }: PanelBodyProps) {
  const board = useBoardView();
  const [hidden, setHidden] = useState<ReadonlySet<string>>(noneHidden);
  const { store } = live;
  const { display, title } = panel;
  const figure = { store, agg: view.agg, range: view.range, display, title, stale };
  switch (panel.chart_type) {
    case 'stat':
      return <Stat {...figure} />;
    case 'gauge':
      return <Gauge {...figure} />;
    case 'pie':
      return <Pie {...figure} />;
    case 'table':
      return <SeriesTable {...figure} />;
    case 'feed':
      return <Feed store={store} range={view.range} display={display} zone={board.zone} title={title} />;
    case 'status':
      return <StatusTiles {...figure} metricType={panel.metric_type} query={view.query} />;
    case 'alerts':
      return null;
    default:
      break;
  }
  const legend =
    display.legend !== 'none' && (live.meta.series.length > 1 || live.meta.series[0]?.name !== '');
  return (
    <div className="flex h-full flex-col gap-1">
      <div className={`min-h-0 flex-1 ${stale ? 'opacity-70' : ''}`}>
        <TimeSeries
          store={store}
          kind={panel.chart_type}
          agg={view.agg}
          range={view.range}
          display={display}
          zone={board.zone}
          title={title}
          hidden={hidden}
          pinch={alone}
          overlay={overlay}
          onZoom={board.zoom}
          onZoomBack={() => board.zoomBack()}
        />
      </div>
      {legend && display.legend === 'list' && (
        <Legend
          store={store}
          agg={view.agg}
          range={view.range}
          unit={display.unit}
          decimals={display.decimals}
          title={title}
          hidden={hidden}
          onHidden={setHidden}
        />
      )}
      {legend && display.legend === 'table' && (
        <div className="max-h-[40%] min-h-20">
          <Suspense>
            <SeriesTable {...figure} hidden={hidden} onHidden={setHidden} />
          </Suspense>
        </div>
      )}
    </div>
  );
}

/** What a panel shows: its data, or why there are none. */
export function PanelBody(props: PanelBodyProps) {
  const { live, panel, view } = props;
  const { meta } = live;
  const loading = useCalmLoading(meta.state === 'loading');
  if (loading || meta.state !== 'ready') {
    const kind = loading || meta.state === 'ready' ? 'loading' : meta.state;
    return <PanelState kind={kind} text={meta.error} onRetry={live.retry} />;
  }
  if (meta.empty)
    return (
      <Suspense>
        <NoData panel={panel} range={view.range} />
      </Suspense>
    );
  return (
    <div className={`h-full transition-opacity duration-150 ${live.refreshing ? 'opacity-60' : ''}`}>
      <Suspense>
        <Drawing {...props} />
      </Suspense>
    </div>
  );
}
