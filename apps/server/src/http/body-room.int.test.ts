import { request as httpRequest } from 'node:http';
import { connect, type Socket } from 'node:net';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { startTestServer, type TestServer } from '../testing/start-server.ts';

const mebibyte = 1024 * 1024;
let nowcast: TestServer;
let secret: string;
const slow: Socket[] = [];

beforeAll(async () => {
  nowcast = await startTestServer();
  ({ secret } = await nowcast.makeKey('ingest'));
});
afterEach(async () => {
  for (const socket of slow.splice(0)) socket.destroy();
  // The server hears of it a little later.
  await expect.poll(() => send({ 'Content-Length': `${16 * mebibyte}` }, 16), { timeout: 30_000 }).toBe(200);
});
afterAll(() => nowcast.stop());

/** Senders that announce 16 MiB and stop in the middle: four of them have all that one organisation may. */
async function fill(): Promise<void> {
  for (let i = 0; i < 4; i++) {
    const socket = connect(nowcast.port, '127.0.0.1');
    slow.push(socket);
    socket.on('error', () => undefined);
    socket.write(
      `POST /api/v1/ingest HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${secret}\r\nContent-Length: ${16 * mebibyte}\r\n\r\n`,
    );
    socket.write(Buffer.alloc(mebibyte));
  }
  await expect.poll(() => send({ 'Content-Length': `${mebibyte}` }, 1), { timeout: 30_000 }).toBe(429);
}

/** Status of a body of so many MiB, sent to its end. */
async function send(headers: Record<string, string>, megabytes: number): Promise<number> {
  return (await answered(headers, megabytes)).status;
}

interface Heard {
  status: number;
  retryAfter: string | undefined;
  text: string;
  /** The sender was told to go on. */
  continued: boolean;
}

function answered(headers: Record<string, string>, megabytes: number): Promise<Heard> {
  return new Promise((resolve, reject) => {
    let continued = false;
    const request = httpRequest(
      {
        host: '127.0.0.1',
        port: nowcast.port,
        method: 'POST',
        path: '/api/v1/ingest',
        headers: { Authorization: `Bearer ${secret}`, ...headers },
      },
      (response) => {
        const { statusCode: status = 0 } = response;
        const retryAfter = response.headers['retry-after'];
        const heard = (chunks: Buffer[]) =>
          resolve({ status, retryAfter, text: Buffer.concat(chunks).toString(), continued });
        response.toArray().then(heard, reject);
      },
    );
    request.on('error', reject);
    request.on('continue', () => {
      continued = true;
    });
    if (headers['Expect'] !== undefined) return request.flushHeaders();
    for (let i = 0; i < megabytes; i++) request.write(Buffer.alloc(mebibyte));
    request.end();
  });
}

test('who sends large bodies beyond a share is told to wait before they are in memory', async () => {
  await fill();
  const taken = nowcast.engine.ingested.length;
  const length = { 'Content-Length': `${16 * mebibyte}` };
  expect(await answered(length, 16)).toMatchObject({
    status: 429,
    retryAfter: '1',
    text: expect.stringContaining('"ingest.busy"') as string,
  });
  // Nobody said how much is coming.
  expect(await send({}, 16)).toBe(429);
  expect(await answered({ ...length, Expect: '100-continue' }, 16)).toMatchObject({
    status: 429,
    continued: false,
  });
  expect(nowcast.engine.ingested).toHaveLength(taken);
});

test('a backlog of points keeps nobody of the same organisation from saving', async () => {
  const { token } = await nowcast.signIn('editor');
  await fill();
  const { status } = await fetch(`${nowcast.url}/api/v1/boards`, {
    method: 'POST',
    headers: { Authorization: `Bearer ${token}`, 'Content-Type': 'application/json' },
    // As large as what is counted; that it is no board is found when it has been read.
    body: JSON.stringify({ content: { title: 'x'.repeat(40_000) } }),
  });
  expect(status).toBe(400);
});

test('senders of a little do not wait for those of much', async () => {
  await fill();
  const { status } = await fetch(`${nowcast.url}/api/v1/ingest`, {
    method: 'POST',
    headers: { Authorization: `Bearer ${secret}` },
    body: '{}',
  });
  expect(status).toBe(200);
});
