import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createEmbeddedWarehouse } from '@nowcast/adapter-clickhouse';
import { MemoryHotStore } from '@nowcast/adapter-memory';
import { normaliseQuery } from '@nowcast/aggregate';
import { differences, evaluate, type ReferencePoint } from '@nowcast/aggregate/testing';
import { type PointRecord, querySchema } from '@nowcast/contract';
import { ManualClock, systemClock } from '@nowcast/kernel';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { QueryService } from './index.ts';
import { JoinBench, partitions } from './testing/join-bench.ts';

const hourMs = 3_600_000;
const isLong = process.env['NOWCAST_LONG'] === '1';
const forEver = { rawMs: Infinity, fineMs: Infinity };
const numRuns = isLong ? 200 : 14;
const timeoutMs = isLong ? 3_600_000 : 600_000;

let dir: string;
let bench: JoinBench;
/** Each run has an hour and a tenant of its own in one warehouse, because an engine takes a while to start. */
let hour = 1_789_948_800_000;
beforeAll(async () => {
  dir = mkdtempSync(join(tmpdir(), 'nowcast-ties-'));
  const warehouse = createEmbeddedWarehouse({ dir, clock: systemClock });
  await warehouse.run();
  bench = new JoinBench(warehouse, (budgetRows) => new MemoryHotStore({ budgetRows, keepMs: 1e15 }));
});
afterAll(async () => {
  await bench.warehouse.stop();
  rmSync(dir, { recursive: true, force: true, maxRetries: 20, retryDelay: 50 });
});

interface Arrival {
  point: ReferencePoint;
  receivedAt: number;
  /** Partition to flush after it, and whether the flushed points stay in memory. */
  flush: number | undefined;
  keep: boolean;
}

/** Few times, few values, few receipts: nearly everything is tied with something. */
const arrival = fc.record({
  series: fc.nat({ max: 4 }),
  offsetMs: fc.constantFrom(0, 0.25, 1, 1, 1, 10_000),
  value: fc.integer({ min: -2, max: 2 }),
  receivedAt: fc.nat({ max: 1 }),
  actor: fc.option(fc.constantFrom('anna', 'ben'), { nil: undefined, freq: 4 }),
  flush: fc.option(fc.nat({ max: partitions - 1 }), { nil: undefined, freq: 3 }),
  keep: fc.boolean(),
});
type RandomArrival = typeof arrival extends fc.Arbitrary<infer T> ? T : never;

function arrivalsOf(list: readonly RandomArrival[], tenant: string): Arrival[] {
  return list.map(({ series, offsetMs, value, receivedAt, actor, flush, keep }) => ({
    point: {
      series: { tenant, metric_type: 'm', source: '', labels: [['host', `h${series}`]] },
      timestamp: hour + offsetMs,
      value,
      actor,
    },
    receivedAt: hour + receivedAt,
    flush,
    keep,
  }));
}

async function arrive(arrivals: readonly Arrival[]): Promise<void> {
  for (const { point, receivedAt, flush, keep } of arrivals) {
    bench.append(point, receivedAt);
    if (flush !== undefined) await bench.flush(flush, keep);
  }
}

function begin(budgetRows: number): { service: QueryService; tenant: string } {
  hour += hourMs;
  bench.restartHot(budgetRows);
  const { index, head, hot, warehouse } = bench;
  const clock = new ManualClock(hour + 60_000);
  return {
    service: new QueryService({ index, head, hot, warm: undefined, warehouse, clock, retention: forEver }),
    tenant: `t${hour}`,
  };
}

const budget = fc.constantFrom(0, 1_000_000);

describe('points that share a timestamp', () => {
  const questions = ['first', 'last', 'increase'].flatMap((agg) =>
    [[], ['host']].map((groupBy) => ({ agg, group_by: groupBy })),
  );

  it(
    'have the same first, last and increase in the tail, the hot store and the warehouse',
    async () => {
      let answeredHot = 0;
      const property = fc.asyncProperty(
        fc.array(arrival, { minLength: 1, maxLength: 40 }),
        budget,
        async (list, budgetRows) => {
          const { service, tenant } = begin(budgetRows);
          const arrivals = arrivalsOf(list, tenant);
          await arrive(arrivals);
          const points = arrivals.map(({ point }) => point);
          for (const question of questions) {
            const input = { metric_type: 'm', from: hour, to: hour + 20_000, step: '10s', ...question };
            const query = querySchema.parse(input);
            const answer = await service.data(tenant, query);
            const lines = answer.series.map(({ labels, timestamp, value }) => ({
              labels,
              timestamps: timestamp,
              values: value,
            }));
            const expected = evaluate(points, normaliseQuery(query, hour + 60_000));
            expect(differences(lines, expected), JSON.stringify(question)).toEqual([]);
          }
          answeredHot += bench.hot.stats().answered;
        },
      );
      await fc.assert(property, { numRuns, seed: 7, endOnFailure: true });
      expect(answeredHot).toBeGreaterThan(0);
    },
    timeoutMs,
  );

  it(
    'are each on exactly one page under one name, whatever arrives and is flushed between two pages',
    async () => {
      let pages = 0;
      const property = fc.asyncProperty(
        fc.array(arrival, { minLength: 5, maxLength: 40 }),
        fc.array(arrival, { maxLength: 15 }),
        fc.constantFrom('asc' as const, 'desc' as const),
        fc.integer({ min: 1, max: 6 }),
        async (present, later, order, limit) => {
          const { service, tenant } = begin(0);
          const read = async (more: { limit: number; cursor?: string }) => {
            const input = { metric_type: 'm', agg: 'none', from: hour, to: hour + 20_000, order, ...more };
            const { points, cursor } = await service.data(tenant, querySchema.parse(input));
            return { records: points!, cursor };
          };
          await arrive(arrivalsOf(present, tenant));
          const before = (await read({ limit: 1000 })).records;
          expect(before).toHaveLength(present.length);
          const arriving = arrivalsOf(later, tenant);
          const seen: PointRecord[] = [];
          for (let cursor: string | undefined; ;) {
            const page = await read({ limit, ...(cursor === undefined ? {} : { cursor }) });
            seen.push(...page.records);
            pages++;
            ({ cursor } = page);
            if (cursor === undefined) break;
            await arrive(arriving.splice(0, 3));
          }
          await arrive(arriving);
          const after = (await read({ limit: 1000 })).records;
          expect(after).toHaveLength(present.length + later.length);
          const names = (records: readonly PointRecord[]) => records.map((record) => record.data_id);
          expect(new Set(names(after)).size).toBe(after.length);
          expect(new Set(names(seen)).size).toBe(seen.length);
          expect(names(before).filter((name) => !names(seen).includes(name))).toEqual([]);
          // The same record under the same name, and in the same order, then and now.
          const known = new Set(names(before));
          expect(after.filter((record) => known.has(record.data_id))).toEqual(before);
          const shown = new Set(names(seen));
          expect(after.filter((record) => shown.has(record.data_id))).toEqual(seen);
        },
      );
      await fc.assert(property, { numRuns, seed: 7, endOnFailure: true });
      expect(pages).toBeGreaterThan(50);
    },
    timeoutMs,
  );
});
