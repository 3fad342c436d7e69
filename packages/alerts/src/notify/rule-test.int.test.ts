import { type ChannelContent, type RuleContentInput, ruleContentSchema } from '@nowcast/contract';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { NotifyBench, person } from './testing/notify-bench.ts';

const ada = person('ada', 'owner');
const ed = person('ed', 'editor');
const vic = person('vic', 'viewer');
const zoe = person('zoe', 'owner', 'globex');
const page = { limit: 50 };

const draft = (change: Partial<RuleContentInput> = {}) =>
  ruleContentSchema.parse({
    name: 'CPU',
    severity: 'critical',
    unit: 'percent',
    evaluation: {
      query: { metric_type: 'cpu' },
      group_by: ['host'],
      condition: { kind: 'threshold', op: 'above', value: 80 },
    },
    message: '{{labels.host}} of {{labels.team}} is at {{value}}, over {{limit}}',
    labels: { team: 'core' },
    ...change,
  });

let bench: NotifyBench;
beforeEach(async () => {
  bench = new NotifyBench();
  await bench.start();
});
afterEach(() => bench.stop());

async function makeChannel(name: string, change: Partial<ChannelContent> = {}, by = ada) {
  // Channels are listed by age.
  bench.clock.advance(1);
  const config = { kind: 'webhook', format: 'nowcast', template: '', secret: '' } as const;
  const url = `https://hooks.example.com/${name}`;
  const channel = await bench.alerts.createPolicy(by, 'channel', {
    name,
    enabled: true,
    config: { ...config, url },
    ...change,
  });
  return { kind: 'channel' as const, channel_id: channel.channel_id };
}

describe('the test of a rule that is not saved', () => {
  it('reads like its alert would now, goes each way once, and says how each went', async () => {
    bench.preview = async (_tenant, _evaluation, from, to) => {
      const values = { timestamp: [to - 2, to - 1], value: [91.2, null], transitions: [] };
      const series = [{ labels: { host: 'web-7' }, ...values }];
      return { from, to, step_ms: 1, point_ms: 1, fired: 0, series, more: 0 };
    };
    bench.outcome = ({ destination }) =>
      destination.kind === 'webhook' && destination.url.endsWith('Pager')
        ? { ok: false, retryable: true, gone: false, error: 'it answered 503', retryAfterMs: undefined }
        : { ok: true };
    const targets = [
      await makeChannel('Ops'),
      await makeChannel('Pager', {
        fallback_channel_id: (await makeChannel('Spare')).channel_id,
      }),
      await makeChannel('Quiet', { enabled: false }),
      { kind: 'user' as const, user_id: 'ed' },
    ];
    const answer = await bench.alerts.testDraft(ada, { content: draft({ notify: { targets } }) });
    expect(answer).toMatchObject({
      people: ['Name of ed', 'Name of ada'],
      deliveries: [
        { via: 'email', person: 'Name of ed', status: 'sent', error: '' },
        { via: 'email', person: 'Name of ada', status: 'sent', error: '' },
        { via: 'Ops', person: null, status: 'sent', error: '' },
        { via: 'Pager', person: null, status: 'failed', error: 'it answered 503' },
        { via: 'Quiet', person: null, status: 'skipped', error: 'the channel is switched off' },
      ],
    });
    const { message } = bench.sent.find(({ destination }) => destination.kind === 'webhook')!;
    expect(message).toMatchObject({
      kind: 'test',
      title: 'CPU: web-7',
      text: expect.stringMatching(/This is a test.*\nweb-7 of core is at 91\.2 %, over 80 %$/) as string,
      url: 'https://nowcast.example/alerts',
      alerts: [{ alertId: 'test', labels: { host: 'web-7', team: 'core' }, value: 91.2, limit: 80 }],
      unit: 'percent',
    });
    // Neither a retry nor a fallback follows, and no alert or rule is left behind.
    bench.clock.advance(3_600_000);
    const { notifications } = await bench.alerts.notifications(ada, page);
    expect(notifications).toMatchObject([
      { notification_id: answer.notification_id, kind: 'test', alert_ids: [], rule_id: null },
    ]);
    expect(bench.sent).toHaveLength(4);
    expect(await bench.alerts.listRules(ada)).toEqual([]);
  });

  it('has an example of a group where there is no data, and leads to its rule where that is saved', async () => {
    const saved = await bench.alerts.createRule(ed, draft());
    const content = draft({ name: 'CPU of tomorrow' });
    const answer = await bench.alerts.testDraft(ada, { content, rule_id: saved.rule_id });
    expect(answer.people).toEqual(['Name of ed', 'Name of ada']);
    expect(bench.sent[0]?.message).toMatchObject({
      title: 'CPU of tomorrow: host-1',
      url: `https://nowcast.example/alerts/rules/${saved.rule_id}`,
      text: expect.stringContaining('host-1 of core is at 80 %, over 80 %') as string,
    });
    expect((await bench.alerts.getRule(ada, saved.rule_id)).name).toBe('CPU');
    await bench.alerts.testRule(ada, saved.rule_id);
    expect(bench.sent.at(-1)?.message.title).toBe('CPU: host-1');
  });

  it('answers in time when a way hangs, and says that it waits', async () => {
    const released = Promise.withResolvers<{ ok: true }>();
    bench.outcome = ({ destination }) => (destination.kind === 'webhook' ? released.promise : { ok: true });
    const content = draft({ notify: { targets: [await makeChannel('Slow')] } });
    const answer = bench.alerts.testDraft(ada, { content });
    await vi.waitFor(() => expect(bench.sent).toHaveLength(2), 30_000);
    // Sent is not noted yet.
    const counts = () => bench.store.alerting.deliveries.counts();
    await vi.waitFor(async () => expect(await counts()).toMatchObject({ sent: 1 }), 30_000);
    bench.clock.advance(20_000);
    expect((await answer).deliveries).toMatchObject([
      { via: 'email', status: 'sent' },
      { via: 'Slow', status: 'waiting', error: expect.stringContaining('waits for its turn') as string },
    ]);
    released.resolve({ ok: true });
  });

  it('is refused to those who may not send tests, and wherever saving would be', async () => {
    for (const actor of [ed, vic])
      await expect(bench.alerts.testDraft(actor, { content: draft() })).rejects.toMatchObject({
        code: 'auth.forbidden',
      });
    const saved = await bench.alerts.createRule(ed, draft());
    await expect(
      bench.alerts.testDraft(zoe, { content: draft(), rule_id: saved.rule_id }),
    ).rejects.toMatchObject({ code: 'request.not_found' });
    const theirs = await makeChannel('Theirs', {}, zoe);
    for (const bad of [
      draft({ notify: { targets: [theirs] } }),
      draft({ notify: { escalate: [{ after: '5m', targets: [theirs] }] } }),
    ])
      await expect(bench.alerts.testDraft(ada, { content: bad })).rejects.toMatchObject({
        code: 'request.invalid',
        message: expect.stringContaining('a channel, does not exist') as string,
      });
    expect(bench.sent).toEqual([]);
    expect((await bench.alerts.notifications(ada, page)).notifications).toEqual([]);
  });
});
