import { ChevronDown } from 'lucide-react';
import { useState } from 'react';
import type { MetricInfo, RuleQuery } from '@nowcast/contract';
import { Button } from '../../ui/button.tsx';
import { Modal } from '../../ui/modal.tsx';
import { FilterChips } from '../board/filter-chips.tsx';
import { aggChoices } from '../edit/choices.ts';
import { MetricPicker } from '../edit/metric-picker.tsx';
import { InlineSelect } from './sentence-controls.tsx';

const numberAggs = aggChoices.flatMap(({ value, title }) =>
  value === 'none' ? [] : [{ value, title: title.toLowerCase() }],
);

/** "sum of http_requests where status is 500": one query of a rule's sentence. */
export function QueryWords({
  query,
  part = 'Metric',
  hasNumber = true,
  onQuery,
  onMetric,
}: {
  query: RuleQuery;
  /** What the metric is in the sentence, for those who hear it. */
  part?: string;
  /** False where only whether points come matters, not what they say. */
  hasNumber?: boolean;
  onQuery: (query: RuleQuery) => void;
  onMetric: (metric: MetricInfo) => void;
}) {
  const [picking, setPicking] = useState(false);
  const name = query.metric_type === '' ? 'choose a metric' : query.metric_type;
  return (
    <>
      {hasNumber && (
        <>
          <InlineSelect
            label={part === 'Metric' ? 'Calculate' : `Calculate of the ${part.toLowerCase()}`}
            value={query.agg ?? 'avg'}
            choices={numberAggs}
            onValue={(agg) => onQuery({ ...query, agg })}
          />
          <span>of</span>
        </>
      )}
      <Button
        className="max-w-full border-control! bg-bg! max-sm:text-lg!"
        aria-label={`${part}: ${name}`}
        onPress={() => setPicking(true)}
      >
        <span className="truncate font-semibold">{name}</span>
        <ChevronDown size={14} className="shrink-0 text-muted" aria-hidden />
      </Button>
      {query.metric_type !== '' && (
        <FilterChips
          where={query.where}
          metricType={query.metric_type}
          addTitle={Object.keys(query.where).length === 0 ? 'where…' : 'and…'}
          onWhere={(where) => onQuery({ ...query, where })}
        />
      )}
      {picking && (
        <Modal title="Choose a metric" open onClose={() => setPicking(false)} width={560}>
          <MetricPicker
            onPick={(metric) => {
              setPicking(false);
              onMetric(metric);
            }}
          />
        </Modal>
      )}
    </>
  );
}
