import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createKillableWarehouse } from '@nowcast/adapter-clickhouse/testing';
import { LocalEventLog } from '@nowcast/adapter-local-log';
import { MemoryHotStore } from '@nowcast/adapter-memory';
import { querySchema } from '@nowcast/contract';
import type { Carried } from '@nowcast/history';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { EngineBench } from './testing/engine-bench.ts';
import { isOf, WarmFile } from './warm-file.ts';

const dir = mkdtempSync(join(tmpdir(), 'nowcast-warm-'));
afterAll(() => rmSync(dir, { recursive: true, force: true }));

const state = { epoch: 'e', at: [7], retention: { rawMs: 1, fineMs: 2, coarseMs: Infinity } };
const warnings: string[] = [];
const file = new WarmFile(dir, (_level, message) => warnings.push(message));

const column = fc.oneof(
  fc.uint8Array(),
  fc.int8Array(),
  fc.uint16Array(),
  fc.int16Array(),
  fc.uint32Array(),
  fc.int32Array(),
  fc.float64Array(),
  fc.bigUint64Array(),
);
/** Tables as the file sees them: numbers and columns, one of them in an object of its own. */
const tables = fc.array(
  fc.record({ bytes: fc.nat(), starts: column, columns: fc.dictionary(fc.string(), column) }),
);

describe('the file of warm blocks', () => {
  it('gives back what was written, once', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(tables, { minLength: 1 }), fc.string(), async (blocks, name) => {
        const carried = {
          metrics: [{ tenant: 'acme', name, series: BigUint64Array.of(1n, 2n ** 64n - 1n) }],
          blocks: blocks.map((found, i) => ({
            metric: 0,
            block: { kind: 'points', start: i, tables: found },
          })),
        };
        await file.write(carried as unknown as Carried, state);
        const read = await file.read();
        expect(read).toMatchObject(carried);
        expect(isOf(read!, state)).toBe(true);
        expect(readdirSync(dir)).toEqual([]);
        expect(await file.read()).toBeUndefined();
      }),
      { numRuns: 50 },
    );
    expect(warnings).toEqual([]);
  });

  it('is of no use for another vector, another log or another retention', () => {
    expect(isOf(state, { ...state, at: [8] })).toBe(false);
    expect(isOf(state, { ...state, epoch: 'f' })).toBe(false);
    expect(isOf(state, { ...state, retention: { ...state.retention, rawMs: 3 } })).toBe(false);
  });

  it('is not believed where a byte of it is another, or its end is missing', async () => {
    const block = { kind: 'points', start: 0, tables: [{ starts: Uint32Array.of(1, 2, 3) }] };
    const carried = { metrics: [], blocks: [{ metric: 0, block }] } as unknown as Carried;
    const path = join(dir, 'engine.warm');
    await file.write(carried, state);
    const whole = readFileSync(path);
    for (let at = 0; at < whole.length; at += 3) {
      const damaged = Buffer.from(whole);
      damaged[at]! ^= 1;
      for (const bytes of [damaged, whole.subarray(0, at)]) {
        writeFileSync(path, bytes);
        warnings.length = 0;
        expect(await file.read()).toBeUndefined();
        expect(warnings).toEqual(['what was held of history is read from the warehouse again']);
      }
    }
  });
});

describe('an engine', () => {
  let bench: EngineBench;
  const nowMs = 1_800_000_000_000;
  const query = querySchema.parse({ metric_type: 'cpu', agg: 'avg', step: '1m', window: '1h' });
  beforeAll(async () => {
    bench = new EngineBench({
      adapters: {
        openLog: (directory) => new LocalEventLog({ directory, partitions: 1 }),
        openWarehouse: createKillableWarehouse,
        openHotStore: (budgetRows) => new MemoryHotStore({ budgetRows, keepMs: 0 }),
      },
      nowMs,
      engine: { hotPoints: 0, hotMs: 0, hotStates: 0 },
    });
    await bench.start();
  });
  afterAll(() => bench.destroy());

  const answer = () => bench.core.data('acme', query, new AbortController().signal);
  const warm = async () => (await bench.core.stats()).counters;

  it('goes on from what it held when it was stopped, and begins with nothing after it was killed', async () => {
    const lines = Array.from({ length: 50 }, (_, i) =>
      JSON.stringify({ metric_type: 'cpu', value: i / 10, timestamp: nowMs - i * 60_000 }),
    );
    await bench.ingest(lines.join('\n'));
    await bench.flush();
    const expected = await answer();
    for (let i = 0; (await warm())['warm_loads_total'] !== 2; i++) {
      expect(i, 'hours and points are loaded soon').toBeLessThan(100);
      await bench.settle();
    }
    await bench.restart();
    expect((await answer()).series).toEqual(expected.series);
    expect(await warm()).toMatchObject({ warm_answered_total: 1, warm_loads_total: 0 });
    await bench.crash();
    expect((await answer()).series).toEqual(expected.series);
    expect(await warm()).toMatchObject({ warm_answered_total: 0 });
  });
});
