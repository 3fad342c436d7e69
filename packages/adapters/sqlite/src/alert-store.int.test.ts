import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { DatabaseSync } from 'node:sqlite';
import { fileURLToPath } from 'node:url';
import { alertStoreConformance } from '@nowcast/ports/testing';
import { afterEach, beforeEach, expect, it } from 'vitest';
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

let folder: string;
let path: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'nowcast-alerts-'));
  path = join(folder, 'meta.db');
});
afterEach(() => rm(folder, { recursive: true }));

/** Of the tenant that the writer writes for. */
async function openStore(): Promise<SqliteMetaStore> {
  const store = new SqliteMetaStore({ path });
  await store.run();
  await store.tenants.found({ tenantId: 't', name: 'T', createdAt: 1 }, owner, undefined);
  return store;
}

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

it('keeps in order what an older version owes', async () => {
  await (await openStore()).stop();
  await writeUntilKilled(path, 2);
  // As version 0005 left it.
  const file = new DatabaseSync(path);
  file.exec(`drop table delivery_order;
    drop index alert_deliveries_by_digest;
    alter table alerts drop column tag;
    alter table alerts drop column escalates_from;
    drop index alerts_fired_by_end;
    drop index alerts_never_fired_by_end;
    drop index alert_transitions_by_age;
    drop index notifications_by_age;
    drop index alert_deliveries_by_age;
    delete from kysely_migration where name >= '0006';
    update alert_deliveries set message = json_set(message, '$.alerts[0].alertId', 'alert 1')`);
  file.close();
  const store = new SqliteMetaStore({ path });
  await store.run();
  const { alerts, deliveries } = store.alerting;
  expect(await alerts.get('t', 'alert 2')).toMatchObject({ tag: 'alert 2', escalatesFrom: undefined });
  const due = async () => (await deliveries.due(1e9, 10)).map((row) => row.deliveryId);
  expect(await due()).toEqual(['delivery 1']);
  const sent = { status: 'sent', attempts: 1, error: '', at: 5, dueAt: undefined, delayMs: 1 } as const;
  expect(await deliveries.finish('delivery 1', sent)).toBe(true);
  expect(await due()).toEqual(['delivery 2']);
  await store.stop();
});

it('holds each change whole and once when the process that writes them is killed again and again', async () => {
  const store = await openStore();
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
});
