import { useQuery } from '@tanstack/react-query';
import { ChevronDown } from 'lucide-react';
import { useState } from 'react';
import { unitFor, type Agg, type MetricInfo, type Panel } from '@nowcast/contract';
import { labelsQuery, metricQuery } from '../../api/queries.ts';
import { Button } from '../../ui/button.tsx';
import { SelectInput } from '../../ui/field.tsx';
import { Modal } from '../../ui/modal.tsx';
import { FilterChips } from '../board/filter-chips.tsx';
import { panelAgg } from '../board/panel-query.ts';
import { acrossChoices, aggChoices, stepChoices, windowChoices } from './choices.ts';
import { MetricPicker } from './metric-picker.tsx';
import { NumberInput } from './number-input.tsx';
import { unitWithAgg } from './unit-with-agg.ts';

interface QueryFieldsProps {
  panel: Panel;
  onChange: (panel: Panel, tag: string) => void;
}

/** Sets a key, or removes it: absent means "the default" on the wire. */
function withOptional(query: Panel['query'], key: 'step' | 'window', value: string): Panel['query'] {
  const next = { ...query };
  if (value === '') delete next[key];
  else next[key] = value;
  return next;
}

export function GroupBy({
  metricType,
  groups,
  onGroups,
}: {
  metricType: string;
  groups: readonly string[];
  onGroups: (groups: string[]) => void;
}) {
  const labels = useQuery(labelsQuery(metricType));
  const counts = new Map((labels.data ?? []).map((one) => [one.label, one.values.length]));
  const names = [...new Set([...groups, ...counts.keys()])];
  return (
    <fieldset>
      <legend className="label">One line for each</legend>
      {names.length === 0 && <p className="text-xs text-muted">This metric has no labels.</p>}
      <div className="flex flex-wrap gap-1.5">
        {names.map((name) => {
          const on = groups.includes(name);
          return (
            <button
              key={name}
              type="button"
              aria-pressed={on}
              className="btn btn-plain btn-small"
              onClick={() => onGroups(on ? groups.filter((other) => other !== name) : [...groups, name])}
            >
              {name}
              <span className="text-muted">{counts.get(name)}</span>
            </button>
          );
        })}
      </div>
    </fieldset>
  );
}

/** Which points, and how they become lines. */
export function QueryFields({ panel, onChange }: QueryFieldsProps) {
  const [picking, setPicking] = useState(false);
  const { query } = panel;
  const current = useQuery(metricQuery(panel.metric_type)).data ?? undefined;
  const agg = panelAgg(panel, current);
  const set = (next: Partial<Panel['query']>, tag = ''): void =>
    onChange({ ...panel, query: { ...query, ...next } }, tag);
  const calculate = (next: Agg): void => {
    const unit = unitWithAgg(panel.display.unit, panel.metric_type, agg, next);
    onChange({ ...panel, query: { ...query, agg: next }, display: { ...panel.display, unit } }, '');
  };
  const pick = (metric: MetricInfo): void => {
    setPicking(false);
    onChange(
      {
        ...panel,
        metric_type: metric.metric_type,
        query: { ...query, agg: metric.default_agg, across: metric.default_across, group_by: [], where: {} },
        display: { ...panel.display, unit: unitFor(metric.metric_type, metric.default_agg) },
      },
      '',
    );
  };
  const feed = panel.chart_type === 'feed';
  const isAlerts = panel.chart_type === 'alerts';
  const hasBuckets = !feed && !isAlerts;
  const most = isAlerts ? 500 : 1000;
  return (
    <>
      <div>
        <p className="label">Metric</p>
        <Button
          className="w-full justify-start"
          aria-label={`Metric: ${panel.metric_type}`}
          onPress={() => setPicking(true)}
        >
          <span className="grow truncate text-start">
            {panel.metric_type === '' ? (isAlerts ? 'Any metric' : 'Choose…') : panel.metric_type}
          </span>
          <ChevronDown size={14} className="shrink-0 text-muted" aria-hidden />
        </Button>
        {isAlerts && panel.metric_type !== '' && (
          <Button
            variant="ghost"
            size="small"
            className="mt-1"
            onPress={() => onChange({ ...panel, metric_type: '' }, '')}
          >
            Alerts of any metric
          </Button>
        )}
      </div>
      {picking && (
        <Modal title="Choose a metric" open onClose={() => setPicking(false)} width={560}>
          <MetricPicker onPick={pick} />
        </Modal>
      )}
      {hasBuckets && (
        <>
          <SelectInput
            label="Calculate"
            hint="Over the points of each bucket."
            value={agg}
            choices={aggChoices}
            onValue={calculate}
          />
          <GroupBy
            metricType={panel.metric_type}
            groups={query.group_by}
            onGroups={(groups) => set({ group_by: groups })}
          />
          <SelectInput
            label="Series that share a line are"
            hint="For example total memory of ten hosts: average each, add them up."
            value={query.across ?? current?.default_across ?? 'merge'}
            choices={acrossChoices}
            onValue={(across) => set({ across })}
          />
        </>
      )}
      <div>
        <p className="label">{isAlerts ? 'Only alerts where' : 'Only points where'}</p>
        <div className="flex flex-wrap gap-1.5">
          <FilterChips
            where={query.where}
            metricType={panel.metric_type}
            addTitle="Add filter"
            onWhere={(where) => set({ where })}
          />
        </div>
      </div>
      <div className="grid grid-cols-2 gap-3">
        {hasBuckets && (
          <SelectInput
            label="Bucket width"
            value={query.step ?? ''}
            choices={stepChoices}
            onValue={(step) => onChange({ ...panel, query: withOptional(query, 'step', step) }, '')}
          />
        )}
        {!isAlerts && (
          <SelectInput
            label="Range"
            value={query.window ?? ''}
            choices={windowChoices}
            onValue={(window) => onChange({ ...panel, query: withOptional(query, 'window', window) }, '')}
          />
        )}
        <NumberInput
          label={feed ? 'Messages' : isAlerts ? 'Alerts at most' : 'Lines at most'}
          placeholder={feed ? '200' : isAlerts ? '50' : '20'}
          value={query.limit}
          bounds={{ least: 1, most, whole: true }}
          problem={`From 1 to ${most}`}
          onNumber={(limit) => {
            const { limit: _, ...rest } = query;
            onChange({ ...panel, query: limit === undefined ? rest : { ...rest, limit } }, 'limit');
          }}
        />
      </div>
    </>
  );
}
