import type { TenantEvent } from '@nowcast/contract';
import type { NewDelivery, NewInboxEntry } from '@nowcast/ports';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { EventHub } from './event-hub.ts';
import { messageOf, type Sender } from './decide-messages.ts';
import type { Notice } from './notice.ts';
import { NotifyBench } from './testing/notify-bench.ts';

let bench: NotifyBench;
beforeEach(async () => {
  bench = new NotifyBench();
  await bench.start();
});
afterEach(() => bench.stop());

const notice: Notice = {
  tenantId: 'acme',
  kind: 'rule_problem',
  severity: 'warning',
  title: 'CPU cannot be evaluated',
  text: 'no such metric',
  at: 1000,
  rule: { ruleId: '', name: '', ownerId: 'ed', content: undefined },
  alerts: [],
  targets: [],
  receivedAt: undefined,
  tag: 'n',
};
const sender: Sender = { tenantName: 'Acme', email: true, makeId: (prefix) => prefix };
const entry: NewInboxEntry = {
  notificationId: 'n',
  tenantId: 'acme',
  userId: 'ed',
  kind: 'rule_problem',
  severity: 'warning',
  title: notice.title,
  message: notice.text,
  timestamp: 1000,
  ruleId: undefined,
  alertIds: [],
  labels: {},
  value: undefined,
};
/** Not due: nobody but the test says how it ended. */
const delivery = (deliveryId: string, name: string): NewDelivery => ({
  deliveryId,
  tenantId: 'acme',
  notificationId: 'n',
  via: { kind: 'channel', channelId: deliveryId, name },
  message: messageOf(notice, 'n', sender),
  dueAt: Number.MAX_SAFE_INTEGER,
  digestKey: undefined,
  receivedAt: undefined,
  tags: [],
});

it('an event says that a delivery failed and not why, whoever it goes to', async () => {
  const { alerts, deliveries } = bench.store.alerting;
  await alerts.apply({
    seq: undefined,
    transitions: [],
    alerts: [],
    events: [],
    inbox: [entry],
    deliveries: [delivery('d1', 'Ops'), delivery('d2', 'Spare')],
  });
  const ended = { attempts: 1, at: 2000, dueAt: undefined, delayMs: undefined };
  await deliveries.finish('d1', { ...ended, status: 'failed', error: '550 relay of mail.internal refused' });
  await deliveries.finish('d2', { ...ended, status: 'skipped', error: 'the channel was deleted' });
  const hub = new EventHub(bench.store);
  const heard: TenantEvent[] = [];
  hub.subscribe((_to, event) => heard.push(event));
  await hub.inbox([entry]);
  const shown = [
    { via: 'Ops', status: 'failed', error: 'an administrator sees why' },
    { via: 'Spare', status: 'skipped', error: 'the channel was deleted' },
  ];
  expect(heard).toMatchObject([
    { topic: 'notifications', unread: 1, notification: { notification_id: 'n', deliveries: shown } },
  ]);
});
