import uPlot from 'uplot';
import type { Drawable } from '../live/draw-scheduler.ts';
import { isGrowing, standsStill, usualGapMs } from '../live/statistics.ts';
import { lowerBound, type ViewStore } from '../live/view-store.ts';
import { rangeEnds, shortestMs, type TimeRange } from '../time/range.ts';
import { align, type Aligned } from './align.ts';
import { listenToBrush, type Brush } from './brush.ts';
import type { ChartOverlay } from './chart-overlay.ts';
import { plotOptions, stacking, type PlotSpec } from './chart-options.ts';
import type { Sample } from './describe-sample.ts';
import { listenToGestures, type Span } from './history-gestures.ts';
import { lineWidth } from './line-width.ts';
import { unfinishedFrom, veilFrom } from './live-edge.ts';
import { Tooltip } from './tooltip.ts';
import { quietMs } from './use-drawable.ts';
import type { listenToPinch } from './pinch.ts';
import { listenToTouch } from './touch-inspect.ts';

const restlessPixelMs = 50;
const stormRestMs = 190;
/** Intervals from the nearest sample beyond which a moment has no value. */
const farFromSample = 2.5;

/** Few charts have the screen to themselves: the others do not wait for what fingers do there. */
function listenToPinchSoon(...listening: Parameters<typeof listenToPinch>): () => void {
  let isOver = false;
  const stop = import('./pinch.ts').then(
    (module) => (isOver ? null : module.listenToPinch(...listening)),
    // Without it, in an outage say, the rest of the chart works.
    () => null,
  );
  return () => {
    isOver = true;
    void stop.then((end) => end?.());
  };
}

/**
 * One uPlot over one store. It redraws when its window moved by a device pixel, a value arrived, or its size, range
 * or hidden series changed; `DrawScheduler` decides when.
 */
export class Plot implements Drawable {
  readonly #plot: uPlot;
  readonly #box: HTMLElement;
  readonly #store: ViewStore;
  readonly #spec: PlotSpec;
  readonly #tooltip: Tooltip;
  readonly #resize: ResizeObserver;
  readonly #brush: Brush;
  readonly #stops: readonly (() => void)[];
  #range: TimeRange = { kind: 'live', windowMs: 900_000 };
  /** The range without what a hand previews. */
  #given: TimeRange = this.#range;
  #hidden: ReadonlySet<string> = new Set();
  #overlay: ChartOverlay | null = null;
  #overlayRevision = -1;
  #data: Aligned = { x: [], drawn: [], bases: null, values: [] };
  #shownSeries: number[] = [];
  #veilFromMs: number | null = null;
  #revision = -1;
  #pixel = -1;
  #drawnAtMs = Number.NEGATIVE_INFINITY;
  #nowMs = 0;
  #dirty = true;
  #hovered = false;
  /** Of the sample under the keyboard's crosshair; its index changes as the window slides. */
  #keyTime: number | null = null;
  #keySeries = 0;

  constructor(
    box: HTMLElement,
    store: ViewStore,
    spec: PlotSpec & { onZoom: (fromMs: number, toMs: number) => void; pinch: boolean },
  ) {
    this.#box = box;
    this.#store = store;
    this.#spec = spec;
    const options = plotOptions(spec, {
      onSelect: (plot, left, width) => {
        const [from, to] = [plot.posToVal(left, 'x'), plot.posToVal(left + width, 'x')];
        if (this.#brush.isOurs() && to - from >= shortestMs) spec.onZoom(from, to);
      },
      onCursor: () => this.#updateTooltip(),
      stepMs: () => store.stepMs,
      baseOf: (index) => this.#data.bases?.[this.#shownSeries.indexOf(index - 1)] ?? null,
      veilFromMs: () => this.#veilFromMs,
      overlay: () => this.#overlay,
      nowMs: () => this.#nowMs,
    });
    const size = { width: Math.max(50, box.clientWidth), height: Math.max(40, box.clientHeight) };
    this.#plot = new uPlot({ ...options, ...size }, [[]], box);
    this.#tooltip = new Tooltip(box);
    this.#brush = listenToBrush(this.#plot.over);
    this.#plot.over.addEventListener('pointerenter', this.#onEnter);
    this.#plot.over.addEventListener('pointerleave', this.#onLeave);
    this.#resize = new ResizeObserver(() => {
      this.#plot.setSize({ width: Math.max(50, box.clientWidth), height: Math.max(40, box.clientHeight) });
      this.#dirty = true;
    });
    this.#resize.observe(box);
    this.#stops = this.#listen(spec.onZoom, spec.pinch);
  }

  #listen(onZoom: (fromMs: number, toMs: number) => void, pinch: boolean): (() => void)[] {
    const { over } = this.#plot;
    const hide = (): void => {
      this.#onLeave();
      this.#plot.setCursor({ left: -10, top: -10 }, true);
    };
    const target = {
      span: () => rangeEnds(this.#range, this.#nowMs),
      preview: (span: Span) => this.#show({ kind: 'fixed', ...span }),
      commit: (span: Span) => onZoom(span.from, span.to),
      cancel: () => this.#show(this.#given),
      nowMs: () => this.#nowMs,
    };
    const touch = listenToTouch(over, {
      show: (left, top) => {
        this.#hovered = true;
        this.#plot.setCursor({ left, top }, true);
      },
      hide,
    });
    const stops = [
      touch.stop,
      listenToGestures(over, this.#box.querySelector<HTMLElement>('.u-axis'), target),
    ];
    if (pinch) stops.push(listenToPinchSoon(over, target, touch.giveUp));
    return stops;
  }

  destroy(): void {
    for (const stop of this.#stops) stop();
    this.#brush.stop();
    this.#resize.disconnect();
    this.#tooltip.remove();
    this.#plot.destroy();
  }

  setRange(range: TimeRange): void {
    this.#given = range;
    this.#show(range);
  }

  #show(range: TimeRange): void {
    this.#range = range;
    this.#dirty = true;
  }

  setHidden(hidden: ReadonlySet<string>): void {
    this.#hidden = hidden;
    this.#dirty = true;
  }

  setOverlay(overlay: ChartOverlay | null): void {
    this.#overlay = overlay;
    this.#dirty = true;
  }

  /** Width of a device pixel in time, ms. */
  #pixelMs(): number {
    const { from, to } = rangeEnds(this.#range, 0);
    return (to - from) / Math.max(1, this.#plot.bbox.width);
  }

  needsDraw(nowMs: number): boolean {
    if (this.#dirty || this.#overlayRevision !== (this.#overlay?.revision ?? -1)) return true;
    const pixelMs = this.#pixelMs();
    // The first change after a rest is drawn at once; a storm of them, narrower than a pixel, five times a second.
    const restMs = pixelMs > restlessPixelMs ? stormRestMs : 0;
    if (this.#revision !== this.#store.revision) return Math.abs(nowMs - this.#drawnAtMs) >= restMs;
    if (this.#range.kind === 'live') return Math.floor(nowMs / pixelMs) !== this.#pixel;
    // Nothing moves but the veil of a bucket that is not over.
    return (
      !standsStill(this.#store, this.#range, this.#drawnAtMs) && Math.abs(nowMs - this.#drawnAtMs) >= quietMs
    );
  }

  draw(nowMs: number): void {
    this.#nowMs = nowMs;
    const pixelMs = this.#pixelMs();
    this.#pixel = Math.floor(nowMs / pixelMs);
    this.#revision = this.#store.revision;
    this.#drawnAtMs = nowMs;
    this.#dirty = false;
    this.#overlayRevision = this.#overlay?.revision ?? -1;
    const end = this.#range.kind === 'live' ? this.#pixel * pixelMs : nowMs;
    const { from, to } = rangeEnds(this.#range, end);
    // A new snapshot brings new columns for the same lines; another set of lines brings another plot.
    const { series } = this.#store;
    if (series.length !== this.#spec.series.length) return;
    const shown = series.filter((one) => !this.#hidden.has(one.name));
    this.#shownSeries = series.flatMap((one, i) => (this.#hidden.has(one.name) ? [] : [i]));
    this.#data = align(shown, from, to, this.#store.stepMs, {
      connectGaps: this.#spec.display.connect_gaps,
      stacked: stacking(this.#spec),
    });
    const line = this.#spec.kind === 'bar' ? 'bar' : 'line';
    const { endOf } = this.#store;
    this.#veilFromMs = isGrowing(this.#spec.agg) ? veilFrom(this.#data.x, endOf, nowMs, line) : null;
    const columns = series.map((): (number | null | undefined)[] => []);
    this.#shownSeries.forEach((index, i) => {
      columns[index] = this.#data.drawn[i]!;
    });
    const width = lineWidth(this.#spec.kind, this.#data.x.length, this.#plot.bbox.width);
    this.#plot.batch(() => {
      for (let i = 0; i < series.length; i++) {
        this.#plot.series[i + 1]!.width = width;
        const show = !this.#hidden.has(series[i]!.name);
        if (this.#plot.series[i + 1]!.show !== show) this.#plot.setSeries(i + 1, { show }, false);
      }
      this.#plot.setData([this.#data.x, ...columns] as uPlot.AlignedData, false);
      this.#plot.setScale('x', { min: from, max: to });
    });
    if (this.#hovered) this.#repeatCursor();
    else if (this.#isReadByKey()) this.#placeCursor();
  }

  /** Time moves below a pointer that rests; panels that were made since, or were off screen, learn of it here. */
  #repeatCursor(): void {
    const { left = -1, top = -1, idx } = this.#plot.cursor;
    this.#updateTooltip();
    if (left < 0) return;
    const { clientWidth, clientHeight } = this.#plot.over;
    uPlot
      .sync(this.#spec.syncKey)
      .pub('mousemove', this.#plot, left, top, clientWidth, clientHeight, idx ?? 0);
  }

  readonly #onEnter = (): void => {
    this.#hovered = true;
  };

  readonly #onLeave = (): void => {
    this.#hovered = false;
    this.#tooltip.hide();
  };

  #updateTooltip(): void {
    const { idx, left } = this.#plot.cursor;
    if (
      (!this.#hovered && !this.#isReadByKey()) ||
      idx === null ||
      idx === undefined ||
      left === undefined ||
      left < 0
    ) {
      this.#tooltip.hide();
      return;
    }
    const time = this.#data.x[idx];
    const pointed = this.#plot.posToVal(left, 'x');
    // A plot that has no width, or no range yet, points at no time.
    if (time === undefined || !Number.isFinite(pointed)) return;
    const { stepMs, endOf } = this.#store;
    const far = Math.abs(pointed - time) > farFromSample * this.#usualGapMs();
    const rows = this.#shownSeries.map((index, i) => ({
      series: this.#spec.series[index]!,
      value: far ? undefined : this.#data.values[i]![idx],
    }));
    const unfinished = unfinishedFrom(this.#data.x, endOf, this.#nowMs);
    const offset = this.#plot.over.offsetLeft;
    this.#tooltip.show(
      {
        time: far ? pointed : time,
        end: endOf(time),
        stepMs: far ? Math.min(stepMs, 1000) : stepMs,
        soFar: !far && unfinished !== null && time >= unfinished,
      },
      rows,
      { left: left + offset, top: 8, width: this.#box.clientWidth },
      this.#spec,
    );
  }

  /** Of the slowest series shown. */
  #usualGapMs(): number {
    const { series, stepMs } = this.#store;
    return Math.max(stepMs, ...this.#shownSeries.map((index) => usualGapMs(series[index]?.t ?? [], stepMs)));
  }

  /** Moves the keyboard's crosshair by samples, or to an end; null where there is nothing to read. */
  moveCursor(step: number | 'first' | 'last'): Sample | null {
    if (typeof step === 'number') return this.#readSample(this.#keyIndex() + step);
    return this.#readSample(step === 'first' ? 0 : Number.POSITIVE_INFINITY);
  }

  /** Goes to the previous or next series at the same time. */
  turnSeries(step: number): Sample | null {
    const count = this.#shownSeries.length;
    if (count === 0) return null;
    this.#keySeries = (this.#keySeries + step + count) % count;
    return this.#readSample(this.#keyIndex());
  }

  /** Whether the keyboard's crosshair was there. */
  clearCursor(): boolean {
    const wasThere = this.#keyTime !== null;
    this.#keyTime = null;
    this.#tooltip.hide();
    this.#plot.setCursor({ left: -10, top: -10 });
    return wasThere;
  }

  #visibleIndices(): [number, number] {
    const { min, max } = this.#plot.scales['x']!;
    const { x } = this.#data;
    let first = 0;
    let last = x.length - 1;
    while (first < x.length && x[first]! < (min ?? 0)) first++;
    while (last >= 0 && x[last]! > (max ?? 0)) last--;
    return [first, last];
  }

  /** Of the sample that was read, or now stands in its place; at first the newest. */
  #keyIndex(): number {
    return lowerBound(this.#data.x, this.#keyTime ?? this.#data.x.at(-1) ?? 0);
  }

  #isReadByKey(): boolean {
    return this.#keyTime !== null && document.activeElement === this.#box;
  }

  /** Puts the crosshair on the moment that the keyboard reads. */
  #placeCursor(): void {
    this.#plot.setCursor({ left: this.#plot.valToPos(this.#keyTime ?? 0, 'x'), top: 20 });
  }

  /** Reads the visible sample next to index `asked`. */
  #readSample(asked: number): Sample | null {
    const [first, last] = this.#visibleIndices();
    if (last < first) return null;
    const at = Math.min(last, Math.max(first, asked));
    const time = this.#data.x[at]!;
    this.#keyTime = time;
    this.#placeCursor();
    const shown = Math.min(this.#keySeries, this.#shownSeries.length - 1);
    const series = this.#spec.series[this.#shownSeries[shown] ?? 0];
    const { stepMs, endOf } = this.#store;
    const value = this.#data.values[shown]?.[at];
    return { time, end: endOf(time), stepMs, name: series?.name ?? '', value };
  }
}
