/**
 * Other people's clients against the real server: Influx's JavaScript client, Debian's `influx` shell, curl. They were
 * written against other servers, so they prove what our own client cannot: that the doors are the ones the world knows.
 * Telegraf has a file of its own.
 */
import { execFile, spawn, spawnSync } from 'node:child_process';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { promisify } from 'node:util';
import { gzipSync } from 'node:zlib';
import { InfluxDB, Point, setLogger } from '@influxdata/influxdb-client';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { readData, readTotal } from '../fixtures/data.ts';
import { patience } from '../fixtures/live-peer.ts';
import { type RunningServer, startServer } from './server.ts';

const run = promisify(execFile);
const hasInflux = spawnSync('influx', ['-version']).status === 0;

let server: RunningServer;
beforeAll(async () => {
  server = await startServer(['--no-collector']);
});
afterAll(() => server?.destroy());

const at = 1_700_000_000_000;
const range = { from: at - 60_000, to: at + 60_000, step: '1m' };

/** Stands before the server and gives each request the next of `refusals`; then it passes everything on. */
async function startRefusing(
  refusals: readonly number[],
): Promise<{ url: string; seen: number[]; stop: () => void }> {
  const left = [...refusals];
  const seen: number[] = [];
  const answer = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const body = Buffer.concat((await request.toArray()) as Buffer[]);
    const refusal = left.shift();
    if (refusal !== undefined) {
      seen.push(refusal);
      response.writeHead(refusal, { 'Retry-After': '1', 'Content-Type': 'application/json' });
      response.end(JSON.stringify({ code: 'unavailable', message: 'try again', error: 'try again' }));
      return;
    }
    const { authorization = '', 'content-encoding': encoding } = request.headers;
    const passed = await fetch(`${server.url}${request.url}`, {
      method: 'POST',
      headers: { authorization, ...(encoding === undefined ? {} : { 'content-encoding': encoding }) },
      body,
    });
    seen.push(passed.status);
    response.writeHead(passed.status).end(await passed.text());
  };
  const proxy: Server = createServer((request, response) => void answer(request, response));
  await new Promise<void>((listening) => proxy.listen(0, '127.0.0.1', listening));
  const { port } = proxy.address() as AddressInfo;
  return { url: `http://127.0.0.1:${port}`, seen, stop: () => proxy.close() };
}

describe('@influxdata/influxdb-client', () => {
  beforeAll(() => void setLogger({ error: () => undefined, warn: () => undefined }));

  test('points in batches, with all kinds of fields and its own escapes, are there once they are acknowledged', async () => {
    let written = 0;
    const writes = new InfluxDB({ url: server.url, token: server.key }).getWriteApi('acme', 'shop', 'ms', {
      batchSize: 100,
      flushInterval: 0,
      gzipThreshold: 200,
      writeSuccess: (lines) => void (written += lines.length),
    });
    writes.useDefaultTags({ host: 'web 1,a=b' });
    for (let i = 0; i < 250; i++) {
      writes.writePoint(
        new Point('sale')
          .tag('item', `№ ${i % 5}`)
          .floatField('amount', i / 4)
          .intField('count', 1)
          .booleanField('paid', i % 2 === 0)
          .stringField('note', 'two\nlines, "quoted" \\ back')
          .timestamp(at - i),
      );
    }
    await writes.flush();
    // flush() and close() await the last, unfilled batch alone; those that filled up are still on their way.
    await vi.waitFor(() => expect(written).toBe(250), patience);
    await writes.close();
    // From here on every point was acknowledged, so all must be there at once.
    const where = 'host:web 1,a=b';
    expect(await readTotal(server, { metric_type: 'sale_count', agg: 'sum', where, ...range })).toBe(250);
    expect(await readTotal(server, { metric_type: 'sale_paid', agg: 'sum', where, ...range })).toBe(125);
    expect(
      await readTotal(server, { metric_type: 'sale_amount', agg: 'max', where: 'item:№ 4', ...range }),
    ).toBe(249 / 4);
    const notes = await readData(server, {
      metric_type: 'sale_note',
      agg: 'none',
      limit: 1,
      from: range.from,
      to: range.to,
    });
    expect(notes.points?.[0]?.message).toBe('two\nlines, "quoted" \\ back');
  });

  test('it repeats what 429 and 503 refused, and nothing is counted twice', async () => {
    const door = await startRefusing([429, 503, 503]);
    let written = 0;
    const writes = new InfluxDB({ url: door.url, token: server.key }).getWriteApi('acme', 'shop', 'ms', {
      batchSize: 10,
      flushInterval: 0,
      minRetryDelay: 1,
      maxRetryDelay: 20,
      retryJitter: 1,
      maxRetries: 10,
      writeSuccess: (lines) => void (written += lines.length),
    });
    for (let i = 0; i < 20; i++)
      writes.writePoint(new Point('retried').floatField('value', i).timestamp(at - i));
    await vi.waitFor(() => expect(written).toBe(20), patience);
    await writes.close();
    door.stop();
    expect(door.seen.slice(0, 3)).toEqual([429, 503, 503]);
    expect(new Set(door.seen.slice(3))).toEqual(new Set([204]));
    expect(await readTotal(server, { metric_type: 'retried', agg: 'count', ...range })).toBe(20);
  });

  test('a wrong key and a broken line end in its error, with our reason, and are not repeated', async () => {
    const failed = async (token: string, line: string): Promise<unknown[]> => {
      const errors: unknown[] = [];
      const writes = new InfluxDB({ url: server.url, token }).getWriteApi('acme', 'shop', 'ms', {
        flushInterval: 0,
        writeFailed: async (error) => void errors.push(error),
      });
      writes.writeRecord(line);
      await writes.close();
      return errors;
    };
    expect(await failed('nk_wrong', 'a value=1')).toMatchObject([
      {
        statusCode: 401,
        code: 'unauthorized',
        json: { message: expect.stringContaining('this key') as string },
      },
    ]);
    expect(await failed(server.key, 'a value=oops')).toMatchObject([
      { statusCode: 422, message: expect.stringContaining('line 1') as string },
    ]);
  });
});

describe.runIf(hasInflux)('the influx shell of Debian (skipped where influxdb-client is missing)', () => {
  test('INSERT arrives, and a broken line is told to the person', async () => {
    const shell = (statement: string) =>
      run('influx', [
        '-host',
        '127.0.0.1',
        '-port',
        String(server.port),
        '-username',
        'any',
        '-password',
        server.key,
        '-database',
        'shop',
        '-execute',
        statement,
      ]);
    await shell(`INSERT shell,host=db-1 value=7 ${at}000000`);
    expect(await readTotal(server, { metric_type: 'shell', agg: 'last', ...range })).toBe(7);
    const refused = await shell('INSERT shell,host=db-1 value=oops').catch((error: unknown) => error);
    const { stdout, stderr } = refused as { stdout: string; stderr: string };
    expect(stdout + stderr).toMatch(/line 1: .*oops/);
  });
});

describe('curl', () => {
  const curl = async (...args: string[]): Promise<string> =>
    (await run('curl', ['-sS', ...args.map((arg) => arg.replace('URL', server.url))])).stdout;
  const bearer = (): string[] => ['-H', `Authorization: Bearer ${server.key}`];
  const total = (metric: string): Promise<number> =>
    readTotal(server, { metric_type: metric, agg: 'sum', window: '5m', step: '1h' });

  test.each([
    ['one point', [], '{"metric_type":"curl_one","value":3}', 1],
    ['an array', [], '[{"metric_type":"curl_array","value":1},{"metric_type":"curl_array","value":2}]', 2],
    [
      'NDJSON',
      ['-H', 'Content-Type: application/x-ndjson'],
      '{"metric_type":"curl_lines","value":1}\n{"metric_type":"curl_lines","value":2}\n',
      2,
    ],
  ])('sends %s with the first line of the manual', async (_name, more, body, accepted) => {
    const metric = /"metric_type":"(\w+)"/.exec(body)![1]!;
    const answer = await curl('URL/api/v1/ingest', ...bearer(), ...more, '--data-binary', body);
    expect(JSON.parse(answer)).toEqual({ accepted });
    expect(await total(metric)).toBe(3);
  });

  test('sends gzip from a pipe', async () => {
    const child = spawn('curl', [
      '-sS',
      `${server.url}/api/v1/ingest`,
      ...bearer(),
      '-H',
      'Content-Encoding: gzip',
      '--data-binary',
      '@-',
    ]);
    child.stdin.end(gzipSync('{"metric_type":"curl_gzip","value":3}'));
    const text = Buffer.concat((await child.stdout.toArray()) as Buffer[]).toString();
    expect(JSON.parse(text)).toEqual({ accepted: 1 });
    expect(await total('curl_gzip')).toBe(3);
  });

  test('curl -N sees a later point arrive', async () => {
    const child = spawn('curl', [
      '-sSN',
      `${server.url}/updates?metric_type=curl_live&agg=sum&window=1m&step=1m`,
      ...bearer(),
    ]);
    let heard = '';
    child.stdout.on('data', (chunk: Buffer) => (heard += chunk.toString()));
    try {
      await vi.waitFor(() => expect(heard).toContain('event: snapshot'), patience);
      await curl('URL/api/v1/ingest', ...bearer(), '-d', '{"metric_type":"curl_live","value":41.5}');
      await vi.waitFor(() => expect(heard).toMatch(/event: delta[^]*"cells":\[\[0,\d+,41\.5\]\]/), patience);
    } finally {
      child.kill();
    }
  });

  test('reads a range as CSV and as NDJSON', async () => {
    await curl(
      'URL/api/v1/ingest',
      ...bearer(),
      '-d',
      `[{"metric_type":"curl_read","value":1.5,"timestamp":${at},"labels":{"host":"a"}},{"metric_type":"curl_read","value":2,"timestamp":${at + 60_000},"labels":{"host":"b"}}]`,
    );
    const address = `URL/data?metric_type=curl_read&agg=sum&group_by=host&from=${at}&to=${at + 120_000}&step=1m`;
    const csv = await curl(address, ...bearer(), '-H', 'Accept: text/csv');
    const rows = csv
      .trim()
      .split('\r\n')
      .filter((row) => !row.endsWith(','));
    expect(rows[0]).toBe('timestamp,host,value');
    expect(rows.slice(1).sort()).toEqual([
      expect.stringMatching(/,a,1\.5$/) as string,
      expect.stringMatching(/,b,2$/) as string,
    ]);
    const lines = await curl(address, ...bearer(), '-H', 'Accept: application/x-ndjson');
    const parsed = lines
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as object);
    expect(parsed.length).toBeGreaterThan(1);
    expect(lines).toContain('1.5');
  });

  test('signs in by form and by JSON, and reads with what it got', async () => {
    const { login, password } = server.login;
    const form = await curl(
      '-i',
      'URL/login',
      '--data-urlencode',
      `login=${login}`,
      '--data-urlencode',
      `password=${password}`,
    );
    expect(form).toMatch(/^HTTP\/1\.1 303 [^]*^Location: \/\r$/im);
    const cookie = /^set-cookie: (nowcast=[\w-]+);/im.exec(form)![1]!;
    expect(JSON.parse(await curl('URL/api/v1/me', '-b', cookie))).toMatchObject({ username: login });
    const answer = await curl(
      'URL/login',
      '-H',
      'Content-Type: application/json',
      '-d',
      JSON.stringify({ login, password }),
    );
    const { token } = JSON.parse(answer) as { token: string };
    expect(JSON.parse(await curl('URL/api/v1/me', '-H', `Authorization: Bearer ${token}`))).toMatchObject({
      username: login,
      role: 'owner',
    });
  });
});
