import { createKillableWarehouse } from '@nowcast/adapter-clickhouse/testing';
import { LocalEventLog } from '@nowcast/adapter-local-log';
import { MemoryHotStore } from '@nowcast/adapter-memory';
import { querySchema } from '@nowcast/contract';
import { afterEach, expect, it } from 'vitest';
import { EngineBench } from './testing/engine-bench.ts';

const nowMs = Date.UTC(2026, 2, 2, 12);
let bench: EngineBench;
afterEach(() => bench.destroy());

it('says that it must start again when what was stored cannot be applied, and has it then', async () => {
  // Every request was once refused from then on until somebody looked, though a start makes it right.
  let isMisled = false;
  bench = new EngineBench({
    adapters: {
      openLog: (directory) => {
        const log = new LocalEventLog({ directory, partitions: 1 });
        const append = log.append.bind(log);
        log.append = async (entries) => {
          const offsets = await append(entries);
          return isMisled ? offsets.map((offset) => offset + 1) : offsets;
        };
        return log;
      },
      openWarehouse: (dir) => createKillableWarehouse(dir),
      openHotStore: (budgetRows) => new MemoryHotStore({ budgetRows, keepMs: 86_400_000 }),
    },
    nowMs,
  });
  await bench.start();
  const send = (value: number) =>
    bench.ingest(`load value=${value} ${nowMs - value}`, { format: 'line-protocol' });
  const fatal = () => bench.warnings.filter((warning) => warning.startsWith('fatal'));
  expect((await send(1)).status).toBe(204);
  expect(fatal()).toEqual([]);

  isMisled = true;
  await expect(send(2)).rejects.toThrow('invariant broken');
  expect((await send(3)).status).toBe(503);
  expect(fatal()).toEqual([expect.stringContaining('could not be applied')]);
  expect(bench.warnings.join('')).toContain('invariant broken');

  isMisled = false;
  await bench.crash();
  expect((await send(4)).status).toBe(204);
  const query = querySchema.parse({ metric_type: 'load', agg: 'sum', window: '1m', step: '1m' });
  const { series } = await bench.core.data('acme', query, new AbortController().signal);
  expect(series.flatMap(({ value }) => value).reduce((sum, value) => sum! + value!, 0)).toBe(7);
});
