import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { alertStoreConformance } from '@nowcast/ports/testing';
import { expect, it } from 'vitest';
import { SqliteMetaStore } from './sqlite-meta-store.ts';

alertStoreConformance('SqliteMetaStore', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'nowcast-alerts-'));
  const path = join(folder, 'meta.db');
  let store = new SqliteMetaStore({ path });
  await store.run();
  return {
    store,
    async reopen() {
      await store.stop();
      store = new SqliteMetaStore({ path });
      await store.run();
      return store;
    },
    async dispose() {
      await store.stop();
      await rm(folder, { recursive: true });
    },
  };
});

/** Runs the writer until it has answered so many changes, then kills it; the last number that it answered. */
async function writeUntilKilled(path: string, changes: number): Promise<number> {
  const writer = fileURLToPath(new URL('./testing/alert-writer.ts', import.meta.url));
  const child = spawn(process.execPath, [writer, path], { stdio: ['ignore', 'pipe', 'inherit'] });
  let answered = 0;
  let lines = 0;
  for await (const line of createInterface({ input: child.stdout })) {
    answered = Number(line);
    lines += 1;
    if (lines >= changes) child.kill('SIGKILL');
  }
  if (child.signalCode === null) await once(child, 'exit');
  expect(child.signalCode).toBe('SIGKILL');
  return answered;
}

it('holds each change whole and once when the process that writes them is killed again and again', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'nowcast-alerts-'));
  const path = join(folder, 'meta.db');
  const store = new SqliteMetaStore({ path });
  await store.run();
  const owner = {
    userId: 'u',
    username: 'ada',
    email: 'ada@example.com',
    name: 'Ada',
    passwordHash: '',
    preferences: {
      theme: 'system',
      density: 'comfortable',
      time_zone: 'UTC',
      locale: 'en',
      number_format: 'locale',
      reduced_motion: false,
      shortcuts: true,
    },
    createdAt: 1,
  } as const;
  await store.tenants.found({ tenantId: 't', name: 'T', createdAt: 1 }, owner, undefined);
  for (const changes of [3, 11, 24]) {
    const answered = await writeUntilKilled(path, changes);
    const { alerts, inbox, deliveries } = store.alerting;
    const position = await alerts.position();
    expect(position).toBeGreaterThanOrEqual(answered);
    const numbers = Array.from({ length: position }, (_, i) => i + 1);
    const all = { ruleIds: undefined, from: 0, to: 1e9, limit: 1e6 };
    const names = (kind: string): string[] => numbers.map((i) => `${kind} ${i}`);
    expect((await alerts.transitions('t', all)).map((row) => row.transition_id)).toEqual(names('transition'));
    expect((await alerts.active('t')).map((row) => row.alertId)).toEqual(names('alert'));
    expect((await deliveries.due(1e9, 1e6)).map((row) => row.deliveryId)).toEqual(names('delivery'));
    const { notifications } = await inbox.list('t', 'u', { limit: 1e6 });
    expect(notifications.map((row) => row.notification_id)).toEqual(names('notification').toReversed());
    expect(notifications.every((row) => row.deliveries.length === 1)).toBe(true);
    expect(await alerts.events('t', `alert ${position}`)).toHaveLength(1);
  }
  await store.stop();
  await rm(folder, { recursive: true });
});
