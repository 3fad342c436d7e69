import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { HotStore } from '../hot-store.ts';
import type { FlushBlock, PointsRequest, StateColumns, StatesRequest } from '../warehouse.ts';
import { expectCells, expectSums, naive } from './naive-states.ts';
import {
  allResolutions,
  at,
  expected,
  hourMs,
  limits,
  monday,
  nothing,
  scalarAndEnds,
  shown,
} from './warehouse-bench.ts';
import {
  flushBlock,
  growthOf,
  registersOf,
  seriesId,
  sketchOf,
  type TestFlush,
  type TestPoint,
} from './warehouse-blocks.ts';

const partitions = 2;
const never = Number.NEGATIVE_INFINITY;

export interface HotStoreHarness {
  name: string;
  /** An empty store; receipt times of the suite are log offsets, in milliseconds. */
  create(options: { budgetRows: number; keepMs: number }): Promise<HotStore>;
}

/** Conformance suite of the `HotStore` port. */
export function hotStoreConformance(harness: HotStoreHarness): void {
  describe(`${harness.name} as a hot store`, () => {
    const start = async (options: { budgetRows?: number; keepMs?: number } = {}) => {
      const store = await harness.create({ budgetRows: 1e6, keepMs: 1e12, ...options });
      for (let partition = 0; partition < partitions; partition++) store.begin(partition, never);
      return new HotBench(store);
    };
    mergeTests(start);
    reachTests(harness, start);
  });
}

/** One metric in a store, and what was put into it. */
class HotBench {
  readonly store: HotStore;
  at = Array.from({ length: partitions }, () => 0);
  readonly blocks: FlushBlock[] = [];

  constructor(store: HotStore) {
    this.store = store;
  }

  async put(points: readonly TestPoint[], more: Partial<TestFlush> = {}): Promise<FlushBlock> {
    const partition = more.partition ?? 0;
    const from = this.at[partition]!;
    const block = flushBlock({ ...more, points, partition, from, to: from + 10 });
    await this.store.put(block);
    this.at = this.at.map((offset, i) => (i === partition ? block.to : offset));
    this.blocks.push(block);
    return block;
  }

  states(
    range: { from: number; to: number; step: number },
    groupOf: readonly number[],
    request: Partial<StatesRequest> = {},
  ): Promise<StateColumns | undefined> {
    const { from, to, step } = range;
    const series = groupOf.map((group, i) => ({ id: seriesId(i), group }));
    series.sort((a, b) => (a.id < b.id ? -1 : 1));
    return this.store.readStates({
      at: this.at,
      tenant: 'acme',
      metric: 'load',
      series: BigUint64Array.from(series, ({ id }) => id),
      groups: Uint32Array.from(series, ({ group }) => group),
      from,
      to,
      buckets: Float64Array.from({ length: (to - from) / step + 1 }, (_, i) => from + i * step),
      resolutions: allResolutions,
      coarse: true,
      parts: scalarAndEnds,
      limits,
      ...request,
    });
  }

  async points(request: Partial<PointsRequest> = {}): Promise<string[] | undefined> {
    const found = await this.store.readPoints({
      at: this.at,
      tenant: 'acme',
      metric: 'load',
      series: BigUint64Array.from([0, 1, 2], seriesId),
      from: monday,
      to: monday + 10 * hourMs,
      statedAt: [60_000, hourMs],
      records: false,
      limits,
      ...request,
    });
    return found === undefined ? undefined : shown(found);
  }
}

const oneHour = { from: monday, to: monday + hourMs, step: hourMs };
type Start = (options?: { budgetRows?: number; keepMs?: number }) => Promise<HotBench>;

const randomFlush = fc.record({
  partition: fc.nat({ max: partitions - 1 }),
  stateRes: fc.constantFrom(...allResolutions),
  sketchRes: fc.constantFrom(60_000, hourMs),
  points: fc.array(
    fc.record({
      series: fc.nat({ max: 1 }),
      offsetMs: fc.integer({ min: 0, max: 3 * hourMs - 1 }),
      value: fc.integer({ min: -10_000, max: 10_000 }).map((cents) => cents / 100),
      actor: fc.option(
        fc.nat({ max: 9 }).map((n) => `user ${n}`),
        { nil: undefined },
      ),
    }),
    { maxLength: 25 },
  ),
});
type RandomFlush = typeof randomFlush extends fc.Arbitrary<infer T> ? T : never;

/** Points of a random flush; each partition has series of its own. */
function pointsOf({ partition, points }: RandomFlush): TestPoint[] {
  return points.map(({ series, offsetMs, value, actor }) =>
    at(2 * partition + series, monday + offsetMs, value, actor === undefined ? {} : { actor }),
  );
}

function rowsOf({ partition, stateRes, sketchRes }: RandomFlush): Partial<TestFlush> {
  return { partition, stateRes, sketchRes };
}

const rangeAndGroups = fc.record({
  fromHour: fc.nat({ max: 2 }),
  hours: fc.integer({ min: 1, max: 3 }),
  step: fc.constantFrom(hourMs, 600_000, 60_000, 10_000),
  groupOf: fc.constantFrom([0, 0, 0, 0], [0, 1, 0, 1], [3, 2, 1, 0]),
  committed: fc.tuple(fc.nat({ max: 6 }), fc.nat({ max: 6 })),
});

function mergeTests(start: Start): void {
  describe('what it holds', () => {
    test('states and points together are all that was flushed at or below the vector, each point once', async () => {
      await fc.assert(
        fc.asyncProperty(fc.array(randomFlush, { maxLength: 6 }), rangeAndGroups, async (flushes, wanted) => {
          const b = await start();
          for (const flush of flushes) await b.put(pointsOf(flush), rowsOf(flush));
          const visible = wanted.committed.map((count) => count * 10);
          const seen = flushes.filter((_, i) => b.blocks[i]!.to <= visible[b.blocks[i]!.partition]!);
          const { step, groupOf } = wanted;
          const from = monday + wanted.fromHour * hourMs;
          const range = { from, to: from + wanted.hours * hourMs, step };
          const usable = allResolutions.filter((res) => step % res === 0);
          const states = await b.states(range, groupOf, { at: visible, resolutions: usable });
          const buckets = Array.from({ length: (range.to - from) / step + 1 }, (_, i) => from + i * step);
          const stated = seen.filter(({ stateRes }) => usable.includes(stateRes)).flatMap(pointsOf);
          const cells = naive(stated, groupOf, buckets);
          expectCells(states!, cells);
          const parts = { ...nothing, scalar: true };
          expectSums((await b.states(range, groupOf, { at: visible, resolutions: usable, parts }))!, cells);
          const points = await b.points({
            at: visible,
            series: BigUint64Array.from([0, 1, 2, 3], seriesId),
            from,
            to: range.to,
            statedAt: allResolutions.filter((res) => !usable.includes(res) && res > 10_000),
          });
          const sparse = seen.filter(({ stateRes }) => !usable.includes(stateRes)).flatMap(pointsOf);
          expect(points).toEqual(
            expected(sparse.filter(({ timestamp }) => timestamp >= from && timestamp < range.to)),
          );
        }),
        { numRuns: 150 },
      );
    });

    test('sketches of flushes add up, and lie in the rows of the numbers', async () => {
      await fc.assert(
        fc.asyncProperty(fc.array(randomFlush, { minLength: 1, maxLength: 5 }), async (flushes) => {
          const b = await start();
          for (const flush of flushes) await b.put(pointsOf(flush), rowsOf(flush));
          const parts = { ...nothing, scalar: true, quantiles: true, uniques: true };
          const range = { from: monday, to: monday + 3 * hourMs, step: 3 * hourMs };
          const states = (await b.states(range, [0, 1, 2, 3], { parts }))!;
          const all = flushes.flatMap(pointsOf);
          expect(new Set(states.group)).toEqual(new Set(all.map(({ series }) => series)));
          expect(new Set(states.group).size).toBe(states.length);
          for (let i = 0; i < states.length; i++) {
            const mine = all.filter(({ series }) => series === states.group[i]);
            expect(states.count[i]).toBe(mine.length);
            expect(pairs(states.ddOffsets, states.ddIndex, states.ddCount, i)).toEqual(sketchOf(mine));
            expect(pairs(states.hllOffsets, states.hllRegister, states.hllRank, i)).toEqual(
              registersOf(mine),
            );
          }
        }),
        { numRuns: 60 },
      );
    });

    test('a counter grows from flush to flush in time order; rows that overlap and merged series have no growth', async () => {
      const b = await start();
      const parts = { ...nothing, growth: true };
      const growth = async (groupOf: readonly number[]) => {
        const states = (await b.states(oneHour, groupOf, { parts }))!;
        return new Map(Array.from(states.group, (group, i) => [group, states.growth[i]!]));
      };
      await b.put([at(0, monday, 10), at(0, monday + 500, 14), at(1, monday, 5)]);
      await b.put([at(0, monday + 40_000, 3), at(0, monday + 41_000, 4), at(1, monday + 60_000, 9)]);
      // Late, but between two rows: they still chain.
      await b.put([at(0, monday + 20_000, 20)]);
      expect(await growth([0, 1])).toEqual(
        new Map([
          [0, growthOf([10, 14, 20, 3, 4])],
          [1, 4],
        ]),
      );
      expect([...(await growth([0, 0])).values()]).toEqual([Number.NaN]);
      await b.put([at(0, monday + 40_500, 100)]);
      const late = await growth([0, 1]);
      expect(late.get(0)).toBeNaN();
      expect(late.get(1)).toBe(4);
    });

    test('a counter whose flushes share a timestamp is followed by value there', async () => {
      const b = await start();
      const meeting = monday + 5000;
      await b.put([at(0, meeting, 7), at(0, meeting + 1000, 9), at(1, meeting, 3), at(1, meeting, 8)]);
      // Series 0 chains in (time, value) order, meeting once in the very same point; series 1 lies between two points.
      await b.put([at(0, monday, 1), at(0, meeting, 7), at(1, meeting, 5)]);
      await b.put([at(0, meeting, 7)]);
      const states = (await b.states(oneHour, [0, 1], { parts: { ...nothing, growth: true } }))!;
      const growth = new Map(Array.from(states.group, (group, i) => [group, states.growth[i]!]));
      expect(growth.get(0)).toBe(growthOf([1, 7, 7, 7, 9]));
      expect(growth.get(1)).toBeNaN();
    });

    test('what only the sketches know has no count and no numbers', async () => {
      const b = await start();
      await b.put([at(0, monday, 1)], { stateRes: hourMs });
      const parts = { ...scalarAndEnds, quantiles: true };
      const states = (await b.states(oneHour, [0], { parts, resolutions: [60_000] }))!;
      expect([states.length, states.count[0], states.ddCount[0]]).toEqual([1, 0, 1]);
      expect([states.sum[0], states.max[0], states.first[0], states.lastAt[0]]).toEqual(
        Array(4).fill(Number.NaN),
      );
    });

    test('records come with their texts', async () => {
      const b = await start();
      const points = [
        at(0, monday, 1, { receivedAt: 7, dataId: 'd', actor: 'a', message: 'm' }),
        at(0, monday + 1, 2, { receivedAt: 8 }),
      ];
      await b.put(points, { stateRes: 60_000 });
      const found = await b.store.readPoints({
        at: b.at,
        tenant: 'acme',
        metric: 'load',
        series: BigUint64Array.of(seriesId(0)),
        from: monday,
        to: monday + 10,
        statedAt: [60_000],
        records: true,
        limits,
      });
      expect(found).toMatchObject({
        dataIds: ['d', undefined],
        actors: ['a', undefined],
        messages: ['m', undefined],
      });
      expect([...found!.receivedAt]).toEqual([7, 8]);
    });

    test('tenants and metrics do not see each other, whatever ids they ask for', async () => {
      const b = await start();
      await b.put([at(0, monday, 1)], { stateRes: 60_000 });
      for (const other of [{ tenant: 'other' }, { metric: 'other' }]) {
        expect((await b.states(oneHour, [0], other))!.length).toBe(0);
        expect(await b.points(other)).toEqual([]);
      }
    });

    test('the block that was put may change afterwards', async () => {
      const b = await start();
      const block = await b.put([at(0, monday, 1)], { stateRes: 60_000 });
      block.states.sum.fill(99);
      block.chunks.values.fill(99);
      expect([...(await b.states(oneHour, [0]))!.sum]).toEqual([1]);
      expect(await b.points()).toEqual(expected([at(0, monday, 1)]));
    });

    test('a signal that has fired ends a read as cancelled', async () => {
      const b = await start();
      const cancelled = { limits: { ...limits, signal: AbortSignal.abort() } };
      await expect(b.states(oneHour, [0], cancelled)).rejects.toMatchObject({ code: 'request.cancelled' });
      await expect(b.points(cancelled)).rejects.toMatchObject({ code: 'request.cancelled' });
    });
  });
}

function reachTests(harness: HotStoreHarness, start: Start): void {
  describe('how far it reaches', () => {
    test('it answers nothing before it was told what it does not hold', async () => {
      const b = new HotBench(await harness.create({ budgetRows: 100, keepMs: 1e12 }));
      await b.put([at(0, monday, 1)]);
      expect(b.store.reach(0)).toBe(Number.POSITIVE_INFINITY);
      b.store.begin(0, never);
      expect(await b.states(oneHour, [0])).toBeUndefined();
      b.store.begin(1, never);
      expect([...(await b.states(oneHour, [0]))!.count]).toEqual([1]);
    });

    test('a range that begins at or before what is missing in any partition is not answered', async () => {
      const b = await start();
      b.store.begin(1, monday);
      await b.put([at(0, monday + 60_000, 1)], { stateRes: 60_000 });
      expect(await b.states(oneHour, [0])).toBeUndefined();
      expect(await b.points()).toBeUndefined();
      const later = { from: monday + 60_000, to: monday + hourMs };
      expect((await b.states({ ...later, step: 60_000 }, [0]))!.length).toBe(1);
      expect(await b.points(later)).toHaveLength(1);
    });

    test('points that it cannot all hold are not answered', async () => {
      const b = await start();
      await b.put([at(0, monday, 1)], { stateRes: hourMs, sketchRes: hourMs });
      expect(await b.points({ statedAt: [10_000, 60_000] })).toBeUndefined();
      expect(await b.points({ statedAt: [60_000, hourMs], bySketch: true })).toBeUndefined();
      expect(await b.points({ page: { limit: 1, order: 'asc' } })).toBeUndefined();
      expect(await b.points({ statedAt: [hourMs], bySketch: true })).toHaveLength(1);
    });

    test('beyond the budget the oldest flushes go, and the reach rises to their newest point', async () => {
      await fc.assert(
        fc.asyncProperty(
          fc.array(randomFlush, { minLength: 1, maxLength: 8 }),
          fc.nat({ max: 80 }),
          async (flushes, budgetRows) => {
            const b = await start({ budgetRows });
            const reach = Array.from({ length: partitions }, () => never);
            for (const flush of flushes) {
              await b.put(pointsOf(flush), rowsOf(flush));
              for (const [partition, before] of reach.entries())
                expect(b.store.reach(partition)).toBeGreaterThanOrEqual(before);
              reach.forEach((_, partition) => (reach[partition] = b.store.reach(partition)));
            }
            expect(b.store.stats().stateRows).toBeLessThanOrEqual(budgetRows);
            const from = Math.max(monday, Math.floor(Math.max(...reach) / 10_000 + 1) * 10_000);
            const range = { from, to: monday + 4 * hourMs, step: 10_000 };
            const states = await b.states(range, [0, 1, 2, 3], { resolutions: [10_000] });
            const stated = flushes.filter(({ stateRes }) => stateRes === 10_000).flatMap(pointsOf);
            const buckets = Array.from(
              { length: (range.to - from) / 10_000 + 1 },
              (_, i) => from + i * 10_000,
            );
            expectCells(states!, naive(stated, [0, 1, 2, 3], buckets));
            if (from > monday)
              expect(
                await b.states({ ...range, from: monday }, [0], { resolutions: [10_000] }),
              ).toBeUndefined();
          },
        ),
        { numRuns: 100 },
      );
    });

    test('a flush larger than the budget is not held and counts as dropped', async () => {
      const b = await start({ budgetRows: 4 });
      await b.put(Array.from({ length: 5 }, (_, i) => at(0, monday + i * 60_000, i)));
      expect(b.store.reach(0)).toBe(monday + 240_000);
      expect(b.store.reach(1)).toBe(never);
      expect(b.store.stats()).toMatchObject({ blocks: 0, stateRows: 0, bytes: 0 });
    });

    test('flushes leave by age, by the times of receipt in the log', async () => {
      const b = await start({ keepMs: 15 });
      for (let i = 0; i < 3; i++) await b.put([at(0, monday + i, i)]);
      expect(b.store.reach(0)).toBe(monday);
      expect(b.store.stats()).toMatchObject({ blocks: 2, stateRows: 2 });
    });

    test('the same flush again changes nothing', async () => {
      const b = await start();
      const block = await b.put([at(0, monday, 1)]);
      await b.store.put(block);
      expect([...(await b.states(oneHour, [0]))!.count]).toEqual([1]);
      expect(b.store.stats().blocks).toBe(1);
    });

    test('reads that were answered and that were not are counted', async () => {
      const b = await start();
      await b.put([at(0, monday, 1)]);
      await b.states(oneHour, [0]);
      b.store.begin(1, monday);
      await b.states(oneHour, [0]);
      await b.points();
      expect(b.store.stats()).toMatchObject({ answered: 1, declined: 2 });
    });
  });
}

function pairs(
  offsets: Uint32Array,
  first: ArrayLike<number>,
  second: ArrayLike<number>,
  row: number,
): (readonly [number, number])[] {
  const found: [number, number][] = [];
  for (let i = offsets[row]!; i < offsets[row + 1]!; i++) found.push([first[i]!, second[i]!]);
  return found.sort(([a], [b]) => a - b);
}
