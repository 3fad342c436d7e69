import {
  type NotificationPreferencesInput,
  notificationPreferencesSchema,
  ruleContentSchema,
  type Severity,
} from '@nowcast/contract';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { NotifyBench, person, startMs } from './testing/notify-bench.ts';

const ed = person('ed', 'editor');
const patience = 30_000;
const hour = 3_600_000;

let bench: NotifyBench;
beforeEach(async () => {
  bench = new NotifyBench();
  await bench.start();
});
afterEach(() => bench.stop());

async function wish(preferences: NotificationPreferencesInput): Promise<void> {
  await bench.alerts.setPreferences(ed, notificationPreferencesSchema.parse(preferences));
  const keys = { p256dh: 'p', auth: 'a' };
  await bench.alerts.addDevice(ed, { endpoint: 'https://push.example/1', keys, device: 'Phone' });
}

let rules = 0;
/** An alert of this severity, and the inbox entry it makes at once. */
async function fire(severity: Severity, host = 'web-1'): Promise<void> {
  const metric = `m${++rules}`;
  const content = ruleContentSchema.parse({
    name: severity,
    severity,
    evaluation: {
      query: { metric_type: metric },
      group_by: ['host'],
      condition: { kind: 'threshold', op: 'above', value: 80 },
    },
  });
  const rule = await bench.alerts.createRule(ed, content);
  const before = await told();
  bench.tick({ rule_id: rule.rule_id, alert_id: `${metric} ${host}`, labels: { host } });
  await vi.waitFor(async () => expect(await told()).toBe(before + 1), patience);
}

const told = async () => (await bench.alerts.notifications(ed, { limit: 50 })).notifications.length;
/** What left the house, as "way kind severity". */
const sent = () =>
  bench.sent
    .map(({ destination, message }) => `${destination.kind} ${message.kind} ${message.severity}`)
    .sort();
const waitSent = (expected: readonly string[]) =>
  vi.waitFor(() => {
    // What fell due while nothing looked is looked at a second later.
    bench.clock.advance(1000);
    expect(sent()).toEqual([...expected].sort());
  }, patience);

describe('how a person is told', () => {
  it('each severity has its own ways; the inbox has them all', async () => {
    await wish({ info: [], warning: ['email'], critical: ['push', 'email'] });
    await fire('info');
    await fire('warning');
    await fire('critical');
    await waitSent(['email firing warning', 'push firing critical', 'email firing critical']);
    expect(await told()).toBe(3);
  });

  it('quiet hours of a zone hold back what is not critical until they end, and no inbox entry', async () => {
    // 10:00 UTC is 11:00 in Berlin in November.
    await wish({
      warning: ['push', 'email'],
      critical: ['push'],
      quiet_hours: { from: '10:30', to: '12:15', tz: 'Europe/Berlin' },
    });
    await fire('warning');
    await fire('critical', 'web-2');
    await waitSent(['push firing critical']);
    expect(await told()).toBe(2);
    bench.clock.advance(startMs + 75 * 60_000 - bench.clock.now() - 1);
    await waitSent(['push firing critical']);
    bench.clock.advance(1);
    await waitSent(['push firing critical', 'push firing warning', 'email firing warning']);
  });

  it('quiet hours that hold back critical ones too, over midnight', async () => {
    await wish({
      critical: ['push'],
      quiet_hours: { from: '22:00', to: '10:30', tz: 'UTC', critical_too: true },
    });
    await fire('critical');
    bench.clock.advance(29 * 60_000);
    await waitSent([]);
    bench.clock.advance(60_000);
    await waitSent(['push firing critical']);
  });

  it('a daily digest is one mail at 08:00 of the zone with all below critical; critical ones go at once', async () => {
    const quiet = { from: '22:00', to: '07:00', tz: 'Europe/Berlin' };
    await wish({
      info: ['email'],
      warning: ['email'],
      critical: ['email'],
      digest: 'daily',
      quiet_hours: quiet,
    });
    await fire('info');
    await fire('warning', 'web-2');
    await fire('critical', 'web-3');
    await waitSent(['email firing critical']);
    // 08:00 in Berlin is 07:00 UTC, 21 hours from the start.
    bench.clock.advance(21 * hour - 1 - (bench.clock.now() - startMs));
    await waitSent(['email firing critical']);
    bench.clock.advance(1);
    await waitSent(['email firing critical', 'email digest warning']);
    const digest = bench.sent.at(-1)!.message;
    expect(digest.title).toBe('2 messages');
    expect(digest.text).toMatch(/firing: info: web-1[\s\S]*firing: warning: web-2/);
    expect(digest.url).toBe('https://nowcast.example/alerts');
  });

  it('without a mail server no mail is owed, push goes on, and the page is told', async () => {
    await bench.halt();
    bench.email = false;
    await bench.restart();
    await wish({ critical: ['push', 'email'] });
    expect(bench.alerts.info()).toMatchObject({ email: false });
    await fire('critical');
    await waitSent(['push firing critical']);
    const { notifications } = await bench.alerts.notifications(ed, { limit: 50 });
    expect(notifications[0]!.deliveries).toMatchObject([{ via: 'push' }]);
  });
});
