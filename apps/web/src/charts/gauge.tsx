import { useRef } from 'react';
import type { Panel } from '@nowcast/contract';
import { bucketRange, headline, headlineTitle, isTotal, settledAt, summarise } from '../live/statistics.ts';
import type { StoredSeries } from '../live/stored-series.ts';
import { useTheme } from '../theme/theme.ts';
import { formatValue } from '../units/format.ts';
import { dialEnds } from './dial-ends.ts';
import { levelTitles, type FigureProps } from './figure-props.ts';
import { paletteOf, type Palette } from './palette.ts';
import { silentFor } from './silent-for.ts';
import { levelOf, lowIsBad } from './thresholds.ts';
import { openCanvas, useFigure } from './use-figure.ts';

const sweepStart = Math.PI * 0.75;
const sweep = Math.PI * 1.5;

function drawDial(
  canvas: HTMLCanvasElement,
  palette: Palette,
  display: Panel['display'],
  ends: [number, number],
  value: number | null,
  colour: string,
): void {
  const opened = openCanvas(canvas);
  if (opened === null) return;
  const { ctx, width, height } = opened;
  const radius = dialRadius(width, height);
  const x = width / 2;
  const y = dialTop(height, radius) + radius;
  const thick = Math.max(6, radius * 0.13);
  const at = (number: number): number =>
    sweepStart + sweep * Math.min(1, Math.max(0, (number - ends[0]) / (ends[1] - ends[0])));
  const arc = (from: number, to: number, size: number, line: number, stroke: string): void => {
    ctx.beginPath();
    ctx.arc(x, y, size, from, to);
    ctx.lineWidth = line;
    ctx.strokeStyle = stroke;
    ctx.stroke();
  };
  ctx.lineCap = 'round';
  arc(sweepStart, sweepStart + sweep, radius - thick / 2, thick, palette.line);
  if (value !== null && value > ends[0]) arc(sweepStart, at(value), radius - thick / 2, thick, colour);
  const low = lowIsBad(display.thresholds);
  for (const { value: limit, level } of display.thresholds) {
    const end = low ? sweepStart : sweepStart + sweep;
    const [from, to] = low ? [end, at(limit)] : [at(limit), end];
    ctx.lineCap = 'butt';
    arc(from, to, radius - thick - 5, 3, level === 'crit' ? palette.crit : palette.warn);
  }
  ctx.fillStyle = palette.muted;
  ctx.font = "11px 'Inter Variable', system-ui, sans-serif";
  ctx.textAlign = 'center';
  ctx.textBaseline = 'top';
  const foot = y + (radius - thick / 2) * Math.SQRT1_2 + thick / 2 + 4;
  const side = (radius - thick / 2) * Math.SQRT1_2;
  ctx.fillText(formatValue(ends[0], display.unit), x - side, foot);
  ctx.fillText(formatValue(ends[1], display.unit), x + side, foot);
}

/** Leaves room for the figures at the dial's ends; a wall-sized dial says no more than a hand-sized one. */
function dialRadius(width: number, height: number): number {
  return Math.max(10, Math.min(width / 2 - 16, (height - 26) / 1.74, 130));
}

function dialTop(height: number, radius: number): number {
  return Math.max(2, (height - 20 - radius * 1.74) / 2);
}

/** One number on a dial, thresholds marked on its inner rim; several series share the panel. */
export function Gauge(props: FigureProps) {
  const shown = props.store.series;
  const many = shown.length > 1;
  return (
    <div
      {...(many ? { tabIndex: 0, role: 'group', 'aria-label': `${props.title}: dials` } : {})}
      className={many ? 'grid h-full gap-2 overflow-y-auto' : 'h-full'}
      style={many ? { gridTemplateColumns: 'repeat(auto-fit, minmax(92px, 1fr))' } : undefined}
    >
      {shown.map((series) => (
        <Dial key={series.key} {...props} series={series} shown={shown} named={many} />
      ))}
    </div>
  );
}

function Dial({
  store,
  agg,
  range,
  display,
  title,
  stale,
  series,
  shown,
  named,
}: FigureProps & { series: StoredSeries; shown: readonly StoredSeries[]; named: boolean }) {
  const name = series.name === '' ? title : series.name;
  const box = useRef<HTMLDivElement>(null);
  const canvas = useRef<HTMLCanvasElement>(null);
  const middle = useRef<HTMLDivElement>(null);
  const value = useRef<HTMLParagraphElement>(null);
  const note = useRef<HTMLParagraphElement>(null);
  const foot = useRef<HTMLParagraphElement>(null);
  const theme = useTheme();
  useFigure(box, { store, range }, 190, JSON.stringify([theme, display, agg, series.key, stale]), (nowMs) => {
    const span = bucketRange(store, range, nowMs);
    const summary = summarise(series, span, settledAt(agg, nowMs));
    const number = headline(agg, summary);
    const reached = levelOf(number, display.thresholds);
    const silent = isTotal(agg) ? '' : silentFor({ store, agg, range }, series, nowMs);
    const old = stale || silent !== '';
    const palette = paletteOf(theme);
    const colour = old ? palette.nodata : reached === null ? palette.accent : palette[reached];
    if (canvas.current !== null) {
      drawDial(canvas.current, palette, display, dialEnds(display, agg, shown, span), number, colour);
    }
    if (middle.current !== null && box.current !== null) {
      const { clientWidth, clientHeight } = box.current;
      const radius = dialRadius(clientWidth, clientHeight);
      const end = dialTop(clientHeight, radius) + radius * 1.74 + 18;
      if (foot.current !== null) foot.current.style.top = `${Math.min(end, clientHeight - 18)}px`;
      middle.current.style.top = `${dialTop(clientHeight, radius) + radius}px`;
      middle.current.style.fontSize = `${Math.round(Math.min(32, Math.max(13, radius * 0.27)))}px`;
    }
    if (value.current !== null) {
      value.current.textContent = formatValue(number, display.unit, display.decimals);
      value.current.style.color = old ? 'var(--nodata)' : '';
    }
    const said = reached === null ? headlineTitle(agg) : levelTitles[reached];
    if (note.current !== null) {
      note.current.textContent = silent === '' ? said : `${silent} ago`;
      // An age is longer than a level, and the dial of a phone has no room to spare.
      note.current.style.fontSize = silent === '' ? '' : '11px';
    }
  });
  return (
    <div ref={box} className={`relative h-full ${named ? 'min-h-32' : ''}`} role="group" aria-label={name}>
      <canvas ref={canvas} aria-hidden className="absolute inset-0 size-full" />
      <div ref={middle} className="absolute inset-x-0 -translate-y-1/2 text-center leading-tight">
        <p ref={value} data-testid="gauge-value" className="font-semibold tracking-tight">
          –
        </p>
        <p ref={note} className="truncate px-4 text-xs text-muted" />
      </div>
      {named && (
        <p ref={foot} className="absolute inset-x-0 truncate text-center text-xs" title={name}>
          {name}
        </p>
      )}
    </div>
  );
}
