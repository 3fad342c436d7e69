/** Upkeep has several kinds of work; none keeps another away for ever. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { systemClock } from '@nowcast/kernel';
import { at, Bench, dayMs, hourMs, monday } from '@nowcast/ports/testing';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { ClickHouseWarehouse } from './clickhouse-warehouse.ts';
import { ChdbConnection } from './embedded/chdb-connection.ts';

class Engine extends ChdbConnection {
  joined = 0;
  /** Statements that it gives up, as it does those that need more memory than there is. */
  refused: RegExp | undefined;

  override async command(...args: Parameters<ChdbConnection['command']>): Promise<void> {
    if (this.refused?.test(args[0]) === true) throw new Error('memory limit exceeded');
    return super.command(...args);
  }

  override async insert(...args: Parameters<ChdbConnection['insert']>): Promise<void> {
    await super.insert(...args);
    if (args[0] === 'chunks' && args[3].lane === 'upkeep') this.joined++;
  }
}

let dir: string;
let connection: Engine;
let warehouse: ClickHouseWarehouse;

beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'nowcast-upkeep-'));
  connection = new Engine({ dir, clock: systemClock, log: () => undefined });
  warehouse = new ClickHouseWarehouse(connection);
  await warehouse.run();
});
afterEach(async () => {
  await warehouse.stop();
  await rm(dir, { recursive: true, force: true, maxRetries: 20, retryDelay: 50 });
});

const old = monday - 10 * 7 * dayMs;
const retention = new Map([['', { rawMs: 30 * dayMs, fineMs: Infinity, coarseMs: Infinity }]]);
const now = monday + 3 * dayMs;

async function storeOldAndNew(bench: Bench): Promise<void> {
  await bench.store([at(0, old, 1), at(0, old + 1, 1)]);
  for (let i = 0; i < 6; i++) await bench.store([at(0, monday + i * 1000, i)]);
}

test('points are dropped and chunks are joined although there is always an hour to derive', async () => {
  const bench = new Bench(() => warehouse, 'late');
  await storeOldAndNew(bench);
  const hours = Array.from({ length: 60 }, (_, i) => at(1, old + i * hourMs, i));
  await bench.store(hours);
  const request = { at: bench.at, now, lateMs: 60_000, retention };
  for (let piece = 0; piece < 30; piece++) expect(await warehouse.maintain(request)).toBe(true);
  expect((await bench.readPoints({ to: monday })).length).toBe(0);
  expect(connection.joined).toBe(1);
});

test('an hour that cannot be derived keeps nothing else from being done', async () => {
  const bench = new Bench(() => warehouse, 'hard');
  await storeOldAndNew(bench);
  await bench.store([at(1, old + hourMs, 1), at(1, old + 2 * hourMs, 1)]);
  connection.refused = new RegExp(`^INSERT INTO states_coarse.*bucket >= ${old} `, 's');
  const request = { at: bench.at, now, lateMs: 60_000, retention };
  let failures = 0;
  for (let go = 0; go < 4; go++)
    for (let isWork = true; isWork;)
      isWork = await warehouse.maintain(request).catch(() => {
        failures++;
        return false;
      });
  expect(failures).toBe(4);
  expect((await bench.readPoints({ to: monday })).length).toBe(0);
  expect(connection.joined).toBe(1);
  // The others of its day are derived, and it is as soon as it can be.
  connection.refused = undefined;
  expect(await bench.maintain(now, { retention })).toBe(2);
});
