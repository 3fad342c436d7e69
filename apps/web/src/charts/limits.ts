import type uPlot from 'uplot';
import { withAlpha, type Palette } from './palette.ts';

/** A value that a line of the chart should stay on one side of. */
export interface Limit {
  value: number;
  level: 'warn' | 'crit';
  /** Its name and value. */
  text: string;
  /** Where bad values end, from `value` on; may be infinite. */
  badTo: number;
}

interface Shown {
  limit: Limit;
  colour: string;
  /** Device pixels. */
  y: number;
}

function inView(plot: uPlot, limits: readonly Limit[], palette: Palette): Shown[] {
  const { top, height } = plot.bbox;
  return limits
    .map((limit) => ({
      limit,
      colour: limit.level === 'crit' ? palette.crit : palette.warn,
      y: Math.round(plot.valToPos(limit.value, 'y', true)),
    }))
    .filter(({ y }) => y >= top && y <= top + height);
}

/** Dashed lines and a faint region on the bad side, below the data. */
export function drawLimitLines(plot: uPlot, limits: readonly Limit[], palette: Palette): void {
  const { ctx, bbox } = plot;
  const ratio = devicePixelRatio;
  ctx.save();
  for (const { limit, colour, y } of inView(plot, limits, palette)) {
    const end = Number.isFinite(limit.badTo)
      ? plot.valToPos(limit.badTo, 'y', true)
      : limit.badTo > 0
        ? bbox.top
        : bbox.top + bbox.height;
    const badEnd = Math.min(bbox.top + bbox.height, Math.max(bbox.top, end));
    ctx.fillStyle = withAlpha(colour, 0.05);
    ctx.fillRect(bbox.left, Math.min(y, badEnd), bbox.width, Math.abs(badEnd - y));
    ctx.strokeStyle = colour;
    ctx.lineWidth = ratio;
    ctx.setLineDash([6 * ratio, 4 * ratio]);
    ctx.beginPath();
    ctx.moveTo(bbox.left, y);
    ctx.lineTo(bbox.left + bbox.width, y);
    ctx.stroke();
  }
  ctx.restore();
}

/** Their texts, above the data and with a rim, so that no line runs through the words. */
export function drawLimitTexts(plot: uPlot, limits: readonly Limit[], palette: Palette): void {
  const { ctx, bbox } = plot;
  const ratio = devicePixelRatio;
  ctx.save();
  ctx.font = `${11 * ratio}px 'Inter Variable', system-ui, sans-serif`;
  ctx.textAlign = 'right';
  ctx.lineJoin = 'round';
  ctx.lineWidth = 4 * ratio;
  ctx.strokeStyle = palette.panel;
  for (const { limit, colour, y } of inView(plot, limits, palette)) {
    const above = y - bbox.top > 16 * ratio;
    const at = [bbox.left + bbox.width - 4 * ratio, y + (above ? -3 : 4) * ratio] as const;
    ctx.textBaseline = above ? 'bottom' : 'top';
    ctx.strokeText(limit.text, ...at);
    ctx.fillStyle = colour;
    ctx.fillText(limit.text, ...at);
  }
  ctx.restore();
}
