/**
 * Ways into the past with the hands on one chart: Shift and the wheel (or a pinch, which browsers report as Ctrl and
 * the wheel) zoom around the pointer, dragging the time axis pans. A plain wheel scrolls the page. The chart itself
 * follows at once; the other panels follow when the hand rests, or every notch would ask the server again.
 */
import { longestMs, shortestMs } from '../time/range.ts';

export interface Span {
  from: number;
  to: number;
}

export interface GestureTarget {
  /** What is shown now. */
  span: () => Span;
  preview: (span: Span) => void;
  commit: (span: Span) => void;
  /** What was previewed is given up. */
  cancel: () => void;
  /** Newest moment that may be shown, epoch ms. */
  nowMs: () => number;
}

const restMs = 250;

/**
 * Zooms by `factor` (below 1: closer) so that the moment at `share` of the width stays where it is. The length ends at
 * what can be asked about, or at that of a longer range that came from elsewhere.
 */
export function zoomSpan({ from, to }: Span, share: number, factor: number, nowMs: number): Span {
  const length = Math.min(Math.max(shortestMs, (to - from) * factor), Math.max(longestMs, to - from));
  const start = from + (to - from) * share - length * share;
  return endAtMost({ from: start, to: start + length }, nowMs);
}

/** Moves into the past by `shiftMs`; never beyond now. */
export function panSpan({ from, to }: Span, shiftMs: number, nowMs: number): Span {
  return endAtMost({ from: from - shiftMs, to: to - shiftMs }, nowMs);
}

function endAtMost({ from, to }: Span, nowMs: number): Span {
  const excess = Math.max(0, to - nowMs);
  return { from: from - excess, to: to - excess };
}

/** Listens on the plot and its time axis until the returned function is called. */
export function listenToGestures(
  plot: HTMLElement,
  axis: HTMLElement | null,
  target: GestureTarget,
): () => void {
  const abort = new AbortController();
  const { signal } = abort;
  let shown: Span | null = null;
  let timer: ReturnType<typeof setTimeout> | undefined;

  const onWheel = (event: WheelEvent): void => {
    if (!event.shiftKey && !event.ctrlKey) return;
    event.preventDefault();
    const box = plot.getBoundingClientRect();
    const notches = (event.deltaY === 0 ? event.deltaX : event.deltaY) / 100;
    const share = Math.min(1, Math.max(0, (event.clientX - box.left) / Math.max(1, box.width)));
    shown = zoomSpan(
      shown ?? target.span(),
      share,
      1.25 ** Math.max(-3, Math.min(3, notches)),
      target.nowMs(),
    );
    target.preview(shown);
    clearTimeout(timer);
    timer = setTimeout(() => {
      if (shown !== null) target.commit(shown);
      shown = null;
    }, restMs);
  };

  const onPointerDown = (event: PointerEvent): void => {
    if (event.button !== 0) return;
    event.preventDefault();
    const start = target.span();
    const msPerPixel = (start.to - start.from) / Math.max(1, plot.clientWidth);
    const drag = new AbortController();
    let moved: Span | null = null;
    const onMove = (move: PointerEvent): void => {
      moved = panSpan(start, (move.clientX - event.clientX) * msPerPixel, target.nowMs());
      target.preview(moved);
    };
    const onUp = (): void => {
      drag.abort();
      if (moved !== null) target.commit(moved);
    };
    // A finger that turns out to scroll the page.
    const onCancel = (): void => {
      drag.abort();
      target.cancel();
    };
    const both = { signal: AbortSignal.any([signal, drag.signal]) };
    addEventListener('pointermove', onMove, both);
    addEventListener('pointerup', onUp, both);
    addEventListener('pointercancel', onCancel, both);
  };

  plot.addEventListener('wheel', onWheel, { signal, passive: false });
  axis?.addEventListener('pointerdown', onPointerDown, { signal });
  return () => {
    clearTimeout(timer);
    abort.abort();
  };
}
