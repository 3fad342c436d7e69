import { hostileTexts, MailServer, pixelsOf, readMail, readPng } from '@nowcast/adapter-outgoing/testing';
import type { RuleTest } from '@nowcast/contract';
import { selfSignedCertificate } from '@nowcast/ports/testing';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { AlertDesk, toChannel } from '../fixtures/alert-desk.ts';
import { patience } from '../fixtures/live-peer.ts';
import { type RunningServer, startServer } from './server.ts';

const minute = 60_000;
/** Colours of the picture. */
const line = '1d4ed8';
const limit = 'b91c1c';
const firing = 'fee2e2';

let mail: MailServer;
let server: RunningServer;
let desk: AlertDesk;
beforeAll(async () => {
  mail = await MailServer.start(selfSignedCertificate('mail'));
  server = await startServer([
    '--no-collector',
    '--partitions',
    '2',
    '--smtp-url',
    `smtp://127.0.0.1:${mail.port}`,
    '--mail-from',
    'Nowcast <alerts@example.com>',
  ]);
  desk = await AlertDesk.open(server);
});
afterAll(async () => {
  await server.destroy();
  await mail.stop();
});

/** Mails with this in their subject, the oldest first. */
const mails = (subject: string) =>
  mail.mails
    .map((received) => ({ ...received, ...readMail(received.raw) }))
    .filter(({ headers }) => headers.get('subject')?.includes(subject));
const mailOf = async (subject: string) =>
  vi.waitFor(() => {
    expect(mails(subject)).toHaveLength(1);
    return mails(subject)[0]!;
  }, patience);
const textOf = ({ parts }: ReturnType<typeof readMail>, index: number) => parts[index]!.body.toString();

describe('a mail of the real program', () => {
  it('arrives when it fires and when it is over, as one conversation, each with a picture of its hour', async () => {
    const now = Date.now();
    const past = Array.from({ length: 50 }, (_, i) => ({
      metric_type: 'cpu',
      labels: { host: 'web-1' },
      value: 20 + i,
      timestamp: now - (55 - i) * minute,
    }));
    const other = past.map((point) => ({ ...point, labels: { host: 'web-2' }, value: 1 }));
    await desk.send(...past, ...other);
    const ops = await desk.makeChannel('Ops', { kind: 'email', to: ['ops@example.com'] });
    const rule = await desk.makeRule('cpu', [toChannel(ops)], {
      runbook_url: 'https://wiki.example.com/cpu',
    });
    await desk.send({ metric_type: 'cpu', labels: { host: 'web-1' }, value: 97 });

    await vi.waitFor(() => expect(mails('Firing: cpu is high: web-1')).toHaveLength(2), patience);
    const both = mails('Firing: cpu is high: web-1');
    expect(both.flatMap(({ to }) => to).sort()).toEqual(['ada@example.com', 'ops@example.com']);
    expect(new Set(both.map(({ headers }) => headers.get('message-id'))).size).toBe(2);
    const [fired] = both;
    expect(fired!.headers.get('subject')).toBe('[Critical] Firing: cpu is high: web-1');
    expect(textOf(fired!, 0)).toContain('host=web-1: 97 % (limit 90 %)');
    const [entry] = await desk.inbox(rule.rule_id);
    const page = `${server.url}/alerts/${encodeURIComponent(entry!.alert_ids[0]!)}`;
    expect(textOf(fired!, 0)).toContain(`Open in Nowcast: ${page}`);
    expect(textOf(fired!, 1)).toContain(`href="${page}"`);
    expect(textOf(fired!, 1)).toMatch(
      /host=web-1: the last hour until \d\d:\d\d UTC\. Dashed: the limit\. Shaded: firing\./,
    );

    await desk.send({ metric_type: 'cpu', labels: { host: 'web-1' }, value: 12 });
    await vi.waitFor(() => expect(mails('Resolved: cpu is high: web-1')).toHaveLength(2), patience);
    const [over] = mails('Resolved: cpu is high: web-1');
    expect(over!.headers.get('references')).toBe(fired!.headers.get('references'));
    expect(over!.headers.get('message-id')).not.toBe(fired!.headers.get('message-id'));

    for (const { headers, parts } of [fired!, over!]) {
      expect(headers.get('auto-submitted')).toBe('auto-generated');
      const cid = /src="cid:([^"]+)"/.exec(parts[1]!.body.toString())?.[1];
      expect(parts[2]!.headers.get('content-id')).toBe(`<${cid}>`);
      const picture = readPng(parts[2]!.body);
      const columns = new Set(pixelsOf(picture, line).map(({ x }) => x));
      // Fifty of sixty minutes have a value: that much of the width has a line, and it goes up.
      expect(columns.size).toBeGreaterThan(picture.width * 0.6);
      const points = pixelsOf(picture, line);
      const first = points.find(({ x }) => x === Math.min(...columns))!;
      const highest = points.reduce((a, b) => (b.y < a.y ? b : a));
      expect(highest.x).toBeGreaterThan(first.x + 500);
      expect(new Set(pixelsOf(picture, limit).map(({ y }) => y)).size).toBe(3);
      expect(pixelsOf(picture, firing).length).toBeGreaterThan(100);
    }
  });

  it('C29: a label is text and nothing else, whatever it holds', async () => {
    await desk.makeRule('probe');
    const points = hostileTexts.map((text) => ({ metric_type: 'probe', labels: { host: text }, value: 99 }));
    let accepted = 0;
    // One at a time: a label that is refused at the door takes no other with it.
    for (const point of points) {
      const { status } = await desk.send(point);
      expect([200, 202, 400, 422]).toContain(status);
      if (status < 300) accepted += 1;
    }
    expect(accepted).toBeGreaterThan(15);
    await vi.waitFor(() => expect(mails('probe is high')).toHaveLength(accepted), patience);
    const known = mails('cpu is high')[0]!.headers;
    for (const { from, to, headers, parts } of mails('probe is high')) {
      expect({ from, to }).toEqual({ from: 'alerts@example.com', to: ['ada@example.com'] });
      expect([...headers.keys()].sort()).toEqual([...known.keys()].sort());
      expect(headers.get('to')).toBe('ada@example.com');
      expect(headers.get('subject')).toMatch(/^\[Critical\] Firing: [^\p{Cc}\u2028\u2029]+$/u);
      expect(parts[1]!.body.toString()).not.toMatch(/<(?:script|h1|b>|img src=x)/);
    }
  });

  it('the page is told that mail can be sent, and a test of a mail channel arrives', async () => {
    expect(await desk.api.call('GET', '/api/v1/notify-info')).toMatchObject({ email: true });
    const channel = await desk.makeChannel('Team', { kind: 'email', to: ['team@example.com'] });
    const test = await desk.test(`/api/v1/channels/${channel.channel_id}/test`);
    expect(test).toMatchObject({ status: 'sent', via: 'Team', error: '' });
    expect((await mailOf('[Info] Test message')).to).toEqual(['team@example.com']);
  });

  it('the test of a rule that is not saved arrives as a mail, with the reason when it does not', async () => {
    const ops = toChannel(await desk.makeChannel('Draft', { kind: 'email', to: ['draft@example.com'] }));
    const content = desk.ruleBody('draft', [ops]);
    const test = () => desk.api.call<RuleTest>('POST', '/api/v1/rules/test', { body: { content } });
    expect((await test()).deliveries).toMatchObject([
      { via: 'email', person: expect.any(String) as string, status: 'sent' },
      { via: 'Draft', person: null, status: 'sent' },
    ]);
    await vi.waitFor(() => expect(mails('Test: draft is high')).toHaveLength(2), patience);
    const [arrived] = mails('Test: draft is high');
    expect(arrived!.headers.get('subject')).toBe('[Critical] Test: draft is high: host-1');
    expect(textOf(arrived!, 0)).toContain('This is a test; nothing has happened.');
    expect(textOf(arrived!, 0)).toContain('host=host-1: 90 % (limit 90 %)');
    mail.dataError = { code: 451, text: 'come back later' };
    const failed = await test();
    mail.dataError = undefined;
    expect(failed.deliveries.map(({ status }) => status)).toEqual(['failed', 'failed']);
    expect(failed.deliveries[0]?.error).toContain('come back later');
  });

  it('mails are tried again while the mail server is away, as the same mail', async () => {
    mail.dataError = { code: 451, text: 'come back later' };
    const rule = await desk.makeRule('disk');
    await desk.send({ metric_type: 'disk', labels: { host: 'db-1' }, value: 99 });
    const retrying = async () => (await desk.inbox(rule.rule_id))[0]?.deliveries[0];
    await vi.waitFor(async () => expect(await retrying()).toMatchObject({ status: 'retrying' }), patience);
    expect((await retrying())?.error).toContain('come back later');
    mail.dataError = undefined;
    expect((await mailOf('disk is high')).headers.get('message-id')).toMatch(/^<[\da-f]{40}@example\.com>$/);
    await vi.waitFor(
      async () => expect(await retrying()).toMatchObject({ status: 'sent', attempts: 2 }),
      patience,
    );
  });
});
