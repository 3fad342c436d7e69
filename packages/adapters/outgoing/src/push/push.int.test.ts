import { ManualClock } from '@nowcast/kernel';
import type { AlertMessage } from '@nowcast/ports';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { GuardedHttp } from '../guarded-http.ts';
import { NetworkOutgoing } from '../network-outgoing.ts';
import { hostileTexts } from '../testing/hostile-texts.ts';
import { deliveryTo } from '../testing/messages.ts';
import { PushBrowser, vapidClaims } from '../testing/push-browser.ts';
import { Receiver } from '../testing/receiver.ts';
import type { PushPayload } from './push-request.ts';
import { createVapidKeys } from './vapid.ts';

const clock = new ManualClock(Date.UTC(2026, 10, 24, 8, 6));
const keys = createVapidKeys();
let service: Receiver;
let browser: PushBrowser;
let outgoing: NetworkOutgoing;

beforeEach(async () => {
  service = await Receiver.start({ answer: (response) => response.writeHead(201).end() });
  browser = await PushBrowser.create();
  outgoing = outgoingWith([], ['127.0.0.1']);
});
afterEach(() => service.stop());

/** What is opened for webhooks, and what for push services. */
function outgoingWith(forHooks: readonly string[], forPush: readonly string[]): NetworkOutgoing {
  const pushHttp = new GuardedHttp({ allowPrivate: forPush, openedBy: '--allow-private-push-services' });
  return new NetworkOutgoing({
    http: new GuardedHttp({ allowPrivate: forHooks }),
    smtp: undefined,
    push: { ...keys, subject: 'mailto:ops@example.com', http: pushHttp },
    clock,
  });
}

function push(message: Partial<AlertMessage> = {}, key?: string) {
  const { p256dh, auth } = browser;
  const destination = { kind: 'push', endpoint: `${service.url()}/push/canary`, p256dh, auth } as const;
  return outgoing.send(deliveryTo(destination, message, key), new AbortController().signal);
}

async function payloads(): Promise<PushPayload[]> {
  const plain = await Promise.all(service.received.map(({ body }) => browser.decrypt(body)));
  return plain.map((text) => JSON.parse(text.toString()));
}

describe('a push message over the wire', () => {
  test('only the browser of the subscription can read it, and it is what the service worker expects', async () => {
    expect(await push()).toEqual({ ok: true });
    expect(await payloads()).toEqual([
      {
        notification_id: 'n-1',
        tag: 'alert.a-1',
        title: 'Firing: CPU is high on web-1',
        body: 'CPU has been above 80 % for 2 min.',
        severity: 'critical',
        kind: 'firing',
        url: 'https://nowcast.example.com/alerts/a-1',
        alert_id: 'a-1',
        at: Date.UTC(2026, 10, 24, 8, 5, 30),
        actions: ['acknowledge', 'snooze'],
      },
    ]);
    const stranger = await PushBrowser.create();
    await expect(stranger.decrypt(service.received[0]!.body)).rejects.toThrow();
    expect(service.received[0]!.body.includes('web-1')).toBe(false);
  });

  test('it identifies this server to the origin of the service for half a day', async () => {
    await push();
    expect(await vapidClaims(service.received[0]!)).toEqual({
      aud: service.url(),
      exp: clock.now() / 1000 + 12 * 3600,
      sub: 'mailto:ops@example.com',
      key: outgoing.pushPublicKey,
    });
  });

  test.each([
    ['critical', 'high', '86400'],
    ['warning', 'normal', '43200'],
    ['info', 'low', '3600'],
  ] as const)('%s goes with urgency %s and is kept %s s', async (severity, urgency, ttl) => {
    await push({ severity });
    expect(service.received[0]!.headers).toMatchObject({ urgency, ttl, 'content-encoding': 'aes128gcm' });
  });

  test('a retry has the topic of its delivery, another delivery another one', async () => {
    await push({}, 'delivery-1');
    await push({}, 'delivery-1');
    await push({ kind: 'resolved' }, 'delivery-2');
    const topics = service.received.map(({ headers }) => headers['topic']);
    expect(topics[1]).toBe(topics[0]);
    expect(topics[2]).not.toBe(topics[0]);
    expect(topics[0]).toMatch(/^[\w-]{32}$/);
    expect((await payloads()).map(({ actions }) => actions.length)).toEqual([2, 2, 0]);
  });

  test('whatever users wrote, it stays within 3 KB and keeps what the worker needs', async () => {
    for (const text of hostileTexts) {
      expect(await push({ title: text.repeat(20), text: text.repeat(200), tag: 'alert.a-1' })).toEqual({
        ok: true,
      });
    }
    for (const [index, payload] of (await payloads()).entries()) {
      expect(Buffer.byteLength(JSON.stringify(payload)), hostileTexts[index]).toBeLessThanOrEqual(3072);
      expect(payload).toMatchObject({ notification_id: 'n-1', tag: 'alert.a-1', alert_id: 'a-1' });
      expect(payload.body.length).toBeGreaterThan(100);
    }
    for (const { body } of service.received) expect(body.length).toBeLessThanOrEqual(4096);
  });
});

describe('what a push service answers', () => {
  test.each([404, 410])('%i: the device is gone, and only then', async (status) => {
    service.answer = (response) => response.writeHead(status).end();
    expect(await push()).toMatchObject({ ok: false, retryable: false, gone: true });
  });

  test.each([
    [400, false],
    [403, false],
    [413, false],
    [429, true],
    [502, true],
  ])('%i: not gone; to be tried again: %s', async (status, retryable) => {
    service.answer = (response) => response.writeHead(status, { 'Retry-After': '30' }).end('canary');
    const outcome = await push();
    expect(outcome).toMatchObject({ ok: false, retryable, gone: false, retryAfterMs: 30_000 });
    expect(JSON.stringify(outcome)).not.toContain('canary');
  });

  test('what is opened for webhooks stays closed to devices, which anybody may name', async () => {
    outgoing = outgoingWith(['127.0.0.1', '127.0.0.0/8'], []);
    expect(await push()).toMatchObject({
      ok: false,
      retryable: false,
      error: expect.stringContaining('--allow-private-push-services') as string,
    });
    expect(service.connections).toBe(0);
  });

  test('an endpoint on the private network is refused for good', async () => {
    const destination = {
      kind: 'push',
      endpoint: 'https://192.168.0.1/push',
      p256dh: browser.p256dh,
      auth: browser.auth,
    } as const;
    expect(await outgoing.send(deliveryTo(destination), new AbortController().signal)).toMatchObject({
      ok: false,
      retryable: false,
      gone: false,
    });
  });
});
