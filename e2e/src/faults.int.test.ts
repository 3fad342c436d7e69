/**
 * What the real server does when the machine fails it: a full disk, a disk that lies, a killed warehouse, clocks that
 * disagree, a stop under load. The adapters prove their own part with simulated disks; this proves that the parts
 * together keep the promise a sender and a viewer see.
 */
import { type ChildProcess, execFileSync, spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { Agent, request as httpRequest } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from 'vitest';
import { fetchData, ingest, readData, readFigure, readTotal } from '../fixtures/data.ts';
import { LivePeer, patience } from '../fixtures/live-peer.ts';
import { cli, cliError } from './cli.ts';
import { type RunningServer, serve, startServer } from './server.ts';

const hasStrace = spawnSync('strace', ['-V']).status === 0;
const undo: (() => Promise<void> | void)[] = [];
afterEach(async () => {
  for (const step of undo.splice(0).reverse()) await step();
});

async function start(args: readonly string[] = [], dataDir?: string): Promise<RunningServer> {
  const server = await startServer(['--no-collector', ...args], dataDir);
  undo.push(() => server.destroy());
  return server;
}

/** Goes on with the same folder, key and people. */
async function startAgain(before: RunningServer, args: readonly string[] = []): Promise<RunningServer> {
  const server = { ...before, ...(await serve(before.dataDir, { args: ['--no-collector', ...args] })) };
  undo.push(() => server.destroy());
  return server;
}

const recent = { from: 'now-10m', to: 'now+10m', step: '1h' };
const countOf = (server: RunningServer, metric: string): Promise<number> =>
  readTotal(server, { metric_type: metric, agg: 'count', ...recent });

const needsRoot = 'mounting a tmpfs takes root: the ENOSPC runs of the log stand in';

/** A file system of its own for the running test; undefined where the machine does not let us mount one. */
function mountSmallDisk(size: string): string | undefined {
  const disk = mkdtempSync(join(tmpdir(), 'nowcast-disk-'));
  undo.push(() => rmSync(disk, { recursive: true, force: true, maxRetries: 20, retryDelay: 50 }));
  if (spawnSync('mount', ['-t', 'tmpfs', '-o', `size=${size}`, 'tmpfs', disk]).status !== 0) return undefined;
  undo.push(() => void execFileSync('umount', ['--lazy', disk]));
  return disk;
}

/** Leaves no room at all; the file whose removal cures it. */
function fill(disk: string): string {
  const ballast = join(disk, 'ballast');
  spawnSync('dd', ['if=/dev/zero', `of=${ballast}`, 'bs=4k']);
  return ballast;
}

test('F2: with a full disk points are refused with the reason while reads and live views go on; room cures it without a restart', async ({
  skip,
}) => {
  const disk = mountSmallDisk('48m') ?? skip(needsRoot);
  const server = await start([], join(disk, 'data'));
  const peer = await LivePeer.open(server.url, server.key);
  await peer.watch('stock');

  let acknowledged = 0;
  const send = async (bytes: number): Promise<Response> => {
    const point = {
      metric_type: 'stock',
      value: 1,
      data_id: crypto.randomUUID(),
      message: 'x'.repeat(bytes),
    };
    const answer = await ingest(server, JSON.stringify(point));
    if (answer.status === 200) acknowledged++;
    return answer;
  };
  for (let i = 0; i < 20; i++) expect((await send(100)).status).toBe(200);
  const ballast = fill(disk);
  let refused = await send(8000);
  for (let i = 0; refused.status === 200 && i < 100; i++) refused = await send(8000);
  expect(refused.status).toBe(507);
  expect(refused.headers.get('retry-after')).toBe('1');
  expect(await refused.json()).toMatchObject({
    error: {
      code: 'log.full',
      retryable: true,
      message: expect.stringMatching(/disk .* is full: free some space/) as string,
    },
  });
  const lines = await fetch(`${server.url}/api/v2/write`, {
    method: 'POST',
    headers: { Authorization: `Token ${server.key}` },
    body: `stock note="${'x'.repeat(8000)}"`,
  });
  expect([lines.status, await lines.json()]).toMatchObject([507, { code: 'unavailable' }]);

  expect(await countOf(server, 'stock')).toBe(acknowledged);
  expect((await fetch(`${server.url}/readyz`)).status).toBe(200);
  expect(await readFigure(server, 'log_full_total')).toBeGreaterThan(0);
  const late = await LivePeer.open(server.url, server.key);
  await late.watch('stock');
  expect(late.total('stock')).toBe(acknowledged);
  expect(peer.closed).toBeUndefined();

  rmSync(ballast);
  await vi.waitFor(async () => expect((await send(8000)).status).toBe(200), patience);
  await vi.waitFor(() => expect(late.total('stock')).toBe(acknowledged), patience);
  expect(await countOf(server, 'stock')).toBe(acknowledged);

  await server.kill();
  const again = await startAgain(server);
  expect(await countOf(again, 'stock')).toBe(acknowledged);
});

test('F2: a start, a first run, a backup and a restore without room name the folder whose disk is full', async ({
  skip,
}) => {
  const disk = mountSmallDisk('8m') ?? skip(needsRoot);
  const server = await start([], join(disk, 'data'));
  await server.kill();
  const folder = mkdtempSync(join(tmpdir(), 'nowcast-backup-'));
  undo.push(() => rmSync(folder, { recursive: true, force: true }));
  const backup = join(folder, 'whole.tar');
  await cli(['backup', '--data-dir', server.dataDir, '--to', backup]);
  const elsewhere = ['--data-dir', join(folder, 'elsewhere')];
  await cli(['restore', '--from', backup, ...elsewhere]);
  fill(disk);

  const isFull = (path: string) => `the disk of ${path} is full: free some space`;
  await expect(serve(server.dataDir)).rejects.toThrow(isFull(server.dataDir));
  const own = ['export', '--metric', 'any', '--data-dir', server.dataDir];
  expect(await cliError(own)).toContain(isFull(server.dataDir));
  const fresh = ['--data-dir', join(disk, 'fresh')];
  const who = ['--tenant', 'T', '--email', 'e@example.com', '--username', 'eve', '--password-stdin'];
  const input = 'correct horse battery';
  expect(await cliError(['setup', ...who, ...fresh], { input })).toContain(isFull(join(disk, 'fresh')));
  const restored = join(disk, 'restored');
  expect(await cliError(['restore', '--from', backup, '--data-dir', restored])).toContain(isFull(restored));
  expect(await cliError(['backup', ...elsewhere, '--to', join(disk, 'b.tar')])).toContain(isFull(disk));
  expect(readdirSync(disk)).not.toContain('restored');
});

/** Makes each write into these files, which is also their sync, fail from now on; resolves once the kernel does so. */
async function failWrites(pid: number, files: readonly string[]): Promise<ChildProcess> {
  const paths = files.flatMap((file) => ['-P', file]);
  const inject = ['-e', 'trace=pwritev,pwrite64', '-e', 'inject=pwritev,pwrite64:error=EIO'];
  const strace = spawn('strace', ['-f', '-p', String(pid), ...paths, ...inject], {
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  undo.push(() => void strace.kill());
  let said = '';
  strace.stderr.on('data', (chunk: Buffer) => (said += chunk.toString()));
  await vi.waitFor(() => expect(said).toContain('attached'), patience);
  return strace;
}

test.runIf(hasStrace)(
  'F3: once a synced write has failed nothing is acknowledged until a restart, and the server says so (skipped where strace is missing)',
  async () => {
    const server = await start();
    for (let i = 0; i < 10; i++) expect((await ingest(server, pointOf('synced'))).status).toBe(200);
    const log = join(server.dataDir, 'log');
    const segments = readdirSync(log).filter((name) => name.endsWith('.log'));
    const strace = await failWrites(
      server.pid,
      segments.map((name) => join(log, name)),
    );
    const first = await ingest(server, pointOf('unsynced'));
    expect([first.status, await first.json()]).toMatchObject([
      503,
      {
        error: {
          code: 'log.failed',
          message: expect.stringMatching(/EIO.*Check the disk, then restart/) as string,
        },
      },
    ]);
    // The disk is well again, but what the kernel dropped is gone: a second try must not pass for success.
    const detached = new Promise((resolve) => strace.once('exit', resolve));
    strace.kill();
    await detached;
    expect((await ingest(server, pointOf('unsynced'))).status).toBe(503);

    const ready = await fetch(`${server.url}/readyz`);
    expect([ready.status, await ready.text()]).toEqual([503, expect.stringContaining('restart')]);
    expect(await readFigure(server, 'log_failed')).toBe(1);
    expect(server.log()).toMatch(/"level":"error","message":"writing .*nothing is acknowledged any more/);
    expect(await countOf(server, 'synced')).toBe(10);

    await server.stop();
    expect(await server.exit).toBe(0);
    const again = await startAgain(server);
    expect((await fetch(`${again.url}/readyz`)).status).toBe(200);
    expect(await countOf(again, 'synced')).toBe(10);
    expect(await countOf(again, 'unsynced')).toBe(0);
    expect((await ingest(again, pointOf('synced'))).status).toBe(200);
    expect(await countOf(again, 'synced')).toBe(11);
  },
);

function pointOf(metric: string, more: object = {}): string {
  return JSON.stringify({ metric_type: metric, value: 1, data_id: crypto.randomUUID(), ...more });
}

describe('on one server', () => {
  let server: RunningServer;
  beforeAll(async () => {
    server = await startServer(['--no-collector', '--partitions', '3', '--flush-points', '150']);
  });
  afterAll(() => server?.destroy());

  test('F10: a point more than five minutes ahead is refused with the reason, and the rest is kept; a late one lands in its bucket', async () => {
    const now = Date.now();
    const answer = await ingest(
      server,
      JSON.stringify([
        { metric_type: 'clock', value: 1, timestamp: now + 4 * 60_000 },
        { metric_type: 'clock', value: 2, timestamp: now + 6 * 60_000 },
        { metric_type: 'clock', value: 4, timestamp: now - 3_600_000 },
      ]),
    );
    expect(answer.status).toBe(422);
    expect(await answer.json()).toMatchObject({
      accepted: 2,
      rejected: [{ index: 1, message: expect.stringMatching(/minutes|ahead|clock/) as string }],
    });
    const peer = await LivePeer.open(server.url, server.key);
    await peer.watch('clock', { agg: 'sum', window: '2h', step: '1m' });
    await ingest(server, JSON.stringify({ metric_type: 'clock', value: 8, timestamp: now - 3_600_000 }));
    await peer.hears('delta');
    const bucket = now - 3_600_000 - ((now - 3_600_000) % 60_000);
    await vi.waitFor(() => expect(peer.of('delta').at(-1)?.cells).toContainEqual([0, bucket, 12]), patience);
    const hour = { from: bucket, to: bucket + 60_000, step: '1m' };
    expect(await readTotal(server, { metric_type: 'clock', agg: 'sum', ...hour })).toBe(12);
  });

  test('F10: points out of order and sent twice give what the same points give in order and once', async () => {
    const start0 = Math.floor(Date.now() / 3_600_000) * 3_600_000 - 7_200_000;
    let runs = 0;
    const pointArbitrary = fc.record({
      at: fc.integer({ min: 0, max: 3_599_999 }),
      value: fc.integer({ min: -1000, max: 100_000 }),
      host: fc.constantFrom('a', 'b', 'c'),
      order: fc.nat(),
      twice: fc.boolean(),
    });
    const points = fc.uniqueArray(pointArbitrary, {
      minLength: 50,
      maxLength: 200,
      selector: ({ at }) => at,
    });
    const both = async (sorted: string, shuffled: string, agg: string) => {
      const read = async (metric_type: string) => {
        const range = { from: start0, to: start0 + 3_600_000, step: '5m', group_by: 'host' };
        const { series } = await readData(server, { metric_type, agg, ...range });
        return series.toSorted((one, two) =>
          JSON.stringify(one.labels) < JSON.stringify(two.labels) ? -1 : 1,
        );
      };
      expect([agg, await read(shuffled)]).toEqual([agg, await read(sorted)]);
    };
    const send = async (metric: string, batch: readonly { at: number; value: number; host: string }[]) => {
      for (let from = 0; from < batch.length; from += 40) {
        const body = batch.slice(from, from + 40).map(({ at, value, host }) =>
          JSON.stringify({
            metric_type: metric,
            value,
            timestamp: start0 + at,
            labels: { host },
            data_id: `${metric}-${at}`,
          }),
        );
        const headers = { 'Content-Type': 'application/x-ndjson' };
        expect((await ingest(server, body.join('\n'), headers)).status).toBe(200);
      }
    };
    const property = fc.asyncProperty(points, async (drawn) => {
      const run = runs++;
      const sorted = drawn.toSorted((one, two) => one.at - two.at);
      const doubled = [...drawn, ...drawn.filter(({ twice }) => twice)];
      await send(`sorted${run}`, sorted);
      await send(
        `shuffled${run}`,
        doubled.toSorted((one, two) => one.order - two.order),
      );
      const hour = { from: start0, to: start0 + 3_600_000, step: '1h' };
      const stored = await readTotal(server, { metric_type: `shuffled${run}`, agg: 'count', ...hour });
      expect(stored).toBe(drawn.length);
      for (const agg of ['count', 'sum', 'min', 'max', 'first', 'last', 'increase', 'p95', 'avg'])
        await both(`sorted${run}`, `shuffled${run}`, agg);
    });
    await fc.assert(property, { numRuns: 4, endOnFailure: true });
  });

  test('a second server on the same data folder leaves with the reason, and the first does not notice; a restart is soon ready', async () => {
    await ingest(server, pointOf('mine'));
    await expect(serve(server.dataDir)).rejects.toThrow(
      /ended with 2: .*in use by another Nowcast process: stop it, or choose another data directory/s,
    );
    expect((await ingest(server, pointOf('mine'))).status).toBe(200);
    expect(await countOf(server, 'mine')).toBe(2);
    await server.stop();
    const started = performance.now();
    const again = await startAgain(server);
    // A second on a quiet machine; the bound only catches a start that hangs or reads everything again.
    expect(performance.now() - started).toBeLessThan(60_000);
    expect(await countOf(again, 'mine')).toBe(2);
  });
});

test('F15: a SIGTERM under load: no acknowledged write is lost, readyz speaks before anybody is refused, and viewers are sent away', async () => {
  const server = await start(['--drain-seconds', '3']);
  const peers = await Promise.all(Array.from({ length: 5 }, () => LivePeer.open(server.url, server.key)));
  for (const peer of peers) await peer.watch('load', { agg: 'sum' });
  const acknowledged = new Set<number>();
  let sent = 0;
  const senders = Array.from({ length: 8 }, (_, sender) =>
    sendUntilRefused(server, (i) => {
      const value = sender * 1_000_000 + i;
      sent++;
      return { body: pointOf('load', { value }), acknowledged: () => void acknowledged.add(value) };
    }),
  );
  const readiness = watchReadiness(server);
  await vi.waitFor(() => expect(acknowledged.size).toBeGreaterThan(200), patience);
  const stopped = server.stop();
  const ends = await Promise.all(peers.map((peer) => peer.ends()));
  await stopped;
  expect(await server.exit).toBe(0);
  await Promise.all(senders);
  expect(new Set(ends.map(({ code }) => code))).toEqual(new Set([1012]));
  for (const peer of peers) expect(peer.of('goaway')).toHaveLength(1);
  const seen = await readiness;
  expect(seen.indexOf('503')).toBeGreaterThan(-1);
  expect(seen.indexOf('503')).toBeLessThan(seen.indexOf('ECONNREFUSED'));

  const again = await startAgain(server);
  const stored = await readValues(again, 'load');
  expect(new Set(stored).size).toBe(stored.length);
  expect([...acknowledged].filter((value) => !new Set(stored).has(value))).toEqual([]);
  expect(stored.length).toBeLessThanOrEqual(sent);
});

/** One sender on one connection that is kept; ends at the first answer that is not 200, or without one. */
async function sendUntilRefused(
  server: RunningServer,
  next: (i: number) => { body: string; acknowledged: () => void },
): Promise<void> {
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  for (let i = 0; ; i++) {
    const { body, acknowledged } = next(i);
    const status = await new Promise<number>((resolve) => {
      const request = httpRequest(
        `${server.url}/api/v1/ingest`,
        { method: 'POST', agent, headers: { Authorization: `Bearer ${server.key}` } },
        (response) => {
          response.resume();
          response.once('end', () => resolve(response.statusCode ?? 0));
        },
      );
      request.once('error', () => resolve(0));
      request.end(body);
    });
    if (status !== 200) break;
    acknowledged();
  }
  agent.destroy();
}

/** What a load balancer sees, a new connection each time, until nobody answers. */
async function watchReadiness({ port }: RunningServer): Promise<string[]> {
  const seen: string[] = [];
  while (seen.at(-1) !== 'ECONNREFUSED') {
    seen.push(
      await new Promise<string>((resolve) => {
        const request = httpRequest(
          { host: '127.0.0.1', port, path: '/readyz', agent: false },
          (response) => {
            response.resume();
            response.once('end', () => resolve(String(response.statusCode)));
          },
        );
        request.once('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? ''));
        request.end();
      }),
    );
  }
  return seen;
}

async function readValues(server: RunningServer, metric: string): Promise<number[]> {
  const values: number[] = [];
  for (let cursor: string | null | undefined = ''; typeof cursor === 'string';) {
    const page = cursor === '' ? {} : { cursor };
    const answer = await readData(server, {
      metric_type: metric,
      agg: 'none',
      limit: 10_000,
      from: 'now-10m',
      to: 'now+10m',
      ...page,
    });
    for (const { value } of answer.points ?? []) values.push(value);
    cursor = answer.cursor;
  }
  return values;
}

/** Child processes of all threads of a process. */
function childrenOf(pid: number): number[] {
  return readdirSync(`/proc/${pid}/task`)
    .flatMap((thread) => readFileSync(`/proc/${pid}/task/${thread}/children`, 'utf8').trim().split(' '))
    .filter((child) => child !== '')
    .map(Number);
}

test('a killed warehouse process: ingest and live views go on, queries answer again, and history catches up', async () => {
  const server = await start(['--flush-points', '500', '--hot-points', '0', '--hot-seconds', '0']);
  const peer = await LivePeer.open(server.url, server.key);
  await peer.watch('kept');
  let sent = 0;
  const send = async (count: number): Promise<void> => {
    const body = Array.from({ length: count }, () => pointOf('kept')).join('\n');
    expect((await ingest(server, body, { 'Content-Type': 'application/x-ndjson' })).status).toBe(200);
    sent += count;
  };
  await send(600);
  await vi.waitFor(
    async () => expect(await readFigure(server, 'flushes_total')).toBeGreaterThan(0),
    patience,
  );

  const [warehouse] = childrenOf(server.pid);
  process.kill(warehouse!, 'SIGKILL');
  await send(600);
  await vi.waitFor(() => expect(peer.total('kept')).toBe(sent), patience);
  await vi.waitFor(async () => expect(await countOf(server, 'kept')).toBe(sent), patience);
  // Memory may have answered before anybody noticed the death.
  await vi.waitFor(() => expect(server.log()).toContain('warehouse engine ended'), patience);
  await vi.waitFor(() => expect(childrenOf(server.pid)).not.toContain(warehouse), patience);
  await send(600);
  await vi.waitFor(
    async () => expect(await readFigure(server, 'unflushed_points')).toBeLessThan(500),
    patience,
  );
  expect(await countOf(server, 'kept')).toBe(sent);
  expect(peer.closed).toBeUndefined();
  const asked = await fetchData(server, { metric_type: 'kept', agg: 'count', ...recent });
  expect(asked.status).toBe(200);
});
