import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import type { AlertStore } from '@nowcast/ports';
import { type CompiledQuery, DeleteQueryNode, Kysely, SelectQueryNode } from 'kysely';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { sqliteAlertStore } from './alert-store.ts';
import { migrate } from './migrations.ts';
import type { Tables } from './schema.ts';
import { SqliteClient } from './sqlite-client.ts';
import type { SqlValue } from './wire.ts';
import { workerDialect } from './worker-dialect.ts';

/**
 * A year of alerts must not slow what is asked at each transition and by each open page. How SQLite would find the
 * rows is asked of the statements that were really sent, so that neither an index nor a condition can change alone.
 */
let folder: string;
let path: string;
let db: Kysely<Tables>;
let store: AlertStore;
let sent: CompiledQuery[];

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'nowcast-plans-'));
  path = join(folder, 'meta.db');
  const client = await SqliteClient.open({ path, busyTimeoutMs: 5000, watchMs: 1000 });
  sent = [];
  db = new Kysely<Tables>({
    dialect: workerDialect(client),
    log: ({ query }) => {
      sent.push(query);
    },
  });
  await migrate(db);
  sent = [];
  store = sqliteAlertStore(db);
});
afterEach(async () => {
  await db.destroy();
  await rm(folder, { recursive: true });
});

/** What SQLite does for the reads and deletions that were sent, a line a step. */
function plans(): string[] {
  const file = new DatabaseSync(path, { readOnly: true });
  try {
    return sent
      .filter(({ query }) => SelectQueryNode.is(query) || DeleteQueryNode.is(query))
      .flatMap(({ sql, parameters }) => {
        const steps = file.prepare(`explain query plan ${sql}`).all(...(parameters as SqlValue[]));
        return steps.map((step) => String(step['detail']));
      });
  } finally {
    file.close();
  }
}

it('finds by an index whatever a transition, a due time or an open page asks for', async () => {
  const { rules, policies, alerts, inbox, deliveries, people } = store;
  await rules.list('t');
  await rules.get('t', 'r');
  await policies.list('t', 'silence');
  await alerts.knownTransitions(['a', 'b']);
  await alerts.list('t', { states: [], limit: 50, search: 'x' });
  await alerts.get('t', 'a');
  await alerts.events('t', 'a');
  await alerts.active('t');
  await alerts.unended('t', { tags: ['a'] });
  await alerts.unended('t', { ruleId: 'r' });
  await alerts.due(1, 10);
  await alerts.nextDue();
  await alerts.transitions('t', { ruleIds: ['r'], accepts: () => true, from: 0, to: 1, limit: 10 });
  await alerts.changedSince('t', 'r', 1, 10);
  await inbox.list('t', 'u', { limit: 50, search: 'x' });
  await inbox.get('t', 'n');
  await inbox.unread('t', 'u');
  await deliveries.due(1, 10);
  await deliveries.nextDue();
  await deliveries.isOver('d');
  await deliveries.dueOfDigest('k', 1, 10);
  await deliveries.lastOfChannels('t');
  await people.preferences('t', 'u');
  await people.devices('t', 'u');
  const steps = plans();
  expect(steps.length).toBeGreaterThanOrEqual(20);
  const whole = steps.filter((step) => step.startsWith('SCAN') && !step.startsWith('SCAN json_each'));
  expect(whole).toEqual([]);
});

it('reads a page in the order of its index, and active alerts and unread entries from theirs alone', async () => {
  const cursor = Buffer.from('[5,"a"]').toString('base64url');
  await store.alerts.list('t', { states: [], limit: 50, cursor });
  await store.alerts.list('t', { states: ['firing', 'pending'], limit: 50 });
  await store.alerts.list('t', { states: [], ruleIds: ['r'], limit: 50 });
  await store.alerts.list('t', { states: [], metricType: 'cpu', during: { from: 1, to: 2 }, limit: 50 });
  await store.alerts.active();
  await store.inbox.list('t', 'u', { limit: 50, cursor });
  await store.inbox.list('t', 'u', { unread: true, limit: 50 });
  const steps = plans();
  const used = steps.flatMap(
    (step) => /^S\w+ (?:alerts|notifications) USING INDEX (\w+)/.exec(step)?.[1] ?? [],
  );
  expect(used.filter((index) => !index.startsWith('sqlite_'))).toEqual([
    'alerts_by_change',
    'alerts_active',
    'alerts_by_rule',
    'alerts_by_change',
    'alerts_active',
    'notifications_by_time',
    'notifications_unread',
  ]);
  expect(steps.filter((step) => step.includes('TEMP B-TREE FOR ORDER BY'))).toEqual([]);
});

it('finds what is old by an index, however much is not', async () => {
  await store.alerts.forget({ time: 1, neverFired: 1 });
  const steps = plans();
  const used = steps.flatMap((step) => / INDEX (\w+_(?:end|age))/.exec(step)?.[1] ?? []);
  expect(new Set(used)).toEqual(
    new Set([
      'alerts_never_fired_by_end',
      'alerts_fired_by_end',
      'alert_transitions_by_age',
      'notifications_by_age',
      'alert_deliveries_by_age',
    ]),
  );
  expect(steps.filter((step) => /^SCAN (?!old$)/.test(step))).toEqual([]);
});
