import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { dragSpan, moveSpan, rangeOfDrop, rangeOfSpan } from './overview-span.ts';

const whole = { from: 0, to: 1_000_000 };

describe('the brush', () => {
  test('stays inside the whole, is never turned around and never shorter than a second', () => {
    const time = fc.integer({ min: -500_000, max: 1_500_000 });
    const span = fc
      .tuple(fc.integer({ min: 0, max: 990_000 }), fc.integer({ min: 1000, max: 1_000_000 }))
      .map(([from, width]) => ({ from, to: Math.min(whole.to, from + width) }));
    const hold = fc.constantFrom('from', 'to', 'body', 'new');
    fc.assert(
      fc.property(span, hold, time, time, (before, held, startMs, atMs) => {
        const { from, to } = dragSpan(whole, before, held, startMs, atMs);
        expect(to - from).toBeGreaterThanOrEqual(1000);
        expect(from).toBeGreaterThanOrEqual(Math.min(whole.from, whole.to - 1000) - 1000);
        expect(to).toBeLessThanOrEqual(whole.to + 1000);
      }),
    );
  });

  test('keeps its width when it is moved against an end', () => {
    expect(moveSpan(whole, { from: 400_000, to: 500_000 }, 900_000)).toEqual({
      from: 900_000,
      to: 1_000_000,
    });
    expect(moveSpan(whole, { from: 400_000, to: 500_000 }, -900_000)).toEqual({ from: 0, to: 100_000 });
  });

  test('follows the clock when it is let go at the end, and stands still elsewhere', () => {
    expect(rangeOfDrop(whole, { from: 900_000, to: 999_000 })).toEqual({ kind: 'live', windowMs: 99_000 });
    expect(rangeOfSpan(whole, { from: 900_000, to: 1_000_000 })).toEqual({ kind: 'live', windowMs: 100_000 });
    expect(rangeOfSpan(whole, { from: 10.4, to: 500_000 })).toEqual({ kind: 'fixed', from: 10, to: 500_000 });
  });

  test('of a quarter of an hour goes earlier in a week, by a button, a key or the hand', () => {
    const day = 86_400_000;
    const week = { from: 0, to: 7 * day };
    const last = { from: week.to - 900_000, to: week.to };
    const before = moveSpan(week, last, -900_000);
    const stands = { kind: 'fixed', from: before.from, to: last.from };
    expect(rangeOfSpan(week, before)).toEqual(stands);
    expect(rangeOfDrop(week, before)).toEqual(stands);
    const shorter = dragSpan(week, last, 'to', last.to, last.to - 45_000);
    expect(rangeOfSpan(week, shorter)).toEqual({ kind: 'fixed', from: last.from, to: last.to - 45_000 });
    expect(rangeOfSpan(week, moveSpan(week, before, day))).toEqual({ kind: 'live', windowMs: 900_000 });
  });
});
