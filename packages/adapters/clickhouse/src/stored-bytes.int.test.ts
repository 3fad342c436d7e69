/** What the tables hold beside what they must: parts made anew without need, and coarse states of older versions. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { systemClock } from '@nowcast/kernel';
import { at, Bench, dayMs, hourMs, monday } from '@nowcast/ports/testing';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { ClickHouseWarehouse } from './clickhouse-warehouse.ts';
import { ChdbConnection } from './embedded/chdb-connection.ts';
import { readNative } from './native-reader.ts';
import { schemaVersion } from './schema.ts';
import type { StatementOptions } from './sql-connection.ts';

const options: StatementOptions = { lane: 'read', timeoutMs: 30_000 };
const later = monday + 3 * dayMs;
const parts = { scalar: true, extremes: true, ends: true, growth: true, quantiles: false, uniques: false };

let dir: string;
let connection: ChdbConnection;
let warehouse: ClickHouseWarehouse;

async function open(): Promise<void> {
  connection = new ChdbConnection({ dir, clock: systemClock, log: () => undefined });
  warehouse = new ClickHouseWarehouse(connection);
  await warehouse.run();
}

beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'nowcast-bytes-'));
  await open();
});
afterEach(async () => {
  await warehouse.stop();
  await rm(dir, { recursive: true, force: true, maxRetries: 20, retryDelay: 50 });
});

async function ask(sql: string) {
  return readNative(await connection.query(sql, {}, options));
}

test('a restart with nothing to remove leaves every part as it is', async () => {
  const bench = new Bench(() => warehouse, 'restart');
  await bench.store(Array.from({ length: 100 }, (_, i) => at(i % 3, monday + i * 60_000, i)));
  await bench.maintain(later);
  const partNames = async () =>
    (
      await ask(
        `SELECT name FROM system.parts WHERE table IN ('chunks', 'states_coarse', 'sketches_coarse') ORDER BY name`,
      )
    ).strings('name');
  const before = await partNames();
  expect(before.length).toBeGreaterThan(0);
  await warehouse.stop();
  await open();
  expect(await partNames()).toEqual(before);
});

/** Hours of one series whose numbers have a common decimal scale, and hours whose numbers have none. */
const hours: Record<string, { values: number[]; isScaled: boolean }> = {
  'two decimals': { values: [20.37, 19.99, 20.4, 20.38], isScaled: true },
  'whole and negative': { values: [-3, 0, 7, -120], isScaled: true },
  'sums that are no decimals': { values: [0.1, 0.2, 0.3, 0.7], isScaled: true },
  'a value a second': {
    values: Array.from({ length: 3600 }, (_, i) => (2000 + ((i * 37) % 101)) / 100),
    isScaled: true,
  },
  'minus zero': { values: [-0, 1, 2], isScaled: false },
  'seventeen digits': { values: [Math.PI, Math.E, Math.SQRT2], isScaled: false },
  'too large': { values: [1e300, 2, -1e300], isScaled: false },
  'too small': { values: [5e-324, 1, 2], isScaled: false },
  'as wide as it goes': { values: [1e14 + 1, 1, 2], isScaled: true },
  'wider than that': { values: [2 ** 52 + 1, 0.5], isScaled: false },
};

test.each(Object.entries(hours))('a derived hour says what its points say: %s', async (_, hour) => {
  const bench = new Bench(() => warehouse, 'hours');
  await bench.store(hour.values.map((value, i) => at(0, monday + i * 1000, value)));
  const range = { from: monday, to: monday + hourMs, step: hourMs };
  const fine = await bench.readStates(range, [0], { parts, coarse: false });
  await bench.maintain(later);
  const derived = await bench.readStates(range, [0], { parts });
  for (const column of ['count', 'min', 'max', 'first', 'firstAt', 'last', 'lastAt'] as const)
    expect(Object.is(derived[column][0], fine[column][0]), column).toBe(true);
  const magnitude = Math.max(...hour.values.map(Math.abs)) * hour.values.length;
  for (const column of ['sum', 'growth'] as const)
    expect(Math.abs(derived[column][0]! - fine[column][0]!), column).toBeLessThanOrEqual(magnitude * 1e-15);
  const stored = await ask(`SELECT scale FROM states_coarse WHERE res = ${hourMs}`);
  expect(stored.numbers('scale')[0]! > 0).toBe(hour.isScaled);
});

test('coarse states of version 1 are read as they are, beside those of version 2', async () => {
  const added = ['scale', 'first_i', 'low_i', 'high_i', 'last_i', 'total_i', 'growth_i'];
  const bench = new Bench(() => warehouse, 'versions');
  await bench.store([at(0, monday, 20.37), at(0, monday + 1000, 20.5)]);
  const range = { from: monday, to: monday + 2 * hourMs, step: hourMs };
  const fine = await bench.readStates(range, [0], { parts, coarse: false });
  await bench.maintain(later);
  // As version 1 left it: doubles alone.
  const doubles = ['sum', 'min', 'max', 'first', 'last', 'growth'] as const;
  const set = doubles.map((column) => `${column} = ${fine[column][0]}`).join(', ');
  for (const sql of [
    `ALTER TABLE states_coarse UPDATE ${set} WHERE 1`,
    `ALTER TABLE states_coarse ${added.map((column) => `DROP COLUMN ${column}`).join(', ')}`,
    `ALTER TABLE manifest DELETE WHERE kind = 'schema'`,
    `INSERT INTO manifest (kind, gen) SELECT 'schema', 1`,
  ])
    await connection.command(sql, {}, { lane: 'write', timeoutMs: 30_000 });
  await warehouse.stop();
  await open();
  await bench.store([at(0, monday + hourMs, 21.25)]);
  await bench.maintain(later + hourMs);
  const read = await bench.readStates(range, [0], { parts });
  expect(Array.from(read.first)).toEqual([20.37, 21.25]);
  expect(Array.from(read.last)).toEqual([20.5, 21.25]);
  expect(Array.from(read.sum)).toEqual([fine.sum[0], 21.25]);
  expect(Array.from(read.growth)).toEqual([fine.growth[0], 0]);
  const scales = await ask(`SELECT scale FROM states_coarse WHERE res = ${hourMs} ORDER BY bucket`);
  expect(Array.from(scales.numbers('scale'))).toEqual([0, 100]);
  const version = await ask(`SELECT max(gen) AS gen FROM manifest WHERE kind = 'schema'`);
  expect(version.numbers('gen')[0]).toBe(schemaVersion);
});

test('receipt times of version 2 are read as they are, and joined with those of version 3', async () => {
  const bench = new Bench(() => warehouse, 'versions');
  const received = (i: number) => monday + 1000 * Math.floor(i / 10);
  const points = Array.from({ length: 80 }, (_, i) => at(0, monday + i, i, { receivedAt: received(i) }));
  for (let i = 0; i < 40; i += 20) await bench.store(points.slice(i, i + 20));
  // As version 2 left it: a step for each point.
  for (const sql of [
    `ALTER TABLE chunks UPDATE receipt_steps = arrayMap(i -> if(i = 10, 1000, 0), range(1, n)) WHERE 1`,
    `ALTER TABLE chunks DROP COLUMN receipt_runs`,
    `ALTER TABLE manifest DELETE WHERE kind = 'schema'`,
    `INSERT INTO manifest (kind, gen) SELECT 'schema', 2`,
  ])
    await connection.command(sql, {}, { lane: 'write', timeoutMs: 30_000 });
  await warehouse.stop();
  await open();
  for (let i = 40; i < 80; i += 20) await bench.store(points.slice(i, i + 20));
  const runs = await ask('SELECT sum(length(receipt_runs)) AS runs FROM chunks');
  expect(runs.numbers('runs')[0]).toBe(4);
  const receipts = async () => {
    const page = await bench.readPoints({ records: true, page: { limit: 100, order: 'asc' } });
    return [...page.receivedAt];
  };
  expect(await receipts()).toEqual(points.map((_, i) => received(i)));
  await bench.maintain(later);
  const joined = await ask('SELECT max(n) AS n FROM chunks');
  expect(joined.numbers('n')[0]).toBe(80);
  expect(await receipts()).toEqual(points.map((_, i) => received(i)));
});
