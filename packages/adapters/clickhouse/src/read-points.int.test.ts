import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { systemClock } from '@nowcast/kernel';
import { Bench, hourMs, monday, seriesId } from '@nowcast/ports/testing';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { ClickHouseWarehouse } from './clickhouse-warehouse.ts';
import { ChdbConnection } from './embedded/chdb-connection.ts';

const tooLarge = { code: 'query.too_large', message: expect.stringContaining('10s, 1m or 1h') };

let dir: string;
let connection: ChdbConnection;
let warehouse: ClickHouseWarehouse;

beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'nowcast-points-'));
  connection = new ChdbConnection({ dir, clock: systemClock, log: () => undefined });
  warehouse = new ClickHouseWarehouse(connection);
  await warehouse.run();
});
afterAll(async () => {
  await warehouse.stop();
  await rm(dir, { recursive: true, force: true, maxRetries: 20, retryDelay: 50 });
});

/** Points at even distances, all of one value, take a row and no arrays: as many as one likes are stored at once. */
async function store(metric: string, chunk: { n: number; perMs: number; stepMs: number }): Promise<Bench> {
  const { n, perMs, stepMs } = chunk;
  const until = monday + Math.floor(((n - 1) * stepMs) / perMs);
  await connection.command(
    `INSERT INTO chunks (tenant, metric, series, start, until, n, state_res, sketch_res, time_scale, time_step, first)
      VALUES ('acme', '${metric}', ${seriesId(0)}, ${monday}, ${until}, ${n}, 10000, 60000, ${perMs}, ${stepMs}, 7)`,
    {},
    { lane: 'write', timeoutMs: 10_000 },
  );
  return new Bench(() => warehouse, metric);
}

test('more points than fit memory are refused before they are read, and a part of them is not', async () => {
  const b = await store('long', { n: 20_000_000, perMs: 1, stepMs: 100 });
  await expect(b.readPoints()).rejects.toMatchObject(tooLarge);
  await expect(b.readPoints({ statedAt: [10_000] })).rejects.toMatchObject(tooLarge);
  const { length, timestamps, values } = await b.readPoints({
    from: monday + 2 * hourMs,
    to: monday + 3 * hourMs,
  });
  expect([length, timestamps[1], values[1]]).toEqual([36_000, monday + 2 * hourMs + 100, 7]);
});

test('so are those that lie closer together than anybody sends any', async () => {
  const b = await store('dense', { n: 11_000_000, perMs: 4, stepMs: 1 });
  await expect(b.readPoints({ to: monday + hourMs })).rejects.toMatchObject(tooLarge);
  expect((await b.readPoints({ to: monday + 1000 })).length).toBe(4000);
});
