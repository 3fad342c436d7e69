import type uPlot from 'uplot';
import type { Panel } from '@nowcast/contract';
import { formatValue } from '../units/format.ts';
import { withAlpha, type Palette } from './palette.ts';

type Threshold = Panel['display']['thresholds'][number];

/** The worst level that `value` reaches. A warning above its critical value means that low is bad. */
export function levelOf(
  value: number | null,
  thresholds: readonly Threshold[],
): 'ok' | 'warn' | 'crit' | null {
  if (thresholds.length === 0 || value === null) return null;
  const low = lowIsBad(thresholds);
  const reached = thresholds.filter((one) => (low ? value <= one.value : value >= one.value));
  if (reached.some((one) => one.level === 'crit')) return 'crit';
  return reached.length > 0 ? 'warn' : 'ok';
}

export function lowIsBad(thresholds: readonly Threshold[]): boolean {
  const warn = thresholds.filter((one) => one.level === 'warn').map((one) => one.value);
  const crit = thresholds.filter((one) => one.level === 'crit').map((one) => one.value);
  return warn.length > 0 && crit.length > 0 && Math.max(...crit) < Math.min(...warn);
}

/** Dashed line, its value in words, and a faint region on the bad side: never colour alone. */
export function drawThresholds(
  plot: uPlot,
  thresholds: readonly Threshold[],
  { palette, display }: { palette: Palette; display: Panel['display'] },
): void {
  if (thresholds.length === 0) return;
  const { ctx, bbox } = plot;
  const ratio = devicePixelRatio;
  const low = lowIsBad(thresholds);
  ctx.save();
  ctx.beginPath();
  ctx.rect(bbox.left, bbox.top, bbox.width, bbox.height);
  ctx.clip();
  for (const { value, level } of thresholds) {
    const y = Math.round(plot.valToPos(value, 'y', true));
    if (y < bbox.top || y > bbox.top + bbox.height) continue;
    const colour = level === 'crit' ? palette.crit : palette.warn;
    ctx.fillStyle = withAlpha(colour, 0.05);
    if (low) ctx.fillRect(bbox.left, y, bbox.width, bbox.top + bbox.height - y);
    else ctx.fillRect(bbox.left, bbox.top, bbox.width, y - bbox.top);
    ctx.strokeStyle = colour;
    ctx.lineWidth = ratio;
    ctx.setLineDash([6 * ratio, 4 * ratio]);
    ctx.beginPath();
    ctx.moveTo(bbox.left, y);
    ctx.lineTo(bbox.left + bbox.width, y);
    ctx.stroke();
    ctx.fillStyle = colour;
    ctx.font = `${11 * ratio}px 'Inter Variable', system-ui, sans-serif`;
    ctx.textAlign = 'right';
    const above = y - bbox.top > 16 * ratio;
    ctx.textBaseline = above ? 'bottom' : 'top';
    const title = level === 'crit' ? 'critical' : 'warning';
    ctx.fillText(
      `${title} ${formatValue(value, display.unit)}`,
      bbox.left + bbox.width - 4 * ratio,
      y + (above ? -2 : 3) * ratio,
    );
  }
  ctx.restore();
}
