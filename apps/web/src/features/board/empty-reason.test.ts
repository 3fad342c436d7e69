import { describe, expect, it } from 'vitest';
import { emptyReason } from './empty-reason.ts';

const last = Date.UTC(2026, 10, 23, 12);
const now = last + 3_600_000;

describe('an empty panel', () => {
  it('never blames filters for a range after or before the last point', () => {
    for (const [from, to] of [
      [last + 1000, now],
      [last - 7_200_000, last - 3_600_000],
    ] as const) {
      expect(emptyReason({ kind: 'fixed', from, to }, last, now, true)).toBe('elsewhere');
    }
    expect(emptyReason({ kind: 'live', windowMs: 60_000 }, last, now, true)).toBe('elsewhere');
  });

  it('blames filters where the last point lies in the range and filters are set', () => {
    const around = { kind: 'fixed', from: last - 1000, to: last } as const;
    expect(emptyReason(around, last, now, true)).toBe('filtered');
    expect(emptyReason(around, last, now, false)).toBe('nothing');
    expect(emptyReason({ kind: 'live', windowMs: 7_200_000 }, last, now, true)).toBe('filtered');
  });
});
