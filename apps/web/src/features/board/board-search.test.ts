import { describe, expect, it } from 'vitest';
import { readBoardSearch } from './board-search.ts';

describe('a mangled link to a board', () => {
  it('loses a zone that nobody knows', () => {
    expect(readBoardSearch({ tz: 'Mars', from: 1, to: 2 })).toEqual({ from: 1, to: 2 });
    expect(readBoardSearch({ tz: 7 })).toEqual({});
  });

  it('keeps the zones there are, and the visitor’s own', () => {
    for (const tz of ['Europe/Berlin', 'UTC', 'browser']) expect(readBoardSearch({ tz })).toEqual({ tz });
  });
});
