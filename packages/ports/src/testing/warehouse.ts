import * as fc from 'fast-check';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { Warehouse } from '../warehouse.ts';
import { growthOf, registersOf, seriesId, sketchOf, type TestPoint } from './warehouse-blocks.ts';
import {
  at,
  Bench,
  bitsOf,
  dayMs,
  expected,
  hourMs,
  monday,
  nothing,
  shown,
  type Reopen,
} from './warehouse-bench.ts';
import { expectCells, expectSums, naive, sketchesOf } from './naive-states.ts';
import { pointsTests } from './warehouse-points.ts';
import { retentionTests, upkeepTests } from './warehouse-upkeep.ts';

/**
 * Conformance suite of the `Warehouse` port: chDB and ClickHouse run it unchanged. It speaks through the port and four
 * hooks. Each test has a metric of its own, many in one warehouse, because an engine takes a while to start.
 */
export interface WarehouseFixture {
  /** A running warehouse over this fixture's storage: the first call creates it, later ones find what is there. */
  open(): Promise<Warehouse>;
  close(warehouse: Warehouse): Promise<void>;
  /** Ends the engine without any of its goodbyes, as SIGKILL would, and everything above it. */
  crash(warehouse: Warehouse): Promise<void>;
  /** Removes the storage. Warehouses are closed or crashed by then. */
  dispose(): Promise<void>;
}

export interface WarehouseHarness {
  name: string;
  create(): Promise<WarehouseFixture>;
}

export function warehouseConformance(harness: WarehouseHarness): void {
  describe(`${harness.name} as a warehouse`, () => {
    withWarehouse(harness, (bench, reopen) => {
      visibilityTests(bench, reopen);
      roundTripTests(bench, reopen);
      stateTests(bench);
      pointsTests(bench);
    });
    // Upkeep goes over everything that is stored: not also over what the tests before it have left.
    withWarehouse(harness, upkeepTests);
    withWarehouse(harness, retentionTests);
  });
}

function withWarehouse(harness: WarehouseHarness, tests: (bench: () => Bench, reopen: Reopen) => void): void {
  describe('in one storage', () => {
    let fixture: WarehouseFixture;
    let warehouse: Warehouse;
    let bench: Bench;
    let begun = 0;
    beforeAll(async () => {
      fixture = await harness.create();
      warehouse = await fixture.open();
    });
    afterAll(async () => {
      await fixture.close(warehouse);
      await fixture.dispose();
    });
    beforeEach(() => {
      bench = new Bench(() => warehouse, `metric ${begun++}`);
    });
    const reopen = async (how: 'close' | 'crash'): Promise<void> => {
      await fixture[how](warehouse);
      warehouse = await fixture.open();
    };
    tests(() => bench, reopen);
  });
}

function visibilityTests(bench: () => Bench, reopen: Reopen): void {
  describe('visibility', () => {
    test('a flush is invisible until its watermark is committed, also across a crash, and then there once', async () => {
      const b = bench();
      await b.store([at(0, monday, 1)]);
      const block = b.flush([at(0, monday + 1000, 2)]);
      await b.warehouse.insertFlush(block);
      const before = await b.warehouse.watermarks();
      expect(before.find(({ partition }) => partition === 0)).toMatchObject({ to: block.from });
      // A read never goes beyond what is committed: its vector is made of watermarks.
      const visible = before.map(({ to }) => to);
      expect(shown(await b.readPoints({ at: visible }))).toEqual(expected([at(0, monday, 1)]));
      await reopen('crash');
      expect(await b.warehouse.watermarks()).toEqual(before);
      await b.warehouse.insertFlush(block);
      await b.commit(block);
      expect(shown(await b.readPoints())).toEqual(expected([at(0, monday, 1), at(0, monday + 1000, 2)]));
      const states = await b.readStates({ from: monday, to: monday + hourMs, step: hourMs }, [0]);
      expect([...states.count]).toEqual([2]);
    });

    test('the same flush again changes nothing, before and after its commit and after a restart', async () => {
      const b = bench();
      const points = [at(0, monday, 1.5), at(1, monday, 2.5), at(0, monday + 30 * dayMs, 3.5)];
      const block = b.flush(points, { defines: [0, 1] });
      await b.warehouse.insertFlush(block);
      await b.warehouse.insertFlush(block);
      await reopen('close');
      await b.warehouse.insertFlush(block);
      await b.commit(block);
      await b.warehouse.insertFlush(block);
      await b.commit(block);
      expect(shown(await b.readPoints())).toEqual(expected(points));
      const states = await b.readStates({ from: monday, to: monday + 60 * dayMs, step: 60 * dayMs }, [0, 0]);
      expect([...states.count, ...states.sum]).toEqual([3, 7.5]);
    });

    test('a reader at an older vector sees what it saw, partition by partition', async () => {
      const b = bench();
      await b.store([at(0, monday, 1)], { partition: 0 });
      await b.store([at(1, monday, 2)], { partition: 1 });
      const pinned = b.at;
      await b.store([at(0, monday + 1, 3)], { partition: 0 });
      await b.store([at(2, monday, 4)], { partition: 2 });
      expect(shown(await b.readPoints({ at: pinned }))).toEqual(
        expected([at(0, monday, 1), at(1, monday, 2)]),
      );
      const states = await b.readStates({ from: monday, to: monday + hourMs, step: hourMs }, [0, 0, 0], {
        at: pinned,
      });
      expect([...states.count, ...states.sum]).toEqual([2, 3]);
      expect((await b.readPoints()).length).toBe(4);
    });

    test('a partition beyond the vector is invisible', async () => {
      const b = bench();
      await b.store([at(0, monday, 1)], { partition: 2 });
      expect((await b.readPoints({ at: b.at.slice(0, 2) })).length).toBe(0);
    });

    test('tenants and metrics do not see each other, whatever ids they ask for', async () => {
      const b = bench();
      await b.store([at(0, monday, 1)]);
      await b.store([at(1, monday, 2)], { tenant: "o'neil\n\n; DROP TABLE chunks" });
      expect(shown(await b.readPoints())).toEqual(expected([at(0, monday, 1)]));
      const theirs = await b.readPoints({ tenant: "o'neil\n\n; DROP TABLE chunks" });
      expect(shown(theirs)).toEqual(expected([at(1, monday, 2)]));
      expect((await b.readPoints({ metric: `${b.metric}'` })).length).toBe(0);
    });

    test('series come back in (partition, local) order, the committed ones alone', async () => {
      const b = bench();
      const known = new Set<string>();
      await b.warehouse.loadSeries((rows) =>
        rows.forEach((row) => known.add(`${row.partition}/${row.local}`)),
      );
      await b.store([], { partition: 1, defines: [101, 102] });
      await b.store([], { partition: 0, defines: [103] });
      const hidden = b.flush([], { partition: 0, defines: [104] });
      await b.warehouse.insertFlush(hidden);
      const found: string[] = [];
      await b.warehouse.loadSeries((rows) => {
        for (const row of rows) {
          const { metric_type: metric, labels } = row.definition;
          if (metric === b.metric)
            found.push(`${row.partition}/${row.local} ${row.id === seriesId(row.local)} ${labels[1]![1]}`);
        }
      });
      const note = (local: number) => `it's "${local}"\n\nDROP TABLE chunks`;
      expect(found).toEqual([
        `0/103 true ${note(103)}`,
        `1/101 true ${note(101)}`,
        `1/102 true ${note(102)}`,
      ]);
      await b.commit(hidden);
    });
  });
}

const hardValues = [
  0,
  -0,
  5e-324,
  -2.2e-308,
  1e308,
  -1e308,
  0.1 + 0.2,
  2 ** 53 + 2,
  -(2 ** 60),
  1 / 3,
  1e-12,
  123_456.789,
];

function roundTripTests(bench: () => Bench, reopen: Reopen): void {
  describe('round trip', () => {
    test('every value comes back bit for bit, alone and among others', async () => {
      const b = bench();
      const points = hardValues.map((value, i) => at(0, monday + i, value));
      points.push(...hardValues.map((value, i) => at(i + 10, monday, value)));
      await b.store(points);
      const series = [0, ...hardValues.map((_, i) => i + 10)];
      const found = await b.readPoints({}, series);
      const byPosition = points.map((point) => ({ ...point, series: series.indexOf(point.series) }));
      expect(shown(found)).toEqual(expected(byPosition));
      const states = await b.readStates(
        { from: monday, to: monday + 10_000, step: 10_000 },
        series.map((_, i) => i),
        {
          series: BigUint64Array.from(series, seriesId),
          groups: Uint32Array.from(series, (_, i) => i),
        },
      );
      for (let i = 0; i < states.length; i++) {
        if (states.group[i] === 0) continue;
        const value = bitsOf(hardValues[states.group[i]! - 1]!);
        expect([states.min[i]!, states.max[i]!, states.first[i]!, states.last[i]!].map(bitsOf)).toEqual([
          value,
          value,
          value,
          value,
        ]);
      }
    });

    test('random walks of any number of decimals, with even, uneven and fractional times, come back bit for bit, whole and in part', async () => {
      const b = bench();
      const walk = fc.record({
        decimals: fc.integer({ min: 0, max: 6 }),
        first: fc.integer({ min: -1e9, max: 1e9 }),
        steps: fc.array(fc.oneof(fc.integer({ min: -50, max: 50 }), fc.integer({ min: -3e9, max: 3e9 })), {
          maxLength: 40,
        }),
        gaps: fc.array(fc.constantFrom(0, 1, 1000, 1000, 0.25, 0.001, 7e9), { minLength: 1, maxLength: 4 }),
      });
      await fc.assert(
        fc.asyncProperty(
          fc.array(walk, { minLength: 1, maxLength: 3 }),
          fc.nat(),
          fc.nat(),
          async (walks, a, z) => {
            const points = walks.flatMap(({ decimals, first, steps, gaps }, series) => {
              let value = first;
              let timestamp = monday;
              return [0, ...steps].map((step, i) => {
                value += step;
                if (i > 0) timestamp += gaps[i % gaps.length]!;
                return at(series, timestamp, value / 10 ** decimals, {
                  receivedAt: monday + 11 * i + (i % 3),
                });
              });
            });
            const fresh = new Bench(() => b.warehouse, `${b.metric} ${fresh0++}`);
            await fresh.store(points);
            expect(shown(await fresh.readPoints())).toEqual(expected(points));
            const [first, last] = [a, z].map((n) => points[n % points.length]!.timestamp);
            const range = { from: Math.min(first!, last!), to: Math.max(first!, last!) };
            const inside = points.filter((one) => one.timestamp >= range.from && one.timestamp < range.to);
            const found = await fresh.readPoints({ ...range, records: true });
            expect(shown(found)).toEqual(expected(inside));
            expect(found.receivedAt.toSorted()).toEqual(
              Float64Array.from(inside, (one) => one.receivedAt!).sort(),
            );
          },
        ),
        { numRuns: 25 },
      );
    });

    test('texts are data: a blank line and a statement in them change nothing', async () => {
      const b = bench();
      const evil = '{"x":1}\n\nDROP TABLE chunks;\n\n\'; DROP TABLE states; --\\';
      const points = [
        at(0, monday, 1, { message: evil, actor: evil, dataId: evil, receivedAt: 5 }),
        at(0, monday + 1, 2, { receivedAt: 7 }),
        at(1, monday, 3, { message: 'Zoë \u{1F600}', receivedAt: 9 }),
      ];
      await b.store(points);
      await reopen('close');
      const found = await b.readPoints({ records: true });
      const rows = Array.from(found.values, (value, i) => [
        value,
        found.receivedAt[i],
        found.messages?.[i],
        found.actors?.[i],
        found.dataIds?.[i],
      ]);
      rows.sort((x, y) => Number(x[0]) - Number(y[0]));
      expect(rows).toEqual([
        [1, 5, evil, evil, evil],
        [2, 7, undefined, undefined, undefined],
        [3, 9, 'Zoë \u{1F600}', undefined, undefined],
      ]);
    });

    test('times of receipt come back in whole milliseconds, even and uneven, years apart', async () => {
      const b = bench();
      const receipts = [10, 20, 35, 35, 9e11, 9e11 + 1];
      await b.store(receipts.map((receivedAt, i) => at(0, monday + i, i, { receivedAt })).slice(0, 4));
      await b.store([
        at(0, monday + 10, 9, { receivedAt: 1000 }),
        at(0, monday + 11, 9, { receivedAt: 2000 }),
      ]);
      const found = await b.readPoints({ records: true, page: { limit: 10, order: 'asc' } });
      expect([...found.receivedAt]).toEqual([10, 20, 35, 35, 1000, 2000]);
    });
  });
}
let fresh0 = 0;

const randomPoint = fc.record({
  series: fc.nat({ max: 2 }),
  // Points that share a timestamp are the ordinary case.
  offsetMs: fc.oneof(fc.integer({ min: 0, max: 2 * hourMs - 1 }), fc.constantFrom(0, 1, 10_000, hourMs)),
  value: fc.oneof(
    fc.integer({ min: -10_000, max: 10_000 }).map((cents) => cents / 100),
    fc.double({ noNaN: true, noDefaultInfinity: true, min: -1e6, max: 1e6 }),
  ),
});

function stateTests(bench: () => Bench): void {
  describe('states', () => {
    test('merged states are what the points say: counts, minima, maxima and ends exactly, sums to 1e-12 · Σ|v|', async () => {
      const b = bench();
      await fc.assert(
        fc.asyncProperty(
          fc.array(fc.array(randomPoint, { maxLength: 25 }), { minLength: 1, maxLength: 4 }),
          fc.constantFrom([0, 0, 0], [0, 1, 0], [0, 1, 2]),
          fc.constantFrom([10_000, 60_000], [60_000, 60_000], [60_000, hourMs]),
          async (flushes, groupOf, [stateRes, step]) => {
            const fresh = new Bench(() => b.warehouse, `${b.metric} ${fresh0++}`);
            const all: TestPoint[] = [];
            for (const flush of flushes) {
              const points = flush.map(({ series, offsetMs, value }) => at(series, monday + offsetMs, value));
              await fresh.store(points, { stateRes });
              all.push(...points);
            }
            const range = { from: monday, to: monday + 2 * hourMs, step: step };
            const buckets = Array.from({ length: (2 * hourMs) / step + 1 }, (_, i) => monday + i * step);
            const cells = naive(all, groupOf, buckets);
            expectCells(await fresh.readStates(range, groupOf), cells);
            const parts = { ...nothing, scalar: true };
            expectSums(await fresh.readStates(range, groupOf, { parts }), cells);
          },
        ),
        { numRuns: 20 },
      );
    });

    test('uneven buckets, as calendars have them, keep their borders', async () => {
      const b = bench();
      // Three local days in Berlin around the end of summer time: 24, 25 and 24 hours.
      const borders = [-2, 22, 47, 71].map((hours) => monday + hours * hourMs);
      const times = borders.flatMap((border) => [border - 1, border]);
      await b.store(
        times.map((time, i) => at(0, time, i)),
        { stateRes: 10_000 },
      );
      const request = { from: borders[0]!, to: borders[3]!, buckets: Float64Array.from(borders) };
      const states = await b.readStates({ from: 0, to: 1, step: 1 }, [4], request);
      const rows = Array.from(states.bucket, (bucket, i) => [bucket, states.count[i]!, states.sum[i]!]).sort(
        byNumbers,
      );
      expect(rows).toEqual([
        [0, 2, 1 + 2],
        [1, 2, 3 + 4],
        [2, 2, 5 + 6],
      ]);
      expect(new Set(states.group)).toEqual(new Set([4]));
    });

    test('only the resolutions asked for are read, and the points of the others can be told apart', async () => {
      const b = bench();
      await b.store([at(0, monday, 1), at(0, monday + 1, 2)], { stateRes: 10_000, sketchRes: 60_000 });
      await b.store([at(0, monday + 2, 4)], { stateRes: hourMs, sketchRes: hourMs });
      const range = { from: monday, to: monday + 60_000, step: 60_000 };
      const fine = await b.readStates(range, [0], { resolutions: [10_000, 60_000] });
      expect([...fine.sum]).toEqual([3]);
      expect([...(await b.readPoints({ statedAt: [hourMs] })).values]).toEqual([4]);
      expect([...(await b.readPoints({ statedAt: [60_000], bySketch: true })).values]).toEqual([1, 2]);
      expect((await b.readPoints({ statedAt: [] })).length).toBe(0);
    });

    test('growth follows a counter through its resets and says when rows overlap in time', async () => {
      const b = bench();
      const range = { from: monday, to: monday + hourMs, step: hourMs };
      const growth = async (groupOf: readonly number[]) => {
        const states = await b.readStates(range, groupOf, { parts: { ...nothing, growth: true } });
        return new Map(Array.from(states.group, (group, i) => [group, states.growth[i]!]));
      };
      await b.store([at(0, monday, 10), at(0, monday + 500, 14), at(1, monday, 5)]);
      await b.store([at(0, monday + 20_000, 3), at(0, monday + 21_000, 4), at(1, monday + 60_000, 9)]);
      expect(await growth([0, 1])).toEqual(
        new Map([
          [0, growthOf([10, 14, 3, 4])],
          [1, 4],
        ]),
      );
      expect([...(await growth([0, 0])).values()]).toEqual([Number.NaN]);
      await b.store([at(0, monday + 20_500, 100)]);
      const late = await growth([0, 1]);
      expect(late.get(0)).toBeNaN();
      expect(late.get(1)).toBe(4);
    });

    test('a counter whose flushes share a timestamp is followed by value there', async () => {
      const b = bench();
      const range = { from: monday, to: monday + hourMs, step: hourMs };
      const meeting = monday + 5000;
      await b.store([at(0, meeting, 7), at(0, meeting + 1000, 9), at(1, meeting, 3), at(1, meeting, 8)]);
      // Series 0 chains in (time, value) order, meeting once in the very same point; series 1 lies between two points.
      await b.store([at(0, monday, 1), at(0, meeting, 7), at(1, meeting, 5)]);
      await b.store([at(0, meeting, 7)]);
      const parts = { ...nothing, growth: true };
      const states = await b.readStates(range, [0, 1], { parts });
      const growth = new Map(Array.from(states.group, (group, i) => [group, states.growth[i]!]));
      expect(growth.get(0)).toBe(growthOf([1, 7, 7, 7, 9]));
      expect(growth.get(1)).toBeNaN();
    });

    test('ragged sketches merge by adding counts and keeping the highest ranks', async () => {
      const b = bench();
      const points = Array.from({ length: 200 }, (_, i) =>
        at(i % 3, monday + i * 1000, (i - 60) * 1.7, i % 3 === 0 ? {} : { actor: `user ${i % 23}` }),
      );
      await b.store(points.slice(0, 120));
      await b.store(points.slice(120), { sketchRes: hourMs });
      const parts = { ...nothing, quantiles: true, uniques: true };
      const states = await b.readStates({ from: monday, to: monday + hourMs, step: hourMs }, [0, 1, 1], {
        parts,
      });
      for (let i = 0; i < states.length; i++) {
        const mine = points.filter(({ series }) => (series === 0 ? 0 : 1) === states.group[i]);
        expect(sketchesOf(states, i)).toEqual({ dd: sketchOf(mine), hll: registersOf(mine) });
      }
      expect(states.length).toBe(2);
      expect(states.count).toHaveLength(0);
    });

    test('sketches and numbers asked for together lie in the same rows', async () => {
      const b = bench();
      await b.store([at(0, monday, 1), at(1, monday + 120_000, 2), at(1, monday + 120_001, 2)]);
      const parts = { ...nothing, scalar: true, quantiles: true };
      const states = await b.readStates({ from: monday, to: monday + 180_000, step: 60_000 }, [7, 8], {
        parts,
      });
      const rows = Array.from(states.group, (group, i) => {
        const counted = states.ddCount.subarray(states.ddOffsets[i], states.ddOffsets[i + 1]);
        return [group, states.bucket[i]!, states.count[i]!, counted.reduce((sum, n) => sum + n, 0)];
      });
      expect(rows.sort(byNumbers)).toEqual([
        [7, 0, 1, 1],
        [8, 2, 2, 2],
      ]);
    });

    test('hundreds of series are told apart', async () => {
      const b = bench();
      const count = 300;
      await b.store(Array.from({ length: count }, (_, i) => at(i, monday + i, i)));
      const groupOf = Array.from({ length: count }, (_, i) => i % 7);
      // Series 0 … 6 are left out of the request.
      const chosen = groupOf.map((group, i) => ({ id: seriesId(i), group, i })).filter(({ i }) => i >= 7);
      chosen.sort((x, y) => (x.id < y.id ? -1 : 1));
      const states = await b.readStates({ from: monday, to: monday + hourMs, step: hourMs }, [], {
        series: BigUint64Array.from(chosen, ({ id }) => id),
        groups: Uint32Array.from(chosen, ({ group }) => group),
      });
      const sums = Array.from({ length: 7 }, (_, group) =>
        chosen.reduce((sum, one) => sum + (one.group === group ? one.i : 0), 0),
      );
      expect(Array.from(states.group, (group, i) => [group, states.sum[i]!]).sort(byNumbers)).toEqual(
        sums.map((sum, group) => [group, sum]),
      );
    });

    test('nothing asked for, nothing found and nothing stored are all an empty answer', async () => {
      const b = bench();
      const range = { from: monday, to: monday + hourMs, step: hourMs };
      expect((await b.readStates(range, [])).length).toBe(0);
      expect((await b.readStates(range, [0, 1])).length).toBe(0);
      expect((await b.readPoints()).length).toBe(0);
      expect((await b.readPoints({}, [])).length).toBe(0);
    });
  });
}

function byNumbers(a: readonly number[], b: readonly number[]): number {
  const i = a.findIndex((number, k) => number !== b[k]);
  return i < 0 ? 0 : a[i]! - b[i]!;
}
