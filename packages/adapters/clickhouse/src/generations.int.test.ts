/** What is derived takes effect at one moment: for reads on their way, and when nobody hears that it did. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { appError } from '@nowcast/contract';
import { systemClock } from '@nowcast/kernel';
import { at, Bench, dayMs, expected, hourMs, monday, shown } from '@nowcast/ports/testing';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { ClickHouseWarehouse } from './clickhouse-warehouse.ts';
import { ChdbConnection } from './embedded/chdb-connection.ts';

class Engine extends ChdbConnection {
  /** Reads wait for it, as they do when all sessions are busy. */
  turn: Promise<void> | undefined;
  /** The engine dies over its reply to the decision about chunks that were joined. */
  isMute = false;
  #joined = false;

  override async query(...args: Parameters<ChdbConnection['query']>): Promise<Uint8Array> {
    if (args[2].lane === 'read') await this.turn;
    return super.query(...args);
  }

  /** Whoever removes rows that nothing was decided about comes no further. */
  override async command(...args: Parameters<ChdbConnection['command']>): Promise<void> {
    await super.command(...args);
    if (/DELETE WHERE gen >/.test(args[0])) this.#die();
  }

  override async insert(...args: Parameters<ChdbConnection['insert']>): Promise<void> {
    await super.insert(...args);
    const [table, , , { lane }] = args;
    if (table === 'chunks' && lane === 'upkeep') this.#joined = true;
    if (table !== 'manifest' || !this.#joined || !this.isMute) return;
    this.isMute = false;
    this.#die();
  }

  #die(): never {
    process.kill(this.childPid!, 'SIGKILL');
    throw appError('warehouse.unavailable', 'its reply is lost');
  }
}

let dir: string;
let connection: Engine;
let warehouse: ClickHouseWarehouse;
let bench: Bench;

async function open(): Promise<void> {
  connection = new Engine({ dir, clock: systemClock, log: () => undefined });
  warehouse = new ClickHouseWarehouse(connection);
  await warehouse.run();
}

beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'nowcast-generations-'));
  await open();
  bench = new Bench(() => warehouse, 'm');
});
afterEach(async () => {
  await warehouse.stop();
  await rm(dir, { recursive: true, force: true, maxRetries: 20, retryDelay: 50 });
});

const day = { from: monday, to: monday + dayMs };

/** Thirty short chunks, one a flush, of an hour and of another one. */
async function storeChunks(): Promise<void> {
  for (let i = 0; i < 30; i++) await bench.store([at(0, monday + (i % 2) * hourMs + i * 1000, i)]);
}

/** Asks now, and reads after `work`. */
async function readAfter<T>(read: () => Promise<T>, work: () => Promise<unknown>): Promise<T> {
  const turn = Promise.withResolvers<void>();
  connection.turn = turn.promise;
  const answer = read();
  connection.turn = undefined;
  await work();
  turn.resolve();
  return answer;
}

const counts = (step: number) => async () => {
  const { count } = await bench.readStates({ ...day, step }, [0]);
  return count.reduce((sum, n) => sum + n, 0);
};

test.for([hourMs, dayMs])(
  'a read that waits while its hours and days are derived anew counts every point once (%i ms)',
  async (step) => {
    await storeChunks();
    await bench.maintain(monday + 3 * dayMs);
    await bench.store([at(0, monday + 5000, 100), at(0, monday + hourMs + 5000, 100)]);
    const count = await readAfter(counts(step), async () => {
      expect(await bench.maintain(monday + 3 * dayMs + 2 * hourMs)).toBeGreaterThan(2);
    });
    expect(count).toBe(32);
    expect(await counts(step)()).toBe(32);
  },
);

test('a read that waits still finds what was replaced meanwhile, however far the logged clock jumps', async () => {
  await storeChunks();
  await bench.maintain(monday + 3 * dayMs);
  await bench.store([at(0, monday + 5000, 100), at(0, monday + hourMs + 5000, 100)]);
  const later = monday + 3 * dayMs + 2 * hourMs;
  const count = await readAfter(counts(hourMs), async () => {
    await bench.maintain(later);
    await bench.maintain(later + hourMs);
  });
  expect(count).toBe(32);
  // Now nobody needs it.
  expect(await bench.maintain(later + hourMs)).toBe(1);
});

test('a read that waits while short chunks are joined sees every point once', async () => {
  await storeChunks();
  const points = await readAfter(
    () => bench.readPoints(day),
    async () => expect(await bench.maintain(monday + 3 * dayMs)).toBeGreaterThan(3),
  );
  expect(shown(points)).toEqual(expected(bench.points));
});

test('joined chunks whose adoption is in the manifest are kept, though nobody heard of it', async () => {
  await storeChunks();
  connection.isMute = true;
  const now = monday + 3 * dayMs;
  await expect(bench.maintain(now)).rejects.toMatchObject({ code: 'warehouse.unavailable' });
  expect(connection.isMute).toBe(false);
  while (
    !(await warehouse.stats().then(
      () => true,
      () => false,
    ))
  )
    await delay(20);
  await bench.maintain(now).catch(() => undefined);
  await warehouse.stop();
  await open();
  expect(shown(await bench.readPoints(day))).toEqual(expected(bench.points));
  // What was joined is deleted in the end.
  await bench.maintain(now + hourMs);
  expect(shown(await bench.readPoints(day))).toEqual(expected(bench.points));
});
