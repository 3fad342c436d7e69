import { type Rule, type RuleContentInput, ruleContentSchema, type ScheduleContent } from '@nowcast/contract';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { NotifyBench, person, startMs } from './testing/notify-bench.ts';

const ada = person('ada', 'owner');
const ed = person('ed', 'editor');
const vic = person('vic', 'viewer');
const page = { limit: 50 };
const minute = 60_000;
const patience = 30_000;

const cpu = (change: Partial<RuleContentInput> = {}) =>
  ruleContentSchema.parse({
    name: 'CPU > 80 %',
    evaluation: {
      query: { metric_type: 'cpu' },
      group_by: ['host'],
      condition: { kind: 'threshold', op: 'above', value: 80 },
    },
    ...change,
  });

/** Ed until eleven, an hour after the clock of the bench begins; then vic for a week. */
const schedule = (change: Partial<ScheduleContent> = {}): ScheduleContent => ({
  name: 'Ops',
  tz: 'UTC',
  members: ['ed', 'vic'],
  handover_day: 1,
  handover_time: '11:00',
  starts_at: startMs,
  overrides: [],
  ...change,
});

let bench: NotifyBench;
beforeEach(async () => {
  bench = new NotifyBench();
  await bench.start();
});
afterEach(() => bench.stop());

async function kindsOf(actor: typeof ed): Promise<string[]> {
  const { notifications } = await bench.alerts.notifications(actor, page);
  return notifications.map(({ kind }) => kind).toReversed();
}
async function says(kinds: { ada?: string[]; ed?: string[]; vic?: string[] }): Promise<void> {
  await vi.waitFor(async () => {
    bench.clock.advance(0);
    expect({ ada: await kindsOf(ada), ed: await kindsOf(ed), vic: await kindsOf(vic) }).toEqual({
      ada: [],
      ed: [],
      vic: [],
      ...kinds,
    });
  }, patience);
  bench.clock.advance(1);
}
/** The clock moves on a little: the inbox lists by time. */
async function confirmed(seq: number): Promise<void> {
  await vi.waitFor(() => expect(bench.confirmed).toContain(seq), patience);
  bench.clock.advance(1);
}
const fires = (rule: Rule) => confirmed(bench.tick({ rule_id: rule.rule_id }));
const ends = (rule: Rule) =>
  confirmed(bench.tick({ rule_id: rule.rule_id, from: 'firing', to: 'ok', value: 40 }));

it('who leaves an organisation leaves what their rules say to who has them then', async () => {
  const rule = await bench.alerts.createRule(ed, cpu());
  await fires(rule);
  await says({ ed: ['firing'] });
  await ends(rule);
  // An administrator has the rules from now on, and not the owner of the organisation.
  const admin = person('vic', 'admin');
  await bench.store.members.update('acme', 'vic', { role: 'admin' });
  await bench.access.members.remove(admin, 'ed');
  await confirmed(bench.tick({ rule_id: rule.rule_id, alert_id: 'a2' }));
  await says({ vic: ['firing'] });
});

async function onCallRule(change: Partial<ScheduleContent> = {}): Promise<{ rule: Rule; id: string }> {
  const { schedule_id: id } = await bench.alerts.createPolicy(ada, 'schedule', schedule(change));
  const rule = await bench.alerts.createRule(
    ada,
    cpu({ notify: { targets: [{ kind: 'schedule', schedule_id: id }] } }),
  );
  return { rule, id };
}

describe('a rule that tells a role', () => {
  it('tells everybody who has that role when it happens, and nobody else', async () => {
    const rule = await bench.alerts.createRule(
      ada,
      cpu({ notify: { targets: [{ kind: 'role', role: 'viewer' }] } }),
    );
    await bench.store.members.update('acme', 'ed', { role: 'viewer' });
    await fires(rule);
    await says({ ed: ['firing'], vic: ['firing'] });
  });

  it('says that it is over to those who were told, whoever has the role by then', async () => {
    const rule = await bench.alerts.createRule(
      ada,
      cpu({ notify: { targets: [{ kind: 'role', role: 'viewer' }] } }),
    );
    await fires(rule);
    await says({ vic: ['firing'] });
    await bench.store.members.update('acme', 'vic', { role: 'editor' });
    await bench.store.members.update('acme', 'ed', { role: 'viewer' });
    await ends(rule);
    await says({ vic: ['firing', 'resolved'] });
  });
});

describe('a rule that tells who is on call', () => {
  it('tells the one whose turn it is, and after the handover the next one', async () => {
    const { rule } = await onCallRule();
    await fires(rule);
    await says({ ed: ['firing'] });
    await ends(rule);
    bench.clock.advance(60 * minute);
    await confirmed(bench.tick({ rule_id: rule.rule_id, alert_id: 'a2' }));
    await says({ ed: ['firing', 'resolved'], vic: ['firing'] });
  });

  it('tells the one who stands in', async () => {
    const { rule } = await onCallRule({
      overrides: [{ user_id: 'ada', from: startMs, to: startMs + 10 * minute }],
    });
    await fires(rule);
    await says({ ada: ['firing'] });
  });

  it('says that it is over to who was called, not to who has the duty by then', async () => {
    const { rule, id } = await onCallRule();
    await fires(rule);
    await says({ ed: ['firing'] });
    bench.clock.advance(61 * minute);
    await bench.alerts.updatePolicy(ada, 'schedule', id, schedule({ members: ['ada'] }));
    await ends(rule);
    await says({ ed: ['firing', 'resolved'] });
  });

  it('repeats to the next one after a handover; both hear when it is over', async () => {
    const { schedule_id: id } = await bench.alerts.createPolicy(ada, 'schedule', schedule());
    const rule = await bench.alerts.createRule(
      ada,
      cpu({ notify: { repeat: '45m', targets: [{ kind: 'schedule', schedule_id: id }] } }),
    );
    await fires(rule);
    bench.clock.advance(45 * minute);
    await says({ ed: ['firing', 'repeated'] });
    bench.clock.advance(45 * minute);
    await says({ ed: ['firing', 'repeated'], vic: ['repeated'] });
    await ends(rule);
    await says({ ed: ['firing', 'repeated', 'resolved'], vic: ['repeated', 'resolved'] });
  });

  it('escalates to who is on call at that moment, when the duty changed hands meanwhile', async () => {
    const { schedule_id: id } = await bench.alerts.createPolicy(ada, 'schedule', schedule());
    const targets = [{ kind: 'schedule' as const, schedule_id: id }];
    const rule = await bench.alerts.createRule(
      ada,
      cpu({ notify: { targets, escalate: [{ after: '90m', targets }] } }),
    );
    await fires(rule);
    await says({ ed: ['firing'] });
    bench.clock.advance(59 * minute);
    await bench.again();
    bench.clock.advance(31 * minute);
    await says({ ed: ['firing'], vic: ['escalated'] });
    await ends(rule);
    await says({ ed: ['firing', 'resolved'], vic: ['escalated', 'resolved'] });
  });

  it('tells somebody of a schedule that an earlier version stored with a moment that no calendar has', async () => {
    const { rule, id } = await onCallRule();
    const content = schedule({ tz: 'Europe/Berlin', starts_at: startMs * 1e6, members: ['vic'] });
    await bench.store.alerting.policies.update('acme', 'schedule', id, content);
    await bench.again();
    await fires(rule);
    await says({ vic: ['firing'] });
    const [listed] = await bench.alerts.listPolicies(ada, 'schedule');
    expect(listed).toMatchObject({ schedule_id: id, on_call: { user_id: 'vic' } });
  });

  it('tells the rule’s owner when the one on call has left', async () => {
    const { rule } = await onCallRule();
    await bench.store.members.remove('acme', 'ed', 'ada');
    await fires(rule);
    await says({ ada: ['firing'] });
  });
});

describe('what is over', () => {
  it('is said to those who were told, although the rule tells others by now', async () => {
    const rule = await bench.alerts.createRule(
      ada,
      cpu({ notify: { targets: [{ kind: 'user', user_id: 'ed' }] } }),
    );
    await fires(rule);
    await says({ ed: ['firing'] });
    await bench.alerts.saveRule(ada, rule.rule_id, {
      base_version: 1,
      content: cpu({ notify: { targets: [{ kind: 'user', user_id: 'vic' }] } }),
    });
    await bench.again();
    await ends(rule);
    await says({ ed: ['firing', 'resolved'] });
  });

  it('is said to the channels that were told, and to no other', async () => {
    const channel = (url: string) =>
      bench.alerts.createPolicy(ada, 'channel', {
        name: url,
        enabled: true,
        config: { kind: 'webhook', url, format: 'nowcast', template: '', secret: '' },
      });
    const [first, second] = [await channel('https://first.example'), await channel('https://second.example')];
    const tells = ({ channel_id: id }: typeof first) =>
      cpu({ notify: { targets: [{ kind: 'channel', channel_id: id }] } });
    const rule = await bench.alerts.createRule(ada, tells(first));
    await fires(rule);
    await bench.alerts.saveRule(ada, rule.rule_id, { base_version: 1, content: tells(second) });
    await ends(rule);
    const sent = () =>
      bench.sent.map(({ destination, message }) => [
        destination.kind === 'webhook' ? destination.url : '',
        message.kind,
      ]);
    await vi.waitFor(
      () =>
        expect(sent()).toEqual([
          ['https://first.example', 'firing'],
          ['https://first.example', 'resolved'],
        ]),
      patience,
    );
  });
});
