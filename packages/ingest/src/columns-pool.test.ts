import { expect, test } from 'vitest';
import { ColumnsPool } from './columns-pool.ts';
import { PointColumns } from './point-columns.ts';

const columnsOf = (rows: number, encodedBytes = 0): PointColumns => {
  const columns = new PointColumns(1_000_000);
  while (columns.capacity < rows) columns.grow();
  columns.length = rows;
  columns.encoded = new ArrayBuffer(encodedBytes);
  return columns;
};

/** How many of as many as are given it keeps. */
function keeps(make: () => PointColumns, given = 400): number {
  const pool = new ColumnsPool();
  const all = new Set(Array.from({ length: given }, make));
  for (const columns of all) pool.give(columns);
  return Array.from({ length: given }, () => pool.take()).filter((columns) => all.has(columns)).length;
}

test('columns are used again, empty', () => {
  const pool = new ColumnsPool();
  const columns = pool.take();
  columns.length = 7;
  pool.give(columns);
  expect(pool.take()).toBe(columns);
  expect(columns.length).toBe(0);
  expect(pool.take()).not.toBe(columns);
});

test('as many as there are small requests on their way, and few large ones', () => {
  expect(keeps(() => columnsOf(1))).toBe(256);
  expect(keeps(() => columnsOf(65_536), 10)).toBe(4);
  expect(keeps(() => columnsOf(131_072), 10)).toBe(0);
});

test('what the texts of a small request made long counts as what it takes', () => {
  expect(keeps(() => columnsOf(1, 64 * 65_536), 10)).toBe(4);
  expect(keeps(() => columnsOf(1, 64 * 65_537), 10)).toBe(0);
});

test('room that was taken out is there again', () => {
  const pool = new ColumnsPool();
  for (let i = 0; i < 1000; i++) pool.give(pool.take());
  const kept = Array.from({ length: 256 }, () => pool.take());
  for (const columns of kept) pool.give(columns);
  expect(new Set(Array.from({ length: 256 }, () => pool.take()))).toEqual(new Set(kept));
});
