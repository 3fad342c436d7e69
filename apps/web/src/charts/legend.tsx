import { useRef } from 'react';
import type { Agg } from '@nowcast/contract';
import { bucketRange, settledAt, summarise } from '../live/statistics.ts';
import type { ViewStore } from '../live/view-store.ts';
import type { TimeRange } from '../time/range.ts';
import { formatValue, type UnitName } from '../units/format.ts';
import { nextHidden } from './next-hidden.ts';
import { slotCss } from './palette.ts';
import { silentFor } from './silent-for.ts';
import { useFigure } from './use-figure.ts';

/** Names in their colours, each with its last value, and its age where it is silent; a press isolates. */
export function Legend({
  store,
  agg,
  range,
  unit,
  decimals,
  title,
  hidden,
  onHidden,
}: {
  store: ViewStore;
  agg: Agg;
  range: TimeRange;
  unit: UnitName;
  decimals: number | undefined;
  title: string;
  hidden: ReadonlySet<string>;
  onHidden: (hidden: ReadonlySet<string>) => void;
}) {
  const box = useRef<HTMLDivElement>(null);
  const names = store.series.map((series) => series.name);
  useFigure(box, { store, range }, 500, JSON.stringify([names, agg, unit, decimals]), (nowMs) => {
    const span = bucketRange(store, range, nowMs);
    const settled = settledAt(agg, nowMs);
    box.current?.querySelectorAll('button').forEach((button, i) => {
      const series = store.series[i];
      const [cell, age] = button.querySelectorAll<HTMLElement>('b, small');
      if (series === undefined || cell === undefined || age === undefined) return;
      const silent = silentFor({ store, agg, range }, series, nowMs);
      button.toggleAttribute('data-silent', silent !== '');
      age.textContent = silent === '' ? '' : `${silent} ago`;
      const text = formatValue(summarise(series, span, settled).last, unit, decimals);
      cell.textContent = text;
      // It never gets narrower: a legend that wraps with every digit less takes its chart's height along.
      cell.style.minWidth = `${Math.max(text.length, Number.parseFloat(cell.style.minWidth) || 0)}ch`;
    });
  });
  return (
    <div
      ref={box}
      className="legend -ms-1.5 flex max-h-14 flex-wrap gap-x-1 overflow-y-auto"
      role="group"
      aria-label="Legend"
    >
      {store.series.map((series) => (
        <button
          key={series.key}
          type="button"
          aria-pressed={!hidden.has(series.name)}
          title="Click shows this one alone, Shift-click switches it on or off"
          onClick={(event) =>
            onHidden(nextHidden(hidden, names, series.name, event.shiftKey || event.metaKey || event.ctrlKey))
          }
        >
          <i style={{ background: slotCss(series.slot) }} />
          <span className="truncate">{series.name === '' ? title : series.name}</span>
          <b className="font-medium" />
          <small />
        </button>
      ))}
    </div>
  );
}
