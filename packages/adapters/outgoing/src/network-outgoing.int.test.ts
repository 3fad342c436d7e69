import { ManualClock } from '@nowcast/kernel';
import type { Destination } from '@nowcast/ports';
import { webhookFormats } from '@nowcast/contract';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { createVapidKeys, GuardedHttp, NetworkOutgoing } from './index.ts';
import { deliveryTo, webhookTo } from './testing/messages.ts';
import { Receiver } from './testing/receiver.ts';

const clock = new ManualClock(Date.UTC(2026, 10, 24, 8, 6));
const push = {
  ...createVapidKeys(),
  subject: 'mailto:ops@example.com',
  http: new GuardedHttp({ allowPrivate: [] }),
};
const never = new AbortController().signal;
let hook: Receiver;
let outgoing: NetworkOutgoing;

beforeEach(async () => {
  hook = await Receiver.start();
  const http = new GuardedHttp({ allowPrivate: ['127.0.0.1'], totalMs: 5000 });
  outgoing = new NetworkOutgoing({ http, smtp: undefined, push, clock });
});
afterEach(() => hook.stop());

const send = (destination: Destination, key?: string) =>
  outgoing.send(deliveryTo(destination, {}, key), never);

describe('webhooks over the wire', () => {
  test.each(webhookFormats)('%s: JSON by POST with the key of the delivery', async (format) => {
    const destination = webhookTo(`${hook.url()}/hooks/x`, {
      format,
      secret: 'key',
      template: '{"t":"{{title}}"}',
    });
    expect(await send(destination, 'delivery-7')).toEqual({ ok: true });
    const [request] = hook.received;
    expect(request).toMatchObject({
      method: 'POST',
      headers: { 'content-type': 'application/json', 'idempotency-key': 'delivery-7' },
    });
    expect(JSON.parse(request!.body.toString())).toBeTypeOf('object');
  });

  test('a retry has the same key and body, and a signature of its own time', async () => {
    const destination = webhookTo(hook.url());
    await send(destination);
    clock.advance(60_000);
    await send(destination);
    const [first, second] = hook.received;
    expect(second!.body.equals(first!.body)).toBe(true);
    expect(second!.headers['idempotency-key']).toBe(first!.headers['idempotency-key']);
    expect(second!.headers['nowcast-signature']).not.toBe(first!.headers['nowcast-signature']);
  });
});

describe('what an answer means', () => {
  test.each([
    [200, { ok: true }],
    [202, { ok: true }],
    [204, { ok: true }],
    [301, { ok: false, retryable: false, gone: false }],
    [400, { ok: false, retryable: false, gone: false }],
    [401, { ok: false, retryable: false, gone: false }],
    [404, { ok: false, retryable: false, gone: false }],
    [408, { ok: false, retryable: true, gone: false }],
    [410, { ok: false, retryable: false, gone: false }],
    [429, { ok: false, retryable: true, gone: false }],
    [500, { ok: false, retryable: true, gone: false }],
    [503, { ok: false, retryable: true, gone: false }],
  ])('%i', async (status, outcome) => {
    hook.answer = (response) => response.writeHead(status).end();
    expect(await send(webhookTo(hook.url()))).toMatchObject(outcome);
  });

  test.each([
    ['120', 120_000],
    ['0', 0],
    [new Date(Date.UTC(2026, 10, 24, 10, 0)).toUTCString(), undefined],
    ['soon', undefined],
    ['999999999', 86_400_000],
  ])('Retry-After: %s', async (header, expected) => {
    hook.answer = (response) => response.writeHead(429, { 'Retry-After': header }).end();
    const at = clock.now();
    const wanted = /GMT/.test(header) ? Date.parse(header) - at : expected;
    expect(await send(webhookTo(hook.url()))).toMatchObject({ retryable: true, retryAfterMs: wanted });
  });

  test('the wait that Telegram and Discord name in their body is read too', async () => {
    const json = { 'Content-Type': 'application/json' };
    hook.answer = (response) =>
      response.writeHead(429, json).end('{"ok":false,"parameters":{"retry_after":7}}');
    expect(await send(webhookTo(hook.url()))).toMatchObject({ retryAfterMs: 7000 });
    hook.answer = (response) => response.writeHead(429, json).end('{"message":"slow","retry_after":0.25}');
    expect(await send(webhookTo(hook.url()))).toMatchObject({ retryAfterMs: 250 });
  });

  test('a refusal says what the other side said, in one line', async () => {
    hook.answer = (response) =>
      response.writeHead(400, { 'Content-Type': 'text/plain' }).end('invalid_payload\r\nmore');
    expect(await send(webhookTo(hook.url()))).toMatchObject({
      error: `127.0.0.1:${hook.port} does not understand the message (400): invalid_payload more`,
    });
  });

  test('a redirect to somewhere else is not followed', async () => {
    const trap = await Receiver.start();
    hook.answer = (response) => response.writeHead(302, { Location: trap.url() }).end();
    expect(await send(webhookTo(hook.url()))).toMatchObject({ ok: false, retryable: false });
    expect(trap.connections).toBe(0);
    await trap.stop();
  });
});

describe('secrets', () => {
  const canaries = [
    'secret-canary',
    'signing-canary',
    'path-canary',
    'query-canary',
    'login-canary',
    'pw-canary',
  ];

  test('no error holds one, even when the other side repeats all it was sent', async () => {
    hook.answer = (response, request) =>
      response
        .writeHead(400, { 'Content-Type': 'text/plain' })
        .end(
          `no: ${request.path} ${canaries.join(' ')} ${JSON.stringify(request.headers)} ${request.body.toString()}`,
        );
    const errors: string[] = [];
    const urls = [
      `http://login-canary:pw-canary@127.0.0.1:${hook.port}/bot/path-canary?k=query-canary`,
      // Nobody listens, not opened, no name, broken.
      'http://login-canary:pw-canary@127.0.0.1:9/path-canary?k=query-canary',
      'http://10.0.0.1/path-canary?k=query-canary',
      'https://127.0.0.1:9/path-canary?k=query-canary',
      'nonsense path-canary query-canary',
    ];
    for (const url of urls) {
      for (const format of webhookFormats) {
        const destination = webhookTo(url, {
          format,
          secret: 'secret-canary',
          template: '{"t": "{{title}}"}',
        });
        const outcome = await send(destination);
        if (!outcome.ok) errors.push(outcome.error);
      }
    }
    expect(errors).toHaveLength(urls.length * webhookFormats.length);
    for (const error of errors) for (const canary of canaries) expect(error).not.toContain(canary);
  });
});

describe('without a mail server', () => {
  test('mail is off, and an attempt says so for good', async () => {
    expect(outgoing.email).toBe(false);
    expect(await send({ kind: 'email', to: ['a@example.com'] })).toEqual({
      ok: false,
      retryable: false,
      gone: false,
      error: 'no mail server is configured (--smtp-url)',
      retryAfterMs: undefined,
    });
  });
});
