import { useId, useState } from 'react';
import { defaultsFor, type MetricInfo } from '@nowcast/contract';
import { formatValue } from '../../units/format.ts';
import { Failure, Skeleton } from '../../ui/states.tsx';
import { rankMetrics } from './rank-metrics.ts';
import { useMetricSearch } from './use-metric-search.ts';

const shownMetrics = 100;

/** A search over everything that ever arrived; arrows choose, Enter takes. */
export function MetricPicker({
  onPick,
  autoFocus = true,
}: {
  onPick: (metric: MetricInfo) => void;
  autoFocus?: boolean;
}) {
  const id = useId();
  const [search, setSearch] = useState('');
  const [active, setActive] = useState(0);
  const { listed, metrics, searching } = useMetricSearch(search);
  const found = rankMetrics(metrics, search).slice(0, shownMetrics);
  const at = Math.min(active, found.length - 1);
  const onKeyDown = (event: React.KeyboardEvent): void => {
    const step = event.key === 'ArrowDown' ? 1 : event.key === 'ArrowUp' ? -1 : 0;
    if (step !== 0 && found.length > 0) {
      event.preventDefault();
      const next = (at + step + found.length) % found.length;
      setActive(next);
      document.getElementById(`${id}-${next}`)?.scrollIntoView({ block: 'nearest' });
    }
    const metric = found[at];
    if (event.key === 'Enter' && metric !== undefined) {
      event.preventDefault();
      onPick(metric);
    }
  };
  return (
    <div>
      <input
        type="search"
        role="combobox"
        className="field"
        aria-label="Search metrics"
        aria-expanded="true"
        aria-controls={`${id}-list`}
        aria-activedescendant={found.length > 0 ? `${id}-${at}` : undefined}
        aria-autocomplete="list"
        placeholder="What do you want to see? cpu, orders, latency…"
        autoComplete="off"
        spellCheck={false}
        autoFocus={autoFocus}
        value={search}
        onChange={(event) => {
          setSearch(event.target.value);
          setActive(0);
        }}
        onKeyDown={onKeyDown}
      />
      {listed.isError && <Failure error={listed.error} onRetry={() => void listed.refetch()} />}
      {listed.isPending && <Skeleton className="mt-3 h-40" />}
      <ul
        id={`${id}-list`}
        role="listbox"
        aria-label="Metrics"
        className="mt-2 max-h-[min(50dvh,420px)] overflow-y-auto"
      >
        {found.map((metric, i) => (
          // The list is driven from the search field, as a combobox is.
          <li
            key={metric.metric_type}
            id={`${id}-${i}`}
            role="option"
            aria-selected={i === at}
            className={`menu-item ${i === at ? 'bg-accent/15' : ''}`}
            onMouseMove={() => setActive(i)}
            onClick={() => onPick(metric)}
          >
            <MetricLine metric={metric} />
          </li>
        ))}
      </ul>
      {listed.isSuccess && !searching && found.length === 0 && (
        <p className="p-3 text-center text-muted">
          {search === ''
            ? 'Nothing has arrived yet. Connect a source first.'
            : `No metric matches “${search}”.`}
        </p>
      )}
    </div>
  );
}

function MetricLine({ metric }: { metric: MetricInfo }) {
  return (
    <span className="flex min-w-0 grow items-center justify-between gap-4">
      <span className="min-w-0">
        <span className="block truncate font-medium">{metric.metric_type}</span>
        <span className="block truncate text-xs text-muted">
          {metric.series === 1 ? '1 series' : `${metric.series} series`}
          {metric.labels.length > 0 && ` · ${metric.labels.join(', ')}`}
        </span>
      </span>
      <span className="max-w-2/5 shrink-0 truncate text-end text-sm">
        {formatValue(metric.last_value, defaultsFor(metric.metric_type).unit)}
      </span>
    </span>
  );
}
