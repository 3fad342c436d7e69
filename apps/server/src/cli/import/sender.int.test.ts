import { afterEach, expect, test } from 'vitest';
import { startScriptedApi } from '../../testing/scripted-api.ts';
import { ApiClient } from '../api-client.ts';
import { Sender } from './sender.ts';

let server: Awaited<ReturnType<typeof startScriptedApi>>;
afterEach(() => server.stop());

test('a full disk at the server is told at once and once, and the batch goes on when there is room', async () => {
  const error = { code: 'log.full', message: 'the disk of /data is full: free some space' };
  const full = { status: 507, body: { error } };
  server = await startScriptedApi([full, full, { status: 200, body: {} }]);
  const told: string[] = [];
  const waiting = (why: string): void => void told.push(why);
  const api = new ApiClient({ url: server.url });
  const sender = new Sender(api, { path: '/api/v1/ingest', contentType: 'application/x-ndjson', waiting });
  const batch = { body: Buffer.from('{"a":1}'), lines: [1], records: 1, idempotencyKey: 'k', problems: [] };
  expect(await sender.send(batch)).toEqual({ rejectedCount: 0, rejected: [] });
  expect(server.asked).toEqual(Array.from({ length: 3 }, () => 'POST /api/v1/ingest k {"a":1}'));
  expect(told).toEqual([error.message]);
});
