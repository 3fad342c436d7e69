import type { Panel } from '@nowcast/contract';
import { SelectInput } from '../../ui/field.tsx';
import { chartTitles } from '../board/board-content.ts';
import { FilterChips } from '../board/filter-chips.tsx';
import { acrossChoices, aggChoices } from '../edit/choices.ts';
import type { ExploreSearch } from './explore-search.ts';

export const exploreCharts = ['line', 'area', 'stacked', 'bar', 'pie'] as const;

/** How the chosen metric is asked. */
export function QueryRow({
  panel,
  chart,
  onChange,
}: {
  panel: Panel;
  chart: (typeof exploreCharts)[number];
  onChange: (change: Partial<ExploreSearch>) => void;
}) {
  const { query } = panel;
  return (
    <>
      <SelectInput
        label="Aggregate"
        hideLabel
        value={query.agg ?? 'avg'}
        choices={[...aggChoices, { value: 'none', title: 'Single points' }]}
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
        value={chart}
        choices={exploreCharts.map((value) => ({ value, title: chartTitles[value] }))}
        onValue={(value) => onChange({ chart: value })}
      />
      <FilterChips
        where={query.where}
        metricType={panel.metric_type}
        onWhere={(where) => onChange({ where: Object.keys(where).length > 0 ? where : undefined })}
      />
    </>
  );
}
