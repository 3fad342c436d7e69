import {
  appError,
  type Rule,
  type RuleContentInput,
  ruleContentSchema,
  type TenantEvent,
} from '@nowcast/contract';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { NotifyBench, person } from './testing/notify-bench.ts';

const ada = person('ada', 'owner');
const ed = person('ed', 'editor');
const vic = person('vic', 'viewer');
const zoe = person('zoe', 'owner', 'globex');
const page = { limit: 50 };
const open = { states: ['pending', 'firing', 'acknowledged'] as const, limit: 50 };

const cpu = (change: Partial<RuleContentInput> = {}) =>
  ruleContentSchema.parse({
    name: 'CPU > 80 %',
    unit: 'percent',
    evaluation: {
      query: { metric_type: 'cpu' },
      group_by: ['host'],
      condition: { kind: 'threshold', op: 'above', value: 80 },
    },
    ...change,
  });

let bench: NotifyBench;
beforeEach(async () => {
  bench = new NotifyBench();
  await bench.start();
});
afterEach(() => bench.stop());

const confirmed = (seq: number) => vi.waitFor(() => expect(bench.confirmed).toContain(seq), 30_000);
async function inboxOf(actor: typeof ed) {
  const { notifications } = await bench.alerts.notifications(actor, page);
  return notifications.map(({ kind, message }) => ({ kind, message }));
}
const kindsOf = async (actor: typeof ed) => (await inboxOf(actor)).map(({ kind }) => kind);
/** Moves the clock and waits until the inbox says so. */
async function later(ms: number, actor: typeof ed, kinds: readonly string[]) {
  bench.clock.advance(ms);
  await vi.waitFor(async () => {
    // A timer that was set meanwhile for a moment that has passed.
    bench.clock.advance(0);
    expect(await kindsOf(actor)).toEqual(kinds);
  }, 30_000);
}
const webhook = (url: string) => ({
  kind: 'webhook' as const,
  url,
  format: 'nowcast' as const,
  template: '',
  secret: '',
});
const firing = async (rule: Rule) => confirmed(bench.tick({ rule_id: rule.rule_id }));

describe('AlertService', () => {
  it('puts a new rule to the engine, and again only when what is evaluated changed', async () => {
    const rule = await bench.alerts.createRule(ed, cpu());
    expect(bench.put).toEqual([{ rule_id: rule.rule_id, version: 1 }]);
    const named = await bench.alerts.saveRule(ed, rule.rule_id, {
      content: cpu({ name: 'Hot' }),
      base_version: 1,
    });
    expect(named).toMatchObject({ name: 'Hot', version: 2 });
    expect(bench.put).toHaveLength(1);
    const off = { content: cpu({ enabled: false }), base_version: 2 };
    await bench.alerts.saveRule(ed, rule.rule_id, off);
    expect(bench.removed).toEqual([rule.rule_id]);
    await bench.alerts.saveRule(ed, rule.rule_id, { content: cpu(), base_version: 3 });
    expect(bench.put.at(-1)).toEqual({ rule_id: rule.rule_id, version: 3 });
    await expect(bench.alerts.saveRule(ed, rule.rule_id, off)).rejects.toMatchObject({
      code: 'request.conflict',
      details: { version: 4 },
    });
  });

  it('keeps nothing of a change that is refused, so that the corrected one is saved over the same version', async () => {
    const rule = await bench.alerts.createRule(ed, cpu());
    const unread = cpu({
      evaluation: { ...cpu().evaluation, query: { metric_type: 'cpu', where: { host: { regex: '(' } } } },
    });
    const refused = { code: 'query.invalid' };
    const save = (content: typeof unread) =>
      bench.alerts.saveRule(ed, rule.rule_id, { content, base_version: 1 });
    await expect(save(unread)).rejects.toMatchObject(refused);
    await expect(save({ ...unread, enabled: false })).rejects.toMatchObject(refused);
    await expect(bench.alerts.createRule(ed, { ...unread, enabled: false })).rejects.toMatchObject(refused);

    const slower = cpu({ evaluation: { ...cpu().evaluation, window: '10m' } });
    bench.refusal = () => appError('query.invalid', 'the engine knows better');
    await expect(save(slower)).rejects.toMatchObject(refused);
    expect(await bench.alerts.getRule(ed, rule.rule_id)).toEqual(rule);
    expect(await bench.alerts.listRules(ed)).toEqual([rule]);
    bench.refusal = () => undefined;
    expect(await save(slower)).toMatchObject({ version: 2, evaluation: { window: '10m' } });
    expect(bench.put).toEqual([1, 2].map((version) => ({ rule_id: rule.rule_id, version })));
  });

  it('says of a stored rule that the engine refuses why, once', async () => {
    const rule = await bench.alerts.createRule(ed, cpu());
    bench.refusal = () => appError('query.invalid', 'the engine knows better');
    // As after an upgrade to an engine that refuses more; it knows nothing of the rule.
    for (let start = 0; start < 3; start += 1) {
      await bench.halt();
      await bench.restart();
    }
    expect(await inboxOf(ed)).toEqual([{ kind: 'rule_problem', message: 'the engine knows better' }]);
    expect((await bench.alerts.getRule(ed, rule.rule_id)).problem).toBe('the engine knows better');
    bench.refusal = () => undefined;
    const counts = { ok: 0, pending: 0, firing: 0, no_data: 0 };
    bench.statuses = [
      { tenant: 'acme', ruleId: rule.rule_id, version: 1, problem: undefined, counts, activeAlerts: [] },
    ];
    await vi.waitFor(async () => {
      bench.clock.advance(30_000);
      expect((await bench.alerts.getRule(ed, rule.rule_id)).problem).toBeNull();
    }, 30_000);
    expect(await inboxOf(ed)).toHaveLength(1);
  });

  it('keeps rules from viewers and from other tenants', async () => {
    const rule = await bench.alerts.createRule(ed, cpu());
    await expect(bench.alerts.createRule(vic, cpu())).rejects.toMatchObject({ code: 'auth.forbidden' });
    await expect(bench.alerts.getRule(zoe, rule.rule_id)).rejects.toMatchObject({
      code: 'request.not_found',
    });
    await firing(rule);
    expect((await bench.alerts.listAlerts(zoe, open)).alerts).toEqual([]);
    await expect(bench.alerts.acknowledge(zoe, 'a1', { note: '' })).rejects.toMatchObject({
      code: 'request.not_found',
    });
  });

  it('tells the owner when it fires and when it is over, each transition once', async () => {
    const events: unknown[] = [];
    bench.alerts.onEvent((to, event) => events.push([to.userId, event.topic]));
    const rule = await bench.alerts.createRule(ed, cpu());
    const seq = bench.tick({ rule_id: rule.rule_id, transition_id: 'once' });
    await confirmed(seq);
    await confirmed(bench.tick({ rule_id: rule.rule_id, transition_id: 'once' }));
    expect(await inboxOf(ed)).toEqual([
      { kind: 'firing', message: 'CPU > 80 %: web-1 is at 93.1 % (limit 80 %)' },
    ]);
    expect(await inboxOf(ada)).toEqual([]);
    expect(events).toContainEqual(['ed', 'notifications']);
    bench.clock.advance(60_000);
    await confirmed(bench.tick({ rule_id: rule.rule_id, from: 'firing', to: 'ok', value: 40 }));
    expect((await inboxOf(ed))[0]).toEqual({
      kind: 'resolved',
      message: 'CPU > 80 %: web-1 is well again after 60 s, now at 40 %',
    });
    expect((await bench.alerts.listAlerts(ed, open)).alerts).toEqual([]);
  });

  it.each([
    ['rule_changed', 'until the rule was changed'],
    ['rule_removed', 'until the rule was removed or switched off'],
    ['no_data', 'until it sent nothing any more'],
  ] as const)('does not call well what is over for another reason: %s', async (reason, until) => {
    const rule = await bench.alerts.createRule(ed, cpu());
    await firing(rule);
    bench.clock.advance(60_000);
    await confirmed(bench.tick({ rule_id: rule.rule_id, from: 'firing', to: 'ok', value: 95, reason }));
    expect((await inboxOf(ed))[0]).toEqual({
      kind: 'resolved',
      message: `CPU > 80 %: web-1 fired for 60 s, ${until}; it may not be well`,
    });
  });

  it('puts aside what the store refuses for good, and goes on with everything else', async () => {
    const rule = await bench.alerts.createRule(ed, cpu());
    const poisoned = bench.tick(
      { rule_id: rule.rule_id, transition_id: 'nobody', tenant: 'no such tenant' },
      { rule_id: rule.rule_id, transition_id: 'somebody' },
    );
    await vi.waitFor(() => {
      bench.clock.advance(1000);
      expect(bench.confirmed).toContain(poisoned);
    }, 30_000);
    const { notifications } = await bench.alerts.notifications(ed, page);
    expect(notifications.map(({ kind }) => kind)).toEqual(['firing']);
  });

  it('makes one notification of what fires together, for each value of the labels it groups by', async () => {
    const rule = await bench.alerts.createRule(ed, cpu({ notify: { group_wait: '30s' } }));
    await firing(rule);
    bench.clock.advance(20_000);
    await confirmed(bench.tick({ rule_id: rule.rule_id, alert_id: 'a2', labels: { host: 'web-2' } }));
    expect(await kindsOf(ed)).toEqual([]);
    await later(10_000, ed, ['firing']);
    const { notifications } = await bench.alerts.notifications(ed, page);
    expect(notifications[0]?.alert_ids.toSorted()).toEqual(['a1', 'a2']);
  });

  it('repeats and escalates until somebody acknowledges it', async () => {
    const rule = await bench.alerts.createRule(
      ed,
      cpu({
        notify: {
          repeat: '10m',
          escalate: [{ after: '15m', targets: [{ kind: 'user', user_id: 'ada' }] }],
        },
      }),
    );
    await firing(rule);
    await later(600_000, ed, ['repeated', 'firing']);
    await later(300_000, ada, ['escalated']);
    await bench.alerts.acknowledge(ed, 'a1', { note: 'on it' });
    bench.clock.advance(3_600_000);
    const { alert, events } = await bench.alerts.getAlert(vic, 'a1');
    expect(alert).toMatchObject({ state: 'acknowledged', acknowledged_by: 'Name of ed' });
    expect(events.map(({ kind }) => kind)).toEqual(['firing', 'repeated', 'escalated', 'acknowledged']);
    await bench.alerts.unacknowledge(ed, 'a1');
    await vi.waitFor(async () => expect(await kindsOf(ed)).toHaveLength(3), 30_000);
  });

  it('goes on with what is due elsewhere when that of one organisation cannot be looked at', async () => {
    const repeating = cpu({ notify: { repeat: '10m' } });
    const ours = await bench.alerts.createRule(ed, repeating);
    const theirs = await bench.alerts.createRule(zoe, repeating);
    await confirmed(bench.tick({ rule_id: ours.rule_id }));
    bench.clock.advance(1);
    await confirmed(bench.tick({ tenant: 'globex', rule_id: theirs.rule_id, alert_id: 'a2' }));
    const content = { name: 'No zone', where: {}, days: [1], start: '09:00', duration: '1h', enabled: true };
    const window = { id: 'm1', kind: 'maintenance' as const, userId: 'ada', createdAt: 1 };
    const { policies } = bench.store.alerting;
    await policies.create('acme', { ...window, content: { ...content, tz: 'Mars/Base' } }, 10);
    await bench.again();
    await later(600_000, zoe, ['repeated', 'firing']);
    expect(await kindsOf(ed)).toEqual(['firing']);
    // Not even a start may fail by it.
    await bench.again();
    await bench.alerts.deletePolicy(ada, 'maintenance', 'm1');
    await later(0, ed, ['repeated', 'firing']);
  });

  it('says nothing in a silence, and says it when the silence ends and it still fires', async () => {
    const now = bench.clock.now();
    const silence = await bench.alerts.createPolicy(ed, 'silence', {
      where: { host: ['web-1'] },
      from: now,
      to: now + 600_000,
      reason: 'disk swap',
    });
    const rule = await bench.alerts.createRule(ed, cpu());
    await firing(rule);
    expect(await kindsOf(ed)).toEqual([]);
    const { alerts } = await bench.alerts.listAlerts(ed, open);
    expect(alerts[0]).toMatchObject({ state: 'firing', muted_by: 'silence: disk swap' });
    await later(600_000, ed, ['firing']);
    expect((await bench.alerts.listPolicies(vic, 'silence'))[0]?.silence_id).toBe(silence.silence_id);
  });

  it('keeps a warning quiet while the critical alert of the same group fires', async () => {
    const warning = await bench.alerts.createRule(ed, cpu());
    const critical = await bench.alerts.createRule(ed, cpu({ name: 'CPU full', severity: 'critical' }));
    await confirmed(bench.tick({ rule_id: critical.rule_id }));
    await confirmed(bench.tick({ rule_id: warning.rule_id, alert_id: 'a2' }));
    expect(await kindsOf(ed)).toEqual(['firing']);
    await confirmed(bench.tick({ rule_id: critical.rule_id, from: 'firing', to: 'ok' }));
    expect((await kindsOf(ed)).toSorted()).toEqual(['firing', 'firing', 'resolved']);
  });

  it('snoozes until then, and says it again', async () => {
    const rule = await bench.alerts.createRule(ed, cpu());
    await firing(rule);
    await bench.alerts.snooze(ed, 'a1', { until: bench.clock.now() + 60_000 });
    await later(60_000, ed, ['firing', 'firing']);
  });

  it('says once that an alert flaps, and is quiet until it is calm', async () => {
    const rule = await bench.alerts.createRule(ed, cpu({ flap: { changes: 3, within: '15m' } }));
    for (let round = 0; round < 4; round += 1) {
      const alert = { rule_id: rule.rule_id, alert_id: `a${round}` };
      await confirmed(bench.tick(alert));
      bench.clock.advance(10_000);
      await confirmed(bench.tick({ ...alert, from: 'firing', to: 'ok' }));
      bench.clock.advance(10_000);
    }
    const kinds = ['flapping', 'resolved', 'firing', 'resolved', 'firing'];
    expect(await kindsOf(ed)).toEqual(kinds);
    await later(900_000, ed, ['resolved', ...kinds]);
  });

  it('sends to channels, tries again, falls back, and says what failed', async () => {
    const spare = await bench.alerts.createPolicy(ada, 'channel', {
      name: 'Spare',
      enabled: true,
      config: webhook('https://spare.example'),
    });
    const first = await bench.alerts.createPolicy(ada, 'channel', {
      name: 'First',
      enabled: true,
      config: webhook('https://first.example'),
      fallback_channel_id: spare.channel_id,
    });
    const urlOf = ({ destination }: (typeof bench.sent)[number]) =>
      destination.kind === 'webhook' ? destination.url : destination.kind;
    let attempts = 0;
    bench.outcome = (delivery) => {
      if (urlOf(delivery) !== 'https://first.example') return { ok: true };
      attempts += 1;
      return { ok: false, retryable: attempts < 2, gone: false, error: 'HTTP 503', retryAfterMs: undefined };
    };
    const rule = await bench.alerts.createRule(
      ed,
      cpu({ notify: { targets: [{ kind: 'channel', channel_id: first.channel_id }] } }),
    );
    await firing(rule);
    await vi.waitFor(() => expect(bench.sent.map(urlOf)).toEqual(['https://first.example']), 30_000);
    await vi.waitFor(() => {
      bench.clock.advance(1000);
      expect(bench.sent.map(urlOf)).toContain('https://spare.example');
    }, 30_000);
    expect(bench.sent[0]?.key).toBe(bench.sent[1]?.key);
    await vi.waitFor(async () => expect(await kindsOf(ed)).toEqual(['delivery_problem', 'firing']), 30_000);
    const [problem] = await inboxOf(ed);
    expect(problem?.message).toBe(
      'A message could not be sent by the channel "First": an administrator sees why. It is sent by "Spare" instead.',
    );
  });

  it('says why a delivery failed to those who manage channels, and to others that it did', async () => {
    const reason = '550 relay of mail.internal refused ada@example.com.';
    bench.outcome = () => ({
      ok: false,
      retryable: false,
      gone: false,
      error: reason,
      retryAfterMs: undefined,
    });
    const heard: TenantEvent[] = [];
    bench.alerts.onEvent(({ userId }, event) => void (userId === 'ada' || heard.push(event)));
    const ops = { name: 'Ops', enabled: true, config: webhook('https://ops.example') };
    const channel = await bench.alerts.createPolicy(ada, 'channel', ops);
    const targets = [
      { kind: 'user' as const, user_id: 'vic' },
      { kind: 'user' as const, user_id: 'ed' },
      { kind: 'channel' as const, channel_id: channel.channel_id },
    ];
    // The channel's deliveries are shown with the entry of the rule's owner.
    for (const owner of [ed, ada]) {
      const rule = await bench.alerts.createRule(owner, cpu({ severity: 'critical', notify: { targets } }));
      await confirmed(bench.tick({ rule_id: rule.rule_id, alert_id: rule.rule_id }));
    }
    // Ed's own mail and channel failed, vic's mail, and those of the other rule.
    const problems = (kinds: readonly string[]) => kinds.filter((kind) => kind === 'delivery_problem').length;
    await vi.waitFor(
      async () => expect([problems(await kindsOf(ed)), problems(await kindsOf(ada))]).toEqual([3, 3]),
      30_000,
    );
    const reads = (actor: typeof ed, why: string) =>
      vi.waitFor(async () => {
        const { notifications } = await bench.alerts.notifications(actor, page);
        const errors = notifications.flatMap(({ deliveries }) => deliveries.map(({ error }) => error));
        expect(new Set(errors)).toEqual(new Set([why]));
      }, 30_000);
    for (const actor of [ed, vic]) {
      await reads(actor, 'an administrator sees why');
      expect(JSON.stringify(await inboxOf(actor))).not.toContain('550');
    }
    await reads(person('ed', 'admin'), reason);
    expect((await inboxOf(ada)).map(({ message }) => message)).toContain(
      `A message could not be sent by the channel "Ops": ${reason}`,
    );
    expect(JSON.stringify(heard)).not.toContain('550');
  });

  it('mails what is critical, and says how long that took since the point came', async () => {
    const rule = await bench.alerts.createRule(ed, cpu({ severity: 'critical' }));
    const received = bench.clock.now();
    bench.clock.advance(40);
    await confirmed(bench.tick({ rule_id: rule.rule_id, received_at: received }));
    await vi.waitFor(async () => {
      const { notifications } = await bench.alerts.notifications(ed, page);
      expect(notifications[0]).toMatchObject({
        delay_ms: 40,
        deliveries: [{ via: 'email', status: 'sent' }],
      });
    }, 30_000);
    expect(bench.sent[0]?.destination).toEqual({ kind: 'email', to: ['ed@example.com'] });
    expect(bench.sent[0]?.message).toMatchObject({
      url: 'https://nowcast.example/alerts/a1',
      tenantName: 'Acme',
      tag: 'a1',
    });
  });

  it('sends the mails of a digest as one, when it is due', async () => {
    const preferences = { info: [], warning: ['email' as const], critical: [], digest: 'hourly' as const };
    await bench.alerts.setPreferences(ed, preferences);
    const rule = await bench.alerts.createRule(ed, cpu());
    for (const host of ['web-1', 'web-2']) {
      await confirmed(bench.tick({ rule_id: rule.rule_id, alert_id: host, labels: { host } }));
      bench.clock.advance(1000);
    }
    expect(bench.sent).toEqual([]);
    bench.clock.advance(3_600_000);
    await vi.waitFor(() => {
      bench.clock.advance(0);
      expect(bench.sent.map(({ message }) => message.kind)).toEqual(['digest']);
    }, 30_000);
    expect(bench.sent[0]?.message.title).toBe('2 messages');
  });

  it('tells the owner of a problem that stands, once', async () => {
    const rule = await bench.alerts.createRule(ed, cpu());
    const counts = { ok: 0, pending: 0, firing: 0, no_data: 0 };
    bench.statuses = [
      {
        tenant: 'acme',
        ruleId: rule.rule_id,
        version: 1,
        problem: 'no such metric',
        counts,
        activeAlerts: [],
      },
    ];
    await vi.waitFor(async () => {
      bench.clock.advance(30_000);
      expect(await inboxOf(ed)).toEqual([{ kind: 'rule_problem', message: 'no such metric' }]);
    }, 30_000);
    expect((await bench.alerts.getRule(ed, rule.rule_id)).problem).toBe('no such metric');
  });

  it('tells nobody of a problem that is the server’s own, and keeps what it knew of the rule', async () => {
    const rule = await bench.alerts.createRule(ed, cpu());
    const counts = { ok: 0, pending: 0, firing: 0, no_data: 0 };
    const of = (problem: string, isServers: boolean) => [
      { tenant: 'acme', ruleId: rule.rule_id, version: 1, problem, isServers, counts, activeAlerts: [] },
    ];
    const told = [{ kind: 'rule_problem', message: 'no such metric' }];
    const looks = (wanted: readonly unknown[]) =>
      vi.waitFor(async () => {
        bench.clock.advance(30_000);
        expect(await inboxOf(ed)).toEqual(wanted);
      }, 30_000);
    bench.statuses = of('no such metric', false);
    await looks(told);
    bench.statuses = of('the clock was set back', true);
    for (let i = 0; i < 10; i += 1) await looks(told);
    expect((await bench.alerts.getRule(ed, rule.rule_id)).problem).toBe('the clock was set back');
    bench.statuses = of('no such metric', false);
    for (let i = 0; i < 10; i += 1) await looks(told);
  });

  it('says of what ended while nobody listened how it ended, when the engine decides that during the start', async () => {
    const rule = await bench.alerts.createRule(ed, cpu());
    await firing(rule);
    await bench.alerts.stop();
    bench.clock.advance(60_000);
    // Killed with points that no tick had covered: the first tick after the start ends the alert.
    bench.beforeStatuses = () => {
      bench.beforeStatuses = () => {};
      bench.tick({ rule_id: rule.rule_id, from: 'firing', to: 'ok', value: 40 });
    };
    await bench.restart();
    expect((await inboxOf(ed))[0]).toEqual({
      kind: 'resolved',
      message: 'CPU > 80 %: web-1 is well again after 60 s, now at 40 %',
    });
    const { events } = await bench.alerts.getAlert(ed, 'a1');
    expect(events.map(({ kind, note }) => [kind, note])).toEqual([
      ['firing', ''],
      ['resolved', ''],
    ]);
  });

  it('closes at a start what the engine does not know, and puts the rules that it lacks', async () => {
    const rule = await bench.alerts.createRule(ed, cpu());
    await firing(rule);
    await bench.halt();
    bench.clock.advance(1000);
    await bench.restart();
    expect(bench.put).toHaveLength(2);
    expect((await bench.alerts.listAlerts(ed, open)).alerts).toEqual([]);
    expect(await kindsOf(ed)).toEqual(['resolved', 'firing']);
    expect((await inboxOf(ed))[0]?.message).toMatch(
      /until the rule was changed while nothing ran; it may not/,
    );
  });
});
