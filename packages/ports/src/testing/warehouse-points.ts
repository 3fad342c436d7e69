import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { PointsRequest } from '../warehouse.ts';
import { at, Bench, dayMs, expected, hourMs, limits, monday, shown } from './warehouse-bench.ts';

/** Single points and pages of them. */
export function pointsTests(bench: () => Bench): void {
  describe('points', () => {
    test('a range is cut to the millisecond and below, its end excluded', async () => {
      const b = bench();
      const points = Array.from({ length: 50 }, (_, i) => at(0, monday + i / 4, i));
      await b.store(points);
      const found = await b.readPoints({ from: monday + 1, to: monday + 2.5 });
      expect(shown(found)).toEqual(expected(points.slice(4, 10)));
    });

    test('a page holds the newest or the oldest points, in order, whatever chunks they lie in', async () => {
      const b = bench();
      const points = Array.from({ length: 60 }, (_, i) => at(i % 3, monday + ((i * 37) % 60) * 100, i));
      for (let i = 0; i < 60; i += 15) await b.store(points.slice(i, i + 15));
      const byTime = [...points].sort((x, y) => x.timestamp - y.timestamp).map(({ value }) => value);
      const page = async (order: 'asc' | 'desc', limit: number, range: Partial<PointsRequest> = {}) => [
        ...(await b.readPoints({ ...range, page: { limit, order } })).values,
      ];
      expect(await page('asc', 7)).toEqual(byTime.slice(0, 7));
      expect(await page('desc', 7)).toEqual(byTime.toReversed().slice(0, 7));
      expect(await page('desc', 100)).toEqual(byTime.toReversed());
      expect(await page('asc', 5, { from: monday + 2000 })).toEqual(byTime.slice(20, 25));
      expect(await page('desc', 5, { to: monday + 2000 })).toEqual(byTime.slice(15, 20).toReversed());
    });

    test('a page is what sorting everything gives, however points share times, chunks and flushes', async () => {
      const b = bench();
      const point = fc.record({
        series: fc.nat({ max: 2 }),
        // Close together and far apart: a page may end within the last second or go back over weeks.
        ago: fc.oneof(
          fc.nat({ max: 4 }),
          fc.nat({ max: 2_000 }).map((seconds) => seconds * 1000 + 0.25),
          fc.nat({ max: 40 }).map((days) => days * dayMs),
        ),
        value: fc.nat({ max: 5 }),
      });
      const flushes = fc.array(fc.array(point, { minLength: 1, maxLength: 30 }), {
        minLength: 1,
        maxLength: 3,
      });
      const wanted = fc.record({
        order: fc.constantFrom('asc' as const, 'desc' as const),
        limit: fc.integer({ min: 1, max: 40 }),
        from: fc.constantFrom(0, monday - 30 * dayMs, monday - 1_000_000),
        to: fc.constantFrom(1e14, monday, monday - 2, monday - 500_000.5),
      });
      let found = 0;
      const property = fc.asyncProperty(
        flushes,
        fc.array(wanted, { minLength: 3, maxLength: 3 }),
        async (all, questions) => {
          const fresh = new Bench(() => b.warehouse, `${b.metric} ${found++}`);
          for (const points of all)
            await fresh.store(points.map(({ series, ago, value }) => at(series, monday - ago, value)));
          for (const { order, limit, from, to } of questions) {
            const sign = order === 'asc' ? 1 : -1;
            const inRange = fresh.points
              .filter(({ timestamp }) => timestamp >= from && timestamp < to)
              .sort((x, y) => sign * (x.timestamp - y.timestamp || x.value - y.value));
            const edge = inRange[limit - 1]?.timestamp;
            const most =
              edge === undefined ? inRange.length : inRange.findLastIndex((x) => x.timestamp === edge) + 1;
            const page = await fresh.readPoints({ from, to, page: { order, limit } });
            const rows = Array.from(page.timestamps, (time, i) => [time, page.values[i]]);
            expect(rows).toEqual(inRange.slice(0, most).map(({ timestamp, value }) => [timestamp, value]));
            expect(shown(page)).toEqual(expected(inRange.slice(0, most)));
          }
        },
      );
      await fc.assert(property, { numRuns: 12 });
      expect(found).toBeGreaterThan(0);
    });

    test('equal times are ordered by value, whatever partition and flush they came with', async () => {
      const b = bench();
      await b.store([at(1, monday, 1)], { partition: 1 });
      await b.store([at(0, monday, 3)], { partition: 0 });
      await b.store([at(0, monday, -2)], { partition: 0 });
      const found = await b.readPoints({ page: { limit: 10, order: 'asc' } });
      expect([...found.values]).toEqual([-2, 1, 3]);
      const states = await b.readStates({ from: monday, to: monday + hourMs, step: hourMs }, [0, 0]);
      expect([states.first[0], states.last[0]]).toEqual([-2, 3]);
      expect([states.firstAt[0], states.lastAt[0]]).toEqual([monday, monday]);
    });

    test('each point has its time of receipt, however many came together, joined or not, in any cut', async () => {
      const b = bench();
      const batches = fc.array(
        fc.record({
          points: fc.oneof(fc.constant(1), fc.integer({ min: 2, max: 30 })),
          later: fc.constantFrom(-5000, 0, 0.5, 1, 20, 1000, 2 ** 31 - 2),
        }),
        { minLength: 1, maxLength: 12 },
      );
      // Upkeep is for all metrics: other tests' days are left alone.
      const day = monday - 100 * dayMs;
      let found = 0;
      const property = fc.asyncProperty(
        fc.array(batches, { minLength: 1, maxLength: 3 }),
        fc.nat(),
        fc.nat(),
        fc.boolean(),
        async (flushes, a, z, isJoined) => {
          const fresh = new Bench(() => b.warehouse, `${b.metric} receipts ${found++}`);
          let [i, receivedAt] = [0, day];
          for (const flush of flushes) {
            const stored = flush.flatMap(({ points, later }) => {
              receivedAt += later;
              return Array.from({ length: points }, () => at(0, day + i * 10, i++, { receivedAt }));
            });
            await fresh.store(stored);
          }
          if (isJoined) await fresh.maintain(day + 3 * dayMs);
          const [from, to] = [Math.min(a % i, z % i), Math.max(a % i, z % i) + 1];
          const page = await fresh.readPoints({
            from: day + from * 10,
            to: day + to * 10,
            records: true,
          });
          const byValue = Array.from(page.values, (value, k) => [value, page.receivedAt[k]]);
          byValue.sort((x, y) => x[0]! - y[0]!);
          expect(byValue).toEqual(
            fresh.points.slice(from, to).map((point) => [point.value, Math.round(point.receivedAt!)]),
          );
        },
      );
      await fc.assert(property, { numRuns: 20 });
      expect(found).toBeGreaterThan(0);
    });

    test('a signal that fires ends the call as cancelled', async () => {
      const b = bench();
      await b.store([at(0, monday, 1)]);
      const controller = new AbortController();
      const read = b.readPoints({ limits: { ...limits, signal: controller.signal } });
      controller.abort();
      await expect(read).rejects.toMatchObject({ code: 'request.cancelled' });
      await expect(
        b.readPoints({ limits: { ...limits, signal: AbortSignal.abort() } }),
      ).rejects.toMatchObject({
        code: 'request.cancelled',
      });
    });
  });
}
