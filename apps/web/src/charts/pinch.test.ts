import { describe, expect, it } from 'vitest';
import { pinchSpan } from './pinch.ts';

const span = { from: 100_000, to: 200_000 };
const late = 1e9;

describe('two fingers on a plot', () => {
  it('twice as far apart show half the time around their middle', () => {
    const zoomed = pinchSpan(span, { middle: 50, apart: 40 }, { middle: 50, apart: 80 }, 100, late);
    expect(zoomed).toEqual({ from: 125_000, to: 175_000 });
  });

  it('sideways pan', () => {
    const panned = pinchSpan(span, { middle: 50, apart: 40 }, { middle: 60, apart: 40 }, 100, late);
    expect(panned).toEqual({ from: 90_000, to: 190_000 });
  });

  it('never reach beyond now, nor less than a second', () => {
    const wide = pinchSpan(span, { middle: 50, apart: 80 }, { middle: 50, apart: 40 }, 100, 200_000);
    expect(wide).toEqual({ from: 0, to: 200_000 });
    const deep = pinchSpan(span, { middle: 0, apart: 0 }, { middle: 0, apart: 1e9 }, 100, late);
    expect(deep.to - deep.from).toBe(1000);
  });
});
