/** Where the brush of the overview is, and what a drag or a key makes of it. */
import type { TimeRange } from '../../time/range.ts';

export interface Span {
  from: number;
  to: number;
}

export type Hold = 'from' | 'to' | 'body' | 'new';

const shortestMs = 1000;
/** A brush that a hand lets go this near to the end means "up to now"; the parts of the whole and of the brush. */
const nearOfWhole = 0.004;
const nearOfSpan = 0.1;

const clamp = (value: number, low: number, high: number): number => Math.min(high, Math.max(low, value));

/** What dragging from `startMs` to `atMs` makes of `span`; it never leaves `whole` and never turns around. */
export function dragSpan(whole: Span, span: Span, hold: Hold, startMs: number, atMs: number): Span {
  const at = clamp(atMs, whole.from, whole.to);
  if (hold === 'from') return { from: Math.min(at, span.to - shortestMs), to: span.to };
  if (hold === 'to') return { from: span.from, to: Math.max(at, span.from + shortestMs) };
  if (hold === 'new') {
    const start = clamp(startMs, whole.from, whole.to);
    return { from: Math.min(start, at), to: Math.max(start, at, Math.min(start, at) + shortestMs) };
  }
  return moveSpan(whole, span, atMs - startMs);
}

/** Moves the whole span by `byMs`, as far as there is room. */
export function moveSpan(whole: Span, { from, to }: Span, byMs: number): Span {
  const width = to - from;
  const start = clamp(from + byMs, Math.min(whole.from, from), Math.max(whole.to - width, whole.from));
  return { from: start, to: start + width };
}

/** A span that ends at the end of the whole follows the clock; any other stands still. `nearMs`: what is no distance. */
export function rangeOfSpan(whole: Span, { from, to }: Span, nearMs = 0): TimeRange {
  const isLive = to >= whole.to - nearMs && to - from >= shortestMs;
  if (!isLive) return { kind: 'fixed', from: Math.round(from), to: Math.round(to) };
  return { kind: 'live', windowMs: Math.max(1, Math.round((to - from) / 1000)) * 1000 };
}

/** The same for a span that was let go: a hand seldom meets the end, but one narrower than its reach may be anywhere. */
export function rangeOfDrop(whole: Span, span: Span): TimeRange {
  const nearMs = Math.min((whole.to - whole.from) * nearOfWhole, (span.to - span.from) * nearOfSpan);
  return rangeOfSpan(whole, span, nearMs);
}
