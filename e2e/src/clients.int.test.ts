/**
 * Other people's clients against the real server: what Telegraf puts on the wire, Influx's JavaScript client, Debian's
 * `influx` shell, curl. They were written against other servers, so they prove what our own client cannot: that the
 * doors are the ones the world knows.
 */
import { execFile, spawn, spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
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

/** What Telegraf 1.32 gathered on a small database host; its names hold spaces, commas and equal signs. */
const batch = readFileSync(new URL('../fixtures/telegraf.lp', import.meta.url));
const at = 1_700_000_000_000;

/** Sends exactly these bytes and reads the answer: status and body. */
function exchange(head: readonly string[], body: Buffer): Promise<{ status: number; text: string }> {
  return new Promise((resolve, reject) => {
    const socket = connect(server.port, '127.0.0.1');
    let text = '';
    socket.on('data', (chunk) => (text += chunk.toString()));
    socket.on('error', reject);
    socket.on('close', () => {
      const [headers = '', rest = ''] = text.split('\r\n\r\n');
      resolve({ status: Number(headers.split(' ')[1]), text: rest });
    });
    socket.write(`${[...head, 'Connection: close'].join('\r\n')}\r\n\r\n`);
    socket.write(body);
  });
}

/** Go's client sends a body of unknown length in chunks. */
function chunked(body: Buffer): Buffer {
  const size = Buffer.from(`${body.length.toString(16)}\r\n`);
  return Buffer.concat([size, body, Buffer.from('\r\n0\r\n\r\n')]);
}

const outputV2 = (path: string): string[] => [
  `POST ${path} HTTP/1.1`,
  `Host: 127.0.0.1:${server.port}`,
  'User-Agent: Telegraf/1.32.3 Go/1.23.3',
  'Transfer-Encoding: chunked',
  `Authorization: Token ${server.key}`,
  'Content-Encoding: gzip',
  'Content-Type: text/plain; charset=utf-8',
  'Accept-Encoding: gzip',
];

const range = { from: at - 60_000, to: at + 60_000, step: '1m' };
const valueOf = (metric: string, where: Record<string, string> = {}): Promise<number> => {
  const [label, value] = Object.entries(where)[0] ?? ['host', 'db-1'];
  return readTotal(server, { metric_type: metric, agg: 'last', where: `${label}:${value}`, ...range });
};

describe('Telegraf', () => {
  test('a batch of outputs.influxdb_v2 arrives whole: floats, integers, booleans, texts and escapes', async () => {
    const answer = await exchange(
      outputV2('/api/v2/write?bucket=telegraf&org=acme&precision=ns'),
      chunked(gzipSync(batch)),
    );
    expect(answer).toEqual({ status: 204, text: '' });

    expect(await valueOf('cpu_usage_user', { cpu: 'cpu0' })).toBe(Number('3.2064128256513057'));
    expect(await valueOf('mem_used_percent')).toBe(24.496246180183924);
    expect(await valueOf('mem_vmalloc_total')).toBe(35_184_372_087_808);
    expect(await valueOf('disk_used_percent', { path: '/var/lib/my data, old' })).toBe(40);
    expect(await valueOf('diskio_reads', { name: 'nvme0n1' })).toBe(1_203_945);
    expect(await valueOf('net_bytes_recv', { interface: 'eth0' })).toBe(2 ** 53);
    expect(await valueOf('net_tcp_attemptfails', { interface: 'all' })).toBe(-1);
    expect(await valueOf('system_load15')).toBe(0.51);
    expect(await valueOf('processes_total')).toBe(223);
    expect(await valueOf('systemd_units_active_code', { name: 'web=app.service' })).toBe(0);
    expect(await valueOf('net_response_string_found', { server: 'db host' })).toBe(1);
    expect(await valueOf('http_response_ok', { method: 'GET' })).toBe(1);
    expect(await valueOf('http_response_tls', { method: 'GET' })).toBe(0);

    const texts = await readData(server, {
      metric_type: 'http_response_result_type',
      agg: 'none',
      from: range.from,
      to: range.to,
    });
    expect(texts.points).toMatchObject([
      {
        timestamp: at,
        value: 1,
        message: 'said "hello" to C:\\dir',
        labels: { host: 'db-1', method: 'GET', server: 'https://example.org/a?b=c' },
      },
    ]);
  });

  test('every field of every line is there, counted metric by metric', async () => {
    const fields = batch.toString().trim().split('\n').flatMap(fieldsOf);
    for (const metric of new Set(fields)) {
      const count = fields.filter((name) => name === metric).length;
      expect([metric, await readTotal(server, { metric_type: metric, agg: 'count', ...range })]).toEqual([
        metric,
        count,
      ]);
    }
    expect(fields.length).toBe(126);
  });

  test('the same batch once more, because its answer was lost, is counted once', async () => {
    const count = { metric_type: 'cpu_usage_idle', agg: 'count', ...range };
    const before = await readTotal(server, count);
    const answer = await exchange(
      outputV2('/api/v2/write?bucket=telegraf&org=acme'),
      chunked(gzipSync(batch)),
    );
    expect(answer.status).toBe(204);
    expect(await readTotal(server, count)).toBe(before);
  });

  test.each([
    [
      'the key as password',
      () => [`Authorization: Basic ${Buffer.from(`telegraf:${server.key}`).toString('base64')}`],
      '',
    ],
    ['the key in p', () => [], '&u=telegraf&p='],
  ])('outputs.influxdb of version 1, %s', async (name, authorization, parameters) => {
    const metric = `v1_${name.replaceAll(' ', '_')}`;
    const credential = parameters === '' ? '' : `${parameters}${server.key}`;
    const line = Buffer.from(`${metric},host=db-1 value=4i ${at}000000\n`);
    const head = [
      `POST /write?consistency=any&db=telegraf${credential} HTTP/1.1`,
      `Host: 127.0.0.1:${server.port}`,
      'User-Agent: telegraf',
      'Transfer-Encoding: chunked',
      ...authorization(),
      'Content-Encoding: gzip',
      'Content-Type: text/plain; charset=utf-8',
      'Accept-Encoding: gzip',
    ];
    expect(await exchange(head, chunked(gzipSync(line)))).toEqual({ status: 204, text: '' });
    expect(await valueOf(metric)).toBe(4);
  });

  test('a broken line among good ones is named in the words Influx uses, and the good ones are kept', async () => {
    const lines = `partial,host=db-1 a=1 ${at}000000\npartial,host=db-1 b=oops ${at}000000\npartial,host=db-1 c=3 ${at}000000\n`;
    const answer = await exchange(
      outputV2('/api/v2/write?bucket=telegraf&org=acme'),
      chunked(gzipSync(lines)),
    );
    expect(answer.status).toBe(422);
    expect(JSON.parse(unchunked(answer.text))).toMatchObject({
      code: 'unprocessable entity',
      message: expect.stringMatching(
        /^partial write: 2 points kept, 1 lines dropped; line 2: .*oops/,
      ) as string,
    });
    expect(await valueOf('partial_a')).toBe(1);
    expect(await valueOf('partial_c')).toBe(3);
  });
});

/** The metric of each field of a line: what lies between the first free space and the last, cut at free commas. */
function fieldsOf(line: string): string[] {
  const [, measurement = '', fields = ''] = /^(\w+),(?:\\.|[^\\ ])+ (.*) \d+$/.exec(line) ?? [];
  const pairs = fields.match(/\w+=(?:"(?:\\.|[^"\\])*"|[^,"]+)/g) ?? [];
  return pairs.map((pair) => `${measurement}_${pair.split('=')[0]}`);
}

/** Answers to HTTP/1.1 requests that close may come in chunks or not. */
function unchunked(text: string): string {
  return text.slice(text.indexOf('{'), text.lastIndexOf('}') + 1);
}

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
    expect(await valueOf('shell')).toBe(7);
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
