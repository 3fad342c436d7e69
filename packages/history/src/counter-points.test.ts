import type { PointColumns } from '@nowcast/ports';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { CounterPoints, storedPoints } from './counter-points.ts';
import type { Piece } from './piece.ts';

const point = fc.record({
  series: fc.nat({ max: 2 }),
  timestamp: fc.nat({ max: 5 }),
  value: fc.integer({ min: -2, max: 2 }),
});
type Point = typeof point extends fc.Arbitrary<infer T> ? T : never;
/** Unit of each series of a piece; a unit in between has none. */
const units = Uint32Array.of(4, 0, 2);

function pieceOf(points: readonly Point[]): Piece {
  const columns: PointColumns = {
    length: points.length,
    series: Uint32Array.from(points, ({ series }) => series),
    timestamps: Float64Array.from(points, ({ timestamp }) => timestamp),
    values: Float64Array.from(points, ({ value }) => value),
    receivedAt: new Float64Array(0),
    dataIds: undefined,
    actors: undefined,
    messages: undefined,
  };
  const handles = Uint32Array.of(0, 1, 2);
  const selection = { tenant: 't', metric: 'm', handles, units };
  return { borders: new Float64Array(0), selection, states: undefined, points: columns };
}

test('each counter gets its stored points and those of the tail, in (time, value) order', () => {
  const list = fc.array(point, { maxLength: 30 });
  fc.assert(
    fc.property(fc.array(list, { maxLength: 3 }), list, (pieces, tail) => {
      const stored = storedPoints(pieces.map(pieceOf));
      const points = new CounterPoints();
      for (const unit of [0, 1, 2, 4, 5]) {
        points.clear();
        stored.addTo(points, unit);
        const mine = (one: Point) => units[one.series] === unit;
        for (const { timestamp, value } of tail.filter(mine)) points.add(timestamp, value);
        points.sort();
        const found = Array.from({ length: points.length }, (_, i) => [
          points.timestamps[i],
          points.values[i],
        ]);
        const expected = [...pieces.flat(), ...tail]
          .filter(mine)
          .sort((a, b) => a.timestamp - b.timestamp || a.value - b.value)
          .map(({ timestamp, value }) => [timestamp, value]);
        expect(found).toEqual(expected);
      }
    }),
  );
});

test('a long counter keeps its points while the columns grow', () => {
  const points = new CounterPoints();
  for (let i = 5000; i > 0; i--) points.add(i, i);
  points.sort();
  expect(points.length).toBe(5000);
  expect([points.timestamps[0], points.timestamps[4999]]).toEqual([1, 5000]);
  points.clear();
  points.add(7, 1);
  points.sort();
  expect([points.length, points.values[0]]).toEqual([1, 1]);
});

test.each([
  ['of senders that take turns', (i: number) => i - (i % 20) + ((i * 7) % 20)],
  ['that is all over the place', (i: number) => (i * 7919) % 5000],
])('a long counter in an order %s is put in time order', (_name, timeOf) => {
  const points = new CounterPoints();
  for (let i = 0; i < 5000; i++) points.add(timeOf(i), i % 3);
  points.sort();
  const found = Array.from({ length: points.length }, (_, i) => [points.timestamps[i], points.values[i]]);
  const wanted = Array.from({ length: 5000 }, (_, i) => [timeOf(i), i % 3] as const);
  expect(found).toEqual(wanted.sort((a, b) => a[0] - b[0] || a[1] - b[1]));
});
