import { useCallback, useEffect, useRef, useState, type RefObject } from 'react';
import { boardColumns, moveBox, resizeBox, type Box } from '../board/grid-layout.ts';

/**
 * Moves and resizes panels by pointer and by keyboard over the same pure functions. What is in hand is a preview;
 * it becomes one undo step when dropped, and nothing when Esc is pressed.
 */
export interface GridEditor {
  /** Places to draw: the preview while something is in hand. */
  boxes: readonly Box[];
  /** The panel in hand. */
  held: string | null;
  /** For a live region: what just happened, in words. */
  announcement: string;
  onPointerDown: (event: React.PointerEvent, id: string, mode: 'move' | 'resize') => void;
  onGripKeyDown: (event: React.KeyboardEvent, id: string) => void;
}

const rowPx = 44;
const gapPx = 12;

interface Hold {
  id: string;
  start: readonly Box[];
}

export function useGridEditor(
  grid: RefObject<HTMLElement | null>,
  boxes: readonly Box[],
  minimumRows: (id: string) => number,
  onDrop: (boxes: readonly Box[]) => void,
): GridEditor {
  const [preview, setPreview] = useState<readonly Box[] | null>(null);
  const [hold, setHold] = useState<Hold | null>(null);
  const [announcement, setAnnouncement] = useState('');
  const latest = useRef({ preview, onDrop });
  latest.current = { preview, onDrop };
  const stopDrag = useRef<(() => void) | null>(null);
  useEffect(() => () => stopDrag.current?.(), []);

  const say = (next: readonly Box[], id: string): void => {
    const box = next.find((one) => one.id === id);
    if (box !== undefined) {
      setAnnouncement(`Column ${box.x + 1}, row ${box.y + 1}, ${box.w} columns wide, ${box.h} rows high`);
    }
  };
  const show = (next: readonly Box[], id: string): void => {
    setPreview(next);
    say(next, id);
  };
  const finish = useCallback((keep: boolean): void => {
    const { preview: shown, onDrop: drop } = latest.current;
    if (keep && shown !== null) drop(shown);
    setPreview(null);
    setHold(null);
    setAnnouncement(keep ? 'Dropped' : 'Restored');
  }, []);

  const onPointerDown = (event: React.PointerEvent, id: string, mode: 'move' | 'resize'): void => {
    const box = boxes.find((one) => one.id === id);
    if (event.button !== 0 || grid.current === null || box === undefined) return;
    event.preventDefault();
    const cell = (grid.current.clientWidth + gapPx) / boardColumns;
    const origin = { x: event.clientX, y: event.clientY + scrollY };
    const start = boxes;
    setHold({ id, start });
    const onMove = (move: PointerEvent): void => {
      const columns = Math.round((move.clientX - origin.x) / cell);
      const rows = Math.round((move.clientY + scrollY - origin.y) / rowPx);
      const next =
        mode === 'move'
          ? moveBox(start, id, box.x + columns, box.y + rows, boardColumns)
          : resizeBox(start, id, box.w + columns, Math.max(minimumRows(id), box.h + rows), boardColumns);
      setPreview(next);
    };
    const end = (keep: boolean): void => {
      stopDrag.current?.();
      finish(keep);
    };
    const onUp = (): void => end(true);
    const onKey = (key: KeyboardEvent): void => {
      if (key.key === 'Escape') end(false);
    };
    addEventListener('pointermove', onMove);
    addEventListener('pointerup', onUp);
    addEventListener('pointercancel', onUp);
    addEventListener('keydown', onKey, true);
    stopDrag.current = () => {
      removeEventListener('pointermove', onMove);
      removeEventListener('pointerup', onUp);
      removeEventListener('pointercancel', onUp);
      removeEventListener('keydown', onKey, true);
      stopDrag.current = null;
    };
  };

  const onGripKeyDown = (event: React.KeyboardEvent, id: string): void => {
    if (hold === null) {
      if (event.key !== 'Enter' && event.key !== ' ') return;
      event.preventDefault();
      setHold({ id, start: boxes });
      show(boxes, id);
      setAnnouncement('Grabbed. Arrows move, Shift and arrows resize, Enter drops, Escape restores.');
      return;
    }
    const current = preview ?? boxes;
    const box = current.find((one) => one.id === hold.id);
    if (box === undefined) return;
    const x = event.key === 'ArrowRight' ? 1 : event.key === 'ArrowLeft' ? -1 : 0;
    const y = event.key === 'ArrowDown' ? 1 : event.key === 'ArrowUp' ? -1 : 0;
    if (x !== 0 || y !== 0) {
      event.preventDefault();
      event.stopPropagation();
      const next = event.shiftKey
        ? resizeBox(current, box.id, box.w + x, Math.max(minimumRows(box.id), box.h + y), boardColumns)
        : moveBox(current, box.id, box.x + x, box.y + jump(current, box, y), boardColumns);
      show(next, box.id);
    } else if (event.key === 'Enter' || event.key === ' ' || event.key === 'Escape' || event.key === 'Tab') {
      if (event.key !== 'Tab') event.preventDefault();
      event.stopPropagation();
      finish(event.key !== 'Escape');
    }
  };

  return { boxes: preview ?? boxes, held: hold?.id ?? null, announcement, onPointerDown, onGripKeyDown };
}

/** Gravity closes single rows: a key press moves past the whole neighbour above or below. */
function jump(boxes: readonly Box[], box: Box, direction: number): number {
  if (direction === 0) return 0;
  const meets = (other: Box): boolean =>
    other.id !== box.id && other.x < box.x + box.w && box.x < other.x + other.w;
  if (direction > 0) {
    const below = boxes
      .filter((other) => meets(other) && other.y >= box.y + box.h)
      .sort((a, b) => a.y - b.y)[0];
    return below === undefined ? 1 : Math.max(1, below.y - box.y);
  }
  const above = boxes
    .filter((other) => meets(other) && other.y + other.h <= box.y)
    .sort((a, b) => b.y - a.y)[0];
  return above === undefined ? -1 : above.y - box.y;
}
