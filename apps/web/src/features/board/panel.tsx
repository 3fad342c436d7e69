import { useQuery } from '@tanstack/react-query';
import { Clock } from 'lucide-react';
import { Suspense, useMemo, useState, type ReactNode } from 'react';
import type { Panel as PanelSpec } from '@nowcast/contract';
import { metricQuery } from '../../api/queries.ts';
import type { ChartOverlay } from '../../charts/chart-overlay.ts';
import { useLive } from '../../live/live-context.ts';
import { linesBesideOther } from '../../live/series-name.ts';
import type { StaleLevel } from '../../live/statistics.ts';
import { useLiveView, useStaleLevel, type LiveView } from '../../live/use-live-view.ts';
import { describeAge } from '../../time/range.ts';
import { lazyPart } from '../../ui/lazy-part.tsx';
import { useAfterPaint } from '../../ui/use-after-paint.ts';
import { useSecond } from '../../ui/use-second.ts';
import { useBoardView } from './board-context.ts';
import { PanelBody } from './panel-body.tsx';
import { panelView, type PanelView } from './panel-query.ts';
import { asShown } from './per-second.ts';

const PanelAlerts = lazyPart(
  async () => (await import('../alerts/panel-alerts.tsx')).PanelAlerts,
  ({ onAgain }) => (
    <button type="button" className="chip h-5 cursor-pointer text-warn" title="Try again" onClick={onAgain}>
      Alerts not loaded
    </button>
  ),
);

const AlertList = lazyPart(async () => (await import('../alerts/alert-list.tsx')).AlertList);

function StaleChip({ live, level }: { live: LiveView; level: 'stale' | 'critical' }) {
  const port = useLive();
  useSecond();
  const age = describeAge(port.serverNow() - live.store.newestMs);
  const tone = level === 'critical' ? 'text-crit border-crit/50' : 'text-warn border-warn/50';
  return (
    <span className={`chip h-5 ${tone}`}>
      <Clock size={12} aria-hidden />
      {level === 'critical' ? `No data for ${age}` : `Stale ${age}`}
    </span>
  );
}

/** What a panel's menu needs of its data; null: it has none of its own. */
export interface PanelData {
  view: PanelView;
  live: LiveView;
}

interface PanelProps {
  panel: PanelSpec;
  menu?: (data: PanelData | null) => ReactNode;
  grip?: ReactNode;
  headingLevel?: 1 | 2;
  /** It has the screen to itself. */
  alone?: boolean;
}

/** A panel as it is seen: head, state chips, drawing. `menu` and `grip` come from whoever frames it. */
export function Panel(props: PanelProps) {
  if (props.panel.chart_type !== 'alerts') return <DataPanel {...props} />;
  return (
    <PanelFrame {...props} menu={props.menu?.(null)}>
      <Suspense>
        <AlertList panel={props.panel} />
      </Suspense>
    </PanelFrame>
  );
}

function PanelFrame({
  panel,
  grip,
  headingLevel = 2,
  stale = 'fresh',
  chips,
  menu,
  children,
}: Omit<PanelProps, 'menu'> & {
  stale?: StaleLevel;
  chips?: ReactNode;
  menu: ReactNode;
  children: ReactNode;
}) {
  const Heading = headingLevel === 1 ? 'h1' : 'h2';
  return (
    <article
      aria-label={panel.title}
      className="card flex h-full min-h-0 flex-col px-3 pt-2 pb-3"
      data-panel={panel.visualization_id}
      data-stale={stale}
    >
      <header className="mb-1 flex h-7 shrink-0 items-center gap-2">
        {grip}
        <Heading className="min-w-0 truncate text-sm font-semibold" title={panel.title}>
          {panel.title}
        </Heading>
        {chips}
        <span className="grow" />
        {menu}
      </header>
      <div className="min-h-0 flex-1">{children}</div>
    </article>
  );
}

function DataPanel(props: PanelProps) {
  const { panel, menu, alone = false } = props;
  const board = useBoardView();
  const metric = useQuery(metricQuery(panel.metric_type)).data ?? undefined;
  const view = useMemo(
    () => panelView(panel, board.range, board.filter, metric, board.zone),
    [panel, board.range, board.filter, metric, board.zone],
  );
  const shown = asShown(panel, view);
  const live = useLiveView(view.query, view.windowMs, shown.rate);
  const level = useStaleLevel(live.store, view.range.kind === 'live');
  const ownLines = linesBesideOther(live.meta.series, live.query.limit);
  const [overlay, setOverlay] = useState<ChartOverlay | null>(null);
  const showsAlerts = useAfterPaint() && panel.display.alerts?.shown !== false;
  const chips = (
    <>
      {level !== 'fresh' && <StaleChip live={live} level={level} />}
      {live.meta.note !== '' && (
        <span className="chip h-5 min-w-0 text-muted" title={live.meta.note}>
          <span className="truncate">{live.meta.note}</span>
        </span>
      )}
      {ownLines !== null && (
        <span
          className="chip h-5 text-muted"
          title="The largest have a line of their own, the rest is added up in “Other”. A filter, or more lines in the panel's settings, shows others."
        >
          {`Top ${ownLines} + Other`}
        </span>
      )}
      {showsAlerts && (
        <Suspense>
          <PanelAlerts
            panel={panel}
            view={view}
            live={live}
            perSecond={shown.perSecond}
            onOverlay={setOverlay}
          />
        </Suspense>
      )}
    </>
  );
  return (
    <PanelFrame {...props} stale={level} chips={chips} menu={menu?.({ view, live })}>
      <PanelBody
        panel={shown.panel}
        view={shown.view}
        live={live}
        stale={level !== 'fresh'}
        alone={alone}
        overlay={overlay}
      />
    </PanelFrame>
  );
}
