import { useQuery } from '@tanstack/react-query';
import { useId, useState } from 'react';
import { labelsQuery } from '../../api/queries.ts';

/** A tick list of a label's values, with a search when it is long. */
export function ValueList({
  metricType,
  label,
  title,
  selected,
  onSelected,
}: {
  metricType: string;
  label: string;
  title: string;
  selected: readonly string[];
  onSelected: (values: string[]) => void;
}) {
  const id = useId();
  const labels = useQuery(labelsQuery(metricType));
  const [search, setSearch] = useState('');
  const known = labels.data?.find((one) => one.label === label)?.values ?? [];
  const offered = [
    ...selected
      .filter((value) => !known.some((one) => one.value === value))
      .map((value) => ({ value, series: 0 })),
    ...known,
  ];
  const shown = offered.filter((one) => one.value.toLowerCase().includes(search.toLowerCase())).slice(0, 200);
  const toggle = (value: string): void =>
    onSelected(selected.includes(value) ? selected.filter((other) => other !== value) : [...selected, value]);
  return (
    <div>
      {offered.length > 8 && (
        <input
          type="search"
          className="field mb-2"
          aria-label={`Search ${title}`}
          placeholder="Search…"
          value={search}
          onChange={(event) => setSearch(event.target.value)}
        />
      )}
      <ul className="max-h-64 overflow-y-auto" aria-label={title}>
        {shown.map((one, i) => (
          <li key={one.value} className="menu-item hover:bg-accent/10">
            <input
              type="checkbox"
              id={`${id}-${i}`}
              className="size-4 shrink-0 accent-accent"
              checked={selected.includes(one.value)}
              onChange={() => toggle(one.value)}
            />
            <label htmlFor={`${id}-${i}`} className="flex min-w-0 grow cursor-pointer justify-between gap-3">
              <span className="truncate">{one.value === '' ? '(empty)' : one.value}</span>
              {one.series > 0 && <span className="text-xs leading-5 text-muted">{one.series}</span>}
            </label>
          </li>
        ))}
      </ul>
      {shown.length === 0 && (
        <p className="p-2 text-xs text-muted">{labels.isPending ? 'Loading…' : 'No values match.'}</p>
      )}
    </div>
  );
}
