/*
 * The offline shell. Live data must never come from a cache (a frozen chart would look healthy), so this worker
 * answers only three things: hashed assets (immutable: cache first), page loads (network first, the offline page
 * when the network fails) and the few icons the offline page shows. Everything else goes past it untouched.
 */
const version = 'nowcast-shell-1';
const keptEntries = 120;
const shell = ['/offline.html', '/icons/nowcast.svg', '/manifest.webmanifest'];

/** The offline page's own hashed style and script are named only inside its HTML. */
async function cacheShell() {
  const cache = await caches.open(version);
  await cache.addAll(shell);
  const page = await cache.match('/offline.html');
  const html = page === undefined ? '' : await page.text();
  const assets = [...html.matchAll(/(?:href|src)="(\/assets\/[^"]+)"/g)].map((match) => match[1]);
  await cache.addAll(assets);
}

self.addEventListener('install', (event) => {
  event.waitUntil(cacheShell().then(() => self.skipWaiting()));
});

self.addEventListener('activate', (event) => {
  const dropOld = caches
    .keys()
    .then((names) =>
      Promise.all(names.filter((name) => name !== version).map((name) => caches.delete(name))),
    );
  event.waitUntil(dropOld.then(() => self.clients.claim()));
});

/** Where the disk is full, or storage is forbidden, nothing is kept: the network answers all the same. */
async function asset(request) {
  const cache = await caches.open(version).catch(() => undefined);
  const known = await cache?.match(request).catch(() => undefined);
  if (known !== undefined) return known;
  const answer = await fetch(request);
  if (answer.ok) await cache?.put(request, answer.clone()).catch(() => undefined);
  await dropOldest(cache).catch(() => undefined);
  return answer;
}

/** Builds come and go; their assets must not fill the visitor's disk. The offline page's own are put first again. */
async function dropOldest(cache) {
  const kept = (await cache?.keys()) ?? [];
  if (kept.length <= keptEntries) return;
  await Promise.all(kept.slice(0, kept.length - keptEntries / 2).map((old) => cache.delete(old)));
  await cacheShell();
}

async function page(request) {
  try {
    return await fetch(request);
  } catch {
    return (await caches.match('/offline.html')) ?? Response.error();
  }
}

self.addEventListener('fetch', (event) => {
  const { request } = event;
  const url = new URL(request.url);
  if (request.method !== 'GET' || url.origin !== self.location.origin) return;
  if (request.mode === 'navigate') event.respondWith(page(request));
  else if (url.pathname.startsWith('/assets/')) event.respondWith(asset(request));
  else if (shell.includes(url.pathname)) {
    event.respondWith(fetch(request).catch(async () => (await caches.match(request)) ?? Response.error()));
  }
});

/*
 * Push messages: {notification_id, tag, title, body, severity, kind, url, alert_id, at}. A browser shows a message of
 * its own when a push ends without one, so whatever arrives is shown, even what cannot be read.
 */
function readMessage(event) {
  try {
    return event.data?.json() ?? {};
  } catch {
    return {};
  }
}

self.addEventListener('push', (event) => {
  const message = readMessage(event);
  const isOpen = message.kind !== 'resolved' && message.kind !== 'test' && Boolean(message.alert_id);
  const shown = self.registration.showNotification(message.title || 'Nowcast', {
    body: message.body || '',
    // The same tag replaces what it said before: a resolved alert takes the place of its firing.
    ...(message.tag ? { tag: message.tag, renotify: true } : {}),
    icon: '/icons/nowcast-192.png',
    timestamp: message.at || Date.now(),
    requireInteraction: message.severity === 'critical' && isOpen,
    data: { url: message.url || '/alerts', alertId: message.alert_id || '' },
    actions: isOpen
      ? [
          { action: 'acknowledge', title: 'Acknowledge' },
          { action: 'snooze', title: 'Snooze 1 h' },
        ]
      : [],
  });
  event.waitUntil(shown);
});

const snoozeMs = 3_600_000;

/** Does it with the person's own session; says so when that did not work, since nothing else would. */
async function act(action, { alertId, url }) {
  const body = action === 'snooze' ? { until: Date.now() + snoozeMs } : { note: '' };
  const answer = await fetch(`/api/v1/alerts/${encodeURIComponent(alertId)}/${action}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    credentials: 'same-origin',
    body: JSON.stringify(body),
  }).catch(() => undefined);
  if (answer?.ok) return;
  const said = await answer?.json().catch(() => undefined);
  await self.registration.showNotification(`Not ${action === 'snooze' ? 'snoozed' : 'acknowledged'}`, {
    body: said?.error?.message || 'The server cannot be reached. Open the alert and try again.',
    icon: '/icons/nowcast-192.png',
    tag: `failed ${alertId}`,
    data: { url, alertId },
  });
}

/** An open page is used; the link may name the public address, so only its path counts. */
async function open(link) {
  const { pathname, search } = new URL(link, self.location.origin);
  const pages = await self.clients.matchAll({ type: 'window', includeUncontrolled: true });
  const page = pages.find((one) => one.url.startsWith(self.location.origin));
  if (page === undefined) return self.clients.openWindow(pathname + search);
  // Where the browser does not allow it, the page still goes there.
  await page.focus().catch(() => undefined);
  return page.navigate(pathname + search).catch(() => self.clients.openWindow(pathname + search));
}

self.addEventListener('notificationclick', (event) => {
  const { action, notification } = event;
  notification.close();
  event.waitUntil(action === '' ? open(notification.data.url) : act(action, notification.data));
});
