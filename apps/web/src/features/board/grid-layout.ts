/**
 * Panels on a grid of columns, as pure functions: things fall upwards until they touch, and what is moved or resized
 * pushes the others down. The box in hand keeps its place; equal heights are settled in its favour.
 */
export interface Box {
  id: string;
  x: number;
  y: number;
  w: number;
  h: number;
}

export const boardColumns = 12;

export function collide(a: Box, b: Box): boolean {
  return a.x < b.x + b.w && b.x < a.x + a.w && a.y < b.y + b.h && b.y < a.y + a.h;
}

export function clampBox(box: Box, columns: number): Box {
  const w = Math.min(columns, Math.max(1, box.w));
  return {
    ...box,
    w,
    x: Math.min(columns - w, Math.max(0, box.x)),
    y: Math.max(0, box.y),
    h: Math.max(2, box.h),
  };
}

/** Top to bottom, then start to end; `first` before others of its row. */
function inOrder(boxes: readonly Box[], first?: string): Box[] {
  return [...boxes].sort(
    (a, b) =>
      a.y - b.y || Number(b.id === first) - Number(a.id === first) || a.x - b.x || (a.id < b.id ? -1 : 1),
  );
}

/** Lets everything fall upwards; overlaps are resolved downwards. No two boxes of the result overlap. */
export function compact(boxes: readonly Box[], columns: number, first?: string): Box[] {
  const placed: Box[] = [];
  for (const box of inOrder(boxes, first)) {
    const next = clampBox(box, columns);
    const hits = (): boolean => placed.some((other) => collide(next, other));
    while (hits()) next.y += 1;
    while (next.y > 0) {
      next.y -= 1;
      if (!hits()) continue;
      next.y += 1;
      break;
    }
    placed.push(next);
  }
  return boxes.map((box) => placed.find((one) => one.id === box.id)!);
}

/** Width in 6 columns of a panel that has `w` of 12: third, half or whole, so that rows come out even. */
function tabletWidth(w: number): number {
  if (w <= 2) return 2;
  return w <= 6 ? 3 : 6;
}

/** Closes a row of a tablet: the last box takes what is left of the width, all become as high as the highest. */
function closeRow(row: Box[], columns: number): number {
  const last = row.at(-1);
  if (last === undefined) return 0;
  last.w = columns - last.x;
  const height = Math.max(...row.map((box) => box.h));
  for (const box of row) box.h = height;
  return height;
}

/** The same boxes in fewer columns, in reading order and without holes. One column: everything full width. */
export function reflow(boxes: readonly Box[], columns: number): Box[] {
  if (columns >= boardColumns) return compact(boxes, columns);
  const placed: Box[] = [];
  let row: Box[] = [];
  let x = 0;
  let y = 0;
  for (const box of inOrder(boxes)) {
    const w = Math.min(columns, tabletWidth(box.w));
    if (x + w > columns) {
      y += closeRow(row, columns);
      row = [];
      x = 0;
    }
    const next = { id: box.id, x, y, w, h: box.h };
    row.push(next);
    placed.push(next);
    x += w;
  }
  closeRow(row, columns);
  return placed;
}
