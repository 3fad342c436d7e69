import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createEmbeddedWarehouse } from '@nowcast/adapter-clickhouse';
import { MemoryHotStore } from '@nowcast/adapter-memory';
import { normaliseQuery } from '@nowcast/aggregate';
import { differences, evaluate, scenario } from '@nowcast/aggregate/testing';
import { querySchema } from '@nowcast/contract';
import { ManualClock, systemClock } from '@nowcast/kernel';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { QueryService } from './index.ts';
import { JoinBench, partitions } from './testing/join-bench.ts';

type Scenario = typeof scenario extends fc.Arbitrary<infer T> ? T : never;

const isLong = process.env['NOWCAST_LONG'] === '1';

let dir: string;
let bench: JoinBench;
beforeAll(async () => {
  dir = mkdtempSync(join(tmpdir(), 'nowcast-join-'));
  const warehouse = createEmbeddedWarehouse({ dir, clock: systemClock });
  await warehouse.run();
  bench = new JoinBench(warehouse, (budgetRows) => new MemoryHotStore({ budgetRows, keepMs: 1e15 }));
});
afterAll(async () => {
  await bench.warehouse.stop();
  rmSync(dir, { recursive: true, force: true, maxRetries: 20, retryDelay: 50 });
});

/** Everything was flushed and forgotten: what the hot store's budget has no room for is the warehouse's to answer. */
function allFlushed(
  budgetRows: 0 | 1e6,
): [
  Scenario,
  { after: number; partition: number; keep: boolean }[],
  { budgetRows: 0 | 1e6; restartAfter: number | undefined },
] {
  const nowMs = 1_800_000_060_000;
  const points = ['h1', 'h2', 'h3', 'h1'].map((host, i) => ({
    series: { tenant: 't', metric_type: 'm', source: 'a', labels: [['host', host] as [string, string]] },
    timestamp: nowMs - 40_000 + i * 10_000,
    value: i,
  }));
  const query = querySchema.parse({ metric_type: 'm', agg: 'sum', window: '90s', step: '10s' });
  const flushes = [0, 1, 2].map((partition) => ({ after: points.length - 1, partition, keep: false }));
  return [{ points, query, nowMs }, flushes, { budgetRows, restartAfter: undefined }];
}

describe('the exact join of history and live', () => {
  let tenants = 0;
  let answeredHot = 0;
  let leftToWarehouse = 0;

  it(
    'answers like the reference, however the points were split between flushes and the tail',
    async () => {
      await fc.assert(
        fc.asyncProperty(
          scenario,
          fc.array(fc.record({ after: fc.nat(60), partition: fc.nat(partitions - 1), keep: fc.boolean() }), {
            maxLength: 5,
          }),
          fc.record({
            budgetRows: fc.constantFrom(0, 5, 20, 1e6),
            restartAfter: fc.option(fc.nat(60), { nil: undefined }),
          }),
          async ({ points, query, nowMs }, flushes, { budgetRows, restartAfter }) => {
            const tenant = `tenant-${tenants++}`;
            // Nothing of this tenant was flushed yet; what earlier runs flushed of others is of no matter to its answers.
            bench.newestFlushed.fill(Number.NEGATIVE_INFINITY);
            bench.restartHot(budgetRows);
            const own = points.map((point) => ({ ...point, series: { ...point.series, tenant } }));
            for (const [i, point] of own.entries()) {
              bench.append(point);
              for (const flush of flushes)
                if (flush.after === i) await bench.flush(flush.partition, flush.keep);
              if (restartAfter === i) bench.restartHot(budgetRows);
            }
            const service = new QueryService({
              index: bench.index,
              head: bench.head,
              hot: bench.hot,
              warm: undefined,
              warehouse: bench.warehouse,
              clock: new ManualClock(nowMs),
              retention: { rawMs: Infinity, fineMs: Infinity },
            });
            const answer = await service.data(tenant, query);
            const lines = answer.series.map(({ labels, timestamp, value }) => ({
              labels,
              timestamps: timestamp,
              values: value,
            }));
            const resolved = normaliseQuery(query, nowMs);
            // A counter looks back a bounded time for the point before its range (docs/ARCHITECTURE.md, "The exact join").
            const reach = Math.min(resolved.from - 300_000, resolved.buckets.start(resolved.from - 1));
            const seen = own.filter((point) => query.agg !== 'increase' || point.timestamp >= reach);
            expect(differences(lines, evaluate(seen, resolved))).toEqual([]);
            const { answered, declined } = bench.hot.stats();
            answeredHot += answered;
            leftToWarehouse += declined;
          },
        ),
        // Shrinking takes as long as a hundred runs; the seed is enough to see a failure again.
        {
          numRuns: isLong ? 2000 : 80,
          endOnFailure: true,
          examples: [allFlushed(1e6), allFlushed(0)],
        },
      );
      expect(answeredHot).toBeGreaterThan(0);
      expect(leftToWarehouse).toBeGreaterThan(0);
    },
    isLong ? 3_600_000 : 600_000,
  );
});
