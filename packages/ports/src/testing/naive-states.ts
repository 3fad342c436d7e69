import { expect } from 'vitest';
import type { StateColumns } from '../warehouse.ts';
import type { TestPoint } from './warehouse-blocks.ts';

/** A naive answer: min, max, count, sum, first and last of each (group, bucket). */
export function naive(
  points: readonly TestPoint[],
  groupOf: readonly number[],
  buckets: readonly number[],
): Map<string, readonly TestPoint[]> {
  const cells = new Map<string, TestPoint[]>();
  for (const point of points) {
    const bucket = buckets.findLastIndex((start) => start <= point.timestamp);
    if (bucket < 0 || bucket >= buckets.length - 1) continue;
    const key = `${groupOf[point.series]!}/${bucket}`;
    cells.set(key, [...(cells.get(key) ?? []), point]);
  }
  for (const cell of cells.values()) cell.sort((a, b) => a.timestamp - b.timestamp || a.value - b.value);
  return cells;
}

/** Counts and sums as they must be, and nothing that was not asked for beside them. */
export function expectSums(states: StateColumns, cells: ReturnType<typeof naive>): void {
  expectCounts(states, cells);
  const { min, max, first, last } = states;
  expect([min, max, first, last].map((column) => column.length)).toEqual([0, 0, 0, 0]);
}

export function expectCells(states: StateColumns, cells: ReturnType<typeof naive>): void {
  expectCounts(states, cells);
  for (const [i, key] of keysOf(states).entries()) {
    const points = cells.get(key)!;
    const values = points.map(({ value }) => value);
    expect(states.min[i]).toBe(Math.min(...values));
    expect(states.max[i]).toBe(Math.max(...values));
    expect([states.firstAt[i], states.lastAt[i]]).toEqual([points[0]!.timestamp, points.at(-1)!.timestamp]);
    // Adding zero: which of +0 and −0 is the smaller one is nobody's business.
    expect([states.first[i]! + 0, states.last[i]! + 0]).toEqual([
      points[0]!.value + 0,
      points.at(-1)!.value + 0,
    ]);
  }
}

function expectCounts(states: StateColumns, cells: ReturnType<typeof naive>): void {
  const keys = keysOf(states);
  expect(keys.toSorted()).toEqual([...cells.keys()].sort());
  for (const [i, key] of keys.entries()) {
    const values = cells.get(key)!.map(({ value }) => value);
    expect(states.count[i]).toBe(values.length);
    const magnitude = values.reduce((sum, value) => sum + Math.abs(value), 0);
    const sum = values.reduce((total, value) => total + value, 0);
    expect(Math.abs(states.sum[i]! - sum)).toBeLessThanOrEqual(1e-12 * magnitude);
  }
}

function keysOf({ group, bucket }: StateColumns): string[] {
  return Array.from(group, (of, i) => `${of}/${bucket[i]!}`);
}

/** The sketches of row `i`: (index, count) and (register, rank), ascending. */
export function sketchesOf(
  states: StateColumns,
  i: number,
): { dd: [index: number, count: number][]; hll: [register: number, rank: number][] } {
  const { ddOffsets, ddIndex, ddCount, hllOffsets, hllRegister, hllRank } = states;
  const pairs = (offsets: Uint32Array, keys: ArrayLike<number>, values: ArrayLike<number>) => {
    const [start, end] = [offsets[i]!, offsets[i + 1]!];
    const found = Array.from({ length: end - start }, (_, k): [number, number] => [
      keys[start + k]!,
      values[start + k]!,
    ]);
    return found.sort(([a], [b]) => a - b);
  };
  return { dd: pairs(ddOffsets, ddIndex, ddCount), hll: pairs(hllOffsets, hllRegister, hllRank) };
}
