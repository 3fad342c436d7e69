import type uPlot from 'uplot';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { barPaths, barSpan } from './bar-paths.ts';

/** Remembers what was put into it. */
class Rects {
  readonly drawn: { from: number; to: number }[] = [];
  rect(_left: number, top: number, _width: number, height: number): void {
    this.drawn.push({ from: top, to: top + height });
  }
}

/** Ten pixels a unit from 20 on top to -10, buckets of ten pixels. */
const plot = (ends: number[]) =>
  ({
    data: [ends.map((_, i) => i * 1000), ends],
    scales: { y: { min: -10, max: 20 } },
    valToPos: (value: number, scale: string) => (scale === 'x' ? value / 100 : (20 - value) * 10),
  }) as unknown as uPlot;

afterEach(() => void vi.unstubAllGlobals());

describe('a bar', () => {
  it('is as wide as its bucket, but for what separates it from the next', () => {
    expect(barSpan(100, 120)).toEqual({ left: 100, width: 17 });
    expect(barSpan(100, 104)).toEqual({ left: 100, width: 3 });
  });

  it('of a stack begins where the one below it ends, above zero and below', () => {
    vi.stubGlobal('Path2D', Rects);
    const drawnFrom = (bases: number[] | null) => {
      const ends = [6, -3];
      const build = barPaths(
        () => 1000,
        () => bases,
      );
      return (build(plot(ends), 1, 0, 1)!.fill as unknown as Rects).drawn;
    };
    expect(drawnFrom([2, -1])).toEqual([
      { from: 140, to: 180 },
      { from: 210, to: 230 },
    ]);
    expect(drawnFrom(null)).toEqual([
      { from: 140, to: 200 },
      { from: 200, to: 230 },
    ]);
  });

  it('is a pixel wide where a bucket is not', () => {
    for (const width of [0, 0.2, 1, 1.9, 2]) expect(barSpan(10, 10 + width).width, `${width}`).toBe(1);
  });
});
