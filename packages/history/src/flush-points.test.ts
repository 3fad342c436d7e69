import { Tail } from '@nowcast/head';
import { expect, test } from 'vitest';
import { FlushScratch, sortPoints } from './flush-points.ts';

/** Records of 1,000 points each: series take turns, and every tenth point is a minute late. */
function filledTail(points: number, seriesCount: number): Tail {
  const tail = new Tail(0);
  for (let start = 0; start < points; start += 1000) {
    const rows = Array.from({ length: 1000 }, (_, i) => start + i);
    tail.append({
      offset: start / 1000,
      receivedAt: start,
      handles: Uint32Array.from(rows, (row) => row % seriesCount),
      timestamps: Float64Array.from(rows, (row) => (row % 10 === 0 ? row - 60_000 : row)),
      values: Float64Array.from(rows, (row) => row),
      count: rows.length,
      extras: {
        rows: Uint32Array.of(7),
        dataIds: [`id-${start}`],
        actors: [undefined],
        messages: [undefined],
      },
    });
  }
  return tail;
}

test('a flush of many slices keeps each point whole, in its series and in order of time', () => {
  const points = 200_000;
  const tail = filledTail(points, 3);
  const steps = sortPoints(tail, 0, points, 3, (handle) => handle, new FlushScratch());
  let slices = 0;
  let step = steps.next();
  for (; step.done !== true; step = steps.next()) slices += 1;
  const sorted = step.value;
  expect(slices).toBeGreaterThan(5);
  expect([...sorted.locals]).toEqual([0, 1, 2]);
  expect(sorted.starts.at(-1)).toBe(points);
  for (let s = 0; s < 3; s += 1) {
    for (let i = sorted.starts[s]!; i < sorted.starts[s + 1]!; i += 1) {
      const row = sorted.values[i]!;
      const expected = {
        series: row % 3,
        timestamp: row % 10 === 0 ? row - 60_000 : row,
        receivedAt: row - (row % 1000),
        dataId: row % 1000 === 7 ? `id-${row - 7}` : undefined,
      };
      const found = {
        series: s,
        timestamp: sorted.timestamps[i],
        receivedAt: sorted.receivedAt[i],
        dataId: sorted.dataIds?.[i],
      };
      if (JSON.stringify(found) !== JSON.stringify(expected)) expect(found).toEqual(expected);
      if (i > sorted.starts[s]! && sorted.timestamps[i - 1]! > sorted.timestamps[i]!)
        expect(`point ${i}`).toBe('in order');
    }
  }
  expect(new Set(sorted.values).size).toBe(points);
});
