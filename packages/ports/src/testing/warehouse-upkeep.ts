import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { OffsetVector } from '../event-log.ts';
import type { StateColumns, StatesRequest } from '../warehouse.ts';
import {
  at,
  Bench,
  bitsOf,
  dayMs,
  expected,
  forEver,
  hourMs,
  monday,
  nothing,
  scalarAndEnds,
  shown,
  type Reopen,
} from './warehouse-bench.ts';
import { registersOf, sketchOf } from './warehouse-blocks.ts';
import { expectCells, naive, sketchesOf } from './naive-states.ts';

/** An answer as comparable text: growth and sums included, row order not. */
function canonical(states: StateColumns): string[] {
  return Array.from(states.group, (group, i) =>
    [
      group,
      states.bucket[i],
      states.count[i],
      states.sum[i]!.toPrecision(12),
      states.min[i],
      states.max[i],
      states.first[i],
      states.firstAt[i],
      states.last[i],
      states.lastAt[i],
      states.growth[i]?.toPrecision(12),
    ].join(' '),
  ).sort();
}

export function upkeepTests(bench: () => Bench, reopen: Reopen): void {
  describe('upkeep', () => {
    const groupOf = [0, 1, 2];
    const growing = { parts: { ...scalarAndEnds, growth: true } };
    /** Answers at several steps, from fine rows alone and with whatever is derived. */
    const answers = async (b: Bench, lateRows = 0, request: Partial<StatesRequest> = {}) => {
      const ranges = [
        { from: monday, to: monday + 2 * dayMs, step: hourMs },
        { from: monday, to: monday + 2 * dayMs, step: dayMs },
        { from: monday + 30 * 60_000, to: monday + 30.5 * hourMs, step: 15 * hourMs },
      ];
      return Promise.all(
        ranges.map(async (range) => {
          const fine = canonical(
            await b.readStates(range, groupOf, { ...growing, ...request, coarse: false }),
          );
          const derived = canonical(await b.readStates(range, groupOf, { ...growing, ...request }));
          // Beside a derived row, a late one may overlap it where it would not have overlapped the fine ones.
          const known = (row: string, i: number) =>
            derived[i]!.endsWith(' NaN') ? row.replace(/ \S+$/, ' NaN') : row;
          expect(derived).toEqual(fine.map(known));
          expect(derived.filter((row) => row.endsWith(' NaN')).length).toBeLessThanOrEqual(lateRows);
          return fine;
        }),
      );
    };
    const spread = (count: number, from: number, to: number) =>
      Array.from({ length: count }, (_, i) =>
        at(i % 3, from + Math.floor((i * (to - from)) / count), (i * 7) % 100),
      );

    test('derived hours and days answer as the fine rows do, with late points beside them and folded in', async () => {
      const b = bench();
      await b.store(spread(400, monday, monday + 26 * hourMs));
      await b.store(spread(200, monday + 26 * hourMs, monday + 40 * hourMs), {
        stateRes: 60_000,
        sketchRes: hourMs,
      });
      const before = await answers(b);
      expect(await b.maintain(monday + 40 * hourMs)).toBeGreaterThan(20);
      expect(await answers(b)).toEqual(before);

      const pinned = b.at;
      await b.store([at(0, monday + 5.5 * hourMs, 1e6), at(1, monday + 30.2 * hourMs, -1e6)]);
      const withLate = await answers(b, 2);
      expect(withLate).not.toEqual(before);
      expect(await answers(b, 0, { at: pinned })).toEqual(before);

      expect(await b.maintain(monday + 50 * hourMs, { pinned: [pinned] })).toBeGreaterThan(0);
      expect(await answers(b)).toEqual(withLate);
      expect(await answers(b, 0, { at: pinned })).toEqual(before);
      await reopen('crash');
      expect(await answers(b)).toEqual(withLate);
      expect(await answers(b, 0, { at: pinned })).toEqual(before);
      await b.maintain(monday + 60 * hourMs);
      await reopen('close');
      expect(await answers(b)).toEqual(withLate);
    });

    test('a day whose first hours are empty is counted once, wherever buckets end and whatever came late', async () => {
      const b = bench();
      // Three days of a shop that is open from eight to twelve.
      const first = monday - 60 * dayMs;
      const opened = Array.from({ length: 3 * 4 }, (_, i) =>
        at(i % 3, first + Math.floor(i / 4) * dayMs + (8 + (i % 4)) * hourMs, i),
      );
      await b.store(opened);
      await b.maintain(first + 4 * dayMs);
      const expectExact = async () => {
        for (const [fromHours, stepHours, count] of [
          [0, 24, 3],
          // Whole days as Berlin has them, a bucket of several days that ends within one, days and a half.
          [-1, 24, 3],
          [-1, 48, 2],
          [0, 36, 2],
        ] as const) {
          const from = first + fromHours * hourMs;
          const step = stepHours * hourMs;
          const buckets = Array.from({ length: count + 1 }, (_, i) => from + i * step);
          const states = await b.readStates({ from, to: from + count * step, step }, groupOf);
          expectCells(states, naive(b.points, groupOf, buckets));
        }
      };
      await expectExact();
      await b.store([at(0, first + dayMs + 10 * hourMs, 1000)]);
      await expectExact();
      // The hour is derived again, and the day not yet.
      const request = { at: b.at, now: first + 5 * dayMs, lateMs: 60_000, retention: forEver };
      expect(await b.warehouse.maintain(request)).toBe(true);
      await expectExact();
      await b.maintain(first + 6 * dayMs);
      await expectExact();
    });

    test('derived rows answer as the points do, whatever hours are empty, sealed, late or not', async () => {
      const b = bench();
      const spot = fc.record({
        series: fc.nat({ max: 2 }),
        day: fc.nat({ max: 2 }),
        hour: fc.constantFrom(0, 8, 9, 23),
        offsetMs: fc.nat({ max: hourMs - 1 }),
        value: fc.integer({ min: -50, max: 50 }),
      });
      const event = fc.oneof(
        fc.record({
          spots: fc.array(spot, { minLength: 1, maxLength: 8 }),
          partition: fc.nat({ max: 2 }),
          isOther: fc.boolean(),
        }),
        fc.record({ pieces: fc.constantFrom(2, 5, 40) }),
      );
      const question = fc.record({
        fromHours: fc.integer({ min: -25, max: 30 }),
        stepHours: fc.constantFrom(5, 24, 36, 48),
        count: fc.integer({ min: 1, max: 3 }),
      });
      // Upkeep is for all metrics and takes the oldest first: each run has days of its own, before those of all others.
      let first = monday - 100 * dayMs;
      const property = fc.asyncProperty(
        fc.array(event, { minLength: 3, maxLength: 7 }),
        fc.array(question, { minLength: 4, maxLength: 4 }),
        async (events, questions) => {
          first -= 10 * dayMs;
          const [mine, other] = ['', ' other'].map(
            (name) => new Bench(() => b.warehouse, `${b.metric} ${first}${name}`),
          );
          let now = first + 5 * dayMs;
          for (const next of events) {
            now += 2 * hourMs;
            if ('spots' in next) {
              const points = next.spots.map(({ series, day, hour, offsetMs, value }) =>
                at(series, first + day * dayMs + hour * hourMs + offsetMs, value),
              );
              await (next.isOther ? other! : mine!).store(points, { partition: next.partition });
              continue;
            }
            const request = { at: b.at, now, lateMs: 60_000, retention: forEver };
            for (let i = 0; i < next.pieces; i++) if (!(await b.warehouse.maintain(request))) break;
          }
          for (const { fromHours, stepHours, count } of questions) {
            const from = first + fromHours * hourMs;
            const step = stepHours * hourMs;
            const buckets = Array.from({ length: count + 1 }, (_, i) => from + i * step);
            const states = await mine!.readStates({ from, to: from + count * step, step }, groupOf);
            expectCells(states, naive(mine!.points, groupOf, buckets));
          }
        },
      );
      await fc.assert(property, { numRuns: 10, endOnFailure: true });
    });

    test('derived sketches answer as the fine ones do', async () => {
      const b = bench();
      const points = spread(300, monday, monday + 25 * hourMs).map((point, i) => ({
        ...point,
        actor: `u${i % 40}`,
      }));
      await b.store(points);
      const sketches = async (coarse: boolean) => {
        const parts = { ...nothing, quantiles: true, uniques: true };
        const states = await b.readStates({ from: monday, to: monday + 2 * dayMs, step: dayMs }, [0, 0, 0], {
          parts,
          coarse,
        });
        const index = Array.from(states.bucket.toSorted());
        return [
          index,
          states.ddCount.reduce((sum, n) => sum + n, 0),
          states.hllRegister.length,
          states.hllRank.reduce((sum, n) => sum + n, 0),
        ];
      };
      const before = await sketches(false);
      await b.maintain(monday + 3 * dayMs);
      expect(await sketches(true)).toEqual(before);
    });

    test('short chunks of a closed day become long ones and say the same, also to a pinned reader', async () => {
      const b = bench();
      const batches = Array.from({ length: 30 }, (_, k) =>
        Array.from({ length: 6 }, (_, i) =>
          // Interleaved in time with the flush before it, and tied with it now and then.
          at(
            i % 3,
            monday + k * 60_000 + ((i * 41) % 7) * 10_000,
            k + i / 8,
            i === 0 ? { message: `k${k}`, receivedAt: k } : { receivedAt: k },
          ),
        ),
      );
      for (const batch of batches) await b.store(batch);
      const records = async (at: OffsetVector = b.at) => {
        const found = await b.readPoints({ at, records: true, page: { limit: 10_000, order: 'asc' } });
        return Array.from(found.values, (value, i) =>
          [
            found.series[i],
            found.timestamps[i],
            bitsOf(value),
            found.receivedAt[i],
            found.messages?.[i],
          ].join(' '),
        );
      };
      const before = await records();
      const pinned = b.at;
      await b.maintain(monday + 3 * dayMs, { pinned: [pinned.map((offset) => offset - 1)] });
      expect(await records()).toEqual(before);
      await b.store([at(0, monday + 7, 99)]);
      expect(await records(pinned)).toEqual(before);
      expect(await records()).toHaveLength(before.length + 1);
      await reopen('crash');
      expect(await records(pinned)).toEqual(before);
      await b.maintain(monday + 4 * dayMs);
      expect(await records(pinned)).toEqual(before);
      expect(await records()).toHaveLength(before.length + 1);
    });

    test('long chunks of a day whose short ones were joined stay where they are', async () => {
      const b = bench();
      const day = monday + 15 * dayMs;
      await b.store(Array.from({ length: 300 }, (_, i) => at(0, day + i * 1000, i)));
      for (let k = 0; k < 30; k++) await b.store([at(0, day + k * 60_000 + 7, k)]);
      const before = shown(await b.readPoints());
      expect(before).toHaveLength(330);
      // A reader below it keeps what was joined from being deleted.
      expect(await b.maintain(day + 3 * dayMs, { pinned: [[0, 0, 0]] })).toBeGreaterThan(0);
      expect(shown(await b.readPoints())).toEqual(before);
      await b.maintain(day + 4 * dayMs);
      expect(shown(await b.readPoints())).toEqual(before);
    });

    test('a reader from before chunks were joined sees each point once, those that lie on the next day too', async () => {
      const b = bench();
      const day = monday + 18 * dayMs;
      const night = day + 22 * hourMs;
      const points = Array.from({ length: 12 * 190 }, (_, i) => at(0, night + i * 4000, i));
      for (let k = 0; k < 12; k++) await b.store(points.filter((_, i) => i % 12 === k));
      const pinned = b.at;
      await b.store([at(0, night - 1, -1)]);
      expect(await b.maintain(day + 4 * dayMs, { pinned: [pinned] })).toBeGreaterThan(0);
      expect(shown(await b.readPoints({ at: pinned }))).toEqual(expected(points));
      expect(shown(await b.readPoints())).toEqual(expected([...points, at(0, night - 1, -1)]));
    });

    test('what joined chunks hold of the next day is found there', async () => {
      const b = bench();
      // A day of its own: days are compacted whole.
      const day = monday + 14 * dayMs;
      for (let k = 0; k < 30; k++) await b.store([at(0, day + k * 60_000, k)]);
      const evening = day + dayMs - 60_000;
      await b.store([at(0, evening, 100), at(0, evening + dayMs / 2, 101)]);
      const afternoon = async () => shown(await b.readPoints({ from: evening + dayMs / 2 - 1000 }));
      const before = await afternoon();
      expect(before).toHaveLength(1);
      expect(await b.maintain(day + 4 * dayMs)).toBeGreaterThan(0);
      expect(await afternoon()).toEqual(before);
      await reopen('crash');
      expect(await afternoon()).toEqual(before);
      // By now what was stored is known anew.
      await b.maintain(day + 4 * dayMs);
      expect(await afternoon()).toEqual(before);
    });
  });
}

/** Fine rows go after three weeks, derived ones stay. */
const trimmed = new Map([['', { rawMs: Infinity, fineMs: 21 * dayMs, coarseMs: Infinity }]]);

export function retentionTests(bench: () => Bench): void {
  describe('retention', () => {
    test('what every tenant has kept long enough is gone, what one keeps longer stays, coarse states outlive points', async () => {
      const b = bench();
      const old = monday - 8 * 7 * dayMs;
      // Two flushes: a chunk is kept as long as its newest point.
      await b.store([at(0, old, 1)]);
      await b.store([at(0, monday, 2)]);
      await b.store([at(0, old, 3)], { tenant: 'keeper' });
      const sums = async (tenant: string) => {
        const range = { from: old, to: monday + dayMs, step: monday + dayMs - old };
        const states = await b.readStates(range, [0], { tenant, parts: { ...nothing, scalar: true } });
        const fine = await b.readStates(range, [0], {
          tenant,
          parts: { ...nothing, scalar: true },
          coarse: false,
        });
        const raw = (await b.readPoints({ tenant }, [0])).values;
        return { coarse: [...states.sum], fine: [...fine.sum], raw: Array.from(raw.toSorted()) };
      };
      const week = 7 * dayMs;
      const retention = new Map([
        ['', { rawMs: 2 * week, fineMs: 3 * week, coarseMs: 400 * week }],
        ['keeper', { rawMs: 400 * week, fineMs: 3 * week, coarseMs: 400 * week }],
      ]);
      await b.maintain(monday + 6 * dayMs, { retention });
      expect(await sums('acme')).toEqual({ coarse: [3], fine: [2], raw: [2] });
      expect(await sums('keeper')).toEqual({ coarse: [3], fine: [], raw: [3] });
    });

    test('quantiles and distinct actors outlive the fine rows they were derived from', async () => {
      const b = bench();
      const old = monday - 12 * 7 * dayMs;
      const points = Array.from({ length: 90 }, (_, i) =>
        at(i % 3, old + i * 30 * 60_000, (i * 37) % 101, { actor: `u${(i * 7) % 40}` }),
      );
      await b.store(points);
      const range = { from: old, to: old + 2 * dayMs, step: dayMs };
      const ask = (request: Partial<StatesRequest>) =>
        b.readStates(range, [0, 0, 0], {
          parts: { ...nothing, quantiles: true, uniques: true },
          resolutions: [60_000, hourMs],
          ...request,
        });
      await b.maintain(monday + 6 * dayMs + 2 * hourMs, { retention: trimmed });
      expect((await ask({ coarse: false })).length).toBe(0);
      const states = await ask({});
      expect(Array.from(states.bucket.toSorted())).toEqual([0, 1]);
      for (let i = 0; i < states.length; i++) {
        const day = points.filter((one) => Math.floor((one.timestamp - old) / dayMs) === states.bucket[i]);
        expect(sketchesOf(states, i)).toEqual({ dd: sketchOf(day), hll: registersOf(day) });
      }
    });

    test('what is trimmed is answered in full while later points wait to be folded in, however many hours of them', async () => {
      const b = bench();
      const other = new Bench(() => b.warehouse, `${b.metric} other`);
      const old = monday - 60 * 7 * dayMs;
      // Three hours of each day are sealed with it; later all of its hours have points.
      const hours = Array.from({ length: 72 }, (_, i) => old + i * hourMs);
      const groupOf = [0, 1, 2];
      const expectExact = async () => {
        for (const [step, count] of [
          [dayMs, 3],
          [8 * hourMs, 9],
        ] as const) {
          const range = { from: old, to: old + 3 * dayMs, step };
          const buckets = Array.from({ length: count + 1 }, (_, i) => old + i * step);
          for (const one of [b, other])
            expectCells(await one.readStates(range, groupOf), naive(one.points, groupOf, buckets));
        }
      };
      for (const [partition, series] of [0, 1].entries())
        await b.store(
          hours.filter((_, i) => i % 8 === 7).map((hour, i) => at(series, hour + 1000, i)),
          { partition },
        );
      await b.maintain(monday + 6 * dayMs + 4 * hourMs, { retention: trimmed });
      const whole = { from: old, to: old + 3 * dayMs, step: 3 * dayMs };
      expect((await b.readStates(whole, [0, 0], { coarse: false })).length).toBe(0);
      const sealed = b.at;
      await expectExact();
      // Another metric's past is sent, and a little more of the first one's, through more partitions than before.
      await other.store(
        hours.map((hour) => at(2, hour + 2000, 5)),
        { partition: 1 },
      );
      await b.store(
        hours.filter((_, i) => i % 3 === 0).map((hour) => at(0, hour + 3000, -1)),
        { partition: 2 },
      );
      await expectExact();
      const before = await b.readStates(whole, [0, 0, 0], { at: sealed });
      expect([...before.count]).toEqual([18]);
    });
  });
}
