import { mkdtemp, mkdir, rm, writeFile } from 'node:fs/promises';
import { type IncomingMessage, request as httpRequest } from 'node:http';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startTestServer, testPassword, type TestServer } from '../testing/start-server.ts';

let nowcast: TestServer;
let webDir: string;
const page = '<!doctype html><script nonce="__CSP_NONCE__">1</script><body>app</body>';
const loginPage =
  '<form><p id="form-error" role="alert" hidden></p><input type="hidden" name="next" value="/" /></form>';

beforeAll(async () => {
  webDir = await mkdtemp(join(tmpdir(), 'nowcast-page-'));
  await mkdir(join(webDir, 'assets'));
  await writeFile(join(webDir, 'index.html'), page);
  await writeFile(join(webDir, 'login.html'), loginPage);
  await writeFile(join(webDir, 'assets/app-1a2b.js'), `console.log(${JSON.stringify('x'.repeat(5000))})`);
  await writeFile(join(webDir, 'sw.js'), 'self.x = 1');
  nowcast = await startTestServer({ webDir });
});
afterAll(async () => {
  await nowcast.stop();
  await rm(webDir, { recursive: true, force: true });
});

const json = { 'Content-Type': 'application/json' };
const asJson = (value: unknown): RequestInit => ({
  method: 'POST',
  headers: json,
  body: JSON.stringify(value),
});

describe('C1: signing in and out', () => {
  test('a session cookie, a bearer token, and neither after signing out', async () => {
    const { login } = await nowcast.signIn('viewer');
    const answer = await fetch(`${nowcast.url}/login`, asJson({ login, password: testPassword }));
    expect(answer.status).toBe(200);
    const [session, device] = answer.headers.getSetCookie();
    expect(session).toMatch(/^nowcast=[\w-]{43}; Path=\/; HttpOnly; SameSite=Lax; Max-Age=\d+$/);
    expect(device).toMatch(/^nowcast-device=[\w-]{43}; Path=\/; HttpOnly; SameSite=Lax; Max-Age=31536000$/);
    const { token } = (await answer.json()) as { token: string };
    const cookie = session!.split(';')[0]!;
    const me = (headers: Record<string, string>) => fetch(`${nowcast.url}/api/v1/me`, { headers });
    expect((await me({ Cookie: cookie })).status).toBe(200);
    expect((await me({ Authorization: `Bearer ${token}` })).status).toBe(200);
    const out = await fetch(`${nowcast.url}/logout`, { method: 'POST', headers: { Cookie: cookie } });
    expect(out.status).toBe(204);
    expect(out.headers.getSetCookie()).toEqual(['nowcast=; Path=/; HttpOnly; SameSite=Lax; Max-Age=0']);
    expect((await me({ Cookie: cookie })).status).toBe(401);
  });

  test('signing out clears the cookie also when the session cannot be ended', async () => {
    const { cookie } = await nowcast.signIn('viewer');
    const other = new DatabaseSync(join(nowcast.dataDir, 'meta.sqlite'));
    other.exec('BEGIN IMMEDIATE');
    try {
      const out = await fetch(`${nowcast.url}/logout`, { method: 'POST', headers: { Cookie: cookie } });
      expect(out.status).toBe(503);
      expect(out.headers.getSetCookie()).toEqual(['nowcast=; Path=/; HttpOnly; SameSite=Lax; Max-Age=0']);
    } finally {
      other.exec('ROLLBACK');
      other.close();
    }
  }, 30_000);

  test('signing in again ends the session the browser had', async () => {
    const { login, cookie } = await nowcast.signIn('viewer');
    const init = asJson({ login, password: testPassword });
    await fetch(`${nowcast.url}/login`, { ...init, headers: { ...json, Cookie: cookie } });
    expect((await fetch(`${nowcast.url}/api/v1/me`, { headers: { Cookie: cookie } })).status).toBe(401);
  });

  test('a wrong Authorization header is not made good by the cookie', async () => {
    const { cookie } = await nowcast.signIn('viewer');
    const headers = { Cookie: cookie, Authorization: 'Bearer wrong' };
    expect((await fetch(`${nowcast.url}/api/v1/me`, { headers })).status).toBe(401);
  });

  test('the plain form of the sign-in page: redirects, and words of ours for what went wrong', async () => {
    const { login } = await nowcast.signIn('viewer');
    const post = (fields: Record<string, string>) =>
      fetch(`${nowcast.url}/login`, {
        method: 'POST',
        body: new URLSearchParams(fields),
        redirect: 'manual',
      });
    const good = await post({ login, password: testPassword, next: '/boards/1' });
    expect([good.status, good.headers.get('location')]).toEqual([303, '/boards/1']);
    expect(good.headers.getSetCookie()).toHaveLength(2);
    const evil = await post({ login, password: testPassword, next: '//evil.example' });
    expect(evil.headers.get('location')).toBe('/');
    const bad = await post({ login, password: 'wrong' });
    expect([bad.status, bad.headers.get('location')]).toEqual([
      303,
      expect.stringMatching(/^\/login\?error=The\+e-mail/),
    ]);
    const mistyped = await post({ login, password: '', next: '/boards/1' });
    expect(mistyped.headers.get('location')).toMatch(/&next=%2Fboards%2F1$/);
    const unfilled = await post({ password: testPassword, next: '/boards/1' });
    expect(unfilled.headers.get('location')).toMatch(/&next=%2Fboards%2F1$/);
    const shown = await (await fetch(`${nowcast.url}${bad.headers.get('location')}&next=/x"><b>`)).text();
    expect(shown).toContain('username or password is wrong.</p>');
    expect(shown).not.toContain('hidden></p>');
    expect(shown).toContain('value="/x%22%3E%3Cb%3E"');
    const foreign = await (await fetch(`${nowcast.url}/login?error=Call+555-0100`)).text();
    expect(foreign).not.toContain('555');
  });
});

test('C6: the setup token works once; after that there is no setup', async () => {
  const fresh = await startTestServer({ fresh: true });
  const token = await fresh.access.logins.newSetupToken();
  const owner = {
    organisation: 'Acme',
    name: 'Ann',
    email: 'ann@example.com',
    username: 'ann',
    password: testPassword,
  };
  const setup = (t: string | undefined) => fetch(`${fresh.url}/api/v1/setup`, asJson({ ...owner, token: t }));
  expect((await setup('wrong')).status).toBe(403);
  const answers = await Promise.all([setup(token), setup(token)]);
  // The loser is too late either for the token or for the whole setup.
  expect(answers.filter(({ status }) => status === 403 || status === 404)).toHaveLength(1);
  const made = answers.find(({ status }) => status === 200)!;
  expect(await made.json()).toMatchObject({
    user: { role: 'owner' },
    board_id: expect.stringMatching(/^board_/) as string,
  });
  expect(made.headers.getSetCookie()).toHaveLength(2);
  expect((await setup(token)).status).toBe(404);
  await fresh.stop();
});

describe('C7: state changes by other sites', () => {
  const own = 'own';
  test.each([
    ['our page', { 'Sec-Fetch-Site': 'same-origin', Origin: own }, 204],
    ['our page, an old browser', { Origin: own }, 204],
    ['the address bar', { 'Sec-Fetch-Site': 'none' }, 204],
    ['a program', {}, 204],
    ['another site', { 'Sec-Fetch-Site': 'cross-site', Origin: 'https://evil.example' }, 403],
    ['a sibling site', { 'Sec-Fetch-Site': 'same-site', Origin: 'https://x.example' }, 403],
    ['another site, an old browser', { Origin: 'https://evil.example' }, 403],
    ['a sandboxed frame', { Origin: 'null' }, 403],
  ])('%s', async (_name, headers: Record<string, string>, status) => {
    const { cookie } = await nowcast.signIn('viewer');
    const sent = {
      ...headers,
      Cookie: cookie,
      ...(headers['Origin'] === own ? { Origin: nowcast.url } : {}),
    };
    expect((await raw('POST', '/logout', sent)).status).toBe(status);
  });

  test('a body that a form of another site can send is not JSON', async () => {
    const { cookie } = await nowcast.signIn('owner');
    const body = '{"name":"x"}';
    for (const type of ['text/plain', 'application/x-www-form-urlencoded', 'multipart/form-data']) {
      const answer = await raw('POST', '/api/v1/keys', { Cookie: cookie, 'Content-Type': type }, body);
      expect(answer.status).toBe(415);
    }
  });
});

describe('C9: what pages may do', () => {
  test('each page has a nonce of its own, and nothing may frame it', async () => {
    const nonces = new Set<string>();
    for (const path of ['/', '/boards/1', '/setup']) {
      const answer = await fetch(`${nowcast.url}${path}`);
      const policy = answer.headers.get('content-security-policy') ?? '';
      const nonce = /'nonce-([^']+)'/.exec(policy)?.[1] ?? '';
      expect(await answer.text()).toBe(page.replace('__CSP_NONCE__', nonce));
      expect(policy).toContain(
        "object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'",
      );
      expect(policy).not.toContain('unsafe');
      nonces.add(nonce);
    }
    expect(nonces.size).toBe(3);
  });

  test('every answer, errors too, forbids sniffing and framing', async () => {
    for (const path of ['/', '/healthz', '/api/v1/me', '/api/nothing', '/assets/app-1a2b.js', '/api/docs']) {
      const { headers } = await fetch(`${nowcast.url}${path}`);
      expect(headers.get('x-content-type-options')).toBe('nosniff');
      expect(headers.get('content-security-policy')).toMatch(/frame-ancestors 'none'/);
      expect(headers.get('referrer-policy')).toBe('same-origin');
    }
  });

  test('files: hashed ones for ever, others asked for again, compressed, never from outside the folder', async () => {
    const asset = await fetch(`${nowcast.url}/assets/app-1a2b.js`);
    expect(asset.headers.get('cache-control')).toBe('public, max-age=31536000, immutable');
    expect(asset.headers.get('content-encoding')).toBe('gzip');
    const worker = await fetch(`${nowcast.url}/sw.js`);
    expect(worker.headers.get('cache-control')).toBe('no-cache');
    const again = await raw('GET', '/sw.js', { 'If-None-Match': worker.headers.get('etag') ?? '' });
    expect(again.status).toBe(304);
    for (const path of [
      '/../package.json',
      '/assets/../../x.js',
      '/%2e%2e/%2e%2e/etc/passwd',
      '/..%2fpackage.json',
    ]) {
      expect((await rawPath(path)).text).not.toContain('dependencies');
    }
    expect((await fetch(`${nowcast.url}/assets/gone.js`)).status).toBe(404);
  });
});

test('C12: a key does what its scopes say, and its secret is shown once', async () => {
  const { cookie } = await nowcast.signIn('owner');
  const made = await fetch(`${nowcast.url}/api/v1/keys`, {
    method: 'POST',
    headers: { ...json, Cookie: cookie },
    body: '{"name":"shop"}',
  });
  const { secret, key_id, scopes } = (await made.json()) as {
    secret: string;
    key_id: string;
    scopes: string[];
  };
  expect(scopes).toEqual(['ingest']);
  const listed = await (await fetch(`${nowcast.url}/api/v1/keys`, { headers: { Cookie: cookie } })).text();
  expect(listed).toContain(key_id);
  expect(listed).not.toContain(secret.slice(-43));
  const headers = { Authorization: `Bearer ${secret}` };
  const point = { method: 'POST', headers, body: '{"metric_type":"a","value":1}' };
  expect((await fetch(`${nowcast.url}/api/v1/ingest`, point)).status).toBe(200);
  expect((await fetch(`${nowcast.url}/data?metric_type=a`, { headers })).status).toBe(403);
  expect(
    (await fetch(`${nowcast.url}/api/v1/ingest?p=${secret}`, { method: 'POST', body: '{}' })).status,
  ).toBe(401);
  expect(nowcast.logs.join('')).not.toContain(secret.slice(-43));
});

test('C12: a key in the ways of Influx, on its routes only', async () => {
  const { secret } = await nowcast.makeKey('ingest');
  const basic = `Basic ${Buffer.from(`telegraf:${secret}`).toString('base64')}`;
  const send = async (path: string, headers: Record<string, string>) =>
    (await raw('POST', path, headers, 'cpu usage=1')).status;
  for (const path of ['/write', '/api/v2/write']) {
    expect(await send(path, { Authorization: `Token ${secret}` })).toBe(200);
    expect(await send(path, { Authorization: `Bearer ${secret}` })).toBe(200);
    expect(await send(path, { Authorization: basic })).toBe(200);
    expect(await send(`${path}?u=telegraf&p=${secret}&precision=s`, {})).toBe(200);
    // Every object seems to have a property of this name.
    for (const precision of ['days', 'constructor'])
      expect(await send(`${path}?precision=${precision}`, { Authorization: basic })).toBe(400);
    expect(await send(path, {})).toBe(401);
  }
  expect(nowcast.engine.ingested.at(-1)).toMatchObject({
    format: 'line-protocol',
    precision: 's',
    encoding: 'identity',
  });
  expect(await send('/api/v1/ingest', { Authorization: `Token ${secret}` })).toBe(401);
  expect(await send('/query?q=CREATE%20DATABASE%20%22telegraf%22', { Authorization: basic })).toBe(200);
  expect(await send('/query?q=SHOW%20DATABASES', { Authorization: basic })).toBe(400);
  expect(nowcast.logs.join('')).not.toContain(secret.slice(-43));
});

describe('C14: byte caps, before anybody is known and anything is parsed', () => {
  test('100 MB streamed to every route is 413, and memory stays', async () => {
    const before = process.memoryUsage().rss;
    for (const route of nowcast.server.routes) {
      const path = route.path.replaceAll(/:\w+/g, 'x');
      expect([route.method, route.path, await statusOfFlood(route.method, path)]).toEqual([
        route.method,
        route.path,
        413,
      ]);
    }
    expect(process.memoryUsage().rss - before).toBeLessThan(150 * 1024 * 1024);
  });

  test('a declared length above the cap is refused without a byte of it, also where the sender asks first', async () => {
    const headers = { 'Content-Length': '99999999', Expect: '100-continue', ...json };
    expect((await raw('POST', '/login', headers)).status).toBe(413);
  });

  test('a body where none is taken is refused', async () => {
    const { cookie } = await nowcast.signIn('viewer');
    expect((await raw('GET', '/api/v1/me', { Cookie: cookie }, 'x')).status).toBe(413);
  });
});

test('C16: a JSON body nested a million levels deep is a 400', async () => {
  const body = '['.repeat(60_000);
  expect((await raw('POST', '/login', json, body)).status).toBe(400);
});

describe('routes as a whole', () => {
  test('the OpenAPI document names every documented route, its body and its parameters', async () => {
    const document = (await (await fetch(`${nowcast.url}/api/openapi.json`)).json()) as {
      openapi: string;
      paths: Record<string, Record<string, object>>;
      components: { schemas: Record<string, object> };
    };
    expect(document.openapi).toBe('3.1.0');
    expect(Object.keys(document.paths)).toEqual(
      expect.arrayContaining(['/login', '/data', '/updates', '/api/v1/ingest']),
    );
    expect(document.components.schemas['Query']).toMatchObject({ required: ['metric_type'] });
    expect(document.paths['/data']!['get']).toMatchObject({
      parameters: expect.arrayContaining([
        expect.objectContaining({ name: 'metric_type', required: true, schema: { type: 'string' } }),
        expect.objectContaining({ name: 'where', schema: { type: 'array', items: { type: 'string' } } }),
      ]) as unknown,
    });
    expect(document.paths['/login']!['post']).toMatchObject({
      requestBody: { content: { 'application/json': { schema: { required: ['login', 'password'] } } } },
    });
    expect(document.paths['/api/v1/boards/{board_id}']!['get']).toMatchObject({
      parameters: [{ name: 'board_id', in: 'path', required: true }],
    });
    expect(await (await fetch(`${nowcast.url}/api/docs`)).text()).toContain('/api/v1/boards/:board_id');
  });

  test('an unknown address and a wrong method say so', async () => {
    expect(await (await fetch(`${nowcast.url}/api/v1/nothing`)).json()).toMatchObject({
      error: { code: 'request.not_found', number: 1001, retryable: false },
    });
    const wrong = await fetch(`${nowcast.url}/data`, { method: 'DELETE' });
    expect([wrong.status, wrong.headers.get('allow')]).toEqual([405, 'GET']);
  });
});

test('C19: a client that sends its headers drop by drop is cut off, and others are served meanwhile', async () => {
  const slow = connect(nowcast.port, '127.0.0.1');
  slow.write('GET / HTTP/1.1\r\nHost: x\r\n');
  const drops = setInterval(() => slow.write('X-A: 1\r\n'), 500);
  const started = performance.now();
  const closed = new Promise<string>((resolve) => {
    let text = '';
    slow.on('data', (chunk) => (text += chunk.toString()));
    slow.on('close', () => resolve(text));
    slow.on('error', () => undefined);
  });
  expect((await fetch(`${nowcast.url}/healthz`)).status).toBe(200);
  expect(await closed).toMatch(/408/);
  clearInterval(drops);
  expect(performance.now() - started).toBeGreaterThan(5000);
});

test('C19: one address cannot take all connections', async () => {
  const small = await startTestServer({ maxConnectionsPerAddress: 5 });
  const from = (localAddress: string) =>
    new Promise<'open' | 'closed'>((resolve) => {
      const socket = connect({ port: small.port, host: '127.0.0.1', localAddress });
      socket.on('error', () => undefined);
      socket.on('close', () => resolve('closed'));
      socket.write('GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n');
      socket.on('data', () => resolve('open'));
    });
  for (let i = 0; i < 5; i++) expect(await from('127.0.0.1')).toBe('open');
  expect(await from('127.0.0.1')).toBe('closed');
  expect(await from('127.0.0.2')).toBe('open');
  await small.stop();
});

interface RawAnswer {
  status: number;
  text: string;
}

/** Exactly these headers; `fetch` adds its own. */
function raw(
  method: string,
  path: string,
  headers: Record<string, string>,
  body?: string,
): Promise<RawAnswer> {
  return new Promise((resolve, reject) => {
    const length = body === undefined ? {} : { 'Content-Length': String(Buffer.byteLength(body)) };
    const request = httpRequest(
      { host: '127.0.0.1', port: nowcast.port, method, path, headers: { ...length, ...headers } },
      (response) => void collect(response).then(resolve, reject),
    );
    request.on('error', reject);
    if (headers['Expect'] === undefined) request.end(body);
    else request.flushHeaders();
  });
}

async function collect(response: IncomingMessage): Promise<RawAnswer> {
  return { status: response.statusCode ?? 0, text: Buffer.concat(await response.toArray()).toString() };
}

/** A request target as it is, not as a URL parser would clean it up. */
function rawPath(path: string): Promise<RawAnswer> {
  return new Promise((resolve, reject) => {
    const socket = connect(nowcast.port, '127.0.0.1');
    let text = '';
    socket.on('data', (chunk) => (text += chunk.toString()));
    socket.on('close', () => resolve({ status: Number(text.split(' ')[1]), text }));
    socket.on('error', reject);
    socket.write(`GET ${path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`);
  });
}

/** Streams up to 100 MB without saying how much it will be, until there is an answer. */
function statusOfFlood(method: string, path: string): Promise<number> {
  return new Promise((resolve, reject) => {
    const socket = connect(nowcast.port, '127.0.0.1');
    const chunk = Buffer.concat([Buffer.from('100000\r\n'), Buffer.alloc(0x100000), Buffer.from('\r\n')]);
    let sent = 0;
    let answered = false;
    const more = (): void => {
      if (answered || sent++ === 100) return;
      if (socket.write(chunk)) setImmediate(more);
    };
    socket.on('drain', more);
    socket.once('data', (data) => {
      answered = true;
      resolve(Number(data.toString('latin1').split(' ')[1]));
      socket.destroy();
    });
    socket.on('error', (error) => (answered ? undefined : reject(error)));
    socket.write(
      `${method} ${path} HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n`,
    );
    more();
  });
}
