import type { Panel } from '@nowcast/contract';
import { SelectInput } from '../../ui/field.tsx';
import { chartTitles } from '../board/board-content.ts';
import { FilterChips } from '../board/filter-chips.tsx';
import { acrossChoices, aggChoices } from '../edit/choices.ts';
import { compareChoices, exploreCharts, type ExploreChart } from './explore-panel.ts';
import type { Compare, ExploreSearch } from './explore-search.ts';

/** How the chosen metric is asked. */
export function QueryRow({
  panel,
  compare,
  onChange,
}: {
  /** The chart. */
  panel: Panel;
  compare: Compare | undefined;
  onChange: (change: Partial<ExploreSearch>) => void;
}) {
  const { query } = panel;
  return (
    <>
      <SelectInput
        label="Aggregate"
        hideLabel
        value={query.agg ?? 'avg'}
        choices={aggChoices}
        onValue={(agg) => onChange({ agg })}
      />
      <SelectInput
        label="Series that share a line are"
        hideLabel
        value={query.across ?? 'merge'}
        choices={acrossChoices}
        onValue={(across) => onChange({ across })}
      />
      <SelectInput
        label="Chart"
        hideLabel
        value={panel.chart_type as ExploreChart}
        choices={exploreCharts.map((value) => ({ value, title: chartTitles[value] }))}
        onValue={(value) => onChange({ chart: value })}
      />
      {panel.chart_type !== 'pie' && panel.chart_type !== 'stacked' && (
        <SelectInput
          label="Compare with"
          hideLabel
          value={compare ?? 'off'}
          choices={compareChoices}
          onValue={(value) => onChange({ compare: value === 'off' ? undefined : value })}
        />
      )}
      <FilterChips
        where={query.where}
        metricType={panel.metric_type}
        onWhere={(where) => onChange({ where: Object.keys(where).length > 0 ? where : undefined })}
      />
    </>
  );
}
