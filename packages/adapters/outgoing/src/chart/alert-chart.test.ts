import { inflateSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { alertChart, chartSize } from './alert-chart.ts';

/** Reads back what we write: 8-bit RGB with filter 2 only. Written from the PNG specification. */
function decode(png: Buffer): { width: number; height: number; at: (x: number, y: number) => string } {
  const width = png.readUInt32BE(16);
  const height = png.readUInt32BE(20);
  const dataLength = png.readUInt32BE(33);
  expect(png.toString('latin1', 37, 41)).toBe('IDAT');
  const raw = inflateSync(png.subarray(41, 41 + dataLength));
  const stride = width * 3;
  const pixels = Buffer.alloc(stride * height);
  for (let y = 0; y < height; y++) {
    expect(raw[y * (stride + 1)]).toBe(2);
    for (let i = 0; i < stride; i++) {
      pixels[y * stride + i] = raw[y * (stride + 1) + 1 + i]! + (y === 0 ? 0 : pixels[(y - 1) * stride + i]!);
    }
  }
  return {
    width,
    height,
    at: (x, y) => pixels.toString('hex', (y * width + x) * 3, (y * width + x) * 3 + 3),
  };
}

const start = Date.UTC(2026, 10, 24, 7);
const timestamps = Array.from({ length: 61 }, (_, minute) => start + minute * 60_000);

async function drawn(values: readonly number[], limit?: number) {
  const png = await alertChart({ timestamps: timestamps.slice(0, values.length), values, limit }, 'percent');
  return decode(png!);
}

const line = '1d4ed8';
const limitColor = 'b91c1c';

function has(picture: Awaited<ReturnType<typeof drawn>>, color: string): { x: number; y: number }[] {
  const found: { x: number; y: number }[] = [];
  for (let y = 0; y < picture.height; y++) {
    for (let x = 0; x < picture.width; x++) if (picture.at(x, y) === color) found.push({ x, y });
  }
  return found;
}

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
    const points = has(await drawn([1, 2, 1, 2], 80), limitColor);
    expect(points.length).toBeGreaterThan(500);
    const rows = new Set(points.map(({ y }) => y));
    expect(rows.size).toBe(3);
  });

  test('a single spike among thousands of values is seen', async () => {
    const many = Array.from({ length: 7200 }, (_, i) => start + i * 500);
    const values = many.map((_, i) => (i === 3601 ? 100 : 1));
    const picture = decode((await alertChart({ timestamps: many, values, limit: undefined }, 'none'))!);
    expect(Math.min(...has(picture, line).map(({ y }) => y))).toBeLessThan(40);
  });

  test('a gap in the data is a gap in the line', async () => {
    const withGap = timestamps.filter((_, minute) => minute < 20 || minute >= 40);
    const picture = decode(
      (await alertChart({ timestamps: withGap, values: withGap.map(() => 5), limit: undefined }, 'none'))!,
    );
    const columns = new Set(has(picture, line).map(({ x }) => x));
    const middle = Math.round((Math.min(...columns) + Math.max(...columns)) / 2);
    expect(columns.has(middle)).toBe(false);
  });

  test.each([
    ['nothing', []],
    ['one value', [1]],
    ['no numbers', [Number.NaN, Number.POSITIVE_INFINITY, Number.NaN]],
  ])('%s is no picture', async (_, values) => {
    expect(
      await alertChart({ timestamps: timestamps.slice(0, values.length), values, limit: undefined }, 'none'),
    ).toBeUndefined();
  });

  test.each([
    ['equal', [5, 5, 5]],
    ['zero', [0, 0]],
    ['tiny', [1e-12, 2e-12, 3e-12]],
    ['huge', [1e299, -1e299, 0]],
    ['hardly different', [1e15, 1e15 + 1, 1e15]],
    ['holes', [1, Number.NaN, 3]],
  ])('%s values are drawn', async (_, values) => {
    expect(has(await drawn(values, 2), line).length).toBeGreaterThan(10);
  });

  test('values at one moment are drawn', async () => {
    const png = await alertChart({ timestamps: [start, start], values: [1, 2], limit: undefined }, 'none');
    expect(has(decode(png!), line).length).toBeGreaterThan(0);
  });
});
