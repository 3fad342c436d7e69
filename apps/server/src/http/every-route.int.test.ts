/**
 * What holds for every route, generated from the router: a route that is added later is tested without anybody
 * remembering to, and one that should not be open fails here.
 */
import { request as httpRequest } from 'node:http';
import { can } from '@nowcast/access';
import { type Actor, roles } from '@nowcast/contract';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startTestServer, type TestServer } from '../testing/start-server.ts';
import type { Route } from './route.ts';

let nowcast: TestServer;
let routes: readonly Route[];
beforeAll(async () => {
  nowcast = await startTestServer();
  ({ routes } = nowcast.server);
});
afterAll(() => nowcast.stop());

/** The status of one request with exactly these headers and no body. */
function call({ method, path }: Route, headers: Record<string, string>): Promise<number> {
  return new Promise((resolve, reject) => {
    const address = { host: '127.0.0.1', port: nowcast.port, path: path.replaceAll(/:\w+/g, 'x') };
    const request = httpRequest({ ...address, method, headers, agent: false }, (response) => {
      resolve(response.statusCode ?? 0);
      response.destroy();
    });
    request.on('error', reject);
    request.end();
  });
}

const nameOf = ({ method, path }: Route): string => `${method} ${path}`;

/** The status of each route, by its name. */
async function answersOf(
  which: readonly Route[],
  headers: Record<string, string>,
): Promise<Record<string, number>> {
  const answers: Record<string, number> = {};
  for (const route of which) answers[nameOf(route)] = await call(route, headers);
  return answers;
}

describe('C7: every change, asked for by other sites', () => {
  const own = 'own';
  test.each([
    ['our page', { 'Sec-Fetch-Site': 'same-origin', Origin: own }, true],
    ['our page, an old browser', { Origin: own }, true],
    ['the address bar', { 'Sec-Fetch-Site': 'none' }, true],
    ['a program', {}, true],
    ['another site', { 'Sec-Fetch-Site': 'cross-site', Origin: 'https://evil.example' }, false],
    ['a sibling site', { 'Sec-Fetch-Site': 'same-site', Origin: 'https://x.example' }, false],
    ['another site, an old browser', { Origin: 'https://evil.example' }, false],
    ['a sandboxed frame', { Origin: 'null' }, false],
  ])('%s', async (_name, headers: Record<string, string>, welcome) => {
    const changing = routes.filter(({ method }) => method !== 'GET');
    expect(changing.length).toBeGreaterThan(20);
    const { cookie } = await nowcast.signIn('owner');
    const origin = headers['Origin'] === own ? { Origin: nowcast.url } : {};
    const answers = await answersOf(changing, { ...headers, ...origin, Cookie: cookie });
    // An owner may do everything, so whatever else is wrong with the request, a refusal is one of the origin.
    const refused = Object.entries(answers).filter(([, status]) => status === 403);
    expect(refused.map(([name]) => name)).toEqual(welcome ? [] : changing.map(nameOf));
  });
});

describe('C11: who may call what', () => {
  const guarded = (): Route[] => routes.filter(({ access }) => access !== 'public');

  test('without a session, or with one that is made up, ended or somebody’s password, nothing answers but what is public', async () => {
    const ended = await nowcast.signIn('owner');
    await nowcast.access.sessions.endByToken(ended.token);
    const { secret } = await nowcast.makeKey('ingest', 'read');
    const nobody: Record<string, string>[] = [
      {},
      { Cookie: 'nowcast=' },
      { Cookie: 'nowcast=made-up; __Host-nowcast=made-up' },
      { Cookie: ended.cookie },
      { Authorization: `Bearer ${ended.token}` },
      { Authorization: `Bearer ${secret.slice(0, -1)}` },
      { Authorization: 'Bearer' },
      { Authorization: `Basic ${Buffer.from('owner:correct horse battery').toString('base64')}` },
      { 'X-Forwarded-For': '127.0.0.1', 'X-Forwarded-Host': 'localhost' },
    ];
    // What is for this machine and for admins answers this machine: it is asked as a page of another name would.
    const stranger = { Host: 'evil.example' };
    for (const headers of nobody) {
      const answers = await answersOf(guarded(), { ...stranger, ...headers });
      expect(Object.entries(answers).filter(([, status]) => status !== 401)).toEqual([]);
    }
  });

  test('the public ones are these, and no others', () => {
    const open = routes.filter(({ access }) => access === 'public').map(nameOf);
    expect(open.sort()).toEqual([
      'GET /api/docs',
      'GET /api/openapi.json',
      'GET /api/v1/info',
      'GET /health',
      'GET /healthz',
      'GET /ping',
      'GET /readyz',
      'POST /api/v1/setup',
      'POST /login',
      'POST /logout',
    ]);
  });

  test('every route is in the OpenAPI document, except these', () => {
    const hidden = routes.filter(({ summary }) => summary === undefined).map(nameOf);
    expect(hidden.sort()).toEqual([
      'GET /api/docs',
      'GET /api/openapi.json',
      'GET /health',
      'GET /ping',
      'POST /query',
    ]);
  });

  test.each(roles)('a role of %s is let in exactly where its rights say so', async (role) => {
    const person = await nowcast.signIn(role);
    const actor: Actor = {
      kind: 'user',
      tenant_id: nowcast.owner.tenant_id,
      user_id: person.userId,
      role,
      session_id: '',
    };
    await expectRights(actor, { Cookie: person.cookie });
  });

  test.each(['ingest', 'read'] as const)(
    'a key for %s is let in exactly where its scope says so',
    async (scope) => {
      const { secret, keyId } = await nowcast.makeKey(scope);
      const actor: Actor = {
        kind: 'key',
        tenant_id: nowcast.owner.tenant_id,
        key_id: keyId,
        scopes: [scope],
      };
      await expectRights(actor, { Authorization: `Bearer ${secret}` });
    },
  );

  /** What is asked for does not exist, so nothing is changed by those who are let in. */
  async function expectRights(actor: Actor, headers: Record<string, string>): Promise<void> {
    const answers = await answersOf(guarded(), { ...headers, Host: `localhost:${nowcast.port}` });
    const wrong = guarded().filter((route) => {
      const { access } = route;
      if (typeof access !== 'string' || access === 'public') return false;
      const status = answers[nameOf(route)]!;
      return can(actor, access) ? status === 401 || status === 403 : status !== 403;
    });
    expect(wrong.map((route) => [nameOf(route), answers[nameOf(route)]])).toEqual([]);
  }
});
