/**
 * A push message from the point that decides it to the notification on the device: the server encrypts it for a push
 * service on this machine, the test decrypts it with the subscription's keys, and Chromium's own service worker gets
 * it through DevTools. Only the browser vendor's push service is replaced: it is on the internet.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PushBrowser, Receiver, vapidClaims } from '@nowcast/adapter-outgoing/testing';
import type { Alert, Notification, PushDevice } from '@nowcast/contract';
import { selfSignedCertificate } from '@nowcast/ports/testing';
import type { Browser, CDPSession, Page, Worker } from 'playwright-core';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { AlertDesk } from '../fixtures/alert-desk.ts';
import { patience } from '../fixtures/live-peer.ts';
import { launchBrowser, openScreen, type Screen, sizes } from './browser.ts';
import { type RunningServer, startServer } from './server.ts';

interface Shown {
  title: string;
  body: string;
  tag: string;
  actions: string[];
  /** Of `data.url`. */
  path: string;
}

/** In the page: counts how often permission is asked for, and subscribes at a push service of ours. */
function vendorsService({ endpoint, p256dh, auth }: Record<'endpoint' | 'p256dh' | 'auth', string>): string {
  return `(() => {
    const ask = Notification.requestPermission.bind(Notification);
    globalThis.timesAsked = 0;
    Notification.requestPermission = () => { globalThis.timesAsked += 1; return ask(); };
    let current = null;
    PushManager.prototype.subscribe = async (options) => {
      const keys = ${JSON.stringify({ p256dh, auth })};
      current = { options, toJSON: () => ({ endpoint: ${JSON.stringify(endpoint)}, keys }), unsubscribe: async () => { current = null; return true; } };
      return current;
    };
    PushManager.prototype.getSubscription = async () => current;
  })()`;
}

let browser: Browser;
let screen: Screen;
let page: Page;
let devtools: CDPSession;
let registration: string;
let service: Receiver;
let phone: PushBrowser;
let server: RunningServer;
let desk: AlertDesk;
const folder = mkdtempSync(join(tmpdir(), 'nowcast-push-'));
let status = 201;

beforeAll(async () => {
  const certificate = selfSignedCertificate('push');
  // As an operator would: the authority of the push service by Node's own variable, its address by our option.
  writeFileSync(join(folder, 'authority.pem'), certificate.cert);
  vi.stubEnv('NODE_EXTRA_CA_CERTS', join(folder, 'authority.pem'));
  service = await Receiver.start({
    tls: certificate,
    answer: (response) => response.writeHead(status).end(),
  });
  phone = await PushBrowser.create();
  server = await startServer([
    '--no-collector',
    '--partitions',
    '2',
    '--allow-private-push-services',
    '127.0.0.1',
  ]);
  desk = await AlertDesk.open(server);
  browser = await launchBrowser();
  screen = await openScreen(browser, sizes[2]);
  page = screen.page;
  devtools = await screen.context.newCDPSession(page);
  const found = Promise.withResolvers<string>();
  devtools.on('ServiceWorker.workerRegistrationUpdated', ({ registrations }) => {
    for (const one of registrations) if (!one.isDeleted) found.resolve(one.registrationId);
  });
  await devtools.send('ServiceWorker.enable');
  const subscription = { endpoint: `${service.url()}/push/phone`, p256dh: phone.p256dh, auth: phone.auth };
  await page.addInitScript({ content: vendorsService(subscription) });
  await page.goto(`${server.url}/login`);
  await page.getByLabel('E-mail or username').fill(server.login.login);
  await page.getByLabel('Password', { exact: true }).fill(server.login.password);
  await page.getByRole('button', { name: 'Sign in' }).click();
  await page.waitForURL((url) => !url.pathname.startsWith('/login'));
  registration = await found.promise;
  // A worker may lead only a page that was loaded under it, and what is loaded while it starts may miss it.
  await page.evaluate('navigator.serviceWorker.ready.then(() => undefined)');
});
afterAll(async () => {
  await browser.close();
  await server.destroy();
  await service.stop();
  vi.unstubAllEnvs();
  rmSync(folder, { recursive: true });
});

/** Gives the service worker the newest message that the push service got; what it says in the clear. */
async function deliverNewest(): Promise<Record<string, unknown>> {
  const data = (await phone.decrypt(service.received.at(-1)!.body)).toString();
  await devtools.send('ServiceWorker.deliverPushMessage', {
    origin: server.url,
    registrationId: registration,
    data,
  });
  return JSON.parse(data) as Record<string, unknown>;
}

const received = (count: number) =>
  vi.waitFor(() => expect(service.received.length).toBeGreaterThanOrEqual(count), patience);

const shown = () =>
  page.evaluate<Shown[]>(`navigator.serviceWorker.ready
    .then((worker) => worker.getNotifications())
    .then((all) => all.map(({ title, body, tag, actions, data }) => ({
      title,
      body,
      tag,
      actions: actions.map(({ action }) => action),
      path: new URL(data.url, location.origin).pathname,
    })))`);
const waitShown = (titles: readonly string[]) =>
  vi.waitFor(async () => {
    const all = await shown();
    expect(all.map(({ title }) => title).sort()).toEqual([...titles].sort());
    return all;
  }, patience);

/**
 * Delivers the newest message until the browser shows it under this title alone: DevTools drops one without a word when
 * the worker is not active yet, has not heard of the permission or is just being stopped. The same tag replaces, so that
 * it may come again.
 */
async function showNewest(title: string): Promise<{ payload: Record<string, unknown>; notification: Shown }> {
  for (const until = Date.now() + patience.timeout; ;) {
    const payload = await deliverNewest();
    try {
      const [notification] = await vi.waitFor(
        async () => {
          const all = await shown();
          expect(all.map((one) => one.title)).toEqual([title]);
          return all;
        },
        { timeout: 5000, interval: 50 },
      );
      return { payload, notification: notification! };
    } catch (error) {
      if (Date.now() > until) throw error;
    }
  }
}

/** What a press on the notification, or on one of its buttons, does: the browser's own event with the real one. */
async function press(title: string, action: '' | 'acknowledge' | 'snooze'): Promise<void> {
  const worker: Worker =
    screen.context.serviceWorkers()[0] ?? (await screen.context.waitForEvent('serviceworker'));
  await worker.evaluate(`(async () => {
    const all = await registration.getNotifications();
    const notification = all.find((one) => one.title === ${JSON.stringify(title)});
    const event = new NotificationEvent('notificationclick', { notification, action: '${action}' });
    let work;
    event.waitUntil = (promise) => (work = promise);
    dispatchEvent(event);
    await work;
  })()`);
}

const alertOf = async (ruleId: string): Promise<Alert> => {
  const parameters = new URLSearchParams({ rule_id: ruleId, state: 'active,resolved' });
  const { alerts } = await desk.api.call<{ alerts: Alert[] }>('GET', '/api/v1/alerts', { parameters });
  return alerts[0]!;
};
const devices = async () =>
  (await desk.api.call<{ devices: PushDevice[] }>('GET', '/api/v1/me/push-devices')).devices;
const send = (metric: string, value: number) =>
  desk.send({ metric_type: metric, labels: { host: 'web-1' }, value });

it('the page asks for permission when "Notify this device" is pressed, not before, and a test arrives', async () => {
  await page.goto(`${server.url}/alerts/notifications`);
  const button = page.getByRole('button', { name: 'Notify this device' });
  await button.waitFor();
  expect(await page.evaluate('timesAsked')).toBe(0);
  await page.getByText('This server has no mail server to send through').waitFor();
  await screen.context.grantPermissions(['notifications'], { origin: server.url });
  await button.click();
  await received(1);
  expect(await page.evaluate('timesAsked')).toBe(1);
  const claims = await vapidClaims(service.received[0]!);
  expect(claims).toMatchObject({ aud: service.url() });
  const { payload, notification: test } = await showNewest('Test message');
  expect(payload).toMatchObject({ kind: 'test', title: 'Test message', actions: [] });
  expect(test).toMatchObject({ actions: [], path: '/alerts' });
  await page.getByRole('button', { name: 'Stop on this device' }).waitFor();
  expect(await devices()).toMatchObject([{ last: { ok: true } }]);
  await press('Test message', '');
});

it('a device that was removed from the list is not told, says so, and may be told again', async () => {
  await page.goto(`${server.url}/alerts/notifications`);
  const notify = page.getByRole('button', { name: 'Notify this device' });
  // A subscription is left in the browser, as after a reload in a real one.
  await notify.waitFor();
  await notify.click();
  await page.getByRole('button', { name: 'Stop on this device' }).waitFor();
  await page.getByRole('button', { name: /^Remove / }).click();
  await page.getByText('No device is told yet.').waitFor();
  await notify.click();
  await page.getByRole('button', { name: 'Stop on this device' }).waitFor();
  expect(await devices()).toHaveLength(1);
});

it('where the service worker is refused, it is said instead of waited for', async () => {
  const context = await browser.newContext({ storageState: await screen.context.storageState() });
  await context.grantPermissions(['notifications'], { origin: server.url });
  const other = await context.newPage();
  await other.addInitScript(
    'navigator.serviceWorker.register = () => Promise.reject(new Error("certificate"))',
  );
  await other.goto(`${server.url}/alerts/notifications`);
  await other.getByRole('button', { name: 'Notify this device' }).click();
  await other.getByText(/does not run this site’s service worker/).waitFor();
  await context.close();
});

it('an alert is shown with its buttons; Acknowledge and Snooze reach the server, and a press opens it', async () => {
  const rule = await desk.makeRule('cpu');
  const before = service.received.length;
  await send('cpu', 97);
  await received(before + 1);
  const { payload, notification: alert } = await showNewest('Firing: cpu is high: web-1');
  const { alert_id: alertId } = await alertOf(rule.rule_id);
  expect(payload).toMatchObject({ alert_id: alertId, severity: 'critical', tag: alert.tag });
  expect(alert).toMatchObject({
    body: 'cpu is high: web-1 is at 97 % (limit 90 %)',
    actions: ['acknowledge', 'snooze'],
    path: `/alerts/${alertId}`,
  });
  const topic = service.received.at(-1)!.headers['topic'];
  expect(topic).toMatch(/^[\w-]{32}$/);

  await press('Firing: cpu is high: web-1', 'acknowledge');
  expect(await alertOf(rule.rule_id)).toMatchObject({ state: 'acknowledged', acknowledged_by: 'ada' });
  await waitShown([]);

  await showNewest('Firing: cpu is high: web-1');
  const now = Date.now();
  await press('Firing: cpu is high: web-1', 'snooze');
  const { snoozed_until: until } = await alertOf(rule.rule_id);
  expect(until).toBeGreaterThanOrEqual(now + 3_500_000);

  await showNewest('Firing: cpu is high: web-1');
  await press('Firing: cpu is high: web-1', '');
  await page.waitForURL((url) => url.pathname === `/alerts/${alertId}`);
  await page.getByRole('heading', { name: 'cpu is high' }).waitFor();
});

it('the same tag replaces what it said before, and what cannot be done any more is said', async () => {
  const rule = await desk.makeRule('load');
  const start = service.received.length;
  await send('load', 97);
  await received(start + 1);
  await showNewest('Firing: load is high: web-1');
  await send('load', 3);
  await received(start + 2);
  const firing = service.received.at(-2)!;
  const { notification: over } = await showNewest('Resolved: load is high: web-1');
  expect(over).toMatchObject({ actions: [] });
  expect(service.received.at(-1)!.headers['topic']).not.toBe(firing.headers['topic']);
  // A device that was off gets the old one late; its button then meets an alert that is over.
  service.received.push(firing);
  await showNewest('Firing: load is high: web-1');
  await press('Firing: load is high: web-1', 'acknowledge');
  const [refused] = await waitShown(['Not acknowledged']);
  expect(refused!.body).not.toBe('');
  expect((await alertOf(rule.rule_id)).state).toBe('resolved');
});

it.each([404, 410])('a push service that answers %i has forgotten the device, and so do we', async (gone) => {
  if ((await devices()).length === 0) {
    const keys = { p256dh: phone.p256dh, auth: phone.auth };
    const body = { endpoint: `${service.url()}/push/other`, keys, device: 'Other' };
    await desk.api.call('POST', '/api/v1/me/push-devices', { body });
  }
  status = gone;
  const metric = `gone_${gone}`;
  const rule = await desk.makeRule(metric);
  await send(metric, 99);
  await vi.waitFor(async () => expect(await devices()).toEqual([]), patience);
  const deliveries = async (): Promise<Notification['deliveries']> =>
    (await desk.inbox(rule.rule_id)).find(({ kind }) => kind === 'firing')?.deliveries ?? [];
  await vi.waitFor(async () => {
    expect(await deliveries()).toMatchObject([
      { via: 'push', status: 'failed', error: 'this device is no longer subscribed' },
    ]);
  }, patience);
  expect(screen.complaints).toEqual([]);
});

it('who could not be logged out goes on being told on this device', async () => {
  status = 201;
  await page.goto(`${server.url}/alerts/notifications`);
  await page.getByRole('button', { name: 'Notify this device' }).click();
  await page.getByRole('button', { name: 'Stop on this device' }).waitFor();
  await screen.context.setOffline(true);
  await page.getByRole('button', { name: /^Account of/ }).click();
  await page.getByRole('menuitem', { name: 'Log out' }).click();
  await page.getByText(/^Not logged out: /).waitFor();
  await screen.context.setOffline(false);
  expect(await devices()).toHaveLength(1);
  const subscription = 'navigator.serviceWorker.ready.then((one) => one.pushManager.getSubscription())';
  expect(await page.evaluate(`${subscription}.then((one) => one !== null)`)).toBe(true);
});

it('who logs out leaves no device behind that goes on showing alerts', async () => {
  status = 201;
  await page.goto(`${server.url}/alerts/notifications`);
  await page.getByRole('button', { name: 'Notify this device' }).click();
  await page.getByRole('button', { name: 'Stop on this device' }).waitFor();
  expect(await devices()).toHaveLength(1);
  await page.getByRole('button', { name: /^Account of/ }).click();
  await page.getByRole('menuitem', { name: 'Log out' }).click();
  await page.waitForURL((url) => url.pathname === '/login');
  expect(await devices()).toEqual([]);
});
