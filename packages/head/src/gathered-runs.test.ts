import fc from 'fast-check';
import { expect, test } from 'vitest';
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
        runs.gather(asked, asked.length, [0, 0], to, expected);
        wanted.forEach((host, i) => (asked[i] = handles[host]!));
        runs.gather(asked, wanted.length, from, to, expected);
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
