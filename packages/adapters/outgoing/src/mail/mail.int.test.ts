import { ManualClock } from '@nowcast/kernel';
import type { AlertMessage, DeliveryOutcome } from '@nowcast/ports';
import { selfSignedCertificate } from '@nowcast/ports/testing';
import { afterEach, describe, expect, test } from 'vitest';
import type { SMTPServerOptions } from 'smtp-server';
import { GuardedHttp } from '../guarded-http.ts';
import { NetworkOutgoing } from '../network-outgoing.ts';
import { createVapidKeys } from '../push/vapid.ts';
import { hostileTexts } from '../testing/hostile-texts.ts';
import { MailServer, readMail } from '../testing/mail-server.ts';
import { alertMessage, deliveryTo } from '../testing/messages.ts';
import { readPng } from '../testing/read-png.ts';
import type { SmtpSettings } from './smtp-settings.ts';

const certificate = selfSignedCertificate('mail');
const http = new GuardedHttp({ allowPrivate: [] });
const push = { ...createVapidKeys(), subject: 'mailto:ops@example.com', http };
const never = new AbortController().signal;
const servers: MailServer[] = [];
afterEach(async () => {
  for (const server of servers.splice(0)) await server.stop();
});

async function mailServer(options: SMTPServerOptions = {}): Promise<MailServer> {
  const server = await MailServer.start({ ...certificate, ...options });
  servers.push(server);
  return server;
}

function outgoingTo(server: MailServer, settings: Partial<SmtpSettings> = {}): NetworkOutgoing {
  const smtp: SmtpSettings = {
    host: 'localhost',
    port: server.port,
    implicitTls: false,
    plainAllowed: true,
    user: '',
    password: '',
    from: { name: 'Nowcast', address: 'alerts@example.com' },
    ...settings,
  };
  return new NetworkOutgoing({ http, smtp, push, clock: new ManualClock() });
}

function mail(
  outgoing: NetworkOutgoing,
  options: { to?: string[]; message?: Partial<AlertMessage>; key?: string } = {},
): Promise<DeliveryOutcome> {
  const destination = { kind: 'email', to: options.to ?? ['ann@example.com'] } as const;
  return outgoing.send(deliveryTo(destination, options.message, options.key), never);
}

const chart = {
  timestamps: Array.from({ length: 60 }, (_, minute) => Date.UTC(2026, 10, 24, 7, minute)),
  values: Array.from({ length: 60 }, (_, minute) => 50 + minute),
  from: Date.UTC(2026, 10, 24, 7),
  to: Date.UTC(2026, 10, 24, 8),
  limits: [{ value: 80, from: Date.UTC(2026, 10, 24, 7), to: Date.UTC(2026, 10, 24, 8) }],
  firing: [{ from: Date.UTC(2026, 10, 24, 7, 30), to: Date.UTC(2026, 10, 24, 8) }],
};

describe('a mail over the wire', () => {
  test('subject, text, HTML and the picture of the last hour, inline', async () => {
    const server = await mailServer();
    const outgoing = outgoingTo(server);
    expect(outgoing.email).toBe(true);
    expect(await mail(outgoing, { to: ['ann@example.com', 'bob@example.org'], message: { chart } })).toEqual({
      ok: true,
    });
    const [received] = server.mails;
    expect(received).toMatchObject({
      from: 'alerts@example.com',
      to: ['ann@example.com', 'bob@example.org'],
      secure: true,
    });
    const { headers, parts } = readMail(received!.raw);
    expect(headers.get('subject')).toBe('[Critical] Firing: CPU is high on web-1');
    expect(headers.get('from')).toBe('Nowcast <alerts@example.com>');
    expect(headers.get('to')).toBe('ann@example.com, bob@example.org');
    expect(headers.get('date')).toBe('Tue, 24 Nov 2026 08:05:30 +0000');
    expect(headers.get('auto-submitted')).toBe('auto-generated');
    const [text, html, picture] = parts;
    expect(text!.headers.get('content-type')).toMatch(/^text\/plain/);
    expect(text!.body.toString()).toContain('host=web-1: 92.3 % (limit 80 %), since 2026-11-24 08:03 UTC');
    expect(text!.body.toString()).toContain('Runbook: https://wiki.example.com/cpu');
    const cid = /src="cid:([^"]+)"/.exec(html!.body.toString())?.[1];
    expect(picture!.headers.get('content-id')).toBe(`<${cid}>`);
    expect(picture!.headers.get('content-disposition')).toMatch(/^inline/);
    expect(readPng(picture!.body)).toMatchObject({ width: 1120, height: 360 });
    expect(picture!.body.length).toBeLessThan(100_000);
    expect(html!.body.toString()).toContain(
      'host=web-1: the last hour until 08:00 UTC. Dashed: the limit. Shaded: firing.',
    );
  });

  test('without values there is no picture, no place for one, and it is said why', async () => {
    const server = await mailServer();
    await mail(outgoingTo(server), { message: { chartProblem: 'the data <came> late.' } });
    const said = readMail(server.mails[0]!.raw).parts;
    expect(said[0]!.body.toString()).toContain('There is no picture: the data <came> late.');
    expect(said[1]!.body.toString()).toContain('There is no picture: the data &lt;came&gt; late.');
    server.mails.length = 0;
    await mail(outgoingTo(server), { message: { chart: { ...chart, timestamps: [], values: [] } } });
    const { parts } = readMail(server.mails[0]!.raw);
    expect(parts).toHaveLength(2);
    expect(parts[1]!.body.toString()).not.toContain('<img');
  });

  test('a retry has the Message-ID of its delivery; messages of one alert are one conversation', async () => {
    const server = await mailServer();
    const outgoing = outgoingTo(server);
    await mail(outgoing, { key: 'delivery-1' });
    await mail(outgoing, { key: 'delivery-1' });
    await mail(outgoing, { key: 'delivery-2', message: { kind: 'resolved' } });
    await mail(outgoing, { key: 'delivery-3', message: { tag: 'alert.other' } });
    const headers = server.mails.map(({ raw }) => readMail(raw).headers);
    const ids = headers.map((one) => one.get('message-id'));
    expect(ids[0]).toMatch(/^<[\da-f]{40}@example\.com>$/);
    expect(ids[1]).toBe(ids[0]);
    expect(new Set(ids).size).toBe(3);
    const conversations = headers.map((one) => one.get('references'));
    expect(conversations[2]).toBe(conversations[0]);
    expect(headers.map((one) => one.get('in-reply-to'))).toEqual(conversations);
    expect(conversations[3]).not.toBe(conversations[0]);
  });

  test('a login is made where a user is given', async () => {
    const server = await mailServer();
    await mail(outgoingTo(server, { user: 'alerts', password: 'pässword-canary' }));
    expect(server.mails[0]).toMatchObject({ user: 'alerts', secure: true });
  });
});

/** Every header that a mail of ours has; anything else came from somebody's text. */
const ours = [
  'auto-submitted',
  'content-transfer-encoding',
  'content-type',
  'date',
  'from',
  'in-reply-to',
  'message-id',
  'mime-version',
  'references',
  'subject',
  'to',
];

describe('hostile texts', () => {
  test('add no header, no recipient and no markup, wherever they stand', async () => {
    const server = await mailServer();
    const outgoing = outgoingTo(server);
    for (const text of hostileTexts) {
      const alert = { ...alertMessage().alerts[0]!, labels: { [text]: text, email: 'victim@evil.example' } };
      const message: Partial<AlertMessage> = {
        title: text,
        text,
        tenantName: text,
        ruleId: text,
        ruleName: text,
        url: text,
        runbookUrl: text,
        tag: text,
        notificationId: text,
        alerts: [alert],
        chart,
      };
      expect(await mail(outgoing, { message, key: text }), text.slice(0, 60)).toEqual({ ok: true });
    }
    expect(server.mails).toHaveLength(hostileTexts.length);
    for (const received of server.mails) {
      expect(received).toMatchObject({ from: 'alerts@example.com', to: ['ann@example.com'] });
      const { headers, parts } = readMail(received.raw);
      expect(ours).toEqual(expect.arrayContaining([...headers.keys()]));
      expect(headers.get('to')).toBe('ann@example.com');
      expect(headers.get('subject')).toMatch(/^\[Critical\] Firing: [^\p{Cc}\u2028\u2029]+$/u);
      expect(parts).toHaveLength(3);
      const shown = parts[1]!.body.toString();
      const image =
        /<img src="cid:chart\.[\da-f]{40}@example\.com" width="560" height="180" alt="[^"<>]*" style="[^"<>]*">/;
      expect(shown).toMatch(image);
      const html = shown.replace(image, '');
      expect(
        html.match(/<(?!\/?(?:html|head|meta|title|body|table|tr|td|br|a)\b|!doctype)[^>]*>/g),
      ).toBeNull();
      expect(html.match(/<a (?!href="https?:\/\/[^"<>]*" style="[^"<>]*">)/g)).toBeNull();
      expect(html).not.toMatch(/href="(?:javascript|data):/);
    }
  });

  test('an address that could be more than one address never reaches the server', async () => {
    const server = await mailServer();
    const outgoing = outgoingTo(server);
    const addresses = [
      ...hostileTexts,
      'ann@example.com\r\nRCPT TO:<victim@evil.example>',
      'ann@example.com, victim@evil.example',
      'ann@example.com;victim@evil.example',
      '<victim@evil.example>',
      'Ann <victim@evil.example>',
      'group: victim@evil.example;',
      'ann(comment)@example.com',
      '"ann"@example.com',
      'ann@[127.0.0.1]',
      'ann@example.com\u0000',
      'ann',
      '@example.com',
      'ann@',
      '',
    ];
    for (const address of addresses) {
      expect(await mail(outgoing, { to: ['bob@example.org', address] }), address.slice(0, 60)).toMatchObject({
        ok: false,
        retryable: false,
        error: expect.stringContaining('is not an address'),
      });
    }
    expect(await mail(outgoing, { to: [] })).toMatchObject({ ok: false, retryable: false });
    expect(server.connections).toBe(0);
  });
});

describe('encryption', () => {
  const strict = { plainAllowed: false } as const;

  test('STARTTLS and implicit TLS with a certificate that is checked', async () => {
    const [starttls, implicit] = [await mailServer(), await mailServer({ secure: true })];
    expect(await mail(outgoingTo(starttls, { ...strict, ca: certificate.cert }))).toEqual({ ok: true });
    expect(await mail(outgoingTo(implicit, { ...strict, implicitTls: true, ca: certificate.cert }))).toEqual({
      ok: true,
    });
    for (const server of [starttls, implicit]) expect(server.mails).toMatchObject([{ secure: true }]);
  });

  test('a server that offers no TLS, or a certificate nobody vouches for, gets neither password nor mail', async () => {
    const plain = await mailServer({ hideSTARTTLS: true, disabledCommands: ['STARTTLS'] });
    const unknown = await mailServer();
    const login = { user: 'alerts', password: 'pässword-canary' };
    for (const server of [plain, unknown]) {
      expect(await mail(outgoingTo(server, { ...strict, ...login }))).toMatchObject({
        ok: false,
        retryable: true,
        error: 'the mail server localhost offers no TLS, or its certificate is not valid',
      });
      expect(server.mails).toHaveLength(0);
    }
  });

  test('where the operator allows it, mail goes in plain text too', async () => {
    const server = await mailServer({ hideSTARTTLS: true, disabledCommands: ['STARTTLS'] });
    expect(await mail(outgoingTo(server))).toEqual({ ok: true });
    expect(server.mails).toMatchObject([{ secure: false }]);
  });
});

describe('what a mail server answers', () => {
  test.each([
    [450, true],
    [550, false],
  ])('%i for the only address', async (code, retryable) => {
    const server = await mailServer();
    server.refused.set('ann@example.com', { code, text: 'not here' });
    const outcome = await mail(outgoingTo(server));
    expect(outcome).toMatchObject({ ok: false, retryable, gone: false });
    expect(outcome).toMatchObject({ error: expect.stringContaining('not here') });
  });

  test.each([
    [451, true],
    [550, false],
  ])(
    '%i for one of two: the other has the mail, and the outcome names who has not',
    async (code, retryable) => {
      const server = await mailServer();
      server.refused.set('bob@example.org', { code, text: 'try elsewhere' });
      const outcome = await mail(outgoingTo(server), { to: ['ann@example.com', 'bob@example.org'] });
      expect(server.mails).toMatchObject([{ to: ['ann@example.com'] }]);
      expect(outcome).toMatchObject({ ok: false, retryable });
      expect(outcome).toMatchObject({ error: expect.stringMatching(/^1 of 2 addresses .*bob@example\.org/) });
    },
  );

  test.each([
    [452, true],
    [554, false],
  ])('%i for the message', async (code, retryable) => {
    const server = await mailServer();
    server.dataError = { code, text: 'too much of this' };
    expect(await mail(outgoingTo(server))).toMatchObject({ ok: false, retryable });
  });

  test('a refused login is said without the password, and tried again: it is the operator’s to repair', async () => {
    const server = await mailServer();
    const outcome = await mail(outgoingTo(server, { user: 'alerts', password: 'other-canary' }));
    expect(outcome).toMatchObject({ ok: false, retryable: true });
    expect(JSON.stringify(outcome)).not.toContain('canary');
  });

  test('a server that is not there', async () => {
    const server = await MailServer.start(certificate);
    const gone = outgoingTo(server);
    await server.stop();
    expect(await mail(gone)).toMatchObject({
      ok: false,
      retryable: true,
      error: 'the mail server localhost cannot be reached',
    });
  });

  test('a cancelled attempt is over, whatever the server does', async () => {
    const reached = Promise.withResolvers<void>();
    const server = await mailServer({ onMailFrom: () => reached.resolve() });
    const controller = new AbortController();
    const destination = { kind: 'email', to: ['ann@example.com'] } as const;
    const attempt = outgoingTo(server).send(deliveryTo(destination), controller.signal);
    await reached.promise;
    controller.abort();
    expect(await attempt).toMatchObject({ ok: false, error: 'the attempt was cancelled' });
    expect(server.mails).toHaveLength(0);
  });
});
