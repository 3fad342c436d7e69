import { type Rule, type RuleContentInput, ruleContentSchema } from '@nowcast/contract';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { NotifyBench, person } from './testing/notify-bench.ts';

/** What services hear that keep an incident for each tag: what was opened is closed, under the same tag. */

const ada = person('ada', 'owner');
const ed = person('ed', 'editor');
const minute = 60_000;
const patience = 30_000;

let bench: NotifyBench;
beforeEach(async () => {
  bench = new NotifyBench();
  await bench.start();
});
afterEach(() => bench.stop());

type Format = 'pagerduty' | 'slack' | 'nowcast';

async function makeChannel(name: string, format: Format, fallback?: string): Promise<string> {
  const url = `https://${name}.example`;
  const { channel_id: id } = await bench.alerts.createPolicy(ada, 'channel', {
    name,
    enabled: true,
    config: { kind: 'webhook', url, format, template: '', secret: 'key' },
    ...(fallback === undefined ? {} : { fallback_channel_id: fallback }),
  });
  return id;
}

function makeRule(channelIds: readonly string[], change: Partial<RuleContentInput> = {}): Promise<Rule> {
  const content = ruleContentSchema.parse({
    name: 'CPU > 80 %',
    evaluation: {
      query: { metric_type: 'cpu' },
      group_by: ['host'],
      condition: { kind: 'threshold', op: 'above', value: 80 },
    },
    notify: { targets: channelIds.map((id) => ({ kind: 'channel' as const, channel_id: id })) },
    ...change,
  });
  return bench.alerts.createRule(ed, content);
}

/** What a channel was told, as "kind tag". */
const heardBy = (name: string): string[] =>
  bench.sent.flatMap(({ destination, message: { kind, tag } }) =>
    destination.kind === 'webhook' && destination.url === `https://${name}.example` ? [`${kind} ${tag}`] : [],
  );
const hears = (name: string, wanted: readonly string[]) =>
  vi.waitFor(() => {
    bench.clock.advance(0);
    expect(heardBy(name)).toEqual(wanted);
  }, patience);

async function tick(...transitions: Parameters<NotifyBench['tick']>): Promise<void> {
  const seq = bench.tick(...transitions);
  await vi.waitFor(() => expect(bench.confirmed).toContain(seq), patience);
}
const fires = ({ rule_id: id }: Rule, alertId: string) => tick({ rule_id: id, alert_id: alertId });
const ends = (
  { rule_id: id }: Rule,
  alertId: string,
  reason: 'value' | 'rule_changed' | 'rule_removed' = 'value',
) => tick({ rule_id: id, alert_id: alertId, from: 'firing', to: 'ok', reason });

describe('an alert that ends while it is kept quiet', () => {
  const where = { host: ['web-1'] };
  const silence = () => ({
    where,
    from: bench.clock.now() - 1,
    to: bench.clock.now() + 60 * minute,
    reason: 'I am on it',
  });
  const maintenance = {
    name: 'Backup',
    where,
    days: [1],
    start: '10:00',
    duration: '60m',
    tz: 'UTC',
    enabled: true,
  };

  it.each([
    ['a silence', () => bench.alerts.createPolicy(ed, 'silence', silence())],
    ['maintenance', () => bench.alerts.createPolicy(ada, 'maintenance', maintenance)],
  ])('is closed where it was opened, and people hear nothing: %s', async (_, mute) => {
    const names = ['pager', 'chat', 'machine'] as const;
    const rule = await makeRule([
      await makeChannel('pager', 'pagerduty'),
      await makeChannel('chat', 'slack'),
      await makeChannel('machine', 'nowcast'),
    ]);
    await fires(rule, 'a1');
    for (const name of names) await hears(name, ['firing a1']);
    await mute();
    await ends(rule, 'a1');
    await hears('pager', ['firing a1', 'resolved a1']);
    await hears('machine', ['firing a1', 'resolved a1']);
    bench.clock.advance(24 * 60 * minute);
    await fires(rule, 'a2');
    await hears('chat', ['firing a1', 'firing a2']);
    const { notifications } = await bench.alerts.notifications(ed, { limit: 50 });
    expect(notifications.map(({ kind }) => kind)).toEqual(['firing', 'firing']);
  });

  it('is not opened by its end when nothing was said of it', async () => {
    const rule = await makeRule([await makeChannel('pager', 'pagerduty')]);
    await bench.alerts.createPolicy(ed, 'silence', silence());
    await fires(rule, 'a1');
    await ends(rule, 'a1');
    bench.clock.advance(60 * minute);
    await fires(rule, 'a2');
    await hears('pager', ['firing a2']);
  });
});

describe('a channel that stood in for another', () => {
  /** What the chat refuses for good. */
  let refused: (kind: string) => boolean;
  async function make(change: Partial<RuleContentInput> = {}): Promise<Rule> {
    bench.outcome = ({ destination, message }) =>
      destination.kind === 'webhook' && destination.url === 'https://chat.example' && refused(message.kind)
        ? { ok: false, retryable: false, gone: false, error: 'HTTP 404', retryAfterMs: undefined }
        : { ok: true };
    const pager = await makeChannel('pager', 'pagerduty');
    return makeRule([await makeChannel('chat', 'slack', pager)], change);
  }

  it('hears who took the alert and when it is over, although the other one works again', async () => {
    refused = (kind) => kind === 'firing';
    const rule = await make();
    await fires(rule, 'a1');
    await hears('pager', ['firing a1']);
    await bench.again();
    await bench.alerts.acknowledge(ed, 'a1', { note: '' });
    await hears('pager', ['firing a1', 'acknowledged a1']);
    await ends(rule, 'a1');
    await hears('chat', ['firing a1', 'resolved a1']);
    await hears('pager', ['firing a1', 'acknowledged a1', 'resolved a1']);
  });

  it('hears it once when the other one is still broken', async () => {
    refused = () => true;
    const rule = await make();
    await fires(rule, 'a1');
    await hears('pager', ['firing a1']);
    await ends(rule, 'a1');
    await vi.waitFor(async () => {
      const counts = { waiting: 0, sent: 2, retrying: 0, failed: 2, skipped: 0 };
      expect(await bench.store.alerting.deliveries.counts()).toEqual(counts);
    }, patience);
    expect(heardBy('pager')).toEqual(['firing a1', 'resolved a1']);
  });

  it('hears that a group is calm of which it said that it flaps, over a restart too', async () => {
    refused = (kind) => kind === 'flapping';
    const rule = await make({ flap: { changes: 3, within: '15m' } });
    const chat = ['firing a0', 'resolved a0', 'firing a1', 'resolved a1', 'flapping a2'];
    for (let round = 0; round < 4; round += 1) {
      await fires(rule, `a${round}`);
      await hears('chat', chat.slice(0, 2 * round + 1));
      if (round === 2) await hears('pager', ['flapping a2']);
      bench.clock.advance(10_000);
      await ends(rule, `a${round}`);
      await hears('chat', chat.slice(0, 2 * round + 2));
    }
    await bench.again();
    bench.clock.advance(15 * minute);
    await hears('pager', ['flapping a2', 'resolved a2']);
  });
});

describe('a group that flaps', () => {
  const before = ['firing a0', 'resolved a0', 'firing a1', 'resolved a1', 'flapping a2'];

  /** Six times, with a restart between. */
  async function flap(): Promise<Rule> {
    const rule = await makeRule([await makeChannel('pager', 'pagerduty')], {
      flap: { changes: 3, within: '15m' },
    });
    for (let round = 0; round < 6; round += 1) {
      await fires(rule, `a${round}`);
      bench.clock.advance(10_000);
      await hears('pager', before.slice(0, 2 * round + 1));
      await ends(rule, `a${round}`);
      bench.clock.advance(10_000);
      await hears('pager', before.slice(0, 2 * round + 2));
      if (round === 3) await bench.again();
    }
    return rule;
  }

  it('is one incident, from the message that it flaps until it is calm', async () => {
    await flap();
    bench.clock.advance(15 * minute);
    await hears('pager', [...before, 'resolved a2']);
  });

  it.each([
    ['it is well and waits to be calm', () => Promise.resolve()],
    ['it fires', (rule: Rule) => fires(rule, 'a6')],
    [
      'the engine ends it first',
      async (rule: Rule) => {
        await fires(rule, 'a6');
        await ends(rule, 'a6');
      },
    ],
  ])('is closed at once, and once, when its rule is deleted while %s', async (_, meanwhile) => {
    const rule = await flap();
    await meanwhile(rule);
    await bench.alerts.deleteRule(ed, rule.rule_id);
    await hears('pager', [...before, 'resolved a2']);
    await ends(rule, 'a6');
    bench.clock.advance(60 * minute);
    const other = await makeRule([await makeChannel('other', 'pagerduty')]);
    await fires(other, 'another');
    await hears('other', ['firing another']);
    expect(heardBy('pager')).toEqual([...before, 'resolved a2']);
    expect(await bench.store.alerting.alerts.unended('acme', { ruleId: rule.rule_id })).toEqual([]);
  });

  it.each([
    ['changed', () => Promise.resolve(), 'rule_changed', /until the rule was changed; it may not be well$/],
    [
      'deleted',
      (rule: Rule) => bench.alerts.deleteRule(ed, rule.rule_id),
      'rule_removed',
      /until the rule was removed or switched off; it may not be well$/,
    ],
    ['left as it is', () => Promise.resolve(), 'value', /is well again after/],
  ] as const)(
    'is not called well when its rule was %s and it waits to be calm',
    async (_, then, reason, text) => {
      const rule = await flap();
      await fires(rule, 'a6');
      await ends(rule, 'a6', reason);
      await then(rule);
      bench.clock.advance(15 * minute);
      await hears('pager', [...before, 'resolved a2']);
      expect(bench.sent.at(-1)!.message.text).toMatch(text);
    },
  );

  it('is the same incident when somebody takes it, and when it fires for long in the end', async () => {
    const rule = await flap();
    await fires(rule, 'long');
    await bench.alerts.acknowledge(ed, 'long', { note: '' });
    await hears('pager', [...before, 'acknowledged a2']);
    await bench.alerts.unacknowledge(ed, 'long');
    bench.clock.advance(15 * minute);
    await hears('pager', [...before, 'acknowledged a2', 'firing a2']);
    await ends(rule, 'long');
    const after = [...before, 'acknowledged a2', 'firing a2', 'resolved a2'];
    await hears('pager', after);
    bench.clock.advance(60 * minute);
    await fires(rule, 'another');
    await hears('pager', [...after, 'firing another']);
  });
});
