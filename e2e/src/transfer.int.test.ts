import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { DataAnswer, PointRecord } from '@nowcast/contract';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { cli, cliError, main, node, startCli } from './cli.ts';
import { type RunningServer, startServer } from './server.ts';

/** Flushes in the middle of what is exported: some points come from the warehouse, some from memory. */
const args = ['--no-collector', '--partitions', '2', '--flush-points', '6000', '--hot-points', '0'];

let folder: string;
let source: RunningServer;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'nowcast-transfer-'));
  source = await startServer(args);
  await sendAwkwardPoints();
}, 300_000);
afterAll(async () => {
  await source.destroy();
  await rm(folder, { recursive: true, force: true });
});

/** Whole seconds: the same instants are written in RFC 3339 below. */
const startMs = Math.floor(Date.now() / 1000) * 1000 - 3_600_000;
const awkward = [
  { value: -0.1, message: '=1+1', labels: { host: "'=x", region: 'eu, "west"' } },
  { value: 1e300, message: 'two\nlines\r\nand a "quote"', labels: { host: ' spaced ', region: 'Zürich 🙂' } },
  { value: 5e-324, actor: 'ada', data_id: '-minus', labels: { host: '@x' } },
  { value: 0.1 + 0.2, actor: '\ttab', message: "''+y", labels: {} },
];
const plainPoints = 14_000;

async function sendAwkwardPoints(): Promise<void> {
  const points = [
    ...awkward.map((point, i) => ({ ...point, source: `s${i % 2}`, timestamp: startMs + i })),
    // More than a page, many at one time, two of them alike.
    ...Array.from({ length: plainPoints }, (_, i) => ({
      value: i % 100,
      labels: { host: `h${i % 50}` },
      timestamp: startMs + 1000 + Math.floor(i / 40),
    })),
  ].map((point) => ({ metric_type: 'awkward', ...point }));
  for (let at = 0; at < points.length; at += 2000) {
    const response = await fetch(`${source.url}/api/v1/ingest`, {
      method: 'POST',
      headers: { authorization: `Bearer ${source.key}`, 'content-type': 'application/x-ndjson' },
      body: points
        .slice(at, at + 2000)
        .map((point) => JSON.stringify(point))
        .join('\n'),
    });
    expect(response.status).toBe(200);
  }
}

async function ask({ url, key }: RunningServer, query: Record<string, string>): Promise<DataAnswer> {
  const range = { from: String(startMs - 60_000), to: String(startMs + 3_600_000) };
  const asked = new URLSearchParams({ metric_type: 'awkward', ...range, ...query });
  const response = await fetch(`${url}/data?${asked.toString()}`, {
    headers: { authorization: `Bearer ${key}` },
  });
  expect(response.status).toBe(200);
  return (await response.json()) as DataAnswer;
}

const shell = (script: string, words: readonly string[]) =>
  promisify(execFile)('bash', ['-c', script, ...words]);

/** What people would ask, of one server. */
async function answersOf(server: RunningServer): Promise<unknown> {
  const questions = [
    { agg: 'count', step: '1s', group_by: 'host' },
    { agg: 'sum', step: '10s' },
    { agg: 'max', step: '1m', group_by: 'region' },
    { agg: 'p90', step: '1m' },
    { agg: 'uniques', step: '1h' },
    { agg: 'last', step: '1s', where: 'host:~h1.*', group_by: 'host' },
  ];
  return Promise.all(questions.map(async (question) => (await ask(server, question)).series));
}

function withoutReceipt(ndjson: string): unknown[] {
  return ndjson
    .trim()
    .split('\n')
    .map((line) => ({ ...(JSON.parse(line) as PointRecord), received_at: 0 }))
    .map((point) => JSON.stringify(point))
    .sort();
}

describe('export and import', { timeout: 900_000 }, () => {
  it.each(['ndjson', 'csv'])(
    'a %s export into a fresh server yields the same answers, and only once',
    async (format) => {
      const file = join(folder, `points.${format}`);
      const all = ['--metric', 'awkward', '--format', format, '--output', file];
      await cli(['export', '--data-dir', source.dataDir, ...all]);
      const target = await startServer(args);
      try {
        const over = ['--url', target.url];
        const env = { NOWCAST_KEY: target.key };
        const first = await cli(['import', file, ...over], { env });
        expect(first.stderr).toBe(
          `${plainPoints + awkward.length} lines: ${plainPoints + awkward.length} stored, 0 refused\n`,
        );
        const expected = await answersOf(source);
        expect(await answersOf(target)).toEqual(expected);
        await cli(['import', ...over, file], { env });
        expect(await answersOf(target), 'the same import again').toEqual(expected);
        const exported = await cli(['export', '--metric', 'awkward', ...over], { env });
        const original = await cli(['export', '--data-dir', source.dataDir, '--metric', 'awkward']);
        expect(withoutReceipt(exported.stdout)).toEqual(withoutReceipt(original.stdout));
      } finally {
        await target.destroy();
      }
    },
  );

  it('a reader that has seen enough is no failure', async () => {
    const { stdout } = await shell(
      'set -o pipefail; "$0" "$1" export --metric awkward --data-dir "$2" | head -n 1',
      [node, main, source.dataDir],
    );
    expect(JSON.parse(stdout)).toMatchObject({ metric_type: 'awkward' });
  });

  it('range and labels choose what is exported, as a person too', async () => {
    const password = source.login.password;
    const who = ['--url', source.url, '--login', source.login.login, '--password-stdin'];
    const from = new Date(startMs + 1000).toISOString();
    const to = String(startMs + 1010);
    const options = ['--from', from, '--to', to, '--where', 'host:h1|h2', '--where', 'region:!none'];
    const { stdout } = await cli(['export', '--metric', 'awkward', ...options, ...who], { input: password });
    const points = stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as PointRecord);
    const byHost = Map.groupBy(points, ({ labels }) => labels['host']);
    const found = Object.fromEntries([...byHost].map(([host, { length }]) => [host, length]));
    expect(found, 'of 400 points of 50 hosts').toEqual({ h1: 8, h2: 8 });
  });

  it('wrong lines are told by number and reason, and the others are kept', async () => {
    const ndjson = join(folder, 'wrong.ndjson');
    await writeFile(
      ndjson,
      '{"metric_type":"w","value":1}\n\n{"metric_type":"w"}\nnot json\n{"metric_type":"w","value":2,"timestamp":1}\n{"metric_type":"w","value":3}\n',
    );
    const data = ['--data-dir', source.dataDir];
    const sent = await startCli(['import', ndjson, ...data]).result;
    expect(sent.code).toBe(1);
    expect(sent.stderr).toMatch(/^line 3: .*value is missing/m);
    expect(sent.stderr).toMatch(/^line 4: /m);
    expect(sent.stderr).toMatch(/^line 5: .*timestamp/m);
    expect(sent.stderr).toContain('5 lines: 2 stored, 3 refused');

    const csv = join(folder, 'wrong.csv');
    await writeFile(csv, 'metric_type,value,message\nw,1,"a\nb"\nw,2\nw,x,\nw,4,\n');
    const rows = await startCli(['import', csv, ...data]).result;
    expect(rows.stderr).toMatch(/^line 4: it has 2 cells, the header 3$/m);
    expect(rows.stderr).toMatch(/^line 5: /m);
    expect(rows.stderr).toContain('4 lines: 2 stored, 2 refused');

    const lines = '# a comment\ncpu,host=a value=1 1000\ncpu value=\ncpu,host=b value=2\n';
    const influx = await startCli(['import', '-', '--format', 'line-protocol', ...data], { input: lines })
      .result;
    expect(influx.stderr).toMatch(/^line 2: .*timestamp/m);
    expect(influx.stderr).toMatch(/^line 3: /m);
    expect(influx.stderr).toContain('3 lines: 1 stored, 2 refused');

    // A text over the border of two requests, a refused one with a point in it, and one that does not close.
    const many = 'cpu,host=c value=1\n'.repeat(4999);
    const texts =
      'log msg="a\n# b\n\nc"\nlog msg="\ncpu,host=d value=1\n",n=x\nlog msg="\n\ncpu,host=e value=1\n';
    const told = await startCli(['import', '-', '--format', 'line-protocol', ...data], {
      input: many + texts,
    }).result;
    expect(told.stderr).toMatch(/^line 5004: .*not a value/m);
    expect(told.stderr).toMatch(/^line 5007: .*does not end/m);
    expect(told.stderr).toContain('5003 lines: 5001 stored, 2 refused');
  });

  it('points older than what is kept are refused and counted, with a running server and without one', async () => {
    const dir = join(folder, 'ages');
    const day = 86_400_000;
    const sent = async (metric: string, ...more: string[]) => {
      const ages = [90, 110, 2000].map((days) => startMs - days * day);
      const lines = ages.map((timestamp) => JSON.stringify({ metric_type: metric, value: 1, timestamp }));
      const options = ['--format', 'ndjson', '--data-dir', dir, ...more];
      return (await startCli(['import', '-', ...options], { input: lines.join('\n') }).result).stderr;
    };
    const target = await startServer(['--no-collector', '--fine-days', '100', '--coarse-days', '100'], dir);
    const said = await sent('served');
    expect(said).toMatch(/^line 2: .*more than 100 days back, .*raise --coarse-days/m);
    expect(said).toContain('3 lines: 1 stored, 2 refused');
    await target.stop();
    expect(await sent('alone')).toContain('3 lines: 2 stored, 1 refused');
    expect(await sent('told', '--coarse-days', '3000')).toContain('3 lines: 3 stored, 0 refused');
  });

  it('wrong arguments are answered with what to change', async () => {
    const data = ['--data-dir', source.dataDir];
    const plain = join(folder, 'plain.txt');
    await writeFile(plain, 'metric_type,value,colour\n');
    expect(await cliError(['import', ...data])).toContain('FILE|- is missing');
    expect(await cliError(['import', plain, ...data])).toContain('--format ndjson, csv or line-protocol');
    expect(await cliError(['import', plain, '--format', 'csv', ...data])).toContain('the column "colour"');
    expect(await cliError(['import', join(folder, 'none.csv'), ...data])).toContain('cannot be opened');
    expect(await cliError(['import', plain, '--format', 'csv', '--url', source.url])).toContain(
      'NOWCAST_KEY',
    );
    const wrongKey = ['--url', source.url, '--key', 'nk_x_y'];
    expect(await cliError(['export', '--metric', 'm', ...wrongKey])).toContain('not valid');
    expect(
      await cliError(['export', '--metric', 'm', '--url', 'http://127.0.0.1:1', '--key', 'x']),
    ).toContain('http://127.0.0.1:1 cannot be reached');
    expect(await cliError(['export', '--metric', 'm', '--from', 'soon', ...data])).toContain('soon');
    expect(await cliError(['export', ...data])).toContain('--metric is missing');
    const output = join(folder, 'never.csv');
    await cliError(['export', '--metric', 'm', '--where', 'host', '--output', output, ...data]);
    await expect(readFile(output)).rejects.toThrow('ENOENT');
  });
});
