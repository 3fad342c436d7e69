import { describe, expect, it } from 'vitest';
import { barSpan } from './bar-paths.ts';

describe('a bar', () => {
  it('is as wide as its bucket, but for what separates it from the next', () => {
    expect(barSpan(100, 120)).toEqual({ left: 100, width: 17 });
    expect(barSpan(100, 104)).toEqual({ left: 100, width: 3 });
  });

  it('is a pixel wide where a bucket is not', () => {
    for (const width of [0, 0.2, 1, 1.9, 2]) expect(barSpan(10, 10 + width).width, `${width}`).toBe(1);
  });
});
