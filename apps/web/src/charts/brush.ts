/**
 * Whose drag a selection is, and Esc. Charts that share a crosshair also share the selection, so all of them are told
 * of its end; only the one under the hand may answer, wherever the hand lets go. uPlot knows no way to give a drag up:
 * it is ended for it, and its selection is nobody's then.
 */
export interface Brush {
  /** Whether the selection that just ended began on this chart and was not given up. */
  isOurs(): boolean;
  stop(): void;
}

export function listenToBrush(plot: HTMLElement): Brush {
  const abort = new AbortController();
  const { signal } = abort;
  let ours = false;
  let down = false;
  // Wherever it goes down: a drag on another chart takes this one's away.
  document.addEventListener(
    'mousedown',
    (event) => {
      down = event.button === 0 && event.composedPath().includes(plot);
      ours = down;
    },
    { signal, capture: true },
  );
  addEventListener('mouseup', () => (down = false), { signal });
  addEventListener(
    'keydown',
    (event) => {
      if (event.key !== 'Escape' || !down) return;
      event.preventDefault();
      event.stopPropagation();
      ours = false;
      document.dispatchEvent(new MouseEvent('mouseup', { button: 0 }));
    },
    { signal, capture: true },
  );
  return { isOurs: () => ours, stop: () => abort.abort() };
}
