import { createKillableWarehouse, type KillableWarehouse } from '@nowcast/adapter-clickhouse/testing';
import { LocalEventLog } from '@nowcast/adapter-local-log';
import { MemoryHotStore } from '@nowcast/adapter-memory';
import { querySchema } from '@nowcast/contract';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { EngineBench } from './testing/engine-bench.ts';

const nowMs = Date.UTC(2026, 2, 2, 12);
let bench: EngineBench;
let warehouse: KillableWarehouse;
beforeEach(async () => {
  bench = new EngineBench({
    adapters: {
      openLog: (directory) => new LocalEventLog({ directory, partitions: 3 }),
      openWarehouse: (dir) => (warehouse = createKillableWarehouse(dir)),
      openHotStore: (budgetRows) => new MemoryHotStore({ budgetRows, keepMs: 86_400_000 }),
    },
    nowMs,
    engine: { hotPoints: 0, hotMs: 0, hotStates: 0 },
  });
  await bench.start();
});
afterEach(() => bench.destroy());

const kills = process.env['NOWCAST_LONG'] === '1' ? 60 : 4;
const sources = ['a', 'b', 'c', 'd', 'e', 'f'];

async function total(agg: 'count' | 'sum', step: string): Promise<number> {
  const query = querySchema.parse({ metric_type: 'load', agg, window: '1h', step });
  const { series } = await bench.core.data('acme', query, new AbortController().signal);
  return series.flatMap(({ value }) => value).reduce<number>((sum, value) => sum + (value ?? 0), 0);
}

describe('the death of the warehouse process', () => {
  it('loses and doubles nothing, whatever moment of a flush it hits, and ingest goes on', async () => {
    let points = 0;
    let sum = 0;
    for (let kill = 0; kill < kills; kill += 1) {
      const lines = sources.map((source, i) => {
        points += 1;
        sum += points;
        return `load,source=${source} value=${points} ${nowMs - ((kill * 7 + i) % 50) * 1000}`;
      });
      const sent = await bench.ingest(lines.join('\n'), { format: 'line-protocol' });
      expect(sent.status).toBe(204);
      const flush = bench.flush();
      let isFlushed = false;
      void flush.then(() => (isFlushed = true));
      await new Promise((resolve) => setTimeout(resolve, (kill * 13) % 60));
      warehouse.killEngine();
      expect((await bench.ingest(`other value=1 ${nowMs}`, { format: 'line-protocol' })).status).toBe(204);
      await vi.waitUntil(
        () => {
          bench.clock.advance(1000);
          return isFlushed;
        },
        { timeout: 60_000, interval: 50 },
      );
      await vi.waitFor(async () => expect(await total('count', '1s')).toBe(points), { timeout: 60_000 });
      expect(await total('count', '1h')).toBe(points);
      expect(await total('sum', '10s')).toBe(sum);
    }
  }, 600_000);
});
