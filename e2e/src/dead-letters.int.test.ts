import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { LocalEventLog } from '@nowcast/adapter-local-log';
import { afterEach, expect, test } from 'vitest';
import { ingest, readFigure, readTotal } from '../fixtures/data.ts';
import { type RunningServer, serve, startServer } from './server.ts';

const args = ['--no-collector', '--partitions', '1'];
const count = { metric_type: 'kept', agg: 'count', from: 'now-10m', to: 'now+10m', step: '1h' };
const undo: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const step of undo.splice(0).reverse()) await step();
});

async function startAgain(before: RunningServer): Promise<RunningServer> {
  const server = { ...before, ...(await serve(before.dataDir, { args })) };
  undo.push(() => server.destroy());
  return server;
}

async function send(server: RunningServer): Promise<void> {
  const answer = await ingest(server, JSON.stringify({ metric_type: 'kept', value: 1 }));
  expect(answer.status).toBe(200);
}

test('F14: a record in the log that nobody can read, whole by its checksum, is put aside and said; the server starts and goes on', async () => {
  const first = await startServer(args);
  undo.push(() => first.destroy());
  await send(first);
  await first.stop();
  const log = new LocalEventLog({ directory: join(first.dataDir, 'log'), partitions: 1 });
  await log.run();
  const payload = Uint8Array.of(1, 1, 255, 255, 255);
  const [offset] = await log.append([{ partition: 0, payload }]);
  await log.stop();

  const server = await startAgain(first);
  expect(await readFigure(server, 'dead_letters_total')).toBe(1);
  expect(server.log()).toMatch(/"level":"error","message":"a record of the log cannot be read/);
  const letter = JSON.parse(readFileSync(join(server.dataDir, 'dead-letters.ndjson'), 'utf8')) as unknown;
  expect(letter).toMatchObject({
    partition: 0,
    offset,
    tenant: null,
    bytes: Buffer.from(payload).toString('base64'),
  });
  await send(server);
  expect(await readTotal(server, count)).toBe(2);
  await server.kill();
  const again = await startAgain(server);
  expect(await readTotal(again, count)).toBe(2);
  expect(await readFigure(again, 'dead_letters_total')).toBe(1);
}, 300_000);
