import type { NotificationPreferences } from '@nowcast/contract';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { DeliveryRepository, DeliveryVia, NewDelivery } from '../alert-store.ts';
import {
  type AlertBench,
  alertRow,
  change,
  inboxEntry,
  newDelivery,
  newRule,
  pushDevice,
  startAlertBench,
} from './alert-store-fixtures.ts';
import type { MetaStoreHarness } from './meta-store.ts';

type Outcome = Parameters<DeliveryRepository['finish']>[1];

function outcome(status: Outcome['status'], extra: Partial<Outcome> = {}): Outcome {
  return { status, attempts: 1, error: '', at: 2000, dueAt: undefined, delayMs: undefined, ...extra };
}

const says = (kind: NewDelivery['message']['kind']) => ({ ...newDelivery('').message, kind });
const toOps: DeliveryVia = { kind: 'channel', channelId: 'ops', name: 'Ops' };
const preferences: NotificationPreferences = {
  info: [],
  warning: ['push'],
  critical: ['push', 'email', 'sound'],
  quiet_hours: { from: '22:00', to: '07:00', tz: 'Europe/Berlin', critical_too: false },
  digest: 'daily',
};

/** What people are told, and how it gets there. */
export function alertMessagesConformance(adapter: string, open: () => Promise<MetaStoreHarness>): void {
  describe(`${adapter} keeps messages`, () => {
    let bench: AlertBench;
    beforeEach(async () => {
      bench = await startAlertBench(open);
    });
    afterEach(() => bench.harness.dispose());

    const listIds = async (filter: object = {}, userId = 'u_ada', tenantId = 'acme'): Promise<string[]> => {
      const page = await bench.alerting.inbox.list(tenantId, userId, { limit: 10, ...filter });
      return page.notifications.map((row) => row.notification_id);
    };

    describe('the inbox', () => {
      it('shows an entry with the state its alert has now and how its deliveries went', async () => {
        await bench.alerting.alerts.apply(
          change({
            alerts: [alertRow('a1', { state: 'acknowledged' })],
            inbox: [inboxEntry('n1', { alertIds: ['a1', 'a2'] })],
            deliveries: [newDelivery('d1'), newDelivery('d2', { via: toOps })],
          }),
        );
        await bench.alerting.deliveries.finish('d2', outcome('failed', { attempts: 8, error: 'refused' }));
        const shown = {
          notification_id: 'n1',
          user_id: 'u_ada',
          message: 'too much to do',
          timestamp: 1000,
          title: 'CPU is above 80 %',
          severity: 'warning',
          kind: 'firing',
          rule_id: 'r1',
          alert_ids: ['a1', 'a2'],
          alert_state: 'acknowledged',
          labels: { host: 'web-1' },
          value: 91.5,
          read_at: null,
          delay_ms: null,
          deliveries: [
            { delivery_id: 'd1', via: 'email', status: 'waiting', attempts: 0, error: '', at: 1000 },
            { delivery_id: 'd2', via: 'Ops', status: 'failed', attempts: 8, error: 'refused', at: 2000 },
          ],
        };
        expect(await bench.alerting.inbox.get('acme', 'n1')).toEqual(shown);
        const list = await bench.alerting.inbox.list('acme', 'u_ada', { limit: 10 });
        expect(list).toEqual({ notifications: [shown], cursor: undefined });
      });

      it('holds what is about no alert', async () => {
        await bench.alerting.alerts.apply(
          change({
            inbox: [
              inboxEntry('n1', {
                kind: 'test',
                ruleId: undefined,
                alertIds: [],
                value: undefined,
                labels: {},
              }),
            ],
          }),
        );
        expect(await bench.alerting.inbox.get('acme', 'n1')).toMatchObject({
          rule_id: null,
          alert_ids: [],
          alert_state: null,
          value: null,
          deliveries: [],
        });
      });

      it('filters, searches and gives pages, newest first', async () => {
        await bench.alerting.alerts.apply(
          change({
            inbox: [
              inboxEntry('n1', { timestamp: 1, severity: 'critical' }),
              inboxEntry('n2', { timestamp: 3, title: 'Der STÖRFALL' }),
              inboxEntry('n3', { timestamp: 2, labels: { region: 'EU' } }),
              inboxEntry('n4', { timestamp: 3 }),
            ],
          }),
        );
        await bench.alerting.inbox.markRead('acme', 'u_ada', ['n2'], 5);
        expect(await listIds()).toEqual(['n4', 'n2', 'n3', 'n1']);
        expect(await listIds({ unread: true })).toEqual(['n4', 'n3', 'n1']);
        expect(await listIds({ unread: false })).toEqual(['n2']);
        expect(await listIds({ severity: 'critical' })).toEqual(['n1']);
        expect(await listIds({ search: 'störfall' })).toEqual(['n2']);
        expect(await listIds({ search: 'region=eu' })).toEqual(['n3']);
        const first = await bench.alerting.inbox.list('acme', 'u_ada', { limit: 3 });
        expect(first.notifications).toHaveLength(3);
        expect(await listIds({ cursor: first.cursor, limit: 3 })).toEqual(['n1']);
        await expect(listIds({ cursor: 'nonsense' })).rejects.toMatchObject({ code: 'request.invalid' });
      });

      it('marks as read once, for its person only, and says what is left', async () => {
        await bench.alerting.alerts.apply(
          change({
            inbox: [
              inboxEntry('n1'),
              inboxEntry('n2'),
              inboxEntry('n3'),
              inboxEntry('b1', { userId: 'u_bob' }),
            ],
          }),
        );
        const { inbox } = bench.alerting;
        expect(await inbox.markRead('acme', 'u_ada', ['n1', 'b1', 'none'], 2000)).toBe(2);
        expect(await inbox.markRead('acme', 'u_ada', ['n1'], 3000)).toBe(2);
        expect((await inbox.get('acme', 'n1'))?.read_at).toBe(2000);
        expect(await inbox.unread('acme', 'u_bob')).toBe(1);
        expect(await inbox.markRead('acme', 'u_ada', 'all', 4000)).toBe(0);
        expect((await inbox.get('acme', 'n1'))?.read_at).toBe(2000);
        expect((await inbox.get('acme', 'n2'))?.read_at).toBe(4000);
        expect(await inbox.unread('acme', 'u_bob')).toBe(1);
      });

      it('C11 keeps what one person hears in two tenants apart', async () => {
        await bench.alerting.alerts.apply(
          change({
            inbox: [
              inboxEntry('n1', { userId: 'u_bob' }),
              inboxEntry('n2', { userId: 'u_bob', tenantId: 'globex' }),
            ],
          }),
        );
        const { inbox } = bench.alerting;
        expect(await listIds({}, 'u_bob', 'acme')).toEqual(['n1']);
        expect(await listIds({}, 'u_bob', 'globex')).toEqual(['n2']);
        expect(await inbox.get('globex', 'n1')).toBeUndefined();
        expect(await inbox.markRead('globex', 'u_bob', ['n1', 'n2'], 1)).toBe(0);
        expect(await inbox.unread('acme', 'u_bob')).toBe(1);
      });
    });

    describe('deliveries', () => {
      it('are due in order until they end, and are tried again when they say so', async () => {
        await bench.alerting.alerts.apply(
          change({
            deliveries: [
              newDelivery('d1', { dueAt: 1000.5 }),
              newDelivery('d2', { dueAt: 900, digestKey: 'ada daily' }),
              newDelivery('d3', { dueAt: 5000, receivedAt: undefined, notificationId: undefined }),
            ],
          }),
        );
        const { deliveries } = bench.alerting;
        const dueAt = async (now: number, limit = 10): Promise<string[]> =>
          (await deliveries.due(now, limit)).map((row) => row.deliveryId);
        expect(await deliveries.nextDue()).toBe(900);
        expect(await dueAt(1001)).toEqual(['d2', 'd1']);
        expect(await dueAt(9000, 1)).toEqual(['d2']);
        expect((await deliveries.due(900, 1))[0]).toMatchObject({ digestKey: 'ada daily' });
        await deliveries.finish('d2', outcome('sent'));
        await deliveries.finish('d1', outcome('retrying', { error: 'timeout', attempts: 3, dueAt: 6000.25 }));
        expect(await dueAt(5000)).toEqual(['d3']);
        const [retried] = await deliveries.due(6001, 10).then((rows) => rows.slice(1));
        expect(retried).toEqual({
          ...newDelivery('d1', { dueAt: 6000.25 }),
          status: 'retrying',
          attempts: 3,
          error: 'timeout',
          at: 2000,
        });
        await deliveries.finish('d3', outcome('skipped', { error: 'the person has left' }));
        await deliveries.finish('d1', outcome('failed', { attempts: 8 }));
        await deliveries.finish('unknown', outcome('sent'));
        expect(await deliveries.nextDue()).toBeUndefined();
        expect(await deliveries.counts()).toEqual({
          waiting: 0,
          sent: 1,
          retrying: 0,
          failed: 1,
          skipped: 1,
        });
      });

      it('of one digest are found together, as far as they are due', async () => {
        const inDigest = (id: string, digestKey: string | undefined, dueAt: number) =>
          newDelivery(id, { digestKey, dueAt });
        await bench.alerting.alerts.apply(
          change({
            deliveries: [
              inDigest('d1', 'ada', 2),
              inDigest('d2', 'ada', 1),
              inDigest('d3', 'bob', 1),
              inDigest('d4', undefined, 1),
              inDigest('d5', 'ada', 9),
              inDigest('d6', 'ada', 1),
            ],
          }),
        );
        const { deliveries } = bench.alerting;
        await deliveries.finish('d6', outcome('sent'));
        const idsOf = async (limit: number) =>
          (await deliveries.dueOfDigest('ada', 2, limit)).map((row) => row.deliveryId);
        expect(await idsOf(10)).toEqual(['d2', 'd1']);
        expect(await idsOf(1)).toEqual(['d2']);
      });

      it('are found behind those of ways and tenants that are busy', async () => {
        const channel = (channelId: string, name: string) => ({ kind: 'channel' as const, channelId, name });
        const mail = { kind: 'email' as const, userId: 'u_ada' };
        await bench.alerting.alerts.apply(
          change({
            deliveries: [
              newDelivery('d1', { dueAt: 1, via: channel('c1', 'Slow') }),
              newDelivery('d2', { dueAt: 2, via: channel('c1', 'Slow by another name') }),
              newDelivery('d3', { dueAt: 3, via: mail }),
              newDelivery('d4', { dueAt: 4, via: channel('c2', 'Other') }),
              newDelivery('d5', { dueAt: 5, via: { kind: 'email', userId: 'u_bob' } }),
              newDelivery('d6', { dueAt: 6, tenantId: 'globex', via: channel('c3', 'Of others') }),
            ],
          }),
        );
        const dueBeside = async (ways: readonly DeliveryVia[], tenants: readonly string[], limit = 10) =>
          (await bench.alerting.deliveries.due(9, limit, { ways, tenants })).map((row) => row.deliveryId);
        expect(await dueBeside([channel('c1', 'Slow')], [], 1)).toEqual(['d3']);
        expect(await dueBeside([channel('c1', ''), mail], [])).toEqual(['d4', 'd5', 'd6']);
        expect(await dueBeside([], ['acme'])).toEqual(['d6']);
        expect(await dueBeside([channel('c3', '')], ['acme'])).toEqual([]);
      });

      it('of one tag go one after the other by each way, whatever comes between', async () => {
        const firing = (id: string, extra: Partial<NewDelivery> = {}) =>
          newDelivery(id, { via: toOps, tags: ['a1'], ...extra });
        const dueAt = async (now: number): Promise<string[]> =>
          (await bench.alerting.deliveries.due(now, 10)).map((row) => row.deliveryId).sort();
        await bench.alerting.alerts.apply(
          change({
            deliveries: [
              firing('first'),
              firing('other alert', { tags: ['a2'] }),
              firing('other way', { via: { kind: 'email', userId: 'u_ada' } }),
              firing('other tenant', { tenantId: 'globex' }),
              firing('no alert', { tags: [] }),
              firing('both', { tags: ['a1', 'a3'] }),
            ],
          }),
        );
        await bench.reopen();
        const { alerts, deliveries } = bench.alerting;
        await alerts.apply(change({ deliveries: [firing('later', { tags: ['a3'], dueAt: 10 })] }));
        const first = ['first', 'no alert', 'other alert', 'other tenant', 'other way'];
        expect(await dueAt(1000)).toEqual(first);
        // Of those that may go: what stands behind must not wake anybody.
        expect(await deliveries.nextDue()).toBe(1000);
        expect(await deliveries.finish('first', outcome('retrying', { dueAt: 6000 }))).toBe(false);
        expect(await dueAt(2000)).toEqual(first.slice(1));
        expect(await deliveries.finish('first', outcome('failed'))).toBe(true);
        expect(await dueAt(2000)).toEqual(['both', ...first.slice(1)]);
        expect((await deliveries.due(2000, 10)).find(({ deliveryId: id }) => id === 'both')).toMatchObject({
          tags: ['a1', 'a3'],
        });
        expect(await deliveries.finish('both', outcome('sent'))).toBe(true);
        expect(await dueAt(2000)).toEqual(['later', ...first.slice(1)]);
        expect(await deliveries.finish('later', outcome('skipped'))).toBe(false);
      });

      it('are over when their end stands behind them, by the same way and for each of their alerts', async () => {
        const { alerts, deliveries } = bench.alerting;
        const tags = ['a1', 'a2'];
        const ofBoth = newDelivery('both', { via: toOps, tags });
        const end = (id: string, tag: string) =>
          newDelivery(id, { via: toOps, tags: [tag], message: says('resolved') });
        await alerts.apply(
          change({
            deliveries: [
              ofBoth,
              newDelivery('mail', { tags }),
              newDelivery('none'),
              newDelivery('taken', { via: toOps, tags, message: says('acknowledged') }),
              end('end of one', 'a1'),
            ],
          }),
        );
        expect(await deliveries.isOver('both')).toBe(false);
        await alerts.apply(change({ deliveries: [end('end of the other', 'a2')] }));
        expect(await deliveries.isOver('both')).toBe(true);
        for (const id of ['mail', 'none', 'end of one', 'unknown'])
          expect(await deliveries.isOver(id)).toBe(false);
      });

      it('that wait are due as soon as what comes after them, those that failed before their end only', async () => {
        const { alerts, deliveries } = bench.alerting;
        const message = (id: string, dueAt: number) => newDelivery(id, { tags: ['a1'], dueAt });
        const quiet = newDelivery('quiet', { tags: ['a2'], dueAt: 9000 });
        await alerts.apply(change({ deliveries: [message('firing', 1000), newDelivery('other'), quiet] }));
        for (const id of ['firing', 'other'])
          await deliveries.finish(id, outcome('retrying', { dueAt: 9000 }));
        await alerts.apply(
          change({
            deliveries: [
              message('repeated', 3000),
              message('later', 20_000),
              newDelivery('a2', { tags: ['a2'] }),
            ],
          }),
        );
        const dueIds = async () => (await deliveries.due(3000, 10)).map((row) => row.deliveryId);
        expect(await dueIds()).toEqual(['quiet']);
        const end = { tags: ['a1'], dueAt: 3000, message: says('resolved') };
        await alerts.apply(change({ deliveries: [newDelivery('end', end)] }));
        expect(await dueIds()).toEqual(['quiet', 'firing']);
      });

      it('of several alerts keep their pause until the last of them is over', async () => {
        const { alerts, deliveries } = bench.alerting;
        const tags = ['a1', 'a2', 'a3'];
        await alerts.apply(change({ deliveries: [newDelivery('storm', { tags })] }));
        await deliveries.finish('storm', outcome('retrying', { dueAt: 9000 }));
        const end = (tag: string) =>
          newDelivery(`end of ${tag}`, { tags: [tag], dueAt: 3000, message: says('resolved') });
        for (const tag of ['a1', 'a2']) {
          await alerts.apply(change({ deliveries: [end(tag)] }));
          expect(await deliveries.nextDue()).toBe(9000);
        }
        await alerts.apply(change({ deliveries: [end('a3')] }));
        expect(await deliveries.nextDue()).toBe(3000);
      });

      it('tell the inbox the delay of the first that is sent', async () => {
        await bench.alerting.alerts.apply(
          change({
            inbox: [inboxEntry('n1')],
            deliveries: ['d1', 'd2', 'd3'].map((id) => newDelivery(id)),
          }),
        );
        const { deliveries, inbox } = bench.alerting;
        await deliveries.finish('d1', outcome('failed', { delayMs: 5 }));
        expect((await inbox.get('acme', 'n1'))?.delay_ms).toBeNull();
        await deliveries.finish('d2', outcome('sent', { delayMs: 41.5 }));
        await deliveries.finish('d3', outcome('sent', { delayMs: 90 }));
        expect((await inbox.get('acme', 'n1'))?.delay_ms).toBe(41.5);
      });

      it('tell how each channel of the tenant did last', async () => {
        const channel = (id: string) => ({
          id,
          kind: 'channel' as const,
          content: {
            name: id,
            enabled: true,
            config: { kind: 'email' as const, to: ['ops@example.com'] },
            signingSecret: '',
          },
          userId: 'u_ada',
          createdAt: 1,
        });
        for (const id of ['ops', 'quiet']) await bench.alerting.policies.create('acme', channel(id), 10);
        await bench.alerting.alerts.apply(
          change({ deliveries: ['d1', 'd2', 'd3', 'd4'].map((id) => newDelivery(id, { via: toOps })) }),
        );
        const { deliveries } = bench.alerting;
        expect(await deliveries.lastOfChannels('acme')).toEqual(new Map());
        await deliveries.finish('d2', outcome('failed', { at: 3000, error: 'refused' }));
        await deliveries.finish('d1', outcome('sent', { at: 2000 }));
        await deliveries.finish('d3', outcome('retrying', { at: 4000, error: 'timeout' }));
        const last = { at: 3000, ok: false, error: 'refused' };
        expect(await deliveries.lastOfChannels('acme')).toEqual(new Map([['ops', last]]));
        expect(await deliveries.lastOfChannels('globex')).toEqual(new Map());
        await deliveries.finish('d4', outcome('sent', { at: 5000 }));
        expect((await deliveries.lastOfChannels('acme')).get('ops')).toMatchObject({ at: 5000, ok: true });
      });
    });

    describe('people', () => {
      it('C11 have preferences in each tenant', async () => {
        const { people } = bench.alerting;
        expect(await people.preferences('acme', 'u_bob')).toBeUndefined();
        await people.setPreferences('acme', 'u_bob', { ...preferences, digest: 'off' });
        await people.setPreferences('acme', 'u_bob', preferences);
        await people.setPreferences('acme', 'u_eve', preferences);
        expect(await people.preferences('acme', 'u_bob')).toEqual(preferences);
        expect(await people.preferences('globex', 'u_bob')).toBeUndefined();
        expect(await people.preferences('acme', 'u_eve')).toBeUndefined();
      });

      it('have devices, oldest first, as many as allowed', async () => {
        const { people } = bench.alerting;
        expect(await people.addDevice(pushDevice('p2', { createdAt: 2000 }), 2)).toBe('p2');
        expect(await people.addDevice(pushDevice('p1'), 2)).toBe('p1');
        expect(await people.addDevice(pushDevice('p3'), 2)).toBe(false);
        expect(await people.addDevice(pushDevice('p4', { userId: 'u_eve' }), 2)).toBe(false);
        const last = { at: 3000, ok: false, error: 'too many requests' };
        await people.noteDevice('p1', last);
        expect(await people.devices('acme', 'u_ada')).toEqual([
          pushDevice('p1', { last }),
          pushDevice('p2', { createdAt: 2000 }),
        ]);
      });

      it('keep the id of a browser that subscribes again', async () => {
        const { people } = bench.alerting;
        await people.addDevice(pushDevice('p1'), 1);
        const again = pushDevice('p2', { endpoint: pushDevice('p1').endpoint, auth: 'new', createdAt: 2000 });
        expect(await people.addDevice(again, 1)).toBe('p1');
        expect(await people.devices('acme', 'u_ada')).toEqual([{ ...again, deviceId: 'p1' }]);
      });

      it('lose a browser in which somebody else signs in', async () => {
        const { people } = bench.alerting;
        const { endpoint } = pushDevice('p1');
        await people.addDevice(pushDevice('p1'), 5);
        await people.addDevice(pushDevice('p2', { userId: 'u_bob', endpoint }), 5);
        expect(await people.devices('acme', 'u_ada')).toEqual([]);
        const both = pushDevice('p3', { userId: 'u_bob', tenantId: 'globex', endpoint });
        expect(await people.addDevice(both, 5)).toBe('p3');
        expect(await people.devices('acme', 'u_bob')).toHaveLength(1);
      });

      it('C11 reach their own devices only', async () => {
        const { people } = bench.alerting;
        await people.addDevice(pushDevice('p1'), 5);
        expect(await people.device('acme', 'u_bob', 'p1')).toBeUndefined();
        expect(await people.device('globex', 'u_ada', 'p1')).toBeUndefined();
        expect(await people.deleteDevice('acme', 'u_bob', 'p1')).toBe(false);
        expect(await people.device('acme', 'u_ada', 'p1')).toEqual(pushDevice('p1'));
        expect(await people.deleteDevice('acme', 'u_ada', 'p1')).toBe(true);
        expect(await people.device('acme', 'u_ada', 'p1')).toBeUndefined();
      });

      it('leave their rules and policies behind when they go, and take what was theirs alone along', async () => {
        for (const tenantId of ['acme', 'globex']) {
          await bench.alerting.rules.create(tenantId, newRule('r1', 'CPU', 'u_bob'), 10);
          const content = { name: 'I', source: {}, target: {}, equal: [] };
          const policy = { id: 'p1', kind: 'inhibition' as const, content, userId: 'u_bob', createdAt: 1 };
          await bench.alerting.policies.create(tenantId, policy, 10);
          await bench.alerting.people.setPreferences(tenantId, 'u_bob', preferences);
          await bench.alerting.people.addDevice(pushDevice(tenantId, { tenantId, userId: 'u_bob' }), 5);
          await bench.alerting.alerts.apply(
            change({
              alerts: [alertRow('a1', { tenantId })],
              inbox: [inboxEntry(`n ${tenantId}`, { tenantId, userId: 'u_bob' })],
              deliveries: [
                newDelivery(`mail ${tenantId}`, { tenantId, via: { kind: 'email', userId: 'u_bob' } }),
                newDelivery(`ops ${tenantId}`, { tenantId, notificationId: `n ${tenantId}`, via: toOps }),
              ],
            }),
          );
        }
        await bench.store.members.remove('acme', 'u_bob', 'u_ada');
        const { rules, policies, people, inbox, deliveries } = bench.alerting;
        const handedOver = { userId: 'u_ada', ownerName: 'ADA' };
        expect(await rules.get('acme', 'r1')).toMatchObject(handedOver);
        expect(await policies.get('acme', 'inhibition', 'p1')).toMatchObject(handedOver);
        expect(await people.preferences('acme', 'u_bob')).toBeUndefined();
        expect(await people.devices('acme', 'u_bob')).toEqual([]);
        expect(await inbox.get('acme', 'n acme')).toBeUndefined();
        const due = (await deliveries.due(9000, 10)).map((row) => row.deliveryId).sort();
        expect(due).toEqual(['mail globex', 'ops acme', 'ops globex']);

        expect(await rules.get('globex', 'r1')).toMatchObject({ userId: 'u_bob', ownerName: 'BOB' });
        expect(await people.preferences('globex', 'u_bob')).toEqual(preferences);
        expect(await people.devices('globex', 'u_bob')).toHaveLength(1);
        expect(await inbox.unread('globex', 'u_bob')).toBe(1);
      });
    });
  });
}
