/**
 * Telegraf against the real server. A batch written by hand shows what we believe Telegraf sends; these are requests that
 * its own agent sent (fixtures/telegraf), replayed byte for byte, and held against what the same agent wrote to a file.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { readData, readTotal } from '../fixtures/data.ts';
import { type RunningServer, startServer } from './server.ts';

const folder = new URL('../fixtures/telegraf/', import.meta.url);

interface Metric {
  name: string;
  tags: Record<string, string>;
  fields: Record<string, number | string | boolean>;
  /** Epoch ns: whole seconds, which a double holds. */
  timestamp: number;
}

interface Point {
  timestamp: number;
  value: number;
  message: string | undefined;
  labels: Record<string, string>;
}

const metrics = readFileSync(new URL('metrics.ndjson', folder), 'utf8')
  .trim()
  .split('\n')
  .map((line) => JSON.parse(line) as Metric);
const times = metrics.map(({ timestamp }) => timestamp / 1e6);
const range = { from: Math.min(...times) - 1000, to: Math.max(...times) + 1000 };

/** The points that the fields of all metrics are, by the name they get here. */
const expected = Map.groupBy(
  metrics.flatMap(({ name, tags, fields, timestamp }) =>
    Object.entries(fields).map(([field, value]) => ({
      metric: `${name}_${field}`,
      point: {
        timestamp: timestamp / 1e6,
        value: typeof value === 'string' ? 1 : Number(value),
        message: typeof value === 'string' ? value : undefined,
        labels: tags,
      } satisfies Point,
    })),
  ),
  ({ metric }) => metric,
);

/** The recorded requests of an output, with the key of this server. */
function requestsOf(output: string, key: string): Buffer[] {
  const credentials = Buffer.from(`telegraf:${key}`).toString('base64');
  return readdirSync(folder)
    .filter((name) => name.startsWith(`${output}-`))
    .sort()
    .map((name) => {
      const bytes = readFileSync(new URL(name, folder));
      const headBytes = bytes.indexOf('\r\n\r\n');
      const head = bytes.toString('latin1', 0, headBytes);
      const signed = head.replace(/ KEY$/m, ` ${key}`).replace(/ CREDENTIALS$/m, ` ${credentials}`);
      expect(signed, 'a request without a key').not.toBe(head);
      return Buffer.concat([Buffer.from(signed, 'latin1'), bytes.subarray(headBytes)]);
    });
}

interface Answer {
  status: number;
  body: string;
}

/** Writes these bytes and reads one answer, which says its length or has no body. */
function exchange(socket: Socket, request: Buffer): Promise<Answer> {
  return new Promise((resolve, reject) => {
    let text = '';
    const hear = (chunk: Buffer): void => {
      text += chunk.toString('latin1');
      const headEnd = text.indexOf('\r\n\r\n');
      const length = Number(/^Content-Length: (\d+)/im.exec(text)?.[1] ?? 0);
      if (headEnd < 0 || text.length < headEnd + 4 + length) return;
      socket.off('data', hear).off('close', fail);
      resolve({ status: Number(text.split(' ')[1]), body: text.slice(headEnd + 4) });
    };
    const fail = (): void => reject(new Error(`closed after ${JSON.stringify(text)}`));
    socket.on('data', hear).once('close', fail);
    socket.write(request);
  });
}

/** Sends the requests one after the other on one connection, as Telegraf does. */
async function replay(server: RunningServer, requests: readonly Buffer[]): Promise<Answer[]> {
  const socket = connect(server.port, '127.0.0.1');
  const answers: Answer[] = [];
  for (const request of requests) answers.push(await exchange(socket, request));
  socket.destroy();
  return answers;
}

const inOrder = (points: readonly Point[]): Point[] =>
  points.toSorted(
    (a, b) => a.timestamp - b.timestamp || (JSON.stringify(a.labels) < JSON.stringify(b.labels) ? -1 : 1),
  );

async function storedPoints(server: RunningServer, metric: string): Promise<Point[]> {
  const { points = [] } = await readData(server, { metric_type: metric, agg: 'none', limit: 1000, ...range });
  return inOrder(
    points.map(({ timestamp, value, message, labels }) => ({ timestamp, value, message, labels })),
  );
}

const written = { status: 204, body: '' };

/** One server for each output: both sent the same points, which one server would count once. */
const servers: RunningServer[] = [];
beforeAll(async () => {
  for (let i = 0; i < 2; i++) servers.push(await startServer(['--no-collector']));
});
afterAll(async () => {
  for (const server of servers) await server.destroy();
});

describe.each([
  { at: 0, output: 'influxdb-v2', answers: [written, written, written, written] },
  {
    at: 1,
    output: 'influxdb-v1',
    answers: [{ status: 200, body: '{"results":[{"statement_id":0}]}' }, written, written, written, written],
  },
])('what outputs of $output sent', ({ at, output, answers }) => {
  const expectAll = async (): Promise<void> => {
    for (const [metric, points] of expected)
      expect([metric, await storedPoints(servers[at]!, metric)]).toEqual([
        metric,
        inOrder(points.map(({ point }) => point)),
      ]);
  };

  test('every field of every metric is there, as the agent wrote it to its file', async () => {
    expect(await replay(servers[at]!, requestsOf(output, servers[at]!.key))).toEqual(answers);
    await expectAll();
    const kinds = new Set(
      metrics.flatMap(({ fields }) => Object.values(fields).map((value) => typeof value)),
    );
    expect(kinds).toEqual(new Set(['number', 'string', 'boolean']));
  });

  test('the same once more, because the answers were lost, is counted once', async () => {
    expect(await replay(servers[at]!, requestsOf(output, servers[at]!.key))).toEqual(answers);
    await expectAll();
  });
});

describe('what Telegraf could send', () => {
  const at = 1_700_000_000_000;
  /** The first recorded request to this path with another target line and other points. */
  const rewritten = (output: string, target: string, lines: string, authorization: string): Buffer => {
    const recorded = requestsOf(output, servers[0]!.key).at(-1)!.toString('latin1');
    const head = recorded
      .slice(0, recorded.indexOf('\r\n\r\n'))
      .replace(/^POST \S+/, `POST ${target}`)
      .replace(/^Authorization: .*\r\n/m, authorization);
    const body = gzipSync(lines);
    return Buffer.concat([
      Buffer.from(`${head}\r\n\r\n${body.length.toString(16)}\r\n`, 'latin1'),
      body,
      Buffer.from('\r\n0\r\n\r\n'),
    ]);
  };
  const valueOf = (metric: string): Promise<number> =>
    readTotal(servers[0]!, { metric_type: metric, agg: 'last', from: at, to: at + 60_000, step: '1m' });

  test('the key in the parameters of version 1', async () => {
    const target = `/write?consistency=any&db=telegraf&u=telegraf&p=${servers[0]!.key}`;
    const request = rewritten('influxdb-v1', target, `in_p,host=web-1 value=4i ${at}000000\n`, '');
    expect(await replay(servers[0]!, [request])).toEqual([written]);
    expect(await valueOf('in_p')).toBe(4);
  });

  test('a broken line among good ones is named in the words Influx uses, and the good ones are kept', async () => {
    const lines = ['a=1', 'b=oops', 'c=3']
      .map((field) => `partial,host=web-1 ${field} ${at}000000\n`)
      .join('');
    const request = rewritten(
      'influxdb-v2',
      '/api/v2/write?bucket=telegraf&org=acme&precision=ns',
      lines,
      `Authorization: Token ${servers[0]!.key}\r\n`,
    );
    const [answer] = await replay(servers[0]!, [request]);
    expect(answer!.status).toBe(422);
    expect(JSON.parse(answer!.body)).toMatchObject({
      code: 'unprocessable entity',
      message: expect.stringMatching(
        /^partial write: 2 points kept, 1 lines dropped; line 2: .*oops/,
      ) as string,
    });
    expect(await valueOf('partial_a')).toBe(1);
    expect(await valueOf('partial_c')).toBe(3);
  });
});
