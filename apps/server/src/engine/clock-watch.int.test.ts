import { createKillableWarehouse } from '@nowcast/adapter-clickhouse/testing';
import { LocalEventLog } from '@nowcast/adapter-local-log';
import { MemoryHotStore } from '@nowcast/adapter-memory';
import { evaluationSchema } from '@nowcast/contract';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { EngineBench } from './testing/engine-bench.ts';

const nowMs = Date.UTC(2026, 2, 2, 12);
const minuteMs = 60_000;
let bench: EngineBench;
beforeEach(async () => {
  bench = new EngineBench({
    adapters: {
      openLog: (directory) => new LocalEventLog({ directory, partitions: 1 }),
      openWarehouse: createKillableWarehouse,
      openHotStore: (budgetRows) => new MemoryHotStore({ budgetRows, keepMs: 86_400_000 }),
    },
    nowMs,
  });
  await bench.start();
});
afterEach(() => bench.destroy());

const send = (value: number) =>
  bench.ingest(`cpu,host=a value=${value} ${bench.clock.now()}`, { format: 'line-protocol' });
const problem = () => bench.core.alerts.rules('acme')[0]?.problem;
const told = () => bench.warnings.filter((warning) => warning.startsWith('the clock was set back'));

/** A clock that is two hours ahead when the server starts and then set right blinds rules for two hours. */
test('while a clock that was set back catches up, log, readiness and every rule say that rules wait', async () => {
  const evaluation = evaluationSchema.parse({
    query: { metric_type: 'cpu', agg: 'last' },
    window: '1m',
    condition: { kind: 'threshold', op: 'above', value: 80 },
  });
  await bench.core.alerts.put('acme', { rule_id: 'r1', version: 1, evaluation });
  await send(10);
  await bench.settle();

  bench.clock.setWallBy(-30_000);
  await bench.settle();
  expect(bench.degraded).toBeUndefined();
  expect(problem()).toBeUndefined();

  bench.clock.setWallBy(-10 * minuteMs);
  await bench.settle();
  expect(bench.degraded).toMatch(/^the clock was set back: .* at 2026-03-02T12:00:0.*Z, alert rules wait/);
  expect(problem()).toBe(bench.degraded);
  expect(told()).toHaveLength(1);

  await bench.restart();
  expect(bench.degraded).toMatch(/^the clock was set back/);
  expect(told()).toHaveLength(2);

  bench.clock.advance(11 * minuteMs);
  await bench.settle();
  expect(bench.degraded).toBeUndefined();
  await send(10);
  await bench.settle();
  expect(problem()).toBeUndefined();
  expect(told()).toHaveLength(2);
});
