import { describe, expect, it } from 'vitest';
import { PointCount } from './point-count.ts';

const second = 1000;
const day = 86_400 * second;

describe('points that came while a board stands still', () => {
  it('count from the moment on, each once, however often their bucket is told', () => {
    const count = new PointCount(50 * second);
    for (const points of [1, 2, 5]) count.put(50 * second, points);
    count.put(40 * second, 100);
    count.put(60 * second, 1);
    expect(count.total(70 * second)).toBe(6);
    expect(count.total(70 * second)).toBe(6);
  });

  it('are still counted when the view no longer tells of them, and never a second time', () => {
    const count = new PointCount(0);
    for (let at = 0; at < day; at += 10 * second) {
      count.put(at, 3);
      expect(count.total(at + second)).toBe((at / (10 * second) + 1) * 3);
    }
    count.put(10 * second, 3);
    expect(count.total(day)).toBe(8640 * 3);
  });
});
