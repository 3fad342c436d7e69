import { createKillableWarehouse } from '@nowcast/adapter-clickhouse/testing';
import { LocalEventLog } from '@nowcast/adapter-local-log';
import { MemoryHotStore } from '@nowcast/adapter-memory';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { EngineBench } from './testing/engine-bench.ts';

const nowMs = Date.UTC(2026, 2, 2, 12);
let bench: EngineBench;
beforeEach(async () => {
  bench = new EngineBench({
    adapters: {
      openLog: (directory) => new LocalEventLog({ directory, partitions: 3, segmentBytes: 1024 }),
      openWarehouse: createKillableWarehouse,
      openHotStore: (budgetRows) => new MemoryHotStore({ budgetRows, keepMs: 86_400_000 }),
    },
    nowMs,
    engine: { hotPoints: 0, hotMs: 0, flushAgeMs: 60_000 },
  });
  await bench.start();
});
afterEach(() => bench.destroy());

describe('the log of a partition that gets no points', () => {
  it('is cut too: the keys of requests lie there, and whole segments wait for every partition', async () => {
    for (let i = 0; i < 60; i += 1) {
      const sent = await bench.ingest(`only value=${i} ${nowMs - i * 1000}`, {
        format: 'line-protocol',
        idempotencyKey: `key-${i}`,
      });
      expect(sent.status).toBe(204);
    }
    const before = await bench.positions();
    expect(before.head.every((offset) => offset > 0)).toBe(true);
    bench.tick();
    // Old enough to be flushed, whether there are points or not.
    bench.clock.advance(120_000);
    await bench.core.flush();
    const { tail, watermark } = await bench.positions();
    expect(watermark.every((offset, partition) => offset > before.head[partition]! - 1)).toBe(true);
    expect(tail.every((offset) => offset > 0)).toBe(true);
  });
});
