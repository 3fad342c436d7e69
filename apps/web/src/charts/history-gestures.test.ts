import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { longestMs } from '../time/range.ts';
import { panSpan, zoomSpan } from './history-gestures.ts';

const nowMs = 1_000_000_000;
const spans = fc
  .tuple(fc.integer({ min: 0, max: nowMs - 10_000 }), fc.integer({ min: 2000, max: 10_000_000 }))
  .map(([from, length]) => ({ from, to: Math.min(nowMs, from + length) }));

describe('moving through history by hand', () => {
  it('never shows the future, however it is zoomed or panned', () => {
    const share = fc.double({ min: 0, max: 1, noNaN: true });
    const factor = fc.double({ min: 0.2, max: 5, noNaN: true });
    fc.assert(
      fc.property(spans, share, factor, fc.integer(), (span, at, by, shift) => {
        for (const next of [zoomSpan(span, at, by, nowMs), panSpan(span, shift, nowMs)]) {
          expect(next.to).toBeLessThanOrEqual(nowMs + 1e-3);
          expect(next.to - next.from).toBeGreaterThan(999);
        }
      }),
    );
  });

  it('ends zooming out at what a range may be, and never shortens a longer one', () => {
    let span = { from: nowMs - 86_400_000, to: nowMs };
    for (let notch = 0; notch < 200; notch++) span = zoomSpan(span, 1, 1.25, nowMs);
    expect(span).toEqual({ from: nowMs - longestMs, to: nowMs });
    const longer = { from: nowMs - 2 * longestMs, to: nowMs };
    expect(zoomSpan(longer, 0.5, 1.25, nowMs)).toEqual(longer);
  });

  it('keeps the moment under the pointer where it is', () => {
    const next = zoomSpan({ from: 1000, to: 101_000 }, 0.25, 0.5, nowMs);
    expect(next.from + (next.to - next.from) * 0.25).toBeCloseTo(26_000);
    expect(next.to - next.from).toBe(50_000);
  });

  it('pans into the past when the axis is dragged to the right', () => {
    expect(panSpan({ from: 5000, to: 6000 }, 2000, nowMs)).toEqual({ from: 3000, to: 4000 });
  });
});
