import { ruleContentSchema } from '@nowcast/contract';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { NotifyBench, person, startMs } from './testing/notify-bench.ts';

const ada = person('ada', 'owner');
const zoe = person('zoe', 'owner', 'globex');
const patience = 30_000;
const content = ruleContentSchema.parse({
  name: 'CPU > 80 %',
  evaluation: { query: { metric_type: 'cpu' }, condition: { kind: 'threshold', op: 'above', value: 80 } },
});
const silence = (reason: string) => ({ where: {}, from: startMs, to: startMs + 60_000, reason });

let bench: NotifyBench;
beforeEach(async () => {
  bench = new NotifyBench();
  await bench.start();
});
afterEach(() => bench.stop());

describe('C22 what a tenant may have', () => {
  it('is a thousand rules: the next is refused and says what to do, another tenant goes on', async () => {
    const row = { userId: 'ada', content, version: 1, evaluationVersion: 1, createdAt: 1, updatedAt: 1 };
    for (let i = 0; i < 1000; i += 1)
      await bench.store.alerting.rules.create(
        'acme',
        { ...row, ruleId: `r${i}`, problem: undefined },
        Infinity,
      );
    await expect(bench.alerts.createRule(ada, content)).rejects.toMatchObject({
      code: 'request.conflict',
      message: expect.stringContaining('at most 1000 rules; delete some'),
    });
    expect(bench.put).toEqual([]);
    await bench.alerts.createRule(zoe, content);
    expect(bench.put).toHaveLength(1);
  });

  it('is five hundred silences: the next is refused, and one less makes room', async () => {
    for (let i = 0; i < 500; i += 1)
      await bench.store.alerting.policies.create(
        'acme',
        { id: `s${i}`, kind: 'silence', content: silence('disk swap'), userId: 'ada', createdAt: 1 },
        Infinity,
      );
    await expect(bench.alerts.createPolicy(ada, 'silence', silence('one more'))).rejects.toMatchObject({
      code: 'request.conflict',
      message: expect.stringContaining('500'),
    });
    await bench.store.alerting.policies.delete('acme', 'silence', 's0');
    await bench.alerts.createPolicy(ada, 'silence', silence('one more'));
    await bench.alerts.createPolicy(zoe, 'silence', silence('theirs'));
  });

  it('is twenty devices a person: the next is refused, one that is known already is not', async () => {
    const device = (i: number) => ({
      endpoint: `https://push.example/${i}`,
      keys: { p256dh: 'k', auth: 'a' },
      device: `Phone ${i}`,
    });
    for (let i = 0; i < 20; i += 1) await bench.alerts.addDevice(ada, device(i));
    await expect(bench.alerts.addDevice(ada, device(20))).rejects.toMatchObject({
      code: 'request.conflict',
      message: expect.stringContaining('20 devices'),
    });
    await bench.alerts.addDevice(ada, device(7));
    expect(await bench.alerts.devices(ada)).toHaveLength(20);
  });

  it('is three hundred mails an hour: further ones wait and say why, another tenant’s go at once', async () => {
    const noisy = ruleContentSchema.parse({
      ...content,
      severity: 'critical',
      notify: { group_by: ['host'] },
    });
    const rule = await bench.alerts.createRule(ada, noisy);
    const theirs = await bench.alerts.createRule(zoe, noisy);
    const mailed = (tenant: string) =>
      bench.sent.filter(({ message }) => message.tenantName === tenant).length;
    bench.tick(
      ...Array.from({ length: 303 }, (_, i) => ({
        rule_id: rule.rule_id,
        alert_id: `a${i}`,
        labels: { host: `web-${i}` },
      })),
    );
    await vi.waitFor(async () => {
      expect(await bench.store.alerting.deliveries.counts()).toMatchObject({ sent: 300, waiting: 3 });
    }, patience);
    const reasons = async () => {
      const { notifications } = await bench.alerts.notifications(ada, { limit: 400 });
      return notifications
        .flatMap(({ deliveries }) => deliveries)
        .filter(({ status }) => status === 'waiting');
    };
    const wait = { error: expect.stringContaining('300 mails within an hour') };
    await vi.waitFor(async () => expect(await reasons()).toMatchObject([wait, wait, wait]), patience);
    bench.tick({ tenant: 'globex', rule_id: theirs.rule_id, alert_id: 'z1', labels: { host: 'db-1' } });
    await vi.waitFor(() => expect(mailed('Globex')).toBe(1), patience);
    expect(mailed('Acme')).toBe(300);
    await vi.waitFor(async () => {
      bench.clock.advance(12_000);
      expect(mailed('Acme')).toBe(303);
    }, patience);
  });

  it('keeps further mails apart: each has a time of its own, and what is over by then is given up', async () => {
    const noisy = { ...content, severity: 'critical', notify: { group_by: ['host'] } };
    const rule = await bench.alerts.createRule(ada, ruleContentSchema.parse(noisy));
    const group = (i: number) => ({
      rule_id: rule.rule_id,
      alert_id: `a${i}`,
      labels: { host: `web-${i}` },
    });
    bench.tick(...Array.from({ length: 320 }, (_, i) => group(i)));
    const { deliveries } = bench.store.alerting;
    await vi.waitFor(async () => {
      const hour = await deliveries.due(bench.clock.now() + 3_600_000, 400);
      expect(hour.map(({ error }) => error !== '')).toEqual(Array.from({ length: 20 }, () => true));
    }, patience);
    // At each of them there is room for one.
    const waiting = await deliveries.due(bench.clock.now() + 3_600_000, 400);
    expect(new Set(waiting.map(({ dueAt }) => Math.round((dueAt - startMs) / 12_000))).size).toBe(20);
    const over = waiting.slice(5, 15).flatMap(({ message }) => message.alerts.map(({ alertId }) => alertId));
    const sent = () => bench.sent.map(({ message }) => `${message.kind} ${message.tag}`);
    bench.tick(
      ...over.map((id) => ({ ...group(Number(id.slice(1))), from: 'firing' as const, to: 'ok' as const })),
    );
    await vi.waitFor(async () => {
      bench.clock.advance(0);
      expect(await deliveries.counts()).toMatchObject({ skipped: 10, waiting: 20 });
    }, patience);
    await vi.waitFor(async () => {
      bench.clock.advance(12_000);
      expect(await deliveries.counts()).toMatchObject({ sent: 320, waiting: 0 });
    }, patience);
    expect(sent().filter((one) => over.some((id) => one === `firing ${id}`))).toEqual([]);
    expect(sent().filter((one) => one.startsWith('resolved'))).toHaveLength(10);
  });

  it('is mails that were sent: those that the mail server could not take yet do not count', async () => {
    const rule = await bench.alerts.createRule(
      ada,
      ruleContentSchema.parse({ ...content, severity: 'critical', notify: { group_by: ['host'] } }),
    );
    let isDown = true;
    const down = { ok: false, retryable: true, gone: false, error: 'no answer', retryAfterMs: undefined };
    bench.outcome = () => (isDown ? down : { ok: true });
    bench.tick(
      ...Array.from({ length: 100 }, (_, i) => ({
        rule_id: rule.rule_id,
        alert_id: `a${i}`,
        labels: { host: `web-${i}` },
      })),
    );
    await vi.waitFor(() => {
      bench.clock.advance(1000);
      expect(bench.sent).toHaveLength(300);
    }, patience);
    isDown = false;
    await vi.waitFor(async () => {
      bench.clock.advance(1000);
      expect(await bench.store.alerting.deliveries.counts()).toMatchObject({ sent: 100 });
    }, patience);
    // With one mail each twelve seconds it would have been twenty minutes.
    expect(bench.clock.now() - startMs).toBeLessThan(600_000);
  });
});
