import { describe, expect, it } from 'vitest';
import type { StoredSeries } from '../live/stored-series.ts';
import { align } from './align.ts';

const series = (t: number[], v: (number | null)[]): StoredSeries => ({
  key: 1,
  labels: {},
  name: '',
  slot: 0,
  t,
  v,
});
const plain = { connectGaps: false, stacked: false } as const;
const everywhere = [0, 1e9] as const;

describe('aligning series for the plot', () => {
  it('breaks a line where more than 2.5 intervals are missing, also when nothing else has a time there', () => {
    const { x, drawn } = align(
      [series([0, 1000, 2000, 3000, 9000, 10_000], [1, 2, 3, 4, 5, 6])],
      ...everywhere,
      1000,
      plain,
    );
    expect(x).toEqual([0, 1000, 2000, 3000, 4000, 9000, 10_000]);
    expect(drawn[0]).toEqual([1, 2, 3, 4, null, 5, 6]);
  });

  it('draws through a single missing bucket', () => {
    const { drawn } = align([series([0, 1000, 3000, 4000], [1, 2, 3, 4])], ...everywhere, 1000, plain);
    expect(drawn[0]).toEqual([1, 2, 3, 4]);
  });

  it('joins everything when asked to connect gaps', () => {
    const { drawn } = align([series([0, 1000, 90_000], [1, 2, 3])], ...everywhere, 1000, {
      connectGaps: true,
      stacked: false,
    });
    expect(drawn[0]).toEqual([1, 2, 3]);
  });

  it('does not call a slow series broken because a fast one has buckets in between', () => {
    const fast = series(
      Array.from({ length: 31 }, (_, i) => i * 1000),
      Array.from({ length: 31 }, () => 1),
    );
    const slow = series([0, 10_000, 20_000, 30_000], [5, 6, 7, 8]);
    const { x, values } = align([fast, slow], ...everywhere, 1000, plain);
    expect(x).toHaveLength(31);
    expect(values[1]!.filter((value) => value === null)).toEqual([]);
    expect([0, 10, 20, 30].map((i) => values[1]![i])).toEqual([5, 6, 7, 8]);
  });

  it('keeps one bucket beyond each end, so that lines reach the edges', () => {
    const { x } = align([series([0, 1000, 2000, 3000, 4000], [1, 1, 1, 1, 1])], 1500, 2500, 1000, plain);
    expect(x).toEqual([1000, 2000, 3000]);
  });

  it('stacks from the last series up and shows the values themselves in the tooltip', () => {
    const { drawn, values } = align(
      [series([0, 1000], [1, 2]), series([0, 1000], [10, 20])],
      ...everywhere,
      1000,
      { connectGaps: false, stacked: 'levels' },
    );
    expect(drawn).toEqual([
      [11, 22],
      [10, 20],
    ]);
    expect(values[0]).toEqual([1, 2]);
  });

  it('ends the level of a series that fell silent while others go on, in the area and in the sum', () => {
    const times = Array.from({ length: 10 }, (_, i) => i * 1000);
    const alive = series(
      times,
      times.map(() => 1),
    );
    const dead = series(times.slice(0, 4), [10, 10, 10, 10]);
    for (const connectGaps of [false, true]) {
      const stacked = { connectGaps, stacked: 'levels' } as const;
      expect(align([alive, dead], ...everywhere, 1000, stacked).drawn[0]).toEqual([
        11, 11, 11, 11, 1, 1, 1, 1, 1, 1,
      ]);
      // Until 2.5 of its intervals are over it may still come.
      expect(align([alive, dead], 0, 5000, 1000, stacked).drawn[0]!.slice(0, 6)).toEqual([
        11, 11, 11, 11, 11, 11,
      ]);
    }
  });

  it('keeps values below zero out of those above, and gives each two ends of its own', () => {
    const shown = [series([0, 1000], [4, 5]), series([0, 1000], [-3, -1]), series([0, 1000], [2, -2])];
    const { drawn, bases } = align(shown, ...everywhere, 1000, { connectGaps: false, stacked: 'amounts' });
    expect(bases).toEqual([
      [2, 0],
      [0, -2],
      [0, 0],
    ]);
    expect(drawn).toEqual([
      [6, 5],
      [-3, -3],
      [2, -2],
    ]);
  });

  it('leaves a zero on the side of its series', () => {
    const shown = [series([0, 1000, 2000], [0, -1, 0]), series([0, 1000, 2000], [9, 9, 9])];
    const { drawn } = align(shown, ...everywhere, 1000, { connectGaps: false, stacked: 'levels' });
    expect(drawn[0]).toEqual([0, -1, 0]);
  });

  it('lets a level without a bucket keep its value in the stack, and an amount count as none', () => {
    const both = [series([0, 1000, 2000], [1, 1, 1]), series([0, 2000], [10, 30])];
    const stacked = (kind: 'levels' | 'amounts') =>
      align(both, ...everywhere, 1000, { connectGaps: false, stacked: kind }).drawn[0];
    expect(stacked('levels')).toEqual([11, 11, 31]);
    expect(stacked('amounts')).toEqual([11, 1, 31]);
  });
});
