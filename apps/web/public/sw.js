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

async function asset(request) {
  const cache = await caches.open(version);
  const known = await cache.match(request);
  if (known !== undefined) return known;
  const answer = await fetch(request);
  if (answer.ok) await cache.put(request, answer.clone());
  await dropOldest(cache);
  return answer;
}

/** Builds come and go; their assets must not fill the visitor's disk. The offline page's own are put first again. */
async function dropOldest(cache) {
  const kept = await cache.keys();
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
