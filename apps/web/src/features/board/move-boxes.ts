/** What the editor does to the boxes of the grid; nobody who only looks at a board needs it. */
import { clampBox, collide, compact, type Box } from './grid-layout.ts';

/** Moves a box; moving down past its neighbours swaps with them, or gravity would take it straight back. */
export function moveBox(boxes: readonly Box[], id: string, x: number, y: number, columns: number): Box[] {
  const old = boxes.find((box) => box.id === id);
  if (old === undefined) return [...boxes];
  const target = clampBox({ ...old, x, y }, columns);
  const moved = boxes.map((box) => {
    if (box.id === id) return target;
    const passed =
      target.y > old.y && collide({ ...box }, target) && box.y >= old.y + old.h && target.y >= box.y;
    return passed ? { ...box, y: Math.max(0, box.y - old.h) } : box;
  });
  return compact(moved, columns, id);
}

export function resizeBox(boxes: readonly Box[], id: string, w: number, h: number, columns: number): Box[] {
  return compact(
    boxes.map((box) =>
      box.id === id ? { ...box, w: Math.min(columns - box.x, Math.max(1, w)), h: Math.max(2, h) } : box,
    ),
    columns,
    id,
  );
}

/** The first free place for a new box, reading top to bottom. */
export function placeBox(boxes: readonly Box[], box: Omit<Box, 'x' | 'y'>, columns: number): Box {
  const w = Math.min(columns, box.w);
  for (let y = 0; ; y++) {
    for (let x = 0; x + w <= columns; x++) {
      const candidate = { ...box, x, y, w };
      if (!boxes.some((other) => collide(candidate, other))) return candidate;
    }
  }
}
