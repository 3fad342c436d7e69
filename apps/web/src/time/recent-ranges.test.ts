import { describe, expect, it } from 'vitest';
import type { RangeSearch } from './range.ts';
import { withRecent } from './recent-ranges.ts';

const fixed = (from: number) => ({ kind: 'fixed', from, to: from + 1000 }) as const;

describe('recent ranges', () => {
  it('hold each range once, the last picked in front, and no more than four', () => {
    let recent: RangeSearch[] = [];
    for (const from of [1, 2, 3, 4, 5, 2]) recent = withRecent(recent, fixed(from));
    expect(recent.map((one) => one.from)).toEqual([2, 5, 4, 3]);
  });

  it('leave out what is one click away', () => {
    expect(withRecent([], { kind: 'live', windowMs: 900_000 })).toEqual([]);
    expect(withRecent([], { kind: 'live', windowMs: 840_000 })).toEqual([{ from: 'now-14m', to: undefined }]);
  });
});
