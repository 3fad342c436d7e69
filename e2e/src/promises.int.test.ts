/**
 * What is promised about security, from outside: the real program over real sockets. Each test carries the number of
 * its promise. The rooms prove their own rules with scripted neighbours; here nothing stands between the attacker and
 * the whole.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync, zstdCompressSync } from 'node:zlib';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { DrippingPeer, openDeaf, statusOfFlood } from '../fixtures/attackers.ts';
import { fetchData, ingest, readData, readFigure, readTotal } from '../fixtures/data.ts';
import { LivePeer, patience } from '../fixtures/live-peer.ts';
import { addPerson, callAs, logIn, type Person, personOf, signInOwner } from '../fixtures/people.ts';
import { type RunningServer, startServer } from './server.ts';

let server: RunningServer;
let owner: Person;
beforeAll(async () => {
  const small = ['--series-per-tenant', '2000', '--max-connections-per-address', '900'];
  server = await startServer(['--no-collector', ...small]);
  owner = await signInOwner(server);
});
afterAll(() => server?.destroy());

const me = (headers: Record<string, string>): Promise<Response> =>
  fetch(`${server.url}/api/v1/me`, { headers });
const point = (metric: string, value = 1): string => JSON.stringify({ metric_type: metric, value });

/** Resident memory of the server's process, in MiB. */
function residentMiB(): number {
  const status = readFileSync(`/proc/${server.pid}/status`, 'utf8');
  return Number(/VmRSS:\s+(\d+) kB/.exec(status)![1]) / 1024;
}

describe('C1: sessions', () => {
  test('a new id at every login and at a change of one’s own role; the old one is nobody', async () => {
    const again = await logIn(server.url, server.login, { Cookie: owner.cookie });
    const [session, device] = again.headers.getSetCookie();
    expect(session).toMatch(/^nowcast=[\w-]{43}; Path=\/; HttpOnly; SameSite=Lax; Max-Age=\d+$/);
    expect(device).toMatch(/^nowcast-device=[\w-]{43}; Path=\/; HttpOnly; SameSite=Lax; Max-Age=31536000$/);
    expect((await me({ Cookie: owner.cookie })).status).toBe(401);
    owner = await signInOwner(server);

    const second = await addPerson(server.url, owner, 'second', 'owner');
    const stepped = await callAs(second, server.url, 'PATCH', `/api/v1/users/${second.userId}`, {
      role: 'admin',
    });
    const rotated = stepped.headers.getSetCookie()[0]!.split(';')[0]!;
    expect(second.cookie).not.toContain(rotated);
    expect((await me({ Cookie: second.cookie })).status).toBe(401);
    expect(await (await me({ Cookie: rotated })).json()).toMatchObject({ role: 'admin' });
  });
});

describe('C2: what is revoked reaches open sockets', () => {
  test('a hundred sockets of a key, a session, a disabled person and a lesser role hear nothing more', async () => {
    const witness = await LivePeer.open(server.url, server.key);
    await witness.watch('secret', { agg: 'max' });
    const made = await callAs(owner, server.url, 'POST', '/api/v1/keys', { name: 'wall', scopes: ['read'] });
    const { secret, key_id } = (await made.json()) as { secret: string; key_id: string };
    const [leaver, disabled, lesser] = await Promise.all(
      ['leaver', 'disabled', 'lesser'].map((login) => addPerson(server.url, owner, login, 'editor')),
    );
    const revocations: [token: string, revoke: () => Promise<Response>][] = [
      [secret, () => callAs(owner, server.url, 'DELETE', `/api/v1/keys/${key_id}`)],
      [leaver!.token, () => callAs(leaver!, server.url, 'POST', '/logout')],
      [
        disabled!.token,
        () => callAs(owner, server.url, 'PATCH', `/api/v1/users/${disabled!.userId}`, { disabled: true }),
      ],
      [
        lesser!.token,
        () => callAs(owner, server.url, 'PATCH', `/api/v1/users/${lesser!.userId}`, { role: 'viewer' }),
      ],
    ];
    for (const [round, [token, revoke]] of revocations.entries()) {
      const peers = await Promise.all(Array.from({ length: 25 }, () => LivePeer.open(server.url, token)));
      await Promise.all(peers.map((peer) => peer.watch('secret', { agg: 'max' })));
      await ingest(server, point('secret', 10 * round + 1));
      await Promise.all(peers.map((peer) => peer.hears('delta')));
      expect((await revoke()).status).toBeLessThan(300);
      const marker = 10 * round + 2;
      await ingest(server, point('secret', marker));
      await vi.waitFor(
        () => expect(JSON.stringify(witness.of('delta').at(-1))).toContain(`,${marker}]`),
        patience,
      );
      const ends = await Promise.all(peers.map((peer) => peer.ends()));
      expect(new Set(ends.map(({ code, reason }) => `${code} ${reason}`))).toEqual(
        new Set(['4401 auth.revoked']),
      );
      for (const peer of peers) expect(JSON.stringify(peer.messages)).not.toContain(`,${marker}]`);
      expect(
        (
          await fetch(`${server.url}/data?metric_type=secret`, {
            headers: { Authorization: `Bearer ${token}` },
          })
        ).status,
      ).toBe(401);
    }
    expect(witness.closed).toBeUndefined();
    witness.close();
  });
});

describe('C4: guessing', () => {
  test('C4: of hundreds of guesses few are compared, the owner gets in from a known device, and unknown names cost the same', async () => {
    const device = owner.cookie;
    const checks = () => readFigure(server, 'password_checks_total');
    const before = await checks();
    const guesses = await Promise.all(
      Array.from({ length: 400 }, (_, i) =>
        logIn(server.url, { login: 'ada', password: `guess number ${i}` }),
      ),
    );
    expect((await checks()) - before).toBeLessThanOrEqual(20);
    expect(guesses.filter(({ status }) => status === 429).length).toBeGreaterThanOrEqual(380);
    const refused = guesses.find(({ status }) => status === 429)!;
    expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(0);
    const home = await logIn(server.url, server.login, { Cookie: device });
    expect(home.status).toBe(200);
    owner = await personOf('ada', home);

    const costs: number[] = [];
    for (const login of ['second', 'nobody-of-this-name']) {
      const from = await checks();
      const answer = await logIn(server.url, { login, password: 'wrong wrong wrong' });
      expect(await answer.json()).toMatchObject({ error: { code: 'auth.invalid_credentials' } });
      costs.push((await checks()) - from);
    }
    expect(costs).toEqual([1, 1]);
  });
});

async function signedInWith(device: string): Promise<Person> {
  return personOf('ada', await logIn(server.url, server.login, { Cookie: device }));
}

test('C6: what is set up cannot be set up again, and no setup link is printed', async () => {
  const owner2 = {
    token: 'x',
    organisation: 'B',
    name: 'B',
    email: 'b@example.com',
    username: 'bbb',
    password: 'correct horse',
  };
  const answer = await fetch(`${server.url}/api/v1/setup`, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify(owner2),
  });
  expect(answer.status).toBe(404);
  expect(server.output()).not.toContain('setup?token');
});

test('C9: every page answer has a nonce of its own, and each script of the built page carries it or is a file of ours', async () => {
  const nonces = new Set<string>();
  for (const path of ['/', '/', '/login', '/boards/x', '/sources']) {
    const answer = await fetch(`${server.url}${path}`);
    const policy = answer.headers.get('content-security-policy') ?? '';
    const nonce = /script-src 'self' 'nonce-([\w+/=-]{22,})'/.exec(policy)?.[1];
    expect([path, nonce]).toEqual([path, expect.any(String)]);
    nonces.add(nonce!);
    expect(policy).not.toMatch(/unsafe|https?:|\*/);
    for (const directive of ["object-src 'none'", "base-uri 'none'", "frame-ancestors 'none'"])
      expect(policy).toContain(directive);
    for (const [tag] of (await answer.text()).matchAll(/<(?:script|style)\b[^>]*>/g))
      expect([path, tag, tag.includes(`nonce="${nonce}"`) || tag.includes('src="/assets/')]).toEqual([
        path,
        tag,
        true,
      ]);
  }
  expect(nonces.size).toBe(5);
});

describe('C10: what a stranger claims', () => {
  test('forwarding headers of an unknown proxy change neither the cookie, nor the address, nor the origin', async () => {
    const spoofed = {
      'X-Forwarded-Proto': 'https',
      'X-Forwarded-Host': 'evil.example',
      'X-Forwarded-For': '127.0.0.1',
    };
    const answer = await logIn(server.url, server.login, { ...spoofed, Cookie: owner.cookie });
    expect(answer.status).toBe(200);
    expect(answer.headers.getSetCookie()[0]).toMatch(/^nowcast=[^;]+; Path=\/; HttpOnly/);
    expect(answer.headers.getSetCookie()[0]).not.toContain('Secure');
    const foreign = { ...spoofed, Origin: 'https://evil.example' };
    expect((await logIn(server.url, server.login, foreign)).status).toBe(403);
    // A proxy that is not configured stands before us: what it passes on is not from this machine.
    const figures = await fetch(`${server.url}/metrics`, { headers: { 'X-Forwarded-For': '203.0.113.7' } });
    expect(figures.status).toBe(401);
    owner = await signedInWith(owner.cookie);
  });

  test('no encoding of a foreign address makes the login send people away', async () => {
    const piece = fc.constantFrom(
      '/',
      '\\',
      '//',
      'evil.example',
      '%2f',
      '%5c',
      '\t',
      '@',
      ':',
      'https:',
      'javascript:',
      '.',
      '?',
      '#',
      ' ',
      '\u0000',
      'a',
    );
    const next = fc.array(piece, { maxLength: 6 }).map((pieces) => pieces.join(''));
    const property = fc.asyncProperty(next, async (target) => {
      const answer = await fetch(`${server.url}/login`, {
        method: 'POST',
        headers: { Cookie: owner.cookie },
        body: new URLSearchParams({ ...server.login, next: target }),
        redirect: 'manual',
      });
      expect(answer.status).toBe(303);
      const location = answer.headers.get('location') ?? '';
      expect(new URL(location, server.url).origin).toBe(server.url);
      expect(location).toMatch(/^\/(?![/\\])/);
      const [session, device] = answer.headers.getSetCookie().map((header) => header.split(';')[0]);
      owner = { ...owner, cookie: `${session}; ${device}` };
    });
    await fc.assert(property, { numRuns: 40 });
    owner = await signedInWith(owner.cookie);
  });
});

test('C12: a key reads and writes what its scopes say, never from a URL, and no file of the server holds its secret', async () => {
  const made = await callAs(owner, server.url, 'POST', '/api/v1/keys', { name: 'shop' });
  const { secret } = (await made.json()) as { secret: string };
  const shop = { url: server.url, key: secret };
  expect((await ingest(shop, point('scoped'))).status).toBe(200);
  expect((await fetchData(shop, { metric_type: 'scoped' })).status).toBe(403);
  expect((await fetch(`${server.url}/updates?metric_type=scoped&p=${secret}`)).status).toBe(401);
  expect(
    (await fetch(`${server.url}/api/v1/ingest?p=${secret}`, { method: 'POST', body: '{}' })).status,
  ).toBe(401);
  for (const credential of [secret, owner.token, server.login.password]) {
    const found = filesBelow(server.dataDir).filter((file) =>
      readFileSync(file).includes(credential.slice(-40)),
    );
    expect(found).toEqual([]);
    expect(server.log()).not.toContain(credential);
  }
});

function filesBelow(folder: string): string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map(({ parentPath, name }) => join(parentPath, name));
}

test('C14: 100 MB streamed at every address is a 413, and memory stays', async () => {
  const document = (await (await fetch(`${server.url}/api/openapi.json`)).json()) as {
    paths: Record<string, Record<string, object>>;
  };
  const addresses = Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.keys(methods).map((method) => [method.toUpperCase(), path.replaceAll(/\{\w+\}/g, 'x')] as const),
  );
  expect(addresses.length).toBeGreaterThan(30);
  const unlisted = [
    ['POST', '/nothing'],
    ['GET', '/'],
    ['PUT', '/assets/x.js'],
    ['GET', '/ping'],
  ] as const;
  const pass = async (): Promise<number> => {
    const before = residentMiB();
    for (const [method, path] of [...addresses, ...unlisted]) {
      // A kernel may throw the answer away when the sender goes on for too long: then it is asked again.
      const status = await vi.waitFor(() => statusOfFlood(server.port, method, path), patience);
      expect([method, path, status]).toEqual([method, path, 413]);
    }
    return residentMiB() - before;
  };
  // The first pass also pays for buffers that stay; what leaked would show in every other one.
  expect(await pass()).toBeLessThan(150);
  expect(Math.min(await pass(), await pass())).toBeLessThan(50);
});

test('C15: bombs at all three doors are refused, and memory stays', async () => {
  const zeros = Buffer.alloc(100 * 1024 * 1024);
  const bombs = { gzip: gzipSync(zeros), zstd: zstdCompressSync(zeros), snappy: Buffer.from('x') };
  const before = residentMiB();
  for (const door of ['/api/v1/ingest', '/write', '/api/v2/write']) {
    for (const [encoding, body] of Object.entries(bombs)) {
      const headers = { Authorization: `Bearer ${server.key}`, 'Content-Encoding': encoding };
      const answer = await fetch(`${server.url}${door}`, { method: 'POST', headers, body });
      expect([door, encoding, answer.status]).toEqual([door, encoding, encoding === 'snappy' ? 415 : 413]);
    }
  }
  expect(residentMiB() - before).toBeLessThan(200);
});

test('C16: a million levels are a 400 at the ingest door, and __proto__ is a label like another', async () => {
  expect((await ingest(server, '['.repeat(1_000_000))).status).toBe(400);
  expect((await ingest(server, `{"a":`.repeat(500_000))).status).toBe(400);
  const body = '{"metric_type":"proto","value":1,"labels":{"__proto__":"polluted","constructor":"x"}}';
  expect(await (await ingest(server, body)).json()).toEqual({ accepted: 1 });
  const { series } = await readData(server, {
    metric_type: 'proto',
    agg: 'count',
    group_by: '__proto__',
    where: '__proto__:polluted',
    window: '5m',
  });
  expect(JSON.stringify(series.map(({ labels }) => labels))).toBe('[{"__proto__":"polluted"}]');
});

test('C17: labels without end are refused one by one with the limit; what is known goes on, and memory stays', async () => {
  expect((await ingest(server, point('steady'))).status).toBe(200);
  const before = residentMiB();
  let refusals = 0;
  let told = '';
  for (let round = 0; round < 10; round++) {
    const lines = Array.from({ length: 10_000 }, (_, i) => `wild,id=u${round * 10_000 + i} value=1`).join(
      '\n',
    );
    const answer = await fetch(`${server.url}/api/v2/write`, {
      method: 'POST',
      headers: { Authorization: `Token ${server.key}` },
      body: lines,
    });
    if (answer.status !== 422) continue;
    const report = (await answer.json()) as { rejected_count: number; message: string };
    refusals += report.rejected_count;
    told = report.message;
  }
  expect(refusals).toBeGreaterThan(97_000);
  expect(told).toMatch(/2,?000/);
  expect(residentMiB() - before).toBeLessThan(150);
  expect(await readFigure(server, 'series')).toBeLessThanOrEqual(2000);
  expect((await ingest(server, point('steady'))).status).toBe(200);
  expect(await readTotal(server, { metric_type: 'steady', agg: 'count', window: '5m', step: '1h' })).toBe(2);
});

test('C18: an expression that backtracks elsewhere is harmless over the wire, and a broken one is named', async () => {
  for (const expression of ['(a+)+$', '(a|aa)+$', '(.*a){20}$']) {
    const answer = await fetchData(server, {
      metric_type: 'wild',
      agg: 'count',
      where: `id:~${expression}`,
      window: '5m',
    });
    expect(answer.status).toBe(200);
  }
  const broken = await fetchData(server, { metric_type: 'wild', where: 'id:~(', window: '5m' });
  expect([broken.status, await broken.json()]).toMatchObject([400, { error: { code: 'query.invalid' } }]);
});

describe('C19, C20: connections that take without giving', () => {
  test('C19: hundreds of dripping connections are cut off, those beyond the cap at once, and others are served meanwhile', async () => {
    const others = await readFigure(server, 'connections');
    const slow = Array.from({ length: 850 - others }, () => new DrippingPeer(server.port));
    const drip = setInterval(() => slow.forEach((peer) => peer.drip()), 1000);
    try {
      await vi.waitFor(
        async () => expect(await readFigure(server, 'connections')).toBeGreaterThan(800),
        patience,
      );
      for (let i = 0; i < 20; i++) expect((await ingest(server, point('steady'))).status).toBe(200);
      const beyond = Array.from({ length: 200 }, () => new DrippingPeer(server.port));
      await vi.waitFor(
        () => expect(beyond.filter(({ ended }) => ended).length).toBeGreaterThanOrEqual(90),
        patience,
      );
      expect(await readFigure(server, 'connections_refused_total')).toBeGreaterThan(0);
      beyond.forEach((peer) => peer.close());
      await vi.waitFor(() => expect(slow.every(({ ended }) => ended)).toBe(true), {
        timeout: 60_000,
        interval: 100,
      });
      expect(slow.map(({ status }) => status)).toContain('408');
    } finally {
      clearInterval(drip);
      slow.forEach((peer) => peer.close());
    }
  });

  test('C20: a viewer that reads nothing costs no memory, and the others hear everything', async () => {
    const reader = await LivePeer.open(server.url, server.key);
    await reader.watch('wild', { agg: 'count', group_by: ['id'], limit: 2000, step: '1s' });
    const already = reader.total('wild');
    const deaf = await openDeaf(server, {
      metric_type: 'wild',
      agg: 'count',
      group_by: ['id'],
      limit: 2000,
      window: '5m',
      step: '1s',
    });
    const before = residentMiB();
    const known = Array.from({ length: 1900 }, (_, i) => i);
    for (let round = 1; round <= 40; round++) {
      const at = Date.now();
      const body = known.map((i) => `wild,id=u${i} value=${round} ${at}`).join('\n');
      const headers = { Authorization: `Token ${server.key}` };
      const answer = await fetch(`${server.url}/write?precision=ms`, { method: 'POST', headers, body });
      expect(answer.status).toBe(204);
    }
    const rounds = { timeout: patience.timeout, interval: 200 };
    await vi.waitFor(() => expect(reader.total('wild') - already).toBe(40 * known.length), rounds);
    expect(residentMiB() - before).toBeLessThan(150);
    expect(reader.closed).toBeUndefined();
    deaf.destroy();
    reader.close();
  });
});

test('C21: no label becomes a formula in the CSV of GET /data', async () => {
  const cells = ['=1+1', '+1', '-1', '@SUM(A1)', '\t=1', "'=1", 'plain, "quoted"'];
  const sheet = await startServer(['--no-collector']);
  try {
    const points = cells.map((cell) => JSON.stringify({ metric_type: 'sheet', value: 1, labels: { cell } }));
    expect((await ingest(sheet, `[${points.join(',')}]`)).status).toBe(200);
    const answer = await fetchData(sheet, {
      metric_type: 'sheet',
      agg: 'count',
      group_by: 'cell',
      window: '1h',
      step: '1h',
      format: 'csv',
    });
    const text = await answer.text();
    for (const cell of cells.slice(0, 6)) expect(text).toContain(`'${cell}`);
    expect(text).toContain('"plain, ""quoted"""');
    expect(text).not.toMatch(/,"?[=+@\t-]/);
  } finally {
    await sheet.destroy();
  }
});
