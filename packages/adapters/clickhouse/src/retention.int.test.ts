import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { systemClock } from '@nowcast/kernel';
import { Bench, at, dayMs, expected, monday, nothing, shown } from '@nowcast/ports/testing';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { ClickHouseWarehouse } from './clickhouse-warehouse.ts';
import { ChdbConnection } from './embedded/chdb-connection.ts';

const weekMs = 7 * dayMs;

/** Does `first` before the first statement that drops a partition of fine states, and `listed` after weeks of points were listed. */
class Hooked extends ChdbConnection {
  first: (() => Promise<void>) | undefined;
  listed: (() => Promise<void>) | undefined;

  override async query(...args: Parameters<ChdbConnection['query']>): Promise<Uint8Array> {
    const answer = await super.query(...args);
    if (/max\(until\) AS latest FROM chunks/.test(args[0])) {
      const { listed } = this;
      this.listed = undefined;
      await listed?.();
    }
    return answer;
  }

  override async command(...args: Parameters<ChdbConnection['command']>): Promise<void> {
    if (/TABLE states DROP PARTITION/.test(args[0])) {
      const { first } = this;
      this.first = undefined;
      await first?.();
    }
    return super.command(...args);
  }
}

let dir: string;
let connection: Hooked;
let warehouse: ClickHouseWarehouse;

beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'nowcast-retention-'));
  connection = new Hooked({ dir, clock: systemClock, log: () => undefined });
  warehouse = new ClickHouseWarehouse(connection);
  await warehouse.run();
});
afterEach(async () => {
  await warehouse.stop();
  await rm(dir, { recursive: true, force: true, maxRetries: 20, retryDelay: 50 });
});

test('a chunk that reaches to today comes into a week that is about to be dropped, and stays', async () => {
  const bench = new Bench(() => warehouse, 'sparse');
  const old = monday - 8 * weekMs;
  await bench.store([at(0, old, 1), at(0, old + 1, 1)]);
  const sparse = Array.from({ length: 9 }, (_, i) => at(1, old + i * weekMs, i));
  connection.listed = () => bench.store(sparse);
  const now = monday + 6 * dayMs;
  const retention = new Map([['', { rawMs: 2 * weekMs, fineMs: Infinity, coarseMs: Infinity }]]);
  await bench.maintain(now, { retention });
  expect(connection.listed).toBeUndefined();
  const kept = await bench.readPoints({ from: now - 2 * weekMs });
  expect(shown(kept)).toEqual(expected(sparse.slice(-2)));
});

test('a flush of late points while retention drops their week counts all of them', async () => {
  const bench = new Bench(() => warehouse, 'late');
  const old = monday - 8 * weekMs;
  const sum = async () => {
    const range = { from: old, to: monday + dayMs, step: monday + dayMs - old };
    return [...(await bench.readStates(range, [0], { parts: { ...nothing, scalar: true } })).sum];
  };
  await bench.store([at(0, old, 1), at(0, old + 1, 1), at(0, old + 2, 1)]);
  await bench.store([at(0, monday, 2)]);
  let late: Promise<void> | undefined;
  connection.first = async () => {
    late = bench.store([at(0, old + 3, 10), at(0, old + 4, 10), at(0, old + 5, 10)]);
    // Long enough for it to be stored, were it not kept waiting.
    await Promise.race([late, delay(1000)]);
  };
  const retention = new Map([['', { rawMs: 400 * weekMs, fineMs: 3 * weekMs, coarseMs: 400 * weekMs }]]);
  await bench.maintain(monday + 6 * dayMs, { retention });
  expect(late).toBeDefined();
  await late;
  expect(await sum()).toEqual([35]);
  // What came late is derived anew, and what it was derived from is dropped then.
  await bench.maintain(monday + 6 * dayMs + 2 * 3_600_000, { retention });
  expect(await sum()).toEqual([35]);
});
