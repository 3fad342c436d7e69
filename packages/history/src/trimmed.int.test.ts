import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createEmbeddedWarehouse } from '@nowcast/adapter-clickhouse';
import { MemoryHotStore } from '@nowcast/adapter-memory';
import { normaliseQuery } from '@nowcast/aggregate';
import { differences, evaluate, type ReferencePoint } from '@nowcast/aggregate/testing';
import { querySchema } from '@nowcast/contract';
import { ManualClock, systemClock } from '@nowcast/kernel';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { QueryService } from './index.ts';
import { JoinBench } from './testing/join-bench.ts';

const hourMs = 3_600_000;
const dayMs = 24 * hourMs;
/** A Monday, 00:00 UTC. */
const monday = 1_789_948_800_000;
const nowMs = monday + 300 * dayMs;

let dir: string;
let bench: JoinBench;
beforeAll(async () => {
  dir = mkdtempSync(join(tmpdir(), 'nowcast-trimmed-'));
  const warehouse = createEmbeddedWarehouse({ dir, clock: systemClock });
  await warehouse.run();
  bench = new JoinBench(warehouse, (budgetRows) => new MemoryHotStore({ budgetRows, keepMs: 1e15 }));
});
afterAll(async () => {
  await bench.warehouse.stop();
  rmSync(dir, { recursive: true, force: true, maxRetries: 20, retryDelay: 50 });
});

/** Three days of two hosts, as dense as a gauge and as sparse as sales. */
const points: ReferencePoint[] = Array.from({ length: 370 }, (_, i) => ({
  series: {
    tenant: 't',
    metric_type: 'm',
    source: 'a',
    labels: [['host', i % 2 === 0 ? 'h1' : 'h2'] as const],
  },
  timestamp: monday + (i < 340 ? i * 5_000 : (i - 335) * 2 * hourMs),
  value: ((i * 37) % 101) / 10,
  actor: `u${(i * 13) % 70}`,
}));

const retention = { rawMs: 30 * dayMs, fineMs: 180 * dayMs, coarseMs: Infinity };

it('answers by the day and the month what only derived rows still know', async () => {
  for (const point of points) bench.append(point);
  await bench.flushAll();
  await bench.growOld(nowMs, retention);
  const { index, head, hot, warehouse } = bench;
  const clock = new ManualClock(nowMs);
  const service = new QueryService({ index, head, hot, warm: undefined, warehouse, clock, retention });
  const range = { from: monday - dayMs, to: monday + 4 * dayMs };
  expect(
    (await service.data('t', querySchema.parse({ metric_type: 'm', agg: 'none', ...range }))).points,
  ).toEqual([]);
  for (const agg of ['p50', 'p95', 'uniques', 'sum', 'max', 'last', 'increase'])
    for (const step of ['1h', '1d', '1mo']) {
      const query = querySchema.parse({ metric_type: 'm', agg, step, group_by: ['host'], ...range });
      const answer = await service.data('t', query);
      const lines = answer.series.map(({ labels, timestamp, value }) => ({
        labels,
        timestamps: timestamp,
        values: value,
      }));
      const expected = evaluate(points, normaliseQuery(query, nowMs));
      expect(expected.length).toBe(2);
      expect(differences(lines, expected), `${agg} by ${step}`).toEqual([]);
    }
});
