import { createKillableWarehouse } from '@nowcast/adapter-clickhouse/testing';
import { LocalEventLog } from '@nowcast/adapter-local-log';
import { MemoryHotStore } from '@nowcast/adapter-memory';
import { appError, querySchema } from '@nowcast/contract';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { EngineBench } from './testing/engine-bench.ts';

const nowMs = Date.UTC(2026, 2, 2, 12);
const hourMs = 3_600_000;
const patience = { timeout: 60_000, interval: 20 };
let bench: EngineBench;
/** While it is set, no start of the warehouse goes through. */
let isAway: boolean;
beforeEach(async () => {
  isAway = false;
  bench = new EngineBench({
    adapters: {
      // Segments of a few records: the log is cut, and what it defined is known from elsewhere.
      openLog: (directory) => new LocalEventLog({ directory, partitions: 3, segmentBytes: 1024 }),
      openWarehouse: (dir) => {
        const { warehouse, kill } = createKillableWarehouse(dir);
        const start = warehouse.run.bind(warehouse);
        warehouse.run = () =>
          isAway ? Promise.reject(appError('warehouse.unavailable', 'it is not there')) : start();
        return { warehouse, kill };
      },
      openHotStore: (budgetRows) => new MemoryHotStore({ budgetRows, keepMs: 86_400_000 }),
    },
    nowMs,
    engine: { hotPoints: 0, hotMs: 0, hotStates: 0 },
  });
  await bench.start();
});
afterEach(() => bench.destroy());

let sent = 0;
beforeEach(() => {
  sent = 0;
});

/** One point for each of these sources, `agoMs` ago. */
async function send(from: number, to: number, agoMs: number): Promise<void> {
  const lines = Array.from({ length: to - from }, (_, i) => {
    sent += 1;
    return `load,source=s${from + i} value=${sent} ${nowMs - agoMs - i}`;
  });
  expect((await bench.ingest(lines.join('\n'), { format: 'line-protocol' })).status).toBe(204);
}

async function count(from: number, step: string): Promise<number> {
  const query = querySchema.parse({ metric_type: 'load', agg: 'count', from, to: nowMs + hourMs, step });
  const { series } = await bench.core.data('acme', query, new AbortController().signal);
  return series.flatMap(({ value }) => value).reduce<number>((sum, value) => sum + (value ?? 0), 0);
}

/** Steps of 3 s are answered from points, and the range is short enough for them. */
const longAgo = nowMs - 6 * hourMs;

/** Old points of 40 sources in the warehouse, and gone from the log. */
async function fillAndCut(): Promise<void> {
  for (let from = 0; from < 40; from += 10) {
    await send(from, from + 10, 5 * hourMs);
    await bench.flush();
  }
  const { tail } = await bench.positions();
  expect(tail.every((offset) => offset > 0)).toBe(true);
}

async function comeBack(): Promise<void> {
  isAway = false;
  await vi.waitFor(async () => {
    bench.clock.advance(1000);
    expect(await count(longAgo, '1h')).toBe(sent);
  }, patience);
  expect(await count(longAgo, '3s')).toBe(sent);
}

describe('F7: a start without the warehouse', () => {
  it('knows every series, takes points and answers for what is in memory; refuses the rest with the reason; loses and doubles nothing', async () => {
    await fillAndCut();
    isAway = true;
    await bench.crash();
    expect(bench.core.metrics('acme', '', 10)).toMatchObject([{ metric_type: 'load', series: 40 }]);
    await send(35, 45, 0);
    expect(await count(nowMs - hourMs, '1m')).toBe(10);
    await expect(count(longAgo, '1h')).rejects.toMatchObject({
      code: 'warehouse.unavailable',
      message: expect.stringContaining('it is not there') as string,
    });
    // Marked while nobody can take it, and once more without it.
    void bench.flush();
    await send(0, 5, 1000);
    await bench.crash();
    await send(50, 55, 2000);
    await comeBack();
    await bench.flush();
    expect(await count(longAgo, '10s')).toBe(sent);
    await bench.crash();
    expect(await count(longAgo, '1h')).toBe(sent);
    expect(bench.core.metrics('acme', '', 10)).toMatchObject([{ metric_type: 'load', series: 50 }]);
  }, 300_000);

  it('finds flushes there that the last checkpoint did not know of', async () => {
    await fillAndCut();
    await send(0, 60, 4 * hourMs);
    isAway = true;
    // Before its checkpoint: what memory and files say of the flush is that it is still to come.
    await bench.crashInFlush({ at: 'committed', flushesBefore: 0 });
    await send(60, 70, 1000);
    await comeBack();
    await bench.flush();
    await bench.crash();
    expect(await count(longAgo, '1h')).toBe(sent);
    expect(await count(longAgo, '3s')).toBe(sent);
    expect(bench.warnings.filter((warning) => warning.startsWith('fatal'))).toEqual([]);
  }, 300_000);

  it('waits for the warehouse where nothing else knows the series of the cut log', async () => {
    await fillAndCut();
    bench.removeFile('engine.series');
    isAway = true;
    const started = bench.crash();
    let isStarted = false;
    void started.then(() => (isStarted = true));
    await vi.waitFor(() => expect(bench.warnings.join()).toContain('history is missing'), patience);
    expect(isStarted).toBe(false);
    isAway = false;
    await vi.waitFor(() => {
      bench.clock.advance(1000);
      expect(isStarted).toBe(true);
    }, patience);
    await send(0, 50, 0);
    await bench.flush();
    await bench.crash();
    expect(await count(longAgo, '1h')).toBe(sent);
    expect(bench.core.metrics('acme', '', 10)).toMatchObject([{ series: 50 }]);
  }, 300_000);
});
