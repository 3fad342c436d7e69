import { useEffect, useRef, useState, type RefObject } from 'react';
import { moveBox, resizeBox } from '../board/move-boxes.ts';
import { boardColumns, type Box } from '../board/grid-layout.ts';
import { startDrag } from './drag-session.ts';

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

const arrows: Readonly<Record<string, readonly [x: number, y: number]>> = {
  ArrowLeft: [-1, 0],
  ArrowRight: [1, 0],
  ArrowUp: [0, -1],
  ArrowDown: [0, 1],
};

export function useGridEditor(
  grid: RefObject<HTMLElement | null>,
  boxes: readonly Box[],
  minimumRows: (id: string) => number,
  onDrop: (boxes: readonly Box[]) => void,
): GridEditor {
  const [preview, setPreview] = useState<readonly Box[] | null>(null);
  const [held, setHeld] = useState<string | null>(null);
  const [announcement, setAnnouncement] = useState('');
  const latest = useRef({ preview, onDrop });
  latest.current = { preview, onDrop };
  const stopDrag = useRef<(() => void) | null>(null);
  useEffect(() => () => stopDrag.current?.(), []);

  const show = (next: readonly Box[], id: string): void => {
    latest.current.preview = next;
    setPreview(next);
    setAnnouncement(describeBox(next.find((box) => box.id === id)));
  };
  const finish = (keep: boolean): void => {
    const { preview: shown, onDrop: drop } = latest.current;
    if (keep && shown !== null) drop(shown);
    latest.current.preview = null;
    setPreview(null);
    setHeld(null);
    setAnnouncement(keep ? 'Dropped' : 'Restored');
  };
  const resized = (from: readonly Box[], box: Box, columns: number, rows: number): Box[] =>
    resizeBox(from, box.id, box.w + columns, Math.max(minimumRows(box.id), box.h + rows), boardColumns);

  const onPointerDown = (event: React.PointerEvent, id: string, mode: 'move' | 'resize'): void => {
    const box = boxes.find((one) => one.id === id);
    if (event.button !== 0 || grid.current === null || box === undefined) return;
    event.preventDefault();
    const cellPx = (grid.current.clientWidth + gapPx) / boardColumns;
    setHeld(id);
    stopDrag.current = startDrag(event, {
      onMove(dx, dy) {
        const columns = Math.round(dx / cellPx);
        const rows = Math.round(dy / rowPx);
        const moved = (): Box[] => moveBox(boxes, id, box.x + columns, box.y + rows, boardColumns);
        show(mode === 'move' ? moved() : resized(boxes, box, columns, rows), id);
      },
      onEnd: finish,
    });
  };

  const onGripKeyDown = (event: React.KeyboardEvent, id: string): void => {
    const drops = event.key === 'Enter' || event.key === ' ';
    if (held === null) {
      if (!drops) return;
      event.preventDefault();
      setHeld(id);
      setAnnouncement('Grabbed. Arrows move, Shift and arrows resize, Enter drops, Escape restores.');
      return;
    }
    const current = preview ?? boxes;
    const box = current.find((one) => one.id === held);
    const [x, y] = arrows[event.key] ?? [0, 0];
    if (box !== undefined && (x !== 0 || y !== 0)) {
      const moved = (): Box[] =>
        moveBox(current, box.id, box.x + x, box.y + jump(current, box, y), boardColumns);
      show(event.shiftKey ? resized(current, box, x, y) : moved(), box.id);
    } else if (drops || event.key === 'Escape') finish(drops);
    else if (event.key === 'Tab') {
      finish(true);
      return;
    } else return;
    event.preventDefault();
    event.stopPropagation();
  };

  return { boxes: preview ?? boxes, held, announcement, onPointerDown, onGripKeyDown };
}

function describeBox(box: Box | undefined): string {
  if (box === undefined) return '';
  return `Column ${box.x + 1}, row ${box.y + 1}, ${box.w} columns wide, ${box.h} rows high`;
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
