import { useMemo } from 'react';
import type { MetricInfo, Panel as PanelSpec } from '@nowcast/contract';
import { LiveProvider, useLive } from '../../live/live-context.ts';
import { Button } from '../../ui/button.tsx';
import { useBoardView } from '../board/board-context.ts';
import { panelView } from '../board/panel-query.ts';
import { Panel } from '../board/panel.tsx';
import { GroupBy } from '../edit/query-fields.tsx';
import { comparingLive } from './comparing-live.ts';
import { comparisonOf } from './explore-panel.ts';
import type { ExploreSearch } from './explore-search.ts';
import { Overview } from './overview.tsx';

/** The chart, everything that is stored as a strip under it, and its figures or the points themselves. */
export function ExploreResult({
  panels,
  metric,
  search,
  onChange,
}: {
  panels: { chart: PanelSpec; table: PanelSpec; log: PanelSpec };
  metric: MetricInfo | undefined;
  search: ExploreSearch;
  onChange: (change: Partial<ExploreSearch>) => void;
}) {
  const board = useBoardView();
  const live = useLive();
  const { chart } = panels;
  const view = panelView(chart, board.range, board.filter, metric, board.zone);
  const comparison = comparisonOf(search, board.range, chart);
  const { shiftMs = 0, name = '' } = comparison ?? {};
  const compared = useMemo(
    () => (shiftMs === 0 ? live : comparingLive(live, { shiftMs, name })),
    [live, shiftMs, name],
  );
  const showsLog = search.below === 'log' || search.agg === 'none';
  return (
    <div className="flex flex-col gap-3">
      <GroupBy metricType={chart.metric_type} groups={search.by ?? []} onGroups={(by) => onChange({ by })} />
      <div className="h-[50dvh] min-h-72">
        <LiveProvider value={compared}>
          <Panel panel={chart} />
        </LiveProvider>
      </div>
      <Overview query={view.query} range={board.range} zone={board.zone} onRange={board.setRange} />
      <div role="group" aria-label="Below the chart" className="flex gap-2">
        <Button
          aria-pressed={!showsLog}
          onPress={() => onChange({ below: undefined, ...(search.agg === 'none' ? { agg: undefined } : {}) })}
        >
          Figures
        </Button>
        <Button aria-pressed={showsLog} onPress={() => onChange({ below: 'log' })}>
          Single points
        </Button>
      </div>
      <div className="h-80">
        {showsLog ? (
          <Panel panel={panels.log} />
        ) : (
          <LiveProvider value={compared}>
            <Panel panel={panels.table} />
          </LiveProvider>
        )}
      </div>
    </div>
  );
}
