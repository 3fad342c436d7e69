import { useQuery } from '@tanstack/react-query';
import { Clock } from 'lucide-react';
import { useMemo, type ReactNode } from 'react';
import type { Panel as PanelSpec } from '@nowcast/contract';
import { metricsQuery } from '../../api/queries.ts';
import { useLive } from '../../live/live-context.ts';
import { otherSlot } from '../../live/series-name.ts';
import { useLiveView, useStaleLevel, type LiveView } from '../../live/use-live-view.ts';
import { describeAge } from '../../time/range.ts';
import { useSecond } from '../../ui/use-second.ts';
import { useBoardView } from './board-context.ts';
import { PanelBody } from './panel-body.tsx';
import { panelView, type PanelView } from './panel-query.ts';
import { asShown } from './per-second.ts';

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

/** A panel as it is seen: head, state chips, drawing. `menu` and `grip` come from whoever frames it. */
export function Panel({
  panel,
  menu,
  grip,
  headingLevel = 2,
  alone = false,
}: {
  panel: PanelSpec;
  menu?: (context: { view: PanelView; live: LiveView }) => ReactNode;
  grip?: ReactNode;
  headingLevel?: 1 | 2;
  /** It has the screen to itself. */
  alone?: boolean;
}) {
  const board = useBoardView();
  const metrics = useQuery(metricsQuery());
  const metric = metrics.data?.find((one) => one.metric_type === panel.metric_type);
  const view = useMemo(
    () => panelView(panel, board.range, board.filter, metric, board.zone),
    [panel, board.range, board.filter, metric, board.zone],
  );
  const shown = asShown(panel, view);
  const live = useLiveView(view.query, view.windowMs, shown.perSecond);
  const level = useStaleLevel(live.store, view.range.kind === 'live');
  const Heading = headingLevel === 1 ? 'h1' : 'h2';
  return (
    <article
      aria-label={panel.title}
      className="card flex h-full min-h-0 flex-col px-3 pt-2 pb-3"
      data-panel={panel.visualization_id}
      data-stale={level}
    >
      <header className="mb-1 flex h-7 shrink-0 items-center gap-2">
        {grip}
        <Heading className="min-w-0 truncate text-sm font-semibold" title={panel.title}>
          {panel.title}
        </Heading>
        {level !== 'fresh' && <StaleChip live={live} level={level} />}
        {live.meta.note !== '' && (
          <span className="chip h-5 min-w-0 text-muted" title={live.meta.note}>
            <span className="truncate">{live.meta.note}</span>
          </span>
        )}
        {live.meta.series.some((one) => one.slot === otherSlot) && (
          <span
            className="chip h-5 text-muted"
            title="The largest have a line of their own, the rest is added up in “Other”. A filter, or more lines in the panel's settings, shows others."
          >
            {`Top ${live.meta.series.length - 1} + Other`}
          </span>
        )}
        <span className="grow" />
        {menu?.({ view, live })}
      </header>
      <div className="min-h-0 flex-1">
        <PanelBody
          panel={shown.panel}
          view={shown.view}
          live={live}
          stale={level !== 'fresh'}
          alone={alone}
        />
      </div>
    </article>
  );
}
