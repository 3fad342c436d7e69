/** One drag: listens until the pointer is released (keep) or Esc is pressed (restore), then lets go of everything. */
export interface Drag {
  /** Distance from where the drag began, px; the page may have scrolled meanwhile. */
  onMove: (dx: number, dy: number) => void;
  onEnd: (keep: boolean) => void;
}

export function startDrag(event: React.PointerEvent, drag: Drag): () => void {
  const origin = { x: event.clientX, y: event.clientY + scrollY };
  const abort = new AbortController();
  const { signal } = abort;
  const end = (keep: boolean): void => {
    abort.abort();
    drag.onEnd(keep);
  };
  const onMove = (move: PointerEvent): void =>
    drag.onMove(move.clientX - origin.x, move.clientY + scrollY - origin.y);
  const onKey = (key: KeyboardEvent): void => {
    if (key.key === 'Escape') end(false);
  };
  addEventListener('pointermove', onMove, { signal });
  addEventListener('pointerup', () => end(true), { signal });
  addEventListener('pointercancel', () => end(false), { signal });
  addEventListener('keydown', onKey, { signal, capture: true });
  return () => abort.abort();
}
