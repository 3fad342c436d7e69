/**
 * Alerts on a chart: limits and periods on its canvas, below the data, and marks of what happened as buttons that stand
 * on its time axis. Plain DOM: they move with the clock, twice a second, which React need not hear of.
 */
import type uPlot from 'uplot';
import type { ChartOverlay } from '../../charts/chart-overlay.ts';
import { drawLimitLines, drawLimitTexts, type Limit } from '../../charts/limits.ts';
import { withAlpha, type Palette } from '../../charts/palette.ts';
import { formatClock, formatMoment, type ZoneName } from '../../time/zone.ts';
import { clusterMarks, type Mark, type Period } from './alert-marks.ts';
import { MarkList } from './mark-list.ts';

export interface OverlayData {
  limits: readonly Limit[];
  periods: readonly Period[];
  /** Oldest first. */
  marks: readonly Mark[];
  zone: ZoneName;
}

/** Smallest distance of two marks: that of targets for fingers. */
const markWidthPx = 26;
const namedMarks = 4;
/** Longest range in which a time of day says when it was. */
const longestClockMs = 72_000_000;

export class AlertOverlay implements ChartOverlay {
  revision = 0;
  readonly #list: MarkList;
  #data: OverlayData = { limits: [], periods: [], marks: [], zone: 'browser' };

  constructor(title: string, onOpen: (marks: readonly Mark[]) => void) {
    this.#list = new MarkList(`Alerts in ${title}`, onOpen);
  }

  remove(): void {
    this.#list.remove();
  }

  set(data: OverlayData): void {
    this.#data = data;
    this.revision += 1;
  }

  get limits(): readonly Limit[] {
    return this.#data.limits;
  }

  below(plot: uPlot, palette: Palette, nowMs: number): void {
    drawLimitLines(plot, this.#data.limits, palette);
    for (const period of this.#data.periods) drawPeriod(plot, period, palette, nowMs);
    drawMoments(plot, this.#data.marks, palette);
  }

  above(plot: uPlot, palette: Palette): void {
    drawLimitTexts(plot, this.#data.limits, palette);
    const { min = 0, max = 0 } = plot.scales['x']!;
    const placed = this.#data.marks
      .filter(({ at }) => at >= min && at <= max)
      .map((mark) => ({ mark, x: plot.valToPos(mark.at, 'x') }));
    const groups = clusterMarks(placed, markWidthPx).map((group) => ({
      marks: group.map(({ mark }) => mark),
      x: group[0]!.x,
      text: this.#describe(
        group.map(({ mark }) => mark),
        max - min > longestClockMs,
      ),
    }));
    this.#list.show(plot, groups);
  }

  #describe(marks: readonly Mark[], withDay: boolean): string {
    const { zone } = this.#data;
    const said = marks
      .slice(0, namedMarks)
      .map(({ at, text }) => `${withDay ? formatMoment(at, zone) : formatClock(at, zone)} ${text}`);
    if (marks.length > namedMarks) said.push(`and ${marks.length - namedMarks} more`);
    return said.join('\n');
  }
}

const severityColours = { info: 'accent', warning: 'warn', critical: 'crit' } as const;

/** A faint region, and a bar along its top that says so without colour. */
function drawPeriod(plot: uPlot, period: Period, palette: Palette, nowMs: number): void {
  const { ctx, bbox } = plot;
  const ratio = devicePixelRatio;
  const right = bbox.left + bbox.width;
  const start = Math.max(bbox.left, plot.valToPos(period.from, 'x', true));
  const end = Math.min(right, plot.valToPos(period.to ?? nowMs, 'x', true));
  if (end < bbox.left || start > right || end < start) return;
  const colour = palette[severityColours[period.severity]];
  const width = Math.max(ratio, end - start);
  ctx.save();
  ctx.fillStyle = withAlpha(colour, 0.08);
  ctx.fillRect(start, bbox.top, width, bbox.height);
  ctx.fillStyle = colour;
  ctx.fillRect(start, bbox.top, width, 3 * ratio);
  ctx.restore();
}

const dashes = { fires: [], taken: [1, 3], over: [4, 3] } as const;

function drawMoments(plot: uPlot, marks: readonly Mark[], palette: Palette): void {
  const { ctx, bbox } = plot;
  const ratio = devicePixelRatio;
  ctx.save();
  ctx.lineWidth = ratio;
  for (const { at, kind, alert } of marks) {
    const x = Math.round(plot.valToPos(at, 'x', true)) + 0.5;
    if (x < bbox.left || x > bbox.left + bbox.width) continue;
    ctx.strokeStyle =
      kind === 'fires'
        ? palette[severityColours[alert.severity]]
        : kind === 'over'
          ? palette.ok
          : palette.muted;
    ctx.setLineDash(dashes[kind].map((length) => length * ratio));
    ctx.beginPath();
    ctx.moveTo(x, bbox.top);
    ctx.lineTo(x, bbox.top + bbox.height);
    ctx.stroke();
  }
  ctx.restore();
}
