import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, expect, test } from 'vitest';
import { ApiClient } from '../api-client.ts';
import { Sender } from './sender.ts';

let server: Server;
afterEach(() => {
  server.closeAllConnections();
  server.close();
});

/** A server that gives these answers in turn; what it was asked is what is returned beside its address. */
async function answering(
  answers: readonly { status: number; body: unknown }[],
): Promise<{ api: ApiClient; asked: string[] }> {
  const asked: string[] = [];
  const give = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const body = (await request.toArray()).join('');
    const answer = answers[asked.length] ?? { status: 500, body: {} };
    asked.push(`${request.method} ${request.url} ${String(request.headers['idempotency-key'])} ${body}`);
    response.writeHead(answer.status, { 'content-type': 'application/json' });
    response.end(JSON.stringify(answer.body));
  };
  server = createServer((request, response) => void give(request, response));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const url = new URL(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
  return { api: new ApiClient({ url }), asked };
}

test('a full disk at the server is told at once and once, and the batch goes on when there is room', async () => {
  const error = { code: 'log.full', message: 'the disk of /data is full: free some space' };
  const full = { status: 507, body: { error } };
  const { api, asked } = await answering([full, full, { status: 200, body: {} }]);
  const told: string[] = [];
  const waiting = (why: string): void => void told.push(why);
  const sender = new Sender(api, { path: '/api/v1/ingest', contentType: 'application/x-ndjson', waiting });
  const batch = { body: Buffer.from('{"a":1}'), lines: [1], records: 1, idempotencyKey: 'k', problems: [] };
  expect(await sender.send(batch)).toEqual({ rejectedCount: 0, rejected: [] });
  expect(asked).toEqual(Array.from({ length: 3 }, () => 'POST /api/v1/ingest k {"a":1}'));
  expect(told).toEqual([error.message]);
});
