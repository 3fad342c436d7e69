import fc from 'fast-check';
import { expect, test } from 'vitest';
import { inOneTurn } from '@nowcast/kernel/slices';
import { GatheredRuns, SeriesIndex, Tail } from './index.ts';

const hosts = 6;
const point = fc.record({
  host: fc.nat(hosts - 1),
  timestamp: fc.nat(50),
  value: fc.nat(9),
});
type Point = typeof point extends fc.Arbitrary<infer T> ? T : never;
const batches = fc.array(fc.array(point, { maxLength: 20 }), { minLength: 1, maxLength: 12 });

/** Two partitions with the same six series in any order of arrival. */
function arrive(input: readonly Point[][]) {
  const index = new SeriesIndex(2);
  const tails = [new Tail(0), new Tail(1)];
  const handles = Array.from({ length: hosts }, (_, host) =>
    index.define({ tenant: 't', metric_type: 'm', source: '', labels: [['host', `h${host}`]] }),
  );
  const append = (points: readonly Point[], offset: number) => {
    for (const [partition, own] of Map.groupBy(points, ({ host }) => index.partitionOf(handles[host]!)))
      tails[partition]!.append({
        offset,
        receivedAt: offset,
        handles: Uint32Array.from(own, ({ host }) => handles[host]!),
        timestamps: Float64Array.from(own, ({ timestamp }) => timestamp),
        values: Float64Array.from(own, ({ value }) => value),
        count: own.length,
        extras: undefined,
      });
  };
  input.forEach(append);
  return { index, tails, handles };
}

test('every wanted series gets its points between two positions in order of arrival, sorted or walked', () => {
  fc.assert(
    fc.property(
      batches,
      batches,
      batches,
      fc.uniqueArray(fc.nat(hosts - 1)),
      fc.constantFrom(0, 1_000_000),
      (before, between, after, wanted, expected) => {
        const { index, tails, handles } = arrive([...before, ...between, ...after]);
        const ends = (input: readonly Point[][]) =>
          tails.map(
            ({ partition }) =>
              input.flat().filter(({ host }) => index.partitionOf(handles[host]!) === partition).length,
          );
        const runs = new GatheredRuns(index, tails);
        const from = ends(before);
        const to = ends([...before, ...between]);
        // Gathered before for others, listed in the same memory: nothing of it is left.
        const asked = Uint32Array.from(handles);
        inOneTurn(runs.gather(asked, asked.length, [0, 0], to, expected));
        wanted.forEach((host, i) => (asked[i] = handles[host]!));
        inOneTurn(runs.gather(asked, wanted.length, from, to, expected));
        const found = wanted.map((host, i) => {
          const run = runs.run(i);
          const positions = runs.positions(i);
          return Array.from({ length: run.to - run.from }, (_, k) => ({
            host,
            timestamp: run.timestamps[run.from + k],
            value: run.values[run.from + k],
            position: positions[k],
          }));
        });
        const seen = tails.map(({ partition }) => from[partition]!);
        const placed = between.flat().map((one) => {
          const partition = index.partitionOf(handles[one.host]!);
          return { ...one, position: seen[partition]!++ };
        });
        expect(found).toEqual(wanted.map((host) => placed.filter((one) => one.host === host)));
      },
    ),
    { seed: 20_261_129 },
  );
});

test('many points are gathered in slices, and what arrives between two of them is not among them', () => {
  const index = new SeriesIndex(1);
  const tail = new Tail(0);
  const handles = Uint32Array.from(['a', 'b'], (host) =>
    index.define({ tenant: 't', metric_type: 'm', source: '', labels: [['host', host]] }),
  );
  const arriveMany = (count: number, offset: number) =>
    tail.append({
      offset,
      receivedAt: offset,
      handles: Uint32Array.from({ length: count }, (_, i) => handles[i % 2]!),
      timestamps: Float64Array.from({ length: count }, (_, i) => i),
      values: Float64Array.from({ length: count }, (_, i) => i),
      count,
      extras: undefined,
    });
  arriveMany(300_000, 0);
  for (const expected of [300_000, 0]) {
    const to = [tail.end];
    const runs = new GatheredRuns(index, [tail]);
    let slices = 0;
    for (const _ of runs.gather(handles, 2, [0], to, expected)) {
      slices += 1;
      arriveMany(10, slices);
    }
    expect(slices).toBeGreaterThan(1);
    const found = [0, 1].map((i) => {
      const { from, to: end, timestamps } = runs.run(i);
      return [end - from, timestamps[from], timestamps[from + 1]];
    });
    expect(found).toEqual([
      [to[0]! / 2, 0, 2],
      [to[0]! / 2, 1, 3],
    ]);
  }
});
