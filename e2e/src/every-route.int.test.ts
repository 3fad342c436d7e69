/**
 * C11 from outside: what the real program says it serves, asked for by nobody in particular. The list comes from the
 * program itself (its own tests see to it that nothing is missing in it), so new routes are asked too.
 */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { callAs, signInOwner } from '../fixtures/people.ts';
import { type RunningServer, startServer } from './server.ts';

let server: RunningServer;
beforeAll(async () => {
  server = await startServer(['--no-collector']);
});
afterAll(() => server?.destroy());

/** `/metrics` answers this machine without a session. */
const open = [
  'GET /api/v1/info',
  'GET /healthz',
  'GET /metrics',
  'GET /readyz',
  'POST /api/v1/setup',
  'POST /login',
  'POST /logout',
];

test('C11: without a valid session or key no route answers but the ones for everybody', async () => {
  const document = (await (await fetch(`${server.url}/api/openapi.json`)).json()) as {
    paths: Record<string, Record<string, object>>;
  };
  const routes = Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.keys(methods).map((method) => ({ method: method.toUpperCase(), path })),
  );
  expect(routes.length).toBeGreaterThan(30);
  const leaver = await signInOwner(server);
  expect((await callAs(leaver, server.url, 'POST', '/logout')).status).toBe(204);
  for (const headers of [
    {},
    { Authorization: `Bearer ${leaver.token}` },
    { Cookie: leaver.cookie },
    { Authorization: `Bearer ${server.key.slice(0, -1)}` },
  ]) {
    const answering: string[] = [];
    for (const { method, path } of routes) {
      const address = `${server.url}${path.replaceAll(/\{\w+\}/g, 'x')}`;
      const answer = await fetch(address, { method, headers: headers as Record<string, string> });
      await answer.body?.cancel();
      if (answer.status !== 401) answering.push(`${method} ${path}`);
    }
    expect(answering.sort()).toEqual(open);
  }
});
