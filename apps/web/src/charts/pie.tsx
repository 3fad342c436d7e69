import { useRef } from 'react';
import { bucketRange, headline, settledAt, summarise } from '../live/statistics.ts';
import type { StoredSeries } from '../live/stored-series.ts';
import { useTheme } from '../theme/theme.ts';
import { formatValue } from '../units/format.ts';
import type { FigureProps } from './figure-props.ts';
import { paletteOf, slotColour, slotCss, type Palette } from './palette.ts';
import { renderRows } from './render-rows.ts';
import { openCanvas, useFigure } from './use-figure.ts';

interface Part {
  series: StoredSeries;
  value: number;
}

function drawRing(canvas: HTMLCanvasElement, palette: Palette, parts: Part[], total: number): void {
  const opened = openCanvas(canvas);
  if (opened === null) return;
  const { ctx, width, height } = opened;
  const radius = Math.min(width, height) / 2 - 2;
  const thick = Math.max(8, radius * 0.36);
  const ringAt = radius - thick / 2;
  let angle = -Math.PI / 2;
  ctx.lineWidth = thick;
  for (const part of parts) {
    const size = (part.value / total) * Math.PI * 2;
    const room = parts.length > 1 ? Math.min(size * 0.3, 1.5 / ringAt) : 0;
    ctx.beginPath();
    ctx.arc(width / 2, height / 2, ringAt, angle + room / 2, angle + size - room / 2);
    ctx.strokeStyle = slotColour(palette, part.series.slot);
    ctx.stroke();
    angle += size;
  }
}

/** Shares of a whole: a ring, the total in it, and every part in words beside it. Negative parts have no share. */
export function Pie({ store, agg, range, display, title }: FigureProps) {
  const box = useRef<HTMLDivElement>(null);
  const canvas = useRef<HTMLCanvasElement>(null);
  const total = useRef<HTMLParagraphElement>(null);
  const body = useRef<HTMLTableSectionElement>(null);
  const theme = useTheme();
  useFigure(box, { store, range }, 250, JSON.stringify([theme, display, agg, title]), (nowMs) => {
    const span = bucketRange(store, range, nowMs);
    const parts = store.series
      .map((series): Part => ({
        series,
        value: headline(agg, summarise(series, span, settledAt(agg, nowMs))) ?? 0,
      }))
      .filter((part) => part.value > 0)
      .sort((a, b) => b.value - a.value);
    const sum = parts.reduce((before, part) => before + part.value, 0);
    if (canvas.current !== null) drawRing(canvas.current, paletteOf(theme), parts, sum);
    if (total.current !== null) total.current.textContent = formatValue(sum, display.unit, display.decimals);
    if (body.current !== null) {
      renderRows(
        body.current,
        parts.map(({ series, value }) => ({
          colour: slotCss(series.slot),
          cells: [
            series.name === '' ? title : series.name,
            formatValue(value, display.unit, display.decimals),
            `${((value / sum) * 100).toFixed(1)}\u00a0%`,
          ],
        })),
      );
    }
  });
  return (
    <div ref={box} className="@container h-full">
      <div className="flex h-full min-h-0 flex-col items-center gap-3 @md:flex-row">
        <div className="relative aspect-square min-h-24 max-w-full shrink basis-1/2 @md:h-full @md:max-w-[45%]">
          <canvas ref={canvas} aria-hidden className="absolute inset-0 size-full" />
          <p
            ref={total}
            className="absolute inset-0 grid place-items-center text-lg font-semibold tracking-tight"
          />
        </div>
        <div
          className="max-h-full min-h-0 w-full min-w-0 flex-1 overflow-y-auto"
          tabIndex={0}
          role="group"
          aria-label={`${title}: shares`}
        >
          <table className="data-table">
            <thead className="sr-only">
              <tr>
                <th scope="col">Name</th>
                <th scope="col">Value</th>
                <th scope="col">Share</th>
              </tr>
            </thead>
            <tbody ref={body} />
          </table>
        </div>
      </div>
    </div>
  );
}
