import type { AlertChart } from '@nowcast/ports';
import { describe, expect, test } from 'vitest';
import { pixelsOf as has, type Picture, readPng } from '../testing/read-png.ts';
import { alertChart, chartSize } from './alert-chart.ts';

const start = Date.UTC(2026, 10, 24, 7);
const timestamps = Array.from({ length: 61 }, (_, minute) => start + minute * 60_000);

const to = timestamps.at(-1)!;
const level = (value: number) => ({ value, from: start, to });

function chartOf(values: readonly number[], changes: Partial<AlertChart> = {}): AlertChart {
  const times = timestamps.slice(0, values.length);
  return { from: start, to, timestamps: times, values, limits: [], firing: [], ...changes };
}

async function drawn(values: readonly number[], changes: Partial<AlertChart> = {}): Promise<Picture> {
  return readPng((await alertChart(chartOf(values, changes), 'percent'))!);
}

const line = '1d4ed8';
const limitColor = 'b91c1c';
const firingColor = 'fee2e2';

describe('the picture of a mail', () => {
  test('a PNG at twice the size, white, with a line that goes where the values go', async () => {
    const picture = await drawn(timestamps.map((_, minute) => minute));
    expect([picture.width, picture.height]).toEqual([chartSize.width * 2, chartSize.height * 2]);
    expect(picture.at(0, 0)).toBe('ffffff');
    const points = has(picture, line);
    const left = points.reduce((a, b) => (b.x < a.x ? b : a));
    const right = points.reduce((a, b) => (b.x > a.x ? b : a));
    expect(right.x - left.x).toBeGreaterThan(900);
    expect(left.y - right.y).toBeGreaterThan(200);
    expect(has(picture, limitColor)).toHaveLength(0);
  });

  test('the limit is a level, dashed line, inside the picture even when all values are far from it', async () => {
    const points = has(await drawn([1, 2, 1, 2], { limits: [level(80)] }), limitColor);
    expect(points.length).toBeGreaterThan(500);
    const rows = new Set(points.map(({ y }) => y));
    expect(rows.size).toBe(3);
  });

  test('a single spike among thousands of values is seen', async () => {
    const many = Array.from({ length: 7200 }, (_, i) => start + i * 500);
    const values = many.map((_, i) => (i === 3601 ? 100 : 1));
    const picture = await drawn(values, { timestamps: many });
    expect(Math.min(...has(picture, line).map(({ y }) => y))).toBeLessThan(40);
  });

  test('a gap in the data is a gap in the line', async () => {
    const withGap = timestamps.filter((_, minute) => minute < 20 || minute >= 40);
    const picture = await drawn(
      withGap.map(() => 5),
      { timestamps: withGap },
    );
    const columns = new Set(has(picture, line).map(({ x }) => x));
    const middle = Math.round((Math.min(...columns) + Math.max(...columns)) / 2);
    expect(columns.has(middle)).toBe(false);
  });

  test('where there is no value, the line has a gap', async () => {
    const values = timestamps.map((_, minute) => (minute > 28 && minute < 32 ? Number.NaN : 5));
    const columns = new Set(has(await drawn(values), line).map(({ x }) => x));
    expect(columns.has(Math.round((Math.min(...columns) + Math.max(...columns)) / 2))).toBe(false);
  });

  test('the time it fires is shaded, from its beginning to its end, behind the line', async () => {
    const half = timestamps[30]!;
    const values = timestamps.map((_, minute) => minute);
    const picture = await drawn(values, { firing: [{ from: half, to }], limits: [level(30)] });
    const shaded = new Set(has(picture, firingColor).map(({ x }) => x));
    const columns = new Set(has(picture, line).map(({ x }) => x));
    const middle = (Math.min(...columns) + Math.max(...columns)) / 2;
    expect(Math.abs(Math.min(...shaded) - middle)).toBeLessThan(4);
    expect(Math.max(...shaded)).toBeGreaterThanOrEqual(Math.max(...columns) - 2);
    expect(Math.max(...columns)).toBeGreaterThan(middle + 400);
  });

  test('what has only just begun is seen too, with what is known of its limit', async () => {
    const moment = { from: to, to };
    const picture = await drawn([1, 2, 1, 2], { firing: [moment], limits: [{ value: 2, ...moment }] });
    expect(has(picture, firingColor).length).toBeGreaterThan(500);
    expect(has(picture, limitColor).length).toBeGreaterThan(50);
  });

  test('time is where the chart says it is, not where the values begin', async () => {
    const late = timestamps.slice(45);
    const columns = has(await drawn([1, 2, 3, 4, 5, 6, 7, 8], { timestamps: late }), line).map(({ x }) => x);
    expect(Math.min(...columns)).toBeGreaterThan(chartSize.width * 2 * 0.7);
  });

  test.each([
    ['nothing', []],
    ['one value', [1]],
    ['no numbers', [Number.NaN, Number.POSITIVE_INFINITY, Number.NaN]],
  ])('%s is no picture', async (_, values) => {
    expect(await alertChart(chartOf(values), 'none')).toBeUndefined();
  });

  test.each([
    ['equal', [5, 5, 5]],
    ['zero', [0, 0]],
    ['tiny', [1e-12, 2e-12, 3e-12]],
    ['huge', [1e299, -1e299, 0]],
    ['hardly different', [1e15, 1e15 + 1, 1e15]],
    ['holes', [1, 2, Number.NaN, 3, 4]],
  ])('%s values are drawn', async (_, values) => {
    expect(has(await drawn(values, { limits: [level(2)] }), line).length).toBeGreaterThan(10);
  });

  test('values at one moment are drawn', async () => {
    expect(has(await drawn([1, 2], { timestamps: [start, start] }), line).length).toBeGreaterThan(0);
  });
});
