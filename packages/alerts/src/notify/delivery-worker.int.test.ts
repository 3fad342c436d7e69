import { type Channel, type Rule, type RuleContentInput, ruleContentSchema } from '@nowcast/contract';
import type { OutgoingDelivery } from '@nowcast/ports';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { NotifyBench, person } from './testing/notify-bench.ts';

const ada = person('ada', 'owner');
const zoe = person('zoe', 'owner', 'globex');
const patience = 30_000;

const cpu = (change: Partial<RuleContentInput> = {}) =>
  ruleContentSchema.parse({
    name: 'CPU > 80 %',
    severity: 'critical',
    evaluation: {
      query: { metric_type: 'cpu' },
      group_by: ['host'],
      condition: { kind: 'threshold', op: 'above', value: 80 },
    },
    ...change,
  });

let bench: NotifyBench;
/** Requests that nobody has answered yet. */
let hanging: (() => void)[];
beforeEach(async () => {
  hanging = [];
  bench = new NotifyBench();
  await bench.start();
});
afterEach(async () => {
  bench.outcome = () => ({ ok: true });
  for (const answer of hanging) answer();
  await bench.stop();
});

const urlOf = ({ destination }: OutgoingDelivery): string =>
  destination.kind === 'webhook' ? destination.url : destination.kind;
const kindsTo = (url: string) =>
  bench.sent.filter((delivery) => urlOf(delivery) === url).map(({ message }) => message.kind);
const sentTo = (url: string) => kindsTo(url).length;

function makeChannel(url: string, format: 'nowcast' | 'pagerduty' = 'nowcast'): Promise<Channel> {
  const config = { kind: 'webhook' as const, url, format, template: '', secret: 'key' };
  return bench.alerts.createPolicy(ada, 'channel', { name: url, enabled: true, config });
}

function tells(...channels: Channel[]): Promise<Rule> {
  const targets = channels.map((channel) => ({ kind: 'channel' as const, channel_id: channel.channel_id }));
  return bench.alerts.createRule(ada, cpu({ notify: { group_by: ['host'], targets } }));
}

/** So many groups of a rule fire at one tick. */
async function fire(rule: Rule, groups: number, tenant = 'acme'): Promise<void> {
  const seq = bench.tick(...Array.from({ length: groups }, (_, i) => ({ ...alertOf(rule, i), tenant })));
  await vi.waitFor(() => expect(bench.confirmed).toContain(seq), patience);
}

const alertOf = (rule: Rule, group: number) => ({
  rule_id: rule.rule_id,
  alert_id: `${rule.rule_id} ${group}`,
  labels: { host: `web-${group}` },
});

async function end(rule: Rule, group = 0): Promise<void> {
  const seq = bench.tick({ ...alertOf(rule, group), from: 'firing', to: 'ok' });
  await vi.waitFor(() => expect(bench.confirmed).toContain(seq), patience);
}

/** Requests to these never end by themselves. */
function hang(isHanging: (url: string) => boolean): void {
  bench.outcome = (delivery) =>
    isHanging(urlOf(delivery))
      ? new Promise((resolve) => hanging.push(() => resolve({ ok: true })))
      : { ok: true };
}

describe('deliveries', () => {
  it('of one channel follow each other, two at a time, without waiting for a timer', async () => {
    let [now, most] = [0, 0];
    bench.outcome = async (delivery) => {
      if (urlOf(delivery) === 'email') return { ok: true };
      most = Math.max(most, (now += 1));
      await new Promise<void>((resolve) => setImmediate(resolve));
      now -= 1;
      return { ok: true };
    };
    await fire(await tells(await makeChannel('https://busy.example')), 300);
    await vi.waitFor(() => expect(sentTo('https://busy.example')).toBe(300), patience);
    expect(most).toBe(2);
    expect(new Set(bench.sent.map(({ key }) => key)).size).toBe(bench.sent.length);
  });

  it('go past a channel that hangs, however much waits for it', async () => {
    hang((url) => url === 'https://slow.example');
    const [slow, well] = [
      await makeChannel('https://slow.example'),
      await makeChannel('https://well.example'),
    ];
    await fire(await tells(slow), 500);
    await vi.waitFor(() => expect(sentTo('https://slow.example')).toBe(2), patience);
    await fire(await tells(well), 3);
    await vi.waitFor(() => expect(sentTo('https://well.example')).toBe(3), patience);
    expect(sentTo('https://slow.example')).toBe(2);
  });

  it('of one tenant go out although everything of another one hangs', async () => {
    hang((url) => url.startsWith('https://slow'));
    const channels = await Promise.all(
      Array.from({ length: 12 }, (_, i) => makeChannel(`https://slow-${i}.example`)),
    );
    await fire(await tells(...channels), 30);
    await vi.waitFor(() => expect(hanging).toHaveLength(8), patience);
    const theirs = await bench.alerts.createRule(zoe, cpu());
    await fire(theirs, 1, 'globex');
    const reached = () => bench.sent.filter(({ message }) => message.tenantName === 'Globex');
    await vi.waitFor(() => expect(reached()).toHaveLength(1), patience);
    expect(hanging).toHaveLength(8);
  });
});

describe('digests', () => {
  it('are one mail for each person, however many messages are due at the hour', async () => {
    const people = ['ada', 'ed', 'vic'];
    for (const name of people)
      await bench.alerts.setPreferences(person(name, 'editor'), {
        info: [],
        warning: ['email'],
        critical: [],
        digest: 'hourly',
      });
    const targets = people.map((name) => ({ kind: 'user' as const, user_id: name }));
    const notify = { group_by: ['host'], targets };
    const rule = await bench.alerts.createRule(ada, cpu({ severity: 'warning', notify }));
    await fire(rule, 150);
    bench.clock.advance(3_600_000);
    const ended = async () => (await bench.store.alerting.deliveries.counts()).sent;
    await vi.waitFor(async () => {
      bench.clock.advance(0);
      expect(await ended()).toBe(450);
    }, patience);
    const mails = bench.sent.map(({ destination, message: { title } }) => [destination, title]);
    const mailTo = (name: string) => [{ kind: 'email', to: [`${name}@example.com`] }, '150 messages'];
    expect(mails).toHaveLength(3);
    expect(mails).toEqual(expect.arrayContaining(people.map(mailTo)));
  });

  it('that are refused for good are one message for each owner of a rule in them, not one for each of theirs', async () => {
    const vic = person('vic', 'viewer');
    const preferences = { info: [], warning: ['email' as const], critical: [], digest: 'hourly' as const };
    await bench.alerts.setPreferences(vic, preferences);
    const error = 'mailbox unavailable';
    bench.outcome = () => ({ ok: false, retryable: false, gone: false, error, retryAfterMs: undefined });
    const notify = { group_by: ['host'], targets: [{ kind: 'user' as const, user_id: 'vic' }] };
    const make = (name: string, actor: typeof ada) =>
      bench.alerts.createRule(actor, cpu({ name, severity: 'warning', notify }));
    const ed = person('ed', 'editor');
    const ofEd = await make('Disk', ed);
    for (const rule of [await make('CPU', ada), await make('Memory', ada), ofEd]) await fire(rule, 3);
    bench.clock.advance(3_600_000);
    const { deliveries } = bench.store.alerting;
    await vi.waitFor(async () => {
      bench.clock.advance(0);
      expect(await deliveries.counts()).toMatchObject({ waiting: 0, failed: 9 });
    }, patience);
    const problems = async (actor: typeof ada) => {
      const { notifications } = await bench.alerts.notifications(actor, { limit: 50 });
      return notifications.filter(({ kind }) => kind === 'delivery_problem');
    };
    expect(await problems(ada)).toMatchObject([
      {
        title: 'Not delivered: 6 messages',
        message: 'Messages could not be sent by email: mailbox unavailable.',
        rule_id: null,
      },
    ]);
    expect(await problems(ed)).toMatchObject([{ title: 'Not delivered: 3 messages', rule_id: ofEd.rule_id }]);
    expect(await problems(vic)).toEqual([]);
  });
});

describe('what a channel hears of one alert', () => {
  const url = 'https://pager.example';
  /** The channel answers 503 while it is down; the clock goes on until it was asked so often. */
  let isDown = false;
  const asked = (kinds: readonly string[]) =>
    vi.waitFor(() => {
      bench.clock.advance(1000);
      expect(kindsTo(url)).toEqual(kinds);
    }, patience);
  const down = () => {
    isDown = true;
    const error = { ok: false, retryable: true, gone: false, error: 'HTTP 503', retryAfterMs: undefined };
    bench.outcome = (delivery) => (urlOf(delivery) === url && isDown ? error : { ok: true });
  };

  it('comes in its order when the channel is slow, and other alerts go past it', async () => {
    hang((to) => to === url);
    const rule = await tells(await makeChannel(url));
    await fire(rule, 1);
    await vi.waitFor(() => expect(hanging).toHaveLength(1), patience);
    await end(rule);
    const other = await tells(await makeChannel('https://other.example'));
    expect(kindsTo(url)).toEqual(['firing']);
    await fire(other, 1);
    await vi.waitFor(() => expect(sentTo('https://other.example')).toBe(1), patience);
    expect(kindsTo(url)).toEqual(['firing']);
    hanging.shift()?.();
    await vi.waitFor(() => expect(kindsTo(url)).toEqual(['firing', 'resolved']), patience);
  });

  it('is no incident that nobody closes: what was over while the channel was down is not opened after it', async () => {
    down();
    const rule = await tells(await makeChannel(url, 'pagerduty'));
    await fire(rule, 1);
    await asked(['firing', 'firing', 'firing']);
    await end(rule);
    await asked(['firing', 'firing', 'firing', 'resolved', 'resolved']);
    isDown = false;
    await asked(['firing', 'firing', 'firing', 'resolved', 'resolved', 'resolved']);
    // Two mails and the end are sent; the firing was given up.
    await vi.waitFor(async () => {
      const counts = { waiting: 0, sent: 3, retrying: 0, failed: 0, skipped: 1 };
      expect(await bench.store.alerting.deliveries.counts()).toEqual(counts);
    }, patience);
  });

  it('is first that it fires, then that somebody has it', async () => {
    down();
    const rule = await tells(await makeChannel(url, 'pagerduty'));
    await fire(rule, 1);
    await asked(['firing', 'firing']);
    isDown = false;
    await bench.alerts.acknowledge(ada, `${rule.rule_id} 0`, { note: '' });
    await asked(['firing', 'firing', 'firing', 'acknowledged']);
  });

  it('is its end alone, not the fallback of what was over when it failed', async () => {
    const spare = await makeChannel('https://spare.example', 'pagerduty');
    const { channel_id: id } = await bench.alerts.createPolicy(ada, 'channel', {
      name: 'Chat',
      enabled: true,
      config: { kind: 'webhook', url, format: 'slack', template: '', secret: '' },
      fallback_channel_id: spare.channel_id,
    });
    const gone = {
      ok: false,
      retryable: false,
      gone: false,
      error: 'HTTP 404',
      retryAfterMs: undefined,
    } as const;
    bench.outcome = (delivery) =>
      urlOf(delivery) === url && delivery.message.kind === 'firing'
        ? new Promise((resolve) => hanging.push(() => resolve(gone)))
        : { ok: true };
    const targets = [{ kind: 'channel' as const, channel_id: id }];
    const rule = await bench.alerts.createRule(ada, cpu({ notify: { group_by: ['host'], targets } }));
    await fire(rule, 1);
    await vi.waitFor(() => expect(kindsTo(url)).toEqual(['firing']), patience);
    await end(rule);
    for (const answer of hanging) answer();
    await asked(['firing', 'resolved']);
    await vi.waitFor(async () => {
      const counts = { waiting: 0, failed: 0, skipped: 1 };
      expect(await bench.store.alerting.deliveries.counts()).toMatchObject(counts);
    }, patience);
    expect(sentTo('https://spare.example')).toBe(0);
  });
});
