import { createKillableWarehouse } from '@nowcast/adapter-clickhouse/testing';
import { LocalEventLog } from '@nowcast/adapter-local-log';
import { MemoryHotStore } from '@nowcast/adapter-memory';
import { querySchema } from '@nowcast/contract';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { EngineBench } from './testing/engine-bench.ts';
import { Watcher } from './testing/watcher.ts';

const nowMs = Date.UTC(2026, 2, 2, 12);
let bench: EngineBench;
beforeEach(async () => {
  bench = new EngineBench({
    adapters: {
      openLog: (directory) => new LocalEventLog({ directory, partitions: 3 }),
      openWarehouse: createKillableWarehouse,
      openHotStore: (budgetRows) => new MemoryHotStore({ budgetRows, keepMs: 86_400_000 }),
    },
    nowMs,
  });
  await bench.start();
});
afterEach(() => bench.destroy());

const counter = (value: number, secondsAgo: number) =>
  bench.ingest(`requests,host=a value=${value} ${nowMs - secondsAgo * 1000}`, { format: 'line-protocol' });

describe('a late point of a counter', () => {
  const query = querySchema.parse({ metric_type: 'requests', agg: 'increase', window: '5m', step: '1h' });

  it('corrects an open view though nothing else arrives', async () => {
    const watcher = new Watcher(bench, 'acme', query);
    bench.onFrames = (frames) => watcher.receive(frames);
    await counter(5, 30);
    await counter(9, 10);
    await watcher.connect();
    expect(watcher.lines(0).map(({ values }) => values)).toEqual([[4]]);
    // Long enough ago that the view may reload in the very pass that brings the late point.
    await bench.settle();
    // Between the two: the counter was reset and has grown to 3 and then by 6.
    await counter(3, 20);
    await bench.settle();
    expect(watcher.lines(0).map(({ values }) => values)).toEqual([[9]]);
  });
});
