import * as fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { AlertFilter, AlertRow, LabelTest } from '../alert-store.ts';
import {
  type AlertBench,
  alertRow,
  change,
  inboxEntry,
  newDelivery,
  startAlertBench,
  transition,
} from './alert-store-fixtures.ts';
import type { MetaStoreHarness } from './meta-store.ts';

const everything: AlertFilter = { states: [], limit: 100 };
const idsOf = (alerts: readonly AlertRow[]): string[] => alerts.map((alert) => alert.alertId);

/** Follows the cursors to the end. */
async function readPages(bench: AlertBench, filter: AlertFilter): Promise<string[][]> {
  const pages: string[][] = [];
  let cursor: string | undefined;
  do {
    const page = await bench.alerting.alerts.list('acme', { ...filter, cursor });
    pages.push(idsOf(page.alerts));
    cursor = page.cursor;
  } while (cursor !== undefined);
  return pages;
}

/** Alerts and what happened to them. */
export function alertHistoryConformance(adapter: string, open: () => Promise<MetaStoreHarness>): void {
  describe(`${adapter} keeps alerts`, () => {
    let bench: AlertBench;
    beforeEach(async () => {
      bench = await startAlertBench(open);
    });
    afterEach(() => bench.harness.dispose());

    const put = (...alerts: AlertRow[]): Promise<void> => bench.alerting.alerts.apply(change({ alerts }));

    describe('a change', () => {
      const decided = change({
        seq: 7,
        transitions: [transition('t1')],
        alerts: [alertRow('a1', { dueAt: 1500.25 })],
        events: [
          { tenantId: 'acme', alertId: 'a1', at: 1000, kind: 'firing', user_name: '', note: '', value: 91.5 },
        ],
        inbox: [inboxEntry('n1')],
        deliveries: [newDelivery('d1')],
      });

      it('is there whole after a restart', async () => {
        await bench.alerting.alerts.apply(decided);
        await bench.reopen();
        const { alerts, inbox, deliveries } = bench.alerting;
        expect(await alerts.position()).toBe(7);
        expect(await alerts.get('acme', 'a1')).toEqual(decided.alerts[0]);
        expect(
          await alerts.transitions('acme', { ruleIds: undefined, from: 0, to: 2000, limit: 10 }),
        ).toEqual([{ ...transition('t1'), rule_name: 'CPU', severity: 'warning' }]);
        expect(await alerts.events('acme', 'a1')).toEqual([
          { at: 1000, kind: 'firing', user_name: '', note: '', value: 91.5 },
        ]);
        expect(await inbox.unread('acme', 'u_ada')).toBe(1);
        expect(await deliveries.due(1000, 10)).toEqual([
          { ...newDelivery('d1'), status: 'waiting', attempts: 0, error: '', at: 1000 },
        ]);
      });

      it('is refused whole when one of its transitions is stored', async () => {
        await bench.alerting.alerts.apply(decided);
        const again = change({
          seq: 8,
          transitions: [transition('t2'), transition('t1')],
          alerts: [alertRow('a1', { state: 'resolved' }), alertRow('a2')],
          inbox: [inboxEntry('n2')],
          deliveries: [newDelivery('d2')],
        });
        await expect(bench.alerting.alerts.apply(again)).rejects.toMatchObject({
          code: 'request.conflict',
          details: { reason: 'known_transition' },
        });
        const { alerts, inbox, deliveries } = bench.alerting;
        expect(await alerts.position()).toBe(7);
        expect(await alerts.knownTransitions(['t1', 't2', 't3'])).toEqual(new Set(['t1']));
        expect(await alerts.get('acme', 'a1')).toEqual(decided.alerts[0]);
        expect(await alerts.get('acme', 'a2')).toBeUndefined();
        expect(await inbox.unread('acme', 'u_ada')).toBe(1);
        expect((await deliveries.counts()).waiting).toBe(1);
      });

      it('has its consequences once, of two that are applied at the same time', async () => {
        const results = await Promise.allSettled([
          bench.alerting.alerts.apply(decided),
          bench.alerting.alerts.apply(
            change({ ...decided, inbox: [inboxEntry('n2')], deliveries: [newDelivery('d2')] }),
          ),
        ]);
        expect(results.map((result) => result.status).sort()).toEqual(['fulfilled', 'rejected']);
        expect(await bench.alerting.inbox.unread('acme', 'u_ada')).toBe(1);
        expect(await bench.alerting.alerts.events('acme', 'a1')).toHaveLength(1);
      });

      it('replaces an alert whole and keeps its events', async () => {
        await bench.alerting.alerts.apply(decided);
        const acknowledged = alertRow('a1', {
          state: 'acknowledged',
          flapping: true,
          mutedBy: 'silence: deploying',
          acknowledgedAt: 1200,
          acknowledgedBy: 'Ada',
          snoozedUntil: 5000.5,
          notifiedAt: 1001,
          escalated: 2,
          told: { userIds: ['u_ada'], channelIds: ['ops'] },
          value: undefined,
        });
        const event = {
          at: 1200,
          kind: 'acknowledged',
          user_name: 'Ada',
          note: 'mine',
          value: null,
        } as const;
        await bench.alerting.alerts.apply(
          change({ alerts: [acknowledged], events: [{ tenantId: 'acme', alertId: 'a1', ...event }] }),
        );
        expect(await bench.alerting.alerts.get('acme', 'a1')).toEqual(acknowledged);
        const kinds = (await bench.alerting.alerts.events('acme', 'a1')).map((row) => row.kind);
        expect(kinds).toEqual(['firing', 'acknowledged']);
        expect(await bench.alerting.alerts.position()).toBe(7);
      });

      it('never moves the position back', async () => {
        for (const seq of [12, 9, undefined]) await bench.alerting.alerts.apply(change({ seq }));
        expect(await bench.alerting.alerts.position()).toBe(12);
      });

      it('stores what a storm decides at one moment', async () => {
        const numbers = Array.from({ length: 1001 }, (_, i) => i);
        const storm = change({
          seq: 1,
          transitions: numbers.map((i) => transition(`t${i}`, { alert_id: `a${i}` })),
          alerts: numbers.map((i) => alertRow(`a${i}`)),
          events: numbers.map((i) => ({
            tenantId: 'acme',
            alertId: `a${i}`,
            at: 1000,
            kind: 'firing',
            user_name: '',
            note: '',
            value: null,
          })),
          inbox: numbers.map((i) => inboxEntry(`n${i}`, { alertIds: [`a${i}`] })),
          deliveries: numbers.map((i) => newDelivery(`d${i}`, { notificationId: `n${i}` })),
        });
        await bench.alerting.alerts.apply(storm);
        const { alerts, inbox, deliveries } = bench.alerting;
        expect((await alerts.knownTransitions(numbers.map((i) => `t${i}`))).size).toBe(1001);
        expect(await alerts.active('acme')).toHaveLength(1001);
        expect(await inbox.unread('acme', 'u_ada')).toBe(1001);
        expect((await deliveries.counts()).waiting).toBe(1001);
      });

      it('tells those who are there when another of its people has left', async () => {
        await bench.store.members.remove('acme', 'u_bob', 'u_ada');
        await bench.alerting.alerts.apply(
          change({
            seq: 1,
            transitions: [transition('t1')],
            alerts: [alertRow('a1')],
            inbox: [inboxEntry('n1'), inboxEntry('n2', { userId: 'u_bob' })],
            deliveries: [
              newDelivery('d1'),
              newDelivery('d2', { via: { kind: 'push', userId: 'u_bob', deviceId: 'p' } }),
              newDelivery('d3', { via: { kind: 'channel', channelId: 'c', name: 'Ops' } }),
            ],
          }),
        );
        const due = await bench.alerting.deliveries.due(1000, 10);
        expect(due.map((row) => row.deliveryId).sort()).toEqual(['d1', 'd3']);
        expect(await bench.alerting.inbox.get('acme', 'n2')).toBeUndefined();
        expect(await bench.alerting.inbox.get('acme', 'n1')).toBeDefined();
      });

      it('leaves messages whose ids are stored as they are', async () => {
        await bench.alerting.alerts.apply(decided);
        await bench.alerting.alerts.apply(
          change({
            inbox: [inboxEntry('n1', { title: 'again' })],
            deliveries: [newDelivery('d1', { dueAt: 9 })],
          }),
        );
        expect((await bench.alerting.inbox.get('acme', 'n1'))?.title).toBe('CPU is above 80 %');
        expect(await bench.alerting.deliveries.nextDue()).toBe(1000);
      });
    });

    describe('lists', () => {
      it('begin with the newest change of state', async () => {
        await put(
          alertRow('fired', { firedAt: 3000 }),
          alertRow('began', { state: 'pending', since: 2000, firedAt: undefined }),
          alertRow('over', { state: 'resolved', resolvedAt: 5000 }),
          alertRow('taken', { state: 'acknowledged', acknowledgedAt: 4000 }),
        );
        const { alerts, cursor } = await bench.alerting.alerts.list('acme', everything);
        expect(idsOf(alerts)).toEqual(['over', 'taken', 'fired', 'began']);
        expect(cursor).toBeUndefined();
      });

      it('leave out what was over before it fired', async () => {
        await put(
          alertRow('never', { state: 'resolved', firedAt: undefined, resolvedAt: 2000 }),
          alertRow('over', { state: 'resolved', resolvedAt: 2000 }),
        );
        for (const states of [[], ['resolved']] as const)
          expect(idsOf((await bench.alerting.alerts.list('acme', { ...everything, states })).alerts)).toEqual(
            ['over'],
          );
        expect(await bench.alerting.alerts.get('acme', 'never')).toBeDefined();
      });

      it('find text in names, messages and labels, in any case and script, and nothing by wildcards', async () => {
        await put(
          alertRow('a1', { ruleName: 'Größe 100%', labels: { Host: 'WEB-1' } }),
          alertRow('a2', { ruleName: 'CPU', message: 'ОШИБКА', labels: { host: 'db_1' } }),
        );
        const find = async (search: string): Promise<string[]> =>
          idsOf((await bench.alerting.alerts.list('acme', { ...everything, search })).alerts).sort();
        expect(await find('GRÖSSE')).toEqual([]);
        expect(await find('GRÖßE')).toEqual(['a1']);
        expect(await find('ошибка')).toEqual(['a2']);
        expect(await find('host=web')).toEqual(['a1']);
        expect(await find('%')).toEqual(['a1']);
        expect(await find('_')).toEqual(['a2']);
        expect(await find("' or 1=1 --")).toEqual([]);
        expect(await find('')).toEqual(['a1', 'a2']);
      });

      it('come in pages that together are the whole list, for any filter', async () => {
        const states = ['pending', 'firing', 'acknowledged', 'resolved'] as const;
        const random = fc.record({
          state: fc.constantFrom(...states),
          since: fc.integer({ min: 0, max: 5 }),
          lasted: fc.integer({ min: 0, max: 3 }),
          ruleId: fc.constantFrom('r1', 'r2'),
          metricType: fc.constantFrom('cpu', 'disk'),
          severity: fc.constantFrom('info', 'warning', 'critical'),
          host: fc.constantFrom('a', 'b'),
          message: fc.constantFrom('red', 'green'),
        });
        let runs = 0;
        await fc.assert(
          fc.asyncProperty(
            fc.array(random, { maxLength: 30 }),
            fc.subarray([...states]),
            fc.record({
              limit: fc.integer({ min: 1, max: 7 }),
              ruleIds: fc.option(fc.subarray(['r1', 'r2']), { nil: undefined }),
              search: fc.option(fc.constant('RED'), { nil: undefined }),
              metricType: fc.option(fc.constant('cpu'), { nil: undefined }),
              severities: fc.option(fc.constant(['warning', 'critical'] as const), { nil: undefined }),
              host: fc.option(fc.constant('a'), { nil: undefined }),
              during: fc.option(
                fc.record({ from: fc.integer({ min: 0, max: 5 }), to: fc.integer({ min: 6, max: 9 }) }),
                { nil: undefined },
              ),
            }),
            async (drawn, wanted, { limit, ruleIds, search, metricType, severities, host, during }) => {
              runs += 1;
              // A label of this run keeps it apart from those before; zero-padded ids sort as text.
              const run = `run ${runs}.`;
              const rows = drawn.map(({ lasted, host: on, ...row }, i) =>
                alertRow(`${runs}-${String(i).padStart(2, '0')}`, {
                  ...row,
                  labels: { host: on, run },
                  ruleId: `${run}${row.ruleId}`,
                  firedAt: row.since,
                  resolvedAt: row.state === 'resolved' ? row.since + lasted : undefined,
                }),
              );
              const changedAt = (row: AlertRow): number => row.resolvedAt ?? row.since;
              await put(...rows);
              const expected = rows
                .filter((row) => wanted.length === 0 || wanted.includes(row.state))
                .filter((row) => ruleIds?.some((id) => row.ruleId === `${run}${id}`) ?? true)
                .filter((row) => search === undefined || row.message === 'red')
                .filter((row) => metricType === undefined || row.metricType === metricType)
                .filter((row) => severities === undefined || row.severity !== 'info')
                .filter((row) => host === undefined || row.labels['host'] === host)
                .filter(
                  (row) =>
                    during === undefined ||
                    (row.since < during.to && (row.resolvedAt ?? during.from) >= during.from),
                )
                .sort((a, b) => changedAt(b) - changedAt(a) || (a.alertId < b.alertId ? 1 : -1));
              const filter: AlertFilter = {
                states: wanted,
                limit,
                search,
                metricType,
                severities,
                during,
                accepts: host === undefined ? undefined : (labels) => labels['host'] === host,
                ruleIds: ruleIds?.map((id) => `${run}${id}`),
              };
              const pages = await readPages(bench, filter);
              expect(pages.flat().filter((id) => id.startsWith(`${runs}-`))).toEqual(idsOf(expected));
              for (const page of pages.slice(0, -1)) expect(page).toHaveLength(limit);
            },
          ),
          { numRuns: 15 },
        );
      });

      it('refuse a cursor that no page gave', async () => {
        for (const cursor of [
          '',
          'x',
          Buffer.from('[1]').toString('base64url'),
          Buffer.from('["a",1]').toString('base64url'),
        ])
          await expect(bench.alerting.alerts.list('acme', { ...everything, cursor })).rejects.toMatchObject({
            code: 'request.invalid',
          });
      });

      it('C11 show a tenant its own alerts only, those with the same id included', async () => {
        const theirs = alertRow('a1', { tenantId: 'globex', ruleName: 'Theirs' });
        await put(alertRow('a1'), theirs);
        await bench.alerting.alerts.apply(
          change({
            transitions: [transition('t1'), transition('t2', { tenant: 'globex' })],
            events: [
              {
                tenantId: 'acme',
                alertId: 'a1',
                at: 1,
                kind: 'firing',
                user_name: '',
                note: '',
                value: null,
              },
            ],
          }),
        );
        const { alerts } = bench.alerting;
        expect((await alerts.list('globex', everything)).alerts).toEqual([theirs]);
        expect(await alerts.get('globex', 'a1')).toEqual(theirs);
        expect(await alerts.active('globex')).toEqual([theirs]);
        expect(await alerts.events('globex', 'a1')).toEqual([]);
        const seen = await alerts.transitions('globex', { ruleIds: ['r1'], from: 0, to: 2000, limit: 10 });
        expect(seen.map((row) => [row.transition_id, row.rule_name])).toEqual([['t2', 'Theirs']]);
        expect(await alerts.changedSince('globex', 'r1', 0, 10)).toEqual([theirs]);
        await put(alertRow('a1', { state: 'resolved', resolvedAt: 2 }));
        expect(await alerts.get('globex', 'a1')).toEqual(theirs);
        expect(idsOf(await alerts.active())).toEqual(['a1']);
      });
    });

    it('gives the alerts of a tag or a rule of which somebody is still to hear that they are over', async () => {
      const resolved = { state: 'resolved', resolvedAt: 2000 } as const;
      await put(
        alertRow('open', { tag: 't1' }),
        alertRow('calm soon', { tag: 't1', ruleId: 'r2', ...resolved, flapping: true, dueAt: 9000 }),
        alertRow('open and due', { tag: 't2', dueAt: 9000 }),
        alertRow('over', { tag: 't1', ...resolved }),
        alertRow('of another tag', { tag: 't3', ruleId: 'r2' }),
        alertRow('over too', { tag: 't3', ruleId: 'r2', ...resolved }),
        alertRow('of others', { tag: 't1', ruleId: 'r2', tenantId: 'globex' }),
      );
      const unended = await bench.alerting.alerts.unended('acme', { tags: ['t1', 't2'] });
      expect(idsOf(unended).sort()).toEqual(['calm soon', 'open', 'open and due']);
      expect(unended.find(({ alertId }) => alertId === 'open')).toEqual(alertRow('open', { tag: 't1' }));
      expect(await bench.alerting.alerts.unended('acme', { tags: [] })).toEqual([]);
      const ofRule = await bench.alerting.alerts.unended('acme', { ruleId: 'r2' });
      expect(idsOf(ofRule).sort()).toEqual(['calm soon', 'of another tag']);
    });

    it('gives what is due, the longest due first, and says when the next is', async () => {
      expect(await bench.alerting.alerts.nextDue()).toBeUndefined();
      await put(
        alertRow('late', { dueAt: 1500.75 }),
        alertRow('never'),
        alertRow('later', { dueAt: 3000 }),
        alertRow('first', { dueAt: 1500.5, tenantId: 'globex' }),
      );
      const { alerts } = bench.alerting;
      expect(idsOf(await alerts.due(2000, 10))).toEqual(['first', 'late']);
      expect(idsOf(await alerts.due(1500.75, 10))).toEqual(['first', 'late']);
      expect(idsOf(await alerts.due(1500.6, 10))).toEqual(['first']);
      expect(idsOf(await alerts.due(9000, 2))).toEqual(['first', 'late']);
      expect(await alerts.nextDue()).toBe(1500.5);
      await put(alertRow('late'), alertRow('first', { tenantId: 'globex' }));
      expect(await alerts.nextDue()).toBe(3000);
    });

    it('gives transitions of rules, times and labels, oldest first, of too many the newest', async () => {
      await bench.alerting.alerts.apply(
        change({
          alerts: [alertRow('a1'), alertRow('a2', { ruleId: 'r2', ruleName: 'Disk', severity: 'critical' })],
          transitions: [
            transition('t3', {
              at: 3000,
              to: 'ok',
              from: 'firing',
              value: null,
              limit: null,
              reason: 'no_data',
            }),
            transition('t1'),
            transition('t2', { at: 2000, alert_id: 'a2', rule_id: 'r2', labels: { host: 'db-1' } }),
            transition('lost', { alert_id: 'unknown' }),
          ],
        }),
      );
      const read = async (
        ruleIds: string[] | undefined,
        from: number,
        to: number,
        limit = 10,
        accepts?: LabelTest,
      ) =>
        (await bench.alerting.alerts.transitions('acme', { ruleIds, from, to, limit, accepts })).map(
          (row) => row.transition_id,
        );
      expect(await read(undefined, 0, 9000)).toEqual(['t1', 't2', 't3']);
      expect(await read(undefined, 1000, 3000)).toEqual(['t1', 't2']);
      expect(await read(['r2', 'r3'], 0, 9000)).toEqual(['t2']);
      expect(await read([], 0, 9000)).toEqual([]);
      expect(await read(undefined, 0, 9000, 2)).toEqual(['t2', 't3']);
      // The limit counts what is wanted: an older one is found behind newer ones of other labels.
      const accepts = (labels: Readonly<Record<string, string>>): boolean => labels['host'] === 'db-1';
      expect(await read(undefined, 0, 9000, 1, accepts)).toEqual(['t2']);
      const known = await bench.alerting.alerts.knownTransitions(['lost']);
      expect(known.has('lost')).toBe(true);
    });

    it('gives the alerts of a rule that changed since a time, oldest first, of too many the newest', async () => {
      await put(
        alertRow('over', { since: 1000, firedAt: 1500, resolvedAt: 4000, state: 'resolved' }),
        alertRow('before', { since: 100, firedAt: 200 }),
        alertRow('open', { since: 2000, firedAt: 3000 }),
        alertRow('other', { since: 3000, firedAt: 3000, ruleId: 'r2' }),
      );
      const { alerts } = bench.alerting;
      expect(idsOf(await alerts.changedSince('acme', 'r1', 3000, 10))).toEqual(['open', 'over']);
      expect(idsOf(await alerts.changedSince('acme', 'r1', 3001, 10))).toEqual(['over']);
      expect(idsOf(await alerts.changedSince('acme', 'r1', 0, 2))).toEqual(['open', 'over']);
    });

    it('forgets resolved alerts with all that belongs to them, and nothing that is still owed', async () => {
      const old = Array.from({ length: 1100 }, (_, i) => `old ${i}`);
      await bench.alerting.alerts.apply(
        change({
          alerts: [
            ...old.map((id) => alertRow(id, { state: 'resolved', resolvedAt: 1999 })),
            alertRow('recent', { state: 'resolved', resolvedAt: 2000 }),
            alertRow('long'),
          ],
          transitions: [
            ...old.map((id) => transition(`t ${id}`, { alert_id: id })),
            transition('t recent', { alert_id: 'recent' }),
            transition('t long', { alert_id: 'long' }),
          ],
          events: [...old, 'long'].map((alertId) => ({
            tenantId: 'acme',
            alertId,
            at: 1000,
            kind: 'firing',
            user_name: '',
            note: '',
            value: null,
          })),
          inbox: [inboxEntry('n1'), inboxEntry('n2', { timestamp: 2000 })],
          deliveries: [newDelivery('sent'), newDelivery('owed')],
        }),
      );
      const { alerts, inbox, deliveries } = bench.alerting;
      const sent = {
        status: 'sent',
        attempts: 1,
        error: '',
        at: 1000,
        dueAt: undefined,
        delayMs: 4,
      } as const;
      await deliveries.finish('sent', sent);
      const forget = () => alerts.forget({ time: 2000, neverFired: 2000 });
      // Others write between its steps.
      expect([await forget(), await forget(), await forget(), await forget()]).toEqual([
        true,
        true,
        false,
        false,
      ]);
      expect(idsOf((await alerts.list('acme', everything)).alerts).sort()).toEqual(['long', 'recent']);
      expect(await alerts.events('acme', 'old 7')).toEqual([]);
      expect(await alerts.events('acme', 'long')).toHaveLength(1);
      const left = await alerts.knownTransitions(['t old 7', 't old 1099', 't recent', 't long']);
      expect(left).toEqual(new Set(['t recent', 't long']));
      expect((await inbox.list('acme', 'u_ada', { limit: 10 })).notifications).toHaveLength(1);
      expect(await deliveries.counts()).toMatchObject({ sent: 0, waiting: 1 });
    });

    it('forgets alerts that never fired earlier, with their own transitions', async () => {
      const over = { state: 'resolved', resolvedAt: 1800, firedAt: undefined } as const;
      const ofAlert = (alert_id: string, at: number, to: 'pending' | 'firing' | 'ok') =>
        transition(`${alert_id} ${to}`, { alert_id, at, to });
      await bench.alerting.alerts.apply(
        change({
          alerts: [
            alertRow('only pending', over),
            alertRow('of others', { ...over, tenantId: 'globex' }),
            alertRow('fired', { ...over, firedAt: 1200 }),
            alertRow('pending', { state: 'pending', firedAt: undefined }),
            alertRow('lately', { ...over, resolvedAt: 2000 }),
          ],
          transitions: [
            ofAlert('only pending', 1000, 'pending'),
            ofAlert('only pending', 1800, 'ok'),
            ofAlert('fired', 1200, 'firing'),
            ofAlert('pending', 1000, 'pending'),
            ofAlert('lately', 2000, 'ok'),
          ],
        }),
      );
      const { alerts } = bench.alerting;
      expect(await alerts.forget({ time: 500, neverFired: 2000 })).toBe(false);
      expect(await alerts.get('acme', 'only pending')).toBeUndefined();
      expect(await alerts.get('globex', 'of others')).toBeUndefined();
      for (const id of ['fired', 'pending', 'lately']) expect(await alerts.get('acme', id)).toBeDefined();
      const ids = ['only pending pending', 'only pending ok', 'fired firing', 'pending pending', 'lately ok'];
      expect(await alerts.knownTransitions(ids)).toEqual(new Set(ids.slice(2)));
    });
  });
}
