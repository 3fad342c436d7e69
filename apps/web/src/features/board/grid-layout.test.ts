import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { moveBox, placeBox, resizeBox } from './move-boxes.ts';
import { compact, reflow, type Box } from './grid-layout.ts';

const boxes = fc
  .array(
    fc.record({
      x: fc.integer({ min: 0, max: 11 }),
      y: fc.integer({ min: 0, max: 20 }),
      w: fc.integer({ min: 1, max: 12 }),
      h: fc.integer({ min: 2, max: 10 }),
    }),
    { minLength: 1, maxLength: 12 },
  )
  .map((list) => list.map((box, i): Box => ({ ...box, id: `p${i}` })));

function overlaps(list: readonly Box[]): boolean {
  return list.some((a, i) =>
    list.some((b, j) => i < j && a.x < b.x + b.w && b.x < a.x + a.w && a.y < b.y + b.h && b.y < a.y + a.h),
  );
}

describe('the board grid', () => {
  it('never overlaps panels and keeps all of them inside, whatever is moved or resized', () => {
    fc.assert(
      fc.property(boxes, fc.integer({ min: -3, max: 14 }), fc.integer({ min: -3, max: 25 }), (list, a, b) => {
        const start = compact(list, 12);
        for (const result of [start, moveBox(start, 'p0', a, b, 12), resizeBox(start, 'p0', a, b, 12)]) {
          expect(result).toHaveLength(list.length);
          expect(overlaps(result)).toBe(false);
          for (const box of result) {
            expect(box.x).toBeGreaterThanOrEqual(0);
            expect(box.x + box.w).toBeLessThanOrEqual(12);
            expect(box.y).toBeGreaterThanOrEqual(0);
          }
        }
      }),
    );
  });

  it('leaves a compact layout as it is', () => {
    fc.assert(
      fc.property(boxes, (list) => {
        const once = compact(list, 12);
        expect(compact(once, 12)).toEqual(once);
      }),
    );
  });

  it('moves a panel below its neighbour and lets the neighbour take its place', () => {
    const start: Box[] = [
      { id: 'a', x: 0, y: 0, w: 12, h: 4 },
      { id: 'b', x: 0, y: 4, w: 12, h: 4 },
    ];
    expect(moveBox(start, 'a', 0, 4, 12)).toEqual([
      { id: 'a', x: 0, y: 4, w: 12, h: 4 },
      { id: 'b', x: 0, y: 0, w: 12, h: 4 },
    ]);
  });

  it('moves a panel to the right into free space', () => {
    const moved = moveBox([{ id: 'a', x: 0, y: 0, w: 4, h: 4 }], 'a', 5, 0, 12);
    expect(moved).toEqual([{ id: 'a', x: 5, y: 0, w: 4, h: 4 }]);
  });

  it('pushes down what a growing panel covers', () => {
    const start: Box[] = [
      { id: 'a', x: 0, y: 0, w: 6, h: 4 },
      { id: 'b', x: 6, y: 0, w: 6, h: 4 },
    ];
    expect(resizeBox(start, 'a', 12, 4, 12)[1]).toEqual({ id: 'b', x: 6, y: 4, w: 6, h: 4 });
  });

  it('puts a new panel into the first hole that is large enough', () => {
    const start: Box[] = [
      { id: 'a', x: 0, y: 0, w: 6, h: 8 },
      { id: 'b', x: 0, y: 8, w: 12, h: 4 },
    ];
    expect(placeBox(start, { id: 'c', w: 6, h: 8 }, 12)).toEqual({ id: 'c', x: 6, y: 0, w: 6, h: 8 });
    expect(placeBox(start, { id: 'c', w: 8, h: 4 }, 12).y).toBe(12);
  });

  it('fills the rows of a tablet without holes, in reading order', () => {
    fc.assert(
      fc.property(boxes, (list) => {
        const result = reflow(list, 6);
        expect(overlaps(result)).toBe(false);
        const area = result.reduce((sum, box) => sum + box.w * box.h, 0);
        const height = Math.max(...result.map((box) => box.y + box.h));
        expect(area).toBe(6 * height);
      }),
    );
  });

  it('reads top to bottom in one column', () => {
    const start: Box[] = [
      { id: 'low', x: 0, y: 4, w: 12, h: 4 },
      { id: 'right', x: 6, y: 0, w: 6, h: 4 },
      { id: 'left', x: 0, y: 0, w: 6, h: 4 },
    ];
    expect(reflow(start, 1).map((box) => box.id)).toEqual(['left', 'right', 'low']);
    expect(reflow(start, 1).every((box) => box.w === 1)).toBe(true);
  });
});
