import { useRef } from 'react';
import { bucketRange, headline, headlineTitle, isTotal, settledAt, summarise } from '../live/statistics.ts';
import type { StoredSeries } from '../live/stored-series.ts';
import { useTheme } from '../theme/theme.ts';
import { formatValue } from '../units/format.ts';
import { drawSparkline } from './draw-sparkline.ts';
import { levelTitles, type FigureProps } from './figure-props.ts';
import { paletteOf, slotColour } from './palette.ts';
import { silentFor } from './silent-for.ts';
import { levelOf } from './thresholds.ts';
import { useFigure } from './use-figure.ts';

/** A level in words, where it is worth one. */
function worse(reached: keyof typeof levelTitles | null): string {
  return reached === null || reached === 'ok' ? '' : levelTitles[reached];
}

/** The big number, and the way it came here. Several series share the panel. */
export function Stat(props: FigureProps) {
  const shown = props.store.series;
  const many = shown.length > 1;
  return (
    <div
      {...(many ? { tabIndex: 0, role: 'group', 'aria-label': `${props.title}: figures` } : {})}
      className={many ? 'grid h-full gap-x-4 gap-y-2 overflow-y-auto' : 'h-full'}
      style={many ? { gridTemplateColumns: 'repeat(auto-fit, minmax(120px, 1fr))' } : undefined}
    >
      {shown.map((series) => (
        <StatCell key={series.key} {...props} series={series} named={many} />
      ))}
    </div>
  );
}

function StatCell({
  store,
  agg,
  range,
  display,
  title,
  stale,
  series,
  named,
}: FigureProps & { series: StoredSeries; named: boolean }) {
  const box = useRef<HTMLDivElement>(null);
  const value = useRef<HTMLParagraphElement>(null);
  const level = useRef<HTMLParagraphElement>(null);
  const canvas = useRef<HTMLCanvasElement>(null);
  const theme = useTheme();
  useFigure(box, { store, range }, 190, JSON.stringify([theme, display, agg, series.key, stale]), (nowMs) => {
    const span = bucketRange(store, range, nowMs);
    const settled = settledAt(agg, nowMs);
    const number = headline(agg, summarise(series, span, settled));
    const palette = paletteOf(theme);
    const silent = isTotal(agg) ? '' : silentFor({ store, agg, range }, series, nowMs);
    const old = stale || silent !== '';
    const reached = levelOf(number, display.thresholds);
    const said = silent === '' ? worse(reached) : `no data for ${silent}`;
    if (value.current !== null) {
      value.current.textContent = formatValue(number, display.unit, display.decimals);
      value.current.style.color =
        old || number === null ? 'var(--nodata)' : reached === null ? '' : `var(--${reached})`;
    }
    if (level.current !== null) {
      level.current.textContent = [headlineTitle(agg), said].filter((text) => text !== '').join(' · ');
    }
    if (canvas.current !== null) {
      const colour = old
        ? palette.nodata
        : reached === null || reached === 'ok'
          ? slotColour(palette, series.slot)
          : palette[reached];
      drawSparkline(canvas.current, series, span, colour, settled);
    }
  });
  return (
    <div ref={box} className="flex h-full min-h-16 flex-col">
      {named && <p className="truncate text-xs text-muted">{series.name === '' ? title : series.name}</p>}
      <div className="flex flex-wrap items-baseline gap-x-2">
        <p
          ref={value}
          data-testid="stat-value"
          className="text-3xl font-semibold tracking-tight whitespace-nowrap"
        >
          –
        </p>
        <p ref={level} className="text-xs text-muted" />
      </div>
      <canvas ref={canvas} aria-hidden className="mt-1 min-h-0 w-full flex-1" />
    </div>
  );
}
