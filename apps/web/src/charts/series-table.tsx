import { useRef, useState } from 'react';
import {
  bucketRange,
  headline,
  headlineTitle,
  settledAt,
  summarise,
  type SeriesSummary,
} from '../live/statistics.ts';
import { formatValue } from '../units/format.ts';
import type { FigureProps } from './figure-props.ts';
import { nextHidden } from './next-hidden.ts';
import { slotCss } from './palette.ts';
import { renderRows } from './render-rows.ts';
import { silentFor } from './silent-for.ts';
import { useFigure } from './use-figure.ts';

type Column = 'name' | 'head' | 'min' | 'max' | 'avg';
const columns: Column[] = ['name', 'head', 'min', 'max', 'avg'];

interface Row {
  key: string;
  name: string;
  slot: number;
  head: number | null;
  /** For how long nothing came; empty while that is usual. */
  silent: string;
  summary: SeriesSummary;
}

function valueOf(row: Row, column: Exclude<Column, 'name'>): number | null {
  return column === 'head' ? row.head : row.summary[column];
}

function compareRows(column: Column, down: boolean): (a: Row, b: Row) => number {
  const sign = down ? -1 : 1;
  if (column === 'name') return (a, b) => sign * a.name.localeCompare(b.name, 'en', { numeric: true });
  return (a, b) =>
    sign *
    ((valueOf(a, column) ?? Number.NEGATIVE_INFINITY) - (valueOf(b, column) ?? Number.NEGATIVE_INFINITY));
}

/** Every series in a row, sorted by any column, moving as the values do. As a legend it also switches lines. */
export function SeriesTable({
  store,
  agg,
  range,
  display,
  title,
  hidden,
  onHidden,
}: FigureProps & { hidden?: ReadonlySet<string>; onHidden?: (hidden: ReadonlySet<string>) => void }) {
  const box = useRef<HTMLDivElement>(null);
  const body = useRef<HTMLTableSectionElement>(null);
  const [sort, setSort] = useState<{ column: Column; down: boolean }>({ column: 'head', down: true });
  const id = JSON.stringify([sort, display, agg, title, [...(hidden ?? [])]]);
  useFigure(box, { store, range }, 500, id, (nowMs) => {
    if (body.current === null) return;
    const span = bucketRange(store, range, nowMs);
    const rows = store.series.map((series): Row => {
      const summary = summarise(series, span, settledAt(agg, nowMs));
      return {
        key: series.name,
        name: series.name === '' ? title : series.name,
        slot: series.slot,
        head: headline(agg, summary),
        silent: silentFor({ store, agg, range }, series, nowMs),
        summary,
      };
    });
    const print = (value: number | null): string => formatValue(value, display.unit, display.decimals);
    renderRows(
      body.current,
      rows.sort(compareRows(sort.column, sort.down)).map((row) => ({
        ...(hidden === undefined ? {} : { pressed: !hidden.has(row.key), id: row.key }),
        colour: slotCss(row.slot),
        silent: row.silent !== '',
        cells: [
          row.name,
          row.silent === '' ? print(row.head) : `${print(row.head)} · ${row.silent} ago`,
          print(row.summary.min),
          print(row.summary.max),
          print(row.summary.avg),
        ],
      })),
    );
  });
  const press = (event: React.MouseEvent): void => {
    const key =
      event.target instanceof Element && event.target.closest<HTMLElement>('[data-id]')?.dataset['id'];
    if (hidden === undefined || typeof key !== 'string') return;
    const names = store.series.map((series) => series.name);
    onHidden?.(nextHidden(hidden, names, key, event.shiftKey || event.metaKey || event.ctrlKey));
  };
  const heads: Record<Column, string> = {
    name: 'Series',
    head: headlineTitle(agg),
    min: 'min',
    max: 'max',
    avg: 'avg',
  };
  return (
    <div ref={box} className="h-full overflow-auto" tabIndex={0} role="group" aria-label={`${title}: table`}>
      <table className="data-table">
        <thead>
          <tr>
            {columns.map((column) => (
              <th
                key={column}
                scope="col"
                aria-sort={sort.column === column ? (sort.down ? 'descending' : 'ascending') : 'none'}
              >
                <button
                  type="button"
                  className="cursor-pointer rounded-sm hover:text-text"
                  onClick={() =>
                    setSort({ column, down: sort.column === column ? !sort.down : column !== 'name' })
                  }
                >
                  {heads[column]}
                  <span aria-hidden>{sort.column === column ? (sort.down ? ' ↓' : ' ↑') : ''}</span>
                </button>
              </th>
            ))}
          </tr>
        </thead>
        <tbody ref={body} onClick={press} />
      </table>
    </div>
  );
}
