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
const sentTo = (url: string) => bench.sent.filter((delivery) => urlOf(delivery) === url).length;

function makeChannel(url: string): Promise<Channel> {
  const config = { kind: 'webhook' as const, url, format: 'nowcast' as const, template: '', secret: '' };
  return bench.alerts.createPolicy(ada, 'channel', { name: url, enabled: true, config });
}

function tells(...channels: Channel[]): Promise<Rule> {
  const targets = channels.map((channel) => ({ kind: 'channel' as const, channel_id: channel.channel_id }));
  return bench.alerts.createRule(ada, cpu({ notify: { group_by: ['host'], targets } }));
}

/** So many groups of a rule fire at one tick. */
async function fire(rule: Rule, groups: number, tenant = 'acme'): Promise<void> {
  const seq = bench.tick(
    ...Array.from({ length: groups }, (_, i) => ({
      tenant,
      rule_id: rule.rule_id,
      alert_id: `${rule.rule_id} ${i}`,
      labels: { host: `web-${i}` },
    })),
  );
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
