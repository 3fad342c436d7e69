import { expect, test } from 'vitest';
import type { ApiAnswer, ApiClient } from '../api-client.ts';
import { Sender } from './sender.ts';

test('a full disk at the server is told at once and once, and the batch goes on when there is room', async () => {
  const error = { code: 'log.full', message: 'the disk of /data is full: free some space' };
  const full = { status: 507, headers: {}, text: JSON.stringify({ error }) };
  const answers: ApiAnswer[] = [full, full, { status: 200, headers: {}, text: '{}' }];
  const api = { send: async () => answers.shift()! } as unknown as ApiClient;
  const told: string[] = [];
  const waiting = (why: string): void => void told.push(why);
  const sender = new Sender(api, { path: '/api/v1/ingest', contentType: 'application/x-ndjson', waiting });
  const batch = { body: Buffer.from('{}\n'), lines: [1], records: 1, idempotencyKey: 'k', problems: [] };
  expect(await sender.send(batch)).toEqual({ rejectedCount: 0, rejected: [] });
  expect(answers).toEqual([]);
  expect(told).toEqual([error.message]);
});
