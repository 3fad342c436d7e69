import {
  mkdir,
  mkdtemp,
  open,
  readdir,
  readFile,
  rm,
  stat,
  symlink,
  truncate,
  writeFile,
} from 'node:fs/promises';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import { HttpApi } from '@nowcast/client';
import type { PointRecord } from '@nowcast/contract';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { cli, cliError, startCli } from './cli.ts';
import { type RunningServer, serve, startServer } from './server.ts';

/** Small flushes and little memory: a backup has to hold log, checkpoint and warehouse, each with a part of the truth. */
const args = ['--no-collector', '--partitions', '3', '--flush-points', '400', '--hot-points', '100'];
const patience = { timeout: 120_000, interval: 20 };

let folder: string;
let server: RunningServer;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'nowcast-backup-'));
  server = await startServer(args);
});
afterAll(async () => {
  await server.destroy();
  await rm(folder, { recursive: true, force: true });
});

const startMs = Date.now();
const range = { from: startMs - 600_000, to: startMs + 3_600_000 };

/** Sends batches one after the other, each point with the sender's next number as its value. */
class NumberingSender {
  readonly name: string;
  acknowledged = 0;
  #isOver = false;
  readonly #running: Promise<void>;

  constructor(name: string) {
    this.name = name;
    this.#running = this.#run();
  }

  async end(): Promise<void> {
    this.#isOver = true;
    await this.#running;
  }

  async #run(): Promise<void> {
    while (!this.#isOver) {
      const points = Array.from({ length: 25 }, (_, i) => {
        const value = this.acknowledged + i + 1;
        // Late and out of order, by a rule: anywhere in ten minutes.
        const timestamp = startMs - ((value * 7919) % 600_000);
        return {
          metric_type: 'load',
          source: this.name,
          labels: { sender: this.name, host: `h${value % 5}` },
          timestamp,
          value,
          data_id: `${this.name}-${value}`,
        };
      });
      await send(server, points);
      this.acknowledged += points.length;
    }
  }
}

async function send(
  to: Pick<RunningServer, 'url'>,
  points: readonly object[],
  headers: Record<string, string> = {},
): Promise<void> {
  const response = await fetch(`${to.url}/api/v1/ingest`, {
    method: 'POST',
    headers: { authorization: `Bearer ${server.key}`, 'content-type': 'application/x-ndjson', ...headers },
    body: points.map((point) => JSON.stringify(point)).join('\n'),
  });
  if (response.status !== 200) throw new Error(`${response.status} ${await response.text()}`);
}

async function signedIn({ url }: Pick<RunningServer, 'url'>): Promise<HttpApi> {
  const api = new HttpApi({ url });
  await api.login(server.login.login, server.login.password);
  return api;
}

/** Signs in and gives the session's token. */
async function signIn({ url }: Pick<RunningServer, 'url'>): Promise<string> {
  const response = await fetch(`${url}/login`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(server.login),
  });
  return ((await response.json()) as { token: string }).token;
}

async function meStatus({ url }: Pick<RunningServer, 'url'>, token: string): Promise<number> {
  return (await fetch(`${url}/api/v1/me`, { headers: { authorization: `Bearer ${token}` } })).status;
}

async function recordsOf(api: HttpApi, metric: string): Promise<PointRecord[]> {
  const records: PointRecord[] = [];
  for (let cursor: string | undefined; ;) {
    const page = await api.data({
      metric_type: metric,
      agg: 'none',
      order: 'asc',
      limit: 10_000,
      ...range,
      ...(cursor === undefined ? {} : { cursor }),
    });
    records.push(...(page.points ?? []));
    if (page.cursor === undefined) return records;
    cursor = page.cursor;
  }
}

/** `sender → total` of an aggregate over the whole range. */
async function totals(api: HttpApi, agg: 'count' | 'sum', step: string): Promise<Record<string, number>> {
  const answer = await api.data({ metric_type: 'load', agg, group_by: ['sender'], step, ...range });
  return Object.fromEntries(
    answer.series.map(({ labels, value }) => [
      labels['sender'],
      value.reduce<number>((sum, cell) => sum + (cell ?? 0), 0),
    ]),
  );
}

/** First event of a live stream. */
async function firstEvent(
  { url }: Pick<RunningServer, 'url'>,
  after?: string,
): Promise<{ id: string; data: { type: string; epoch: string; recovered: boolean } }> {
  const query = 'metric_type=load&agg=count&window=15m&step=1m';
  const response = await fetch(`${url}/updates?${query}`, {
    headers: {
      authorization: `Bearer ${server.key}`,
      ...(after === undefined ? {} : { 'last-event-id': after }),
    },
  });
  let text = '';
  for await (const chunk of response.body!) {
    text += Buffer.from(chunk).toString('utf8');
    const event = /id: ?(.+)\n(?:.+\n)*?data: ?(.+)\n|data: ?(.+)\n(?:.+\n)*?id: ?(.+)\n/.exec(text);
    if (event === null || !text.includes('\n\n')) continue;
    return { id: event[1] ?? event[4]!, data: JSON.parse(event[2] ?? event[3]!) };
  }
  throw new Error(`no event in ${text}`);
}

async function epochOf(dataDir: string): Promise<string> {
  const { epoch } = JSON.parse(await readFile(join(dataDir, 'log/log.json'), 'utf8')) as { epoch: string };
  return epoch;
}

/** What is left of two sides once everything equal is taken away. */
function difference(a: readonly PointRecord[], b: readonly PointRecord[]): string[] {
  const texts = (records: readonly PointRecord[]) => new Set(records.map((record) => JSON.stringify(record)));
  return [...texts(a).symmetricDifference(texts(b))];
}

describe('C27: backup and restore', { timeout: 900_000 }, () => {
  it('made under load and restored into an empty folder, there is no difference up to its offset', async () => {
    const senders = ['a', 'b', 'c'].map((name) => new NumberingSender(name));
    await vi.waitUntil(() => senders.every(({ acknowledged }) => acknowledged >= 2000), patience);
    const atStart = senders.map(({ acknowledged }) => acknowledged);
    const made = await cli(['backup', '--data-dir', server.dataDir, '--to', folder]);
    const atEnd = senders.map(({ acknowledged }) => acknowledged);
    await vi.waitUntil(() => senders.every(({ acknowledged }, i) => acknowledged > atEnd[i]!), patience);
    await Promise.all(senders.map((sender) => sender.end()));
    const file = made.stdout.trim();
    expect(await readdir(folder), 'nothing but the backup').toEqual([file.slice(folder.length + 1)]);

    const restoredDir = join(folder, 'restored');
    await cli(['restore', '--from', file, '--data-dir', restoredDir]);
    const position = await firstEvent(server);
    const restored = await serve(restoredDir, { args });
    try {
      const [before, after] = [await signedIn(server), await signedIn(restored)];
      const found = await recordsOf(after, 'load');
      const held = senders.map(({ name }) => found.filter(({ source }) => source === name).length);
      for (const [i, { name, acknowledged }] of senders.entries()) {
        expect(held[i], 'acknowledged before the backup began, and in it').toBeGreaterThanOrEqual(
          atStart[i]!,
        );
        const values = found.filter(({ source }) => source === name).map(({ value }) => value);
        const expected = Array.from({ length: held[i]! }, (_, n) => n + 1);
        expect(
          values.sort((a, b) => a - b),
          `what ${name} sent up to some moment`,
        ).toEqual(expected);
        expect(held[i]).toBeLessThanOrEqual(acknowledged);
      }
      const original = (await recordsOf(before, 'load')).filter(
        ({ source, value }) => value <= held[senders.findIndex(({ name }) => name === source)]!,
      );
      expect(difference(original, found)).toEqual([]);
      const sums = Object.fromEntries(senders.map(({ name }, i) => [name, (held[i]! * (held[i]! + 1)) / 2]));
      const counts = Object.fromEntries(senders.map(({ name }, i) => [name, held[i]!]));
      for (const step of ['1s', '10s', '1h']) {
        expect(await totals(after, 'count', step), step).toEqual(counts);
        expect(await totals(after, 'sum', step), step).toEqual(sums);
      }
      expect(await epochOf(restoredDir)).not.toBe(await epochOf(server.dataDir));
      const event = await firstEvent(restored, position.id);
      expect(event.data).toMatchObject({ type: 'snapshot', recovered: false });
      expect(event.data.epoch).not.toBe(position.data.epoch);

      const again = found.slice(-50).map((point) => ({ ...point, received_at: undefined }));
      await send(restored, again);
      expect(await totals(after, 'count', '1h'), 'its memory of retries came with it').toEqual(counts);
      await send(restored, [{ metric_type: 'load', source: 'new', labels: { sender: 'new' }, value: 1 }]);
      expect(await totals(after, 'count', '1h'), 'and it goes on').toEqual({ ...counts, new: 1 });
    } finally {
      await restored.destroy();
      await rm(file);
    }
  });

  it('killed in the middle, a backup leaves nothing that looks like one and holds nothing back', async () => {
    const target = join(folder, 'killed');
    await mkdir(target);
    const message = 'x'.repeat(4000);
    const bulk = Array.from({ length: 500 }, (_, i) => ({
      metric_type: 'bulk',
      value: i,
      message: message + i,
    }));
    for (let i = 0; i < 20; i++) await send(server, bulk);
    let killed = false;
    for (let tries = 0; tries < 20 && !killed; tries++) {
      const { child, result } = startCli(['backup', '--data-dir', server.dataDir, '--to', target]);
      const isBegun = async () => {
        const name = (await readdir(target)).find((entry) =>
          entry.endsWith(`.unfinished-${hostname()}-${child.pid}`),
        );
        const size =
          name === undefined
            ? 0
            : await stat(join(target, name)).then(
                (found) => found.size,
                () => 0,
              );
        return size > 0 || child.exitCode !== null;
      };
      await vi.waitUntil(isBegun, { ...patience, interval: 1 });
      child.kill('SIGKILL');
      killed = (await result).signal === 'SIGKILL';
      if (!killed) for (const name of await readdir(target)) await rm(join(target, name));
    }
    expect(killed, 'one of the kills came before the end').toBe(true);
    const left = await readdir(target);
    expect(left.filter((name) => !/\.unfinished-.+-\d+$/.test(name))).toEqual([]);
    expect(
      await cliError(['restore', '--from', join(target, left[0]!), '--data-dir', join(folder, 'no')]),
    ).toContain('is not a whole backup');

    await vi.waitUntil(
      async () =>
        (await startCli(['backup', '--data-dir', server.dataDir, '--to', target]).result).code === 0,
      patience,
    );
    const after = await readdir(target);
    expect(after, 'and what the killed one left is gone').toHaveLength(1);
    expect(await readdir(join(server.dataDir, 'warehouse/chdb/shadow'))).not.toContain('nowcast');
    await send(server, [{ metric_type: 'load', source: 'late', labels: { sender: 'late' }, value: 1 }]);
  });

  it('a damaged backup is refused with what is wrong, and leaves no folder', async () => {
    const file = join(folder, 'whole.tar');
    await cli(['backup', '--data-dir', server.dataDir, '--to', file]);
    const { size } = await stat(file);
    const target = join(folder, 'from-damaged');
    const refusal = () => cliError(['restore', '--from', file, '--data-dir', target]);

    const flip = async (at: number) => {
      const handle = await open(file, 'r+');
      const byte = Buffer.alloc(1);
      await handle.read(byte, 0, 1, at);
      await handle.write(Buffer.of(byte[0]! ^ 1), 0, 1, at);
      await handle.close();
    };
    const places = [
      [512 + 5000, 'meta.sqlite is not what was backed up'],
      [100, 'byte 0 is not where a file begins'],
      [(await readFile(file)).lastIndexOf('"created_at"'), 'its list of contents is not what was written'],
    ] as const;
    for (const [at, words] of places) {
      await flip(at);
      expect(await refusal()).toContain(words);
      await flip(at);
      expect(await readdir(folder)).not.toContain('from-damaged');
    }
    await truncate(file, Math.floor(size * 0.6));
    expect(await refusal()).toMatch(/it ends in the middle of|it ends without its list of contents/);
    await writeFile(file, 'not a backup');
    expect(await refusal()).toContain('no backup of Nowcast');
    expect(await readdir(folder)).not.toContain('from-damaged');
  });

  it('a stopped installation is backed up too, and a restore is one again', async () => {
    const dir = join(folder, 'stopped');
    const first = await startServer(args, dir);
    await fetch(`${first.url}/api/v1/ingest`, {
      method: 'POST',
      headers: { authorization: `Bearer ${first.key}` },
      body: JSON.stringify({ metric_type: 'm', value: 7, timestamp: startMs }),
    });
    const stolen = await signIn(first);
    await first.stop();
    const file = join(folder, 'stopped.tar');
    await cli(['backup', '--data-dir', dir, '--to', file]);
    const restored = join(folder, 'stopped-restored');
    const said = await cli(['restore', '--from', file, '--data-dir', restored]);
    expect(said.stdout).toContain('everybody signs in again');
    expect(said.stdout, 'the keys to review').toMatch(/valid again.*\n[0-9a-z]{20}\tfirst\tcreated 20/);
    const second = await serve(restored, { args });
    // Whoever was signed out after the backup was made stays signed out.
    expect(await meStatus(second, stolen)).toBe(401);
    expect(await meStatus(second, await signIn(second))).toBe(200);
    await second.stop();
    const { stdout } = await cli(['export', '--data-dir', restored, '--metric', 'm']);
    expect(JSON.parse(stdout)).toMatchObject({ metric_type: 'm', value: 7, timestamp: startMs });
  });

  it('wrong arguments are answered with what to change', async () => {
    const data = ['--data-dir', server.dataDir];
    expect(await cliError(['backup', ...data])).toContain('--to is missing');
    expect(await cliError(['backup', '--data-dir', join(folder, 'none'), '--to', folder])).toContain(
      'there is no installation in',
    );
    expect(await cliError(['backup', ...data, '--to', join(server.dataDir, 'b.tar')])).toContain(
      'a backup beside the data is lost with it',
    );
    const detour = join(folder, 'detour');
    await symlink(server.dataDir, detour);
    const odd = join(server.dataDir, '..odd');
    await mkdir(odd);
    for (const to of [detour, join(detour, 'b.tar'), join(detour, 'log'), odd])
      expect(await cliError(['backup', ...data, '--to', to])).toContain(
        'a backup beside the data is lost with it',
      );
    expect(await cliError(['backup', ...data, '--to', join(folder, 'no/such/b.tar')])).toContain(
      'make it first',
    );
    const taken = join(folder, 'taken.tar');
    await writeFile(taken, '');
    expect(await cliError(['backup', ...data, '--to', taken])).toContain('exists already');
    expect(await cliError(['restore', '--from', taken, ...data])).toContain('is not empty');
    const nowhere = ['--from', join(folder, 'none.tar'), '--data-dir', join(folder, 'fresh')];
    expect(await cliError(['restore', ...nowhere])).toContain('cannot be opened');
    expect(await cliError(['restore', '--data-dir', join(folder, 'fresh')])).toContain('--from is missing');
  });
});
