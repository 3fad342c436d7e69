import { inOneTurn } from '@nowcast/kernel/slices';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { mergePoints, type PointTable, pointsBefore, sortAndPack, unpack } from './point-table.ts';

type SlotPoint = [slot: number, timestamp: number, value: number];

const slots = 3;
const time = fc.oneof(
  fc.integer({ min: 0, max: 5000 }),
  fc.integer({ min: 0, max: 30 }).map((n) => 1.8e12 + n * 1000),
  fc.double({ min: 1.8e12, max: 1.9e12, noNaN: true }),
);
const value = fc.oneof(
  fc.integer({ min: -200, max: 200 }).map((cents) => cents / 100),
  fc.integer({ min: -2_000_000, max: 2_000_000 }),
  fc.integer({ min: -(2 ** 40), max: 2 ** 40 }),
  fc.double({ noNaN: true, noDefaultInfinity: true }),
);
const points = fc.array(fc.tuple(fc.nat({ max: slots - 1 }), time, value), { maxLength: 1500, size: 'max' });

function pack(list: readonly SlotPoint[]): PointTable {
  const starts = new Uint32Array(slots + 1);
  const timestamps: number[] = [];
  const values: number[] = [];
  for (let slot = 0; slot < slots; slot++) {
    for (const [, timestamp, found] of list.filter(([of]) => of === slot)) {
      timestamps.push(timestamp);
      values.push(found);
    }
    starts[slot + 1] = timestamps.length;
  }
  const columns = { starts, timestamps: Float64Array.from(timestamps), values: Float64Array.from(values) };
  return inOneTurn(sortAndPack(columns));
}

function pointsIn(table: PointTable): string[] {
  const found: string[] = [];
  const times = new Float64Array(512);
  const values = new Float64Array(512);
  for (let slot = 0; slot < slots; slot++) {
    for (let chunk = table.starts[slot]!; chunk < table.starts[slot + 1]!; chunk++) {
      const n = unpack(table, chunk, times, values);
      expect([table.start[chunk], table.until[chunk]]).toEqual([times[0], times[n - 1]]);
      for (let i = 0; i < n; i++) found.push(shown([slot, times[i]!, values[i]!]));
    }
  }
  return found;
}

/** Tells −0 from 0. */
function shown([slot, timestamp, found]: SlotPoint): string {
  return `${slot} ${timestamp} ${Object.is(found, -0) ? '-0' : found}`;
}

describe('a table of points', () => {
  it('gives back every point to the last bit, by slot and in the order of time', () => {
    fc.assert(
      fc.property(points, (list) => {
        const found = pointsIn(pack(list));
        expect([...found].sort()).toEqual(list.map(shown).sort());
        const times = found.map((text) => text.split(' ').map(Number) as [number, number]);
        for (let i = 1; i < times.length; i++)
          if (times[i]![0] === times[i - 1]![0])
            expect(times[i]![1]).toBeGreaterThanOrEqual(times[i - 1]![1]);
      }),
      { numRuns: 60 },
    );
  });

  it('gives back the points between two times, of even and of other steps', () => {
    const even = fc
      .tuple(fc.integer({ min: 1, max: 700 }), fc.constantFrom(1, 7, 1000), fc.integer({ min: -5, max: 5 }))
      .map(([n, step, slope]) => Array.from({ length: n }, (_, i): SlotPoint => [0, i * step, i * slope]));
    fc.assert(
      fc.property(fc.oneof(even, points), fc.array(time, { maxLength: 4 }), fc.nat(), (list, times, pick) => {
        const table = pack(list);
        const own = list.length === 0 ? 0 : list[pick % list.length]![1];
        const borders = [...times, own, own + 1].sort((a, b) => a - b);
        const [from, to] = [borders[0]!, borders.at(-1)!];
        const found: string[] = [];
        const [timestamps, values] = [new Float64Array(512), new Float64Array(512)];
        for (let slot = 0; slot < slots; slot++) {
          for (let chunk = table.starts[slot]!; chunk < table.starts[slot + 1]!; chunk++) {
            const low = pointsBefore(table, chunk, from);
            const n = unpack(table, chunk, timestamps, values, low, pointsBefore(table, chunk, to));
            for (let i = 0; i < n; i++) found.push(shown([slot, timestamps[i]!, values[i]!]));
          }
        }
        const expected = list.filter(([, timestamp]) => timestamp >= from && timestamp < to).map(shown);
        expect(found.sort()).toEqual(expected.sort());
      }),
      { numRuns: 100 },
    );
  });

  it('is the same whether its points came at once or in several tables', () => {
    fc.assert(
      fc.property(points, points, (a, b) => {
        const merged = inOneTurn(mergePoints([pack(a), pack(b)]));
        expect(pointsIn(merged).sort()).toEqual([...a, ...b].map(shown).sort());
        expect(merged.points).toBe(a.length + b.length);
      }),
      { numRuns: 40 },
    );
  });

  it('takes a byte or so for a step of a two-decimal walk at even times', () => {
    const walk = Array.from({ length: 5000 }, (_, i): SlotPoint => [
      0,
      i * 1000,
      50 + ((i * 7919) % 100) / 100,
    ]);
    expect(pack(walk).bytes).toBeLessThan(1.2 * walk.length);
  });
});
