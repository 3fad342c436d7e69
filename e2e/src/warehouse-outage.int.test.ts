/**
 * F7: a warehouse that cannot start, for as long as it takes. A sender and a viewer must not notice; who asks for
 * history is told what is missing, and finds everything once it is there.
 */
import { type ChildProcess, fork, spawn } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { afterEach, expect, test, vi } from 'vitest';
import { ingest, readFigure, readTotal } from '../fixtures/data.ts';
import { LivePeer, patience } from '../fixtures/live-peer.ts';
import { main, node, type RunningServer, serve, startServer } from './server.ts';

const holderFile = resolve(
  import.meta.dirname,
  '../../packages/adapters/clickhouse/src/embedded/orphan.fixture.ts',
);
const args = ['--no-collector', '--flush-points', '100', '--hot-points', '0', '--hot-seconds', '0'];
const hourMs = 3_600_000;
const undo: (() => Promise<void> | void)[] = [];
afterEach(async () => {
  for (const step of undo.splice(0).reverse()) await step();
});

const oldPoints = 600;

/** A server with points of three hours ago in its warehouse, and then stopped. */
async function stoppedServer(): Promise<RunningServer> {
  const server = await startServer(args);
  undo.push(() => server.destroy());
  await send(server, oldPoints, Date.now() - 3 * hourMs);
  await vi.waitFor(async () => expect(await readFigure(server, 'flushes_total')).toBe(1), patience);
  await server.stop();
  return server;
}

async function startAgain(before: RunningServer): Promise<RunningServer> {
  const server = { ...before, ...(await serve(before.dataDir, { args })) };
  undo.push(() => server.destroy());
  return server;
}

async function send(server: RunningServer, count: number, timestamp: number): Promise<void> {
  const body = Array.from({ length: count }, () =>
    JSON.stringify({
      metric_type: 'kept',
      value: 1,
      timestamp,
      data_id: crypto.randomUUID(),
    }),
  );
  const answer = await ingest(server, body.join('\n'), { 'Content-Type': 'application/x-ndjson' });
  expect(answer.status).toBe(200);
}

const recent = { from: 'now-20m', to: 'now+10m', step: '1m' };
const all = { from: 'now-4h', to: 'now+10m', step: '1h' };
const count = { metric_type: 'kept', agg: 'count' };

async function readiness(server: RunningServer): Promise<[number, string]> {
  const answer = await fetch(`${server.url}/readyz`);
  return [answer.status, await answer.text()];
}

/** Another process that has the warehouse's files open, as a hung predecessor would. */
async function holdWarehouse(dataDir: string): Promise<ChildProcess> {
  const holder = fork(holderFile, [join(dataDir, 'warehouse')], { execArgv: [] });
  undo.push(() => void holder.kill('SIGKILL'));
  await new Promise((holds, failed) => {
    holder.once('message', holds);
    holder.once('exit', () => failed(new Error('the holder could not open the warehouse')));
  });
  return holder;
}

/** Everything that was sent is found, in any range, and the server calls itself whole. */
async function expectWhole(server: RunningServer, sent: number): Promise<void> {
  await vi.waitFor(async () => expect(await readiness(server)).toEqual([200, 'ready\n']), patience);
  await vi.waitFor(
    async () => expect(await readFigure(server, 'unflushed_points')).toBeLessThan(100),
    patience,
  );
  expect(await readTotal(server, { ...count, ...all })).toBe(sent);
  expect(await readTotal(server, { ...count, ...all, step: '1m' })).toBe(sent);
}

test('F7: with the warehouse locked by another process the server starts, takes points, moves live views and says what is missing; once released it catches up', async () => {
  const before = await stoppedServer();
  const holder = await holdWarehouse(before.dataDir);
  const server = await startAgain(before);
  expect(await readiness(server)).toEqual([
    200,
    expect.stringMatching(/^ready\nhistory is not available for now.*\n$/) as string,
  ]);
  expect(await readFigure(server, 'warehouse_up')).toBe(0);

  const peer = await LivePeer.open(server.url, server.key);
  await send(server, 150, Date.now());
  await peer.watch('kept');
  await vi.waitFor(() => expect(peer.total('kept')).toBe(150), patience);
  await send(server, 150, Date.now());
  await vi.waitFor(() => expect(peer.total('kept')).toBe(300), patience);
  expect(await readTotal(server, { ...count, ...recent })).toBe(300);
  expect((await readiness(server))[1]).toMatch(/complete to \d{4}-\d\d-\d\dT/);

  // A crash meanwhile: what is acknowledged and not in the warehouse is in the log.
  await server.kill();
  const again = await startAgain(server);
  await send(again, 50, Date.now());
  expect(await readTotal(again, { ...count, ...recent })).toBe(350);

  holder.kill('SIGKILL');
  await expectWhole(again, oldPoints + 350);
  expect(again.log()).toContain('history is there again');
  await again.stop();
  await expectWhole(await startAgain(again), oldPoints + 350);
}, 300_000);

/** Engine processes of this data folder. */
function warehousesOf(dataDir: string): number[] {
  return readdirSync('/proc')
    .map(Number)
    .filter((pid) => Number.isInteger(pid))
    .filter((pid) => {
      const command = commandOf(pid);
      return command.includes('chdb-child.ts') && command.includes(join(dataDir, 'warehouse'));
    });
}

/** Kills each of them as soon as it is there. Returns how many so far, and how to end that. */
function killWarehouses(dataDir: string): { killed: () => number; end: () => void } {
  const killed = new Set<number>();
  const timer = setInterval(() => {
    for (const pid of warehousesOf(dataDir)) {
      if (killed.has(pid)) continue;
      killed.add(pid);
      try {
        process.kill(pid, 'SIGKILL');
      } catch {
        // Gone by itself since it was looked up.
      }
    }
  }, 20);
  const end = (): void => clearInterval(timer);
  undo.push(end);
  return { killed: () => killed.size, end };
}

function commandOf(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8');
  } catch {
    return '';
  }
}

test('F7: with a warehouse process that dies at every start the server is there, and history once it lives', async () => {
  const before = await stoppedServer();
  const { killed, end } = killWarehouses(before.dataDir);
  const server = await startAgain(before);
  await send(server, 250, Date.now());
  await vi.waitFor(() => expect(killed()).toBeGreaterThan(3), patience);
  expect((await readiness(server))[1]).toContain('history is not available for now');
  expect(await readTotal(server, { ...count, ...recent })).toBe(250);
  end();
  await expectWhole(server, oldPoints + 250);
}, 300_000);

test('a SIGTERM ends a server that still waits for its warehouse', async () => {
  const before = await stoppedServer();
  const holder = await holdWarehouse(before.dataDir);
  const others = new Set(warehousesOf(before.dataDir));
  expect(others.size).toBeGreaterThan(0);
  const starting = spawn(node, [main, 'serve', '--data-dir', before.dataDir, '--port', '0', ...args], {
    stdio: 'ignore',
  });
  undo.push(() => void starting.kill('SIGKILL'));
  const exit = new Promise((ended) => starting.once('exit', ended));
  await vi.waitFor(
    () => expect(warehousesOf(before.dataDir).some((pid) => !others.has(pid))).toBe(true),
    patience,
  );
  starting.kill('SIGTERM');
  expect(await exit).toBe(0);
  holder.kill('SIGKILL');
  await expectWhole(await startAgain(before), oldPoints);
}, 300_000);
