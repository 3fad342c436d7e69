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

interface Shown {
  threshold: Threshold;
  colour: string;
  /** Device pixels. */
  y: number;
}

interface ThresholdSpec {
  palette: Palette;
  display: Panel['display'];
}

function inView(plot: uPlot, thresholds: readonly Threshold[], { palette }: ThresholdSpec): Shown[] {
  const { top, height } = plot.bbox;
  return thresholds
    .map((threshold) => ({
      threshold,
      colour: threshold.level === 'crit' ? palette.crit : palette.warn,
      y: Math.round(plot.valToPos(threshold.value, 'y', true)),
    }))
    .filter(({ y }) => y >= top && y <= top + height);
}

/** Dashed lines and a faint region on the bad side, below the data. */
export function drawThresholdLines(plot: uPlot, thresholds: readonly Threshold[], spec: ThresholdSpec): void {
  const { ctx, bbox } = plot;
  const ratio = devicePixelRatio;
  const low = lowIsBad(thresholds);
  ctx.save();
  for (const { colour, y } of inView(plot, thresholds, spec)) {
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
  }
  ctx.restore();
}

/** Their names and values, above the data and with a rim, so that no line runs through the words. */
export function drawThresholdTitles(
  plot: uPlot,
  thresholds: readonly Threshold[],
  spec: ThresholdSpec,
): void {
  const { ctx, bbox } = plot;
  const ratio = devicePixelRatio;
  ctx.save();
  ctx.font = `${11 * ratio}px 'Inter Variable', system-ui, sans-serif`;
  ctx.textAlign = 'right';
  ctx.lineJoin = 'round';
  ctx.lineWidth = 4 * ratio;
  ctx.strokeStyle = spec.palette.panel;
  for (const { threshold, colour, y } of inView(plot, thresholds, spec)) {
    const above = y - bbox.top > 16 * ratio;
    const title = threshold.level === 'crit' ? 'critical' : 'warning';
    const text = `${title} ${formatValue(threshold.value, spec.display.unit)}`;
    const at = [bbox.left + bbox.width - 4 * ratio, y + (above ? -3 : 4) * ratio] as const;
    ctx.textBaseline = above ? 'bottom' : 'top';
    ctx.strokeText(text, ...at);
    ctx.fillStyle = colour;
    ctx.fillText(text, ...at);
  }
  ctx.restore();
}
