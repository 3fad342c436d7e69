import { createKillableWarehouse } from '@nowcast/adapter-clickhouse/testing';
import { LocalEventLog } from '@nowcast/adapter-local-log';
import { MemoryHotStore } from '@nowcast/adapter-memory';
import { evaluationSchema } from '@nowcast/contract';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { EngineBench } from './testing/engine-bench.ts';

const nowMs = Date.UTC(2026, 2, 2, 12);
const minuteMs = 60_000;
let bench: EngineBench;
let log: LocalEventLog;
beforeEach(async () => {
  bench = new EngineBench({
    adapters: {
      openLog: (directory) => (log = new LocalEventLog({ directory, partitions: 3, segmentBytes: 1024 })),
      openWarehouse: createKillableWarehouse,
      openHotStore: (budgetRows) => new MemoryHotStore({ budgetRows, keepMs: 86_400_000 }),
    },
    nowMs,
    engine: { hotMs: minuteMs, flushAgeMs: minuteMs },
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

  it('is cut where nothing comes but the ticks of rules', async () => {
    const evaluation = evaluationSchema.parse({
      query: { metric_type: 'load' },
      window: '1m',
      condition: { kind: 'threshold', op: 'above', value: 1 },
    });
    await bench.core.alerts.put('acme', { rule_id: 'r1', version: 1, evaluation });
    for (let i = 0; i < 60 && (await bench.positions()).tail[0] === 0; i += 1) await bench.settle();
    expect((await bench.positions()).tail[0]).toBeGreaterThan(0);
  });
});

describe('the log of partitions that share their segments', () => {
  let sentPoints = 0;
  const send = async (host: number) => {
    sentPoints += 1;
    const line = `load,host=${host} value=${sentPoints} ${bench.clock.now()}`;
    const sent = await bench.ingest(line, { format: 'line-protocol' });
    expect(sent.status).toBe(204);
  };
  const tailPoints = async () => (await bench.core.stats()).gauges['tail_points'];
  /** A series of partition 0, and one of another. */
  const hosts = async () => {
    const found: number[] = [];
    for (let host = 0; found[0] === undefined || found[1] === undefined; host += 1) {
      const before = await bench.positions();
      await send(host);
      const after = await bench.positions();
      found[after.head[0]! > before.head[0]! ? 0 : 1] = host;
    }
    return found as [number, number];
  };
  const sendAMinute = async (host: number, minutes: number) => {
    for (let minute = 0; minute < minutes; minute += 1) {
      bench.clock.advance(minuteMs);
      for (let i = 0; i < 20; i += 1) await send(host);
      await bench.flush();
    }
  };

  it('is cut although the last points of one of them are never followed by others', async () => {
    const [, loud] = await hosts();
    await bench.flush();
    const silent = await bench.positions();
    await sendAMinute(loud, 4);
    const { tail } = await bench.positions();
    expect(tail.every((offset, partition) => offset >= silent.head[partition]!)).toBe(true);
    expect(await tailPoints()).toBeLessThan(3 * 20);
  });

  it('is not taken into memory by a start where it is kept for a copy of it', async () => {
    const [, loud] = await hosts();
    log.hold();
    await sendAMinute(loud, 4);
    const points = await tailPoints();
    expect((await bench.positions()).tail).toEqual([0, 0, 0]);
    for (const again of [() => bench.crash(), () => bench.restart()]) {
      await again();
      expect(await tailPoints()).toBe(points);
    }
  });
});
