/**
 * Reading a chart with a finger: moving sideways, or resting, shows the crosshair under it; a vertical finger scrolls
 * the page (`touch-action: pan-y` in charts.css sees to that: the browser then cancels the pointer). Touches never
 * reach uPlot's own handlers in a useful form, because browsers send mouse events only after a tap.
 */
export interface InspectTarget {
  /** Pixels from the plot's corner. */
  show: (left: number, top: number) => void;
  hide: () => void;
}

const longPressMs = 350;
const lingerMs = 2500;

interface TouchInspection {
  /** Forgets the finger that is down: it belongs to another gesture now. */
  giveUp: () => void;
  stop: () => void;
}

export function listenToTouch(plot: HTMLElement, target: InspectTarget): TouchInspection {
  const abort = new AbortController();
  const { signal } = abort;
  let finger: number | null = null;
  let timer: ReturnType<typeof setTimeout> | undefined;
  const show = (event: PointerEvent): void => {
    const box = plot.getBoundingClientRect();
    target.show(event.clientX - box.left, event.clientY - box.top);
  };
  const onDown = (event: PointerEvent): void => {
    if (event.pointerType !== 'touch') return;
    finger = event.pointerId;
    clearTimeout(timer);
    timer = setTimeout(() => show(event), longPressMs);
  };
  const onMove = (event: PointerEvent): void => {
    if (event.pointerId !== finger) return;
    clearTimeout(timer);
    show(event);
  };
  const onEnd = (event: PointerEvent): void => {
    if (event.pointerId !== finger) return;
    finger = null;
    clearTimeout(timer);
    timer = setTimeout(() => target.hide(), lingerMs);
  };
  plot.addEventListener('pointerdown', onDown, { signal });
  plot.addEventListener('pointermove', onMove, { signal });
  plot.addEventListener('pointerup', onEnd, { signal });
  plot.addEventListener('pointercancel', onEnd, { signal });
  plot.addEventListener('contextmenu', (event) => finger !== null && event.preventDefault(), { signal });
  const clear = (): void => {
    clearTimeout(timer);
    finger = null;
  };
  return {
    giveUp() {
      clear();
      target.hide();
    },
    stop() {
      clear();
      abort.abort();
    },
  };
}
