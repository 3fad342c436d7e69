/**
 * Two fingers on the plot: apart zooms in, together out, sideways pans; the moments under the fingers stay under them.
 * Only where the chart has the screen to itself: on a board the same fingers zoom the page.
 */
import { panSpan, zoomSpan, type GestureTarget, type Span } from './history-gestures.ts';

interface Fingers {
  /** Of the middle between them, and their distance; pixels. */
  middle: number;
  apart: number;
}

const closest = 24;

/** What `start` becomes when the fingers moved from `before` to `now` on a plot of `width` pixels. */
export function pinchSpan(start: Span, before: Fingers, now: Fingers, width: number, nowMs: number): Span {
  const factor = Math.max(closest, before.apart) / Math.max(closest, now.apart);
  const zoomed = zoomSpan(start, before.middle / width, factor, Number.POSITIVE_INFINITY);
  const msPerPixel = (zoomed.to - zoomed.from) / width;
  return panSpan(zoomed, (now.middle - before.middle) * msPerPixel, nowMs);
}

/** Listens until the returned function is called; `onPinch` is called when the second finger comes. */
export function listenToPinch(plot: HTMLElement, target: GestureTarget, onPinch: () => void): () => void {
  const abort = new AbortController();
  const { signal } = abort;
  const places = new Map<number, number>();
  let start: { span: Span; fingers: Fingers } | null = null;
  let shown: Span | null = null;
  const fingers = (): Fingers => {
    const [one, other] = [...places.values()] as [number, number];
    return { middle: (one + other) / 2, apart: Math.abs(one - other) };
  };
  const left = (event: PointerEvent): number => event.clientX - plot.getBoundingClientRect().left;
  const onDown = (event: PointerEvent): void => {
    if (event.pointerType !== 'touch' || places.size === 2) return;
    places.set(event.pointerId, left(event));
    if (places.size < 2) return;
    start = { span: target.span(), fingers: fingers() };
    onPinch();
  };
  const onMove = (event: PointerEvent): void => {
    if (!places.has(event.pointerId)) return;
    places.set(event.pointerId, left(event));
    if (start === null) return;
    const width = Math.max(1, plot.clientWidth);
    shown = pinchSpan(start.span, start.fingers, fingers(), width, target.nowMs());
    target.preview(shown);
  };
  const onEnd = (event: PointerEvent): void => {
    if (!places.delete(event.pointerId) || start === null) return;
    start = null;
    if (event.type === 'pointercancel') target.cancel();
    else if (shown !== null) target.commit(shown);
    shown = null;
  };
  plot.addEventListener('pointerdown', onDown, { signal });
  addEventListener('pointermove', onMove, { signal });
  addEventListener('pointerup', onEnd, { signal });
  addEventListener('pointercancel', onEnd, { signal });
  return () => abort.abort();
}
