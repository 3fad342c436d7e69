import { createKillableWarehouse } from '@nowcast/adapter-clickhouse/testing';
import { LocalEventLog } from '@nowcast/adapter-local-log';
import { MemoryHotStore } from '@nowcast/adapter-memory';
import { querySchema } from '@nowcast/contract';
import { afterEach, expect, it } from 'vitest';
import { EngineBench } from './testing/engine-bench.ts';

const nowMs = Date.UTC(2026, 2, 2, 12);
const yearMs = 366 * 86_400_000;
let bench: EngineBench;
afterEach(() => bench.destroy());

it('drops nothing on the word of a clock that is a year ahead for some minutes, restarts included', async () => {
  bench = new EngineBench({
    adapters: {
      openLog: (directory) => new LocalEventLog({ directory, partitions: 1 }),
      openWarehouse: createKillableWarehouse,
      openHotStore: (budgetRows) => new MemoryHotStore({ budgetRows, keepMs: 86_400_000 }),
    },
    nowMs,
    engine: { hotPoints: 0, hotMs: 0 },
  });
  await bench.start();
  const send = async (value: number, at = bench.clock.now()) => {
    const sent = await bench.ingest(`load value=${value} ${at}`, { format: 'line-protocol' });
    expect(sent.status).toBe(204);
  };
  for (let i = 0; i < 10; i += 1) await send(1, nowMs - i * 1000);
  await bench.flush();
  for (let life = 0; life < 2; life += 1) {
    await bench.restart(nowMs + yearMs + life * 600_000);
    await send(100);
    await bench.flush();
    for (let minute = 0; minute < 2; minute += 1) {
      bench.clock.advance(61_000);
      await bench.settle();
    }
  }
  await bench.restart(nowMs + 3_600_000);
  const range = { from: nowMs - 60_000, to: nowMs + 1000 };
  const query = querySchema.parse({ metric_type: 'load', agg: 'sum', step: '1s', ...range });
  const { series } = await bench.core.data('acme', query, new AbortController().signal);
  expect(series.flatMap(({ value }) => value)).toEqual(Array(10).fill(1));
});
