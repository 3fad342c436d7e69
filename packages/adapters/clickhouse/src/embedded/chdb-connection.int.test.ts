import { fork } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { Worker } from 'node:worker_threads';
import { systemClock } from '@nowcast/kernel';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { ClickHouseWarehouse } from '../clickhouse-warehouse.ts';
import { readNative } from '../native-reader.ts';
import { ChdbConnection } from './chdb-connection.ts';

const read = { lane: 'read', timeoutMs: 60_000 } as const;
/** No timeout of the engine's ends it before the test does. */
const patient = { lane: 'read', timeoutMs: 600_000 } as const;
/** Minutes of work for the engine, nothing to keep in memory. */
const endless = 'SELECT max(sipHash64(number)) AS n FROM numbers(1000000000000)';

let dir: string;
let connection: ChdbConnection;
let logged: string[];

beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'nowcast-chdb-'));
  logged = [];
  connection = new ChdbConnection({ dir, clock: systemClock, log: (message) => logged.push(message) });
});
afterEach(async () => {
  await connection.close();
  await rm(dir, { recursive: true, force: true, maxRetries: 20, retryDelay: 50 });
});

/** Runs `check` until it holds; the test's own timeout ends it otherwise. */
async function until(check: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await check())) await delay(20);
}

/** A zombie does not count: it waits for a parent that a worker thread no longer is. */
function isAlive(pid: number): boolean {
  try {
    return !readFileSync(`/proc/${pid}/stat`, 'utf8').includes(') Z ');
  } catch {
    return false;
  }
}

async function numberOf(sql: string): Promise<number> {
  return readNative(await connection.query(sql, {}, read)).numbers('n')[0]!;
}

/** How many of the endless queries the engine still has anything of. */
const endlessOnes = () =>
  numberOf(
    `SELECT count() AS n FROM system.processes WHERE query LIKE '%max(sipHash64(number))%' AND query NOT LIKE '%system.processes%'`,
  );

const canQuery = () =>
  numberOf('SELECT toUInt8(1) AS n').then(
    (n) => n === 1,
    () => false,
  );

describe('the engine in a child process', () => {
  test('a killed child fails its calls as unavailable, is started again and has its data', async () => {
    await connection.open();
    const first = connection.incarnation;
    const running = connection.query(endless, {}, read);
    process.kill(connection.childPid!, 'SIGKILL');
    await expect(running).rejects.toMatchObject({ code: 'warehouse.unavailable', retryable: true });
    await expect(connection.query('SELECT 1', {}, read)).rejects.toMatchObject({
      code: 'warehouse.unavailable',
    });
    await until(canQuery);
    expect(connection.incarnation).toBe(first + 1);
    expect(logged).toHaveLength(1);
  });

  test('a child that stops is killed and started again: nobody waits for it for ever', async () => {
    const watched = new ChdbConnection({
      dir: join(dir, 'watched'),
      clock: systemClock,
      log: (message) => logged.push(message),
      pingEveryMs: 200,
    });
    try {
      await watched.open();
      process.kill(watched.childPid!, 'SIGSTOP');
      await expect(watched.query('SELECT 1', {}, read)).rejects.toMatchObject({
        code: 'warehouse.unavailable',
      });
      expect(logged[0]).toContain('no sign of life');
      await until(() =>
        watched.query('SELECT 1', {}, read).then(
          () => true,
          () => false,
        ),
      );
    } finally {
      await watched.close();
    }
  });

  test.each([
    ['tells of it later', '/nowhere/node'],
    ['throws', '/dev/null/node'],
  ])('a process that cannot be made (Node %s) is tried again until it can', async (_, nowhere) => {
    await connection.open();
    const { execPath } = process;
    try {
      process.execPath = nowhere;
      process.kill(connection.childPid!, 'SIGKILL');
      await until(() => logged.length >= 3);
      const refused = new ChdbConnection({
        dir: join(dir, 'other'),
        clock: systemClock,
        log: () => undefined,
      });
      await expect(refused.open()).rejects.toMatchObject({ code: 'warehouse.unavailable', retryable: true });
      await refused.close();
    } finally {
      process.execPath = execPath;
    }
    await until(canQuery);
  });

  test('an aborted query stops working, and others go on beside it', async () => {
    await connection.open();
    const controller = new AbortController();
    const query = connection.query(endless, {}, { ...patient, signal: controller.signal });
    query.catch(() => undefined);
    await until(async () => (await endlessOnes()) === 1);
    controller.abort();
    await expect(query).rejects.toMatchObject({ code: 'request.cancelled' });
    await until(async () => (await endlessOnes()) === 0);
  });

  test('an abort that comes before the engine knows of the query stops it too', async () => {
    await connection.open();
    for (let run = 0; run < 8; run++) {
      const controller = new AbortController();
      const query = connection.query(endless, {}, { ...patient, signal: controller.signal });
      controller.abort();
      await expect(query).rejects.toMatchObject({ code: 'request.cancelled' });
    }
    // As many at once as there are sessions: each is free again.
    expect(await Promise.all(Array.from({ length: 4 }, canQuery))).toEqual([true, true, true, true]);
    await until(async () => (await endlessOnes()) === 0);
  });

  test('a query that takes too long ends with what to change, and leaves nothing behind', async () => {
    await connection.open();
    await expect(connection.query(endless, {}, { ...read, timeoutMs: 200 })).rejects.toMatchObject({
      code: 'query.timeout',
      message: expect.stringContaining('shorter range'),
    });
    await until(async () => (await endlessOnes()) === 0);
    expect(await canQuery()).toBe(true);
  });

  test('the wait for a free session is part of the time a query may take', async () => {
    await connection.open();
    const controller = new AbortController();
    const busy = (timeoutMs: number) =>
      Array.from({ length: 4 }, () => {
        const options = { lane: 'read', timeoutMs, signal: controller.signal } as const;
        return connection.query(endless, {}, options).catch(() => undefined);
      });
    const short = busy(1000);
    // Four are at work: this one is told what is left of its minute.
    const left = await numberOf(`SELECT toFloat64(getSetting('max_execution_time')) AS n`);
    expect(left).toBeGreaterThan(0);
    expect(left).toBeLessThan(59.5);
    await Promise.all(short);
    const long = busy(600_000);
    await expect(connection.query('SELECT 1', {}, { ...read, timeoutMs: 200 })).rejects.toMatchObject({
      code: 'query.timeout',
    });
    controller.abort();
    await Promise.all(long);
    expect(await canQuery()).toBe(true);
  });

  test('parameters are values whatever they contain', async () => {
    await connection.open();
    const text = "'; DROP TABLE x; --\n\n\\' \u0000 Zoë \u{1F600}";
    const sql = 'SELECT {text:String} AS t, {ids:Array(UInt64)} AS ids, toInt64({n:Int64}) AS n';
    const found = readNative(
      await connection.query(sql, { text, ids: BigUint64Array.of(2n ** 64n - 1n), n: -5 }, read),
    );
    expect(found.strings('t')).toEqual([text]);
    expect(found.array('ids', 'UInt64').values).toEqual(BigUint64Array.of(2n ** 64n - 1n));
    expect(found.fixed('n', 'Int64')).toEqual(BigInt64Array.of(-5n));
  });

  test('no file of an insert is left behind, also not by a crash', async () => {
    await connection.open();
    const warehouse = new ClickHouseWarehouse(connection);
    await warehouse.run();
    await warehouse.commit({ partition: 0, to: 1, receivedAt: 1 });
    expect(await readdir(join(dir, 'incoming'))).toEqual([]);
  });

  test('a second process over the same directory is refused', async () => {
    await connection.open();
    const second = new ChdbConnection({ dir, clock: systemClock, log: () => undefined });
    await expect(second.open()).rejects.toMatchObject({ code: 'warehouse.unavailable' });
    await second.close();
    expect(await canQuery()).toBe(true);
  });

  test('it ends with its parent, however that one ends', async () => {
    const parent = fork(new URL('./orphan.fixture.ts', import.meta.url), [dir], { execArgv: [] });
    const pid = await new Promise<number>(
      (resolve) => void parent.once('message', (message) => resolve(message as number)),
    );
    expect(isAlive(pid)).toBe(true);
    parent.kill('SIGKILL');
    await until(() => !isAlive(pid));
  });

  test('it can be started from a worker thread and ends with it', async () => {
    const worker = new Worker(new URL('./worker.fixture.ts', import.meta.url), {
      workerData: dir,
      execArgv: [],
    });
    const { pid, answer } = await new Promise<{ pid: number; answer: number }>((resolve, reject) => {
      worker.once('message', resolve);
      worker.once('error', reject);
    });
    expect(answer).toBe(42);
    await worker.terminate();
    await until(() => !isAlive(pid));
  });
});
