import type { Delivery, Notification, TenantEvent } from '@nowcast/contract';
import type { MetaStore, NewInboxEntry } from '@nowcast/ports';
import { expect, test } from 'vitest';
import { EventHub } from './event-hub.ts';

test('an event says that a delivery failed and not why, whoever it goes to', async () => {
  const failed = { via: 'Ops', status: 'failed', error: '550 relay of mail.internal refused' } as Delivery;
  const skipped = { via: 'push', status: 'skipped', error: 'the device was removed' } as Delivery;
  const stored = { notification_id: 'n', deliveries: [failed, skipped] } as unknown as Notification;
  const inbox = { get: async () => stored, unread: async () => 1 };
  const hub = new EventHub({ alerting: { inbox } } as unknown as Pick<MetaStore, 'alerting'>);
  const heard: TenantEvent[] = [];
  hub.subscribe((_to, event) => heard.push(event));
  await hub.inbox([{ tenantId: 'acme', userId: 'ed', notificationId: 'n' } as NewInboxEntry]);
  expect(heard).toMatchObject([
    {
      topic: 'notifications',
      notification: { deliveries: [{ ...failed, error: 'an administrator sees why' }, skipped] },
    },
  ]);
});
