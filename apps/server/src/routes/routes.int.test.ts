import { get } from 'node:http';
import { type BoardContentInput, boardContentSchema } from '@nowcast/contract';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import * as z from 'zod/mini';
import { startTestServer, type TestServer, until } from '../testing/start-server.ts';

let nowcast: TestServer;
type Person = Awaited<ReturnType<TestServer['signIn']>>;
let editor: Person;
let viewer: Person;
let admin: Person;

beforeAll(async () => {
  nowcast = await startTestServer();
  editor = await nowcast.signIn('editor');
  viewer = await nowcast.signIn('viewer');
  admin = await nowcast.signIn('admin');
});
afterAll(() => nowcast.stop());

interface Reply {
  status: number;
  body: Record<string, unknown>;
}

async function call(who: Person, method: string, path: string, body?: unknown): Promise<Reply> {
  const answer = await fetch(`${nowcast.url}${path}`, {
    method,
    headers: { Cookie: who.cookie, ...(body === undefined ? {} : { 'Content-Type': 'application/json' }) },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  const text = await answer.text();
  return { status: answer.status, body: text === '' ? {} : (JSON.parse(text) as Record<string, unknown>) };
}

const content = (title: string, shared: boolean): BoardContentInput => ({
  title,
  shared,
  variables: [{ label: 'host', title: 'Host', selected: ['a'] }],
  panels: [
    {
      visualization_id: `panel-${title}`,
      title: 'CPU',
      metric_type: 'cpu_usage',
      chart_type: 'line',
      query: {},
      layout: { x: 0, y: 0, w: 6, h: 8 },
      display: {},
    },
  ],
});

describe('boards', () => {
  test('made, read, saved, found in an old version by whoever may; a stale save is told which version is there', async () => {
    const made = await call(editor, 'POST', '/api/v1/boards', { content: content('Shop', true) });
    expect(made.status).toBe(201);
    const path = `/api/v1/boards/${String(made.body['board_id'])}`;
    expect((await call(viewer, 'GET', path)).body).toMatchObject({
      title: 'Shop',
      editable: false,
      version: 1,
    });
    const save = { content: z.parse(boardContentSchema, content('Store', true)), base_version: 1 };
    expect((await call(viewer, 'PUT', path, save)).status).toBe(403);
    expect((await call(editor, 'PUT', path, save)).body).toMatchObject({ title: 'Store', version: 2 });
    expect(await call(editor, 'PUT', path, save)).toMatchObject({
      status: 409,
      body: { error: { code: 'request.conflict', details: { version: 2 } } },
    });
    expect((await call(viewer, 'GET', `${path}/versions`)).body['versions']).toHaveLength(2);
    expect((await call(viewer, 'GET', `${path}/versions/1`)).body).toMatchObject({ title: 'Shop' });
    expect((await call(viewer, 'GET', `${path}/versions/one`)).status).toBe(400);
    expect((await call(viewer, 'PUT', `${path}/star`, { starred: true })).status).toBe(204);
    expect((await call(viewer, 'GET', '/api/v1/boards')).body['boards']).toMatchObject([{ starred: true }]);
    expect((await call(viewer, 'POST', `${path}/duplicate`)).status).toBe(403);
    expect((await call(admin, 'POST', `${path}/duplicate`)).body).toMatchObject({
      shared: false,
      editable: true,
    });
    expect((await call(viewer, 'DELETE', path)).status).toBe(403);
    expect((await call(editor, 'DELETE', path)).status).toBe(204);
    expect((await call(viewer, 'GET', path)).status).toBe(404);
  });

  test('a private board does not exist for others', async () => {
    const made = await call(editor, 'POST', '/api/v1/boards', { content: content('Mine', false) });
    const path = `/api/v1/boards/${String(made.body['board_id'])}`;
    for (const person of [viewer, admin]) expect((await call(person, 'GET', path)).status).toBe(404);
    expect((await call(viewer, 'GET', '/api/v1/visualizations/panel-Mine')).status).toBe(404);
  });

  test('a visualization comes with its data, filtered by itself and by the variables that concern it', async () => {
    const made = content('Chart', true);
    made.variables = [
      { label: 'host', title: 'Host', selected: ['a'] },
      { label: 'host', title: 'Host again', selected: ['a', 'b'] },
      { label: 'shop', title: 'No series of the metric has it', selected: ['north'] },
    ];
    made.panels![0]!.query = { where: { host: { regex: '.' }, region: ['eu'] } };
    await call(editor, 'POST', '/api/v1/boards', { content: made });
    expect((await call(viewer, 'GET', '/api/v1/visualizations/panel-Chart')).body).toMatchObject({
      visualization_id: 'panel-Chart',
      user_id: editor.userId,
      metric_type: 'cpu_usage',
      chart_type: 'line',
      data: { metric_type: 'cpu_usage', agg: 'avg' },
    });
    const { where, window } = nowcast.engine.queries.at(-1)!;
    expect(window).toBe('15m');
    expect(where).toEqual({ host: { all: [{ regex: '.' }, ['a'], ['a', 'b']] }, region: ['eu'] });
  });

  test('what is wrong with a board is said by the path of the field', async () => {
    const wrong = { content: { ...content('Bad', true), panels: [{ title: 1 }] } };
    expect((await call(editor, 'POST', '/api/v1/boards', wrong)).body).toMatchObject({
      error: { code: 'request.invalid', message: expect.stringContaining('content.panels.0') as string },
    });
  });
});

describe('reading', () => {
  test.each([
    [
      'application/json',
      '{"metric_type":"m","agg":"avg","across":"merge","step_ms":1000,"from":0,"to":3000,"complete_to":3000,"series":[{"labels":{"host":"=a"},"timestamp":[1000,2000],"value":[1.5,null]}]}',
    ],
    [
      'application/x-ndjson',
      '{"metric_type":"m","labels":{"host":"=a"},"timestamp":1000,"value":1.5}\n{"metric_type":"m","labels":{"host":"=a"},"timestamp":2000,"value":null}\n',
    ],
    ['text/csv', "timestamp,host,value\r\n1000,'=a,1.5\r\n2000,'=a,\r\n"],
  ])('%s', async (accept, expected) => {
    const answer = await fetch(`${nowcast.url}/data?metric_type=m&window=1m`, {
      headers: { Cookie: viewer.cookie, Accept: accept },
    });
    expect(answer.headers.get('content-type')).toContain(accept);
    expect(await answer.text()).toBe(expected);
  });

  test('several conditions on one label all reach the engine, one parameter each', async () => {
    const path = '/data?metric_type=m&where=region:eu|us&where=host:!web-1&where=host:~web-.*';
    expect((await call(viewer, 'GET', path)).status).toBe(200);
    expect(nowcast.engine.queries.at(-1)!.where).toEqual({
      region: ['eu', 'us'],
      host: { all: [{ not: ['web-1'] }, { regex: 'web-.*' }] },
    });
  });

  test.each(['json', 'ndjson', 'csv'])(
    'pages of points as %s: the next one is named in a header',
    async (format) => {
      nowcast.engine.dataAnswer = { agg: 'none', series: [], points: [], cursor: '1792472400000~1' };
      const question = `metric_type=m&agg=none&where=host:a%7Cb&where=host:!b&format=${format}`;
      const page = (search: string) =>
        fetch(`${nowcast.url}/data?${search}`, { headers: { Cookie: viewer.cookie } });
      const link = (await page(question)).headers.get('link') ?? '';
      expect(link).toMatch(/^<\?[^<> ]*>; rel="next"$/);
      nowcast.engine.dataAnswer = {};
      const last = await page(link.slice(2, link.indexOf('>')));
      expect(last.status).toBe(200);
      expect(last.headers.get('link')).toBeNull();
      expect(nowcast.engine.queries.at(-1)).toMatchObject({
        cursor: '1792472400000~1',
        where: { host: { all: [['a', 'b'], { not: ['b'] }] } },
      });
    },
  );

  test('C16: in CSV a label called like something every object has is empty where it is missing', async () => {
    const line = { timestamp: [1000], value: [1] };
    const named = Object.fromEntries([
      ['constructor', 'x'],
      ['__proto__', 'y'],
    ]);
    nowcast.engine.dataAnswer = {
      series: [
        { ...line, labels: named },
        { ...line, labels: {} },
      ],
    };
    const answer = await fetch(`${nowcast.url}/data?metric_type=m&format=csv`, {
      headers: { Cookie: viewer.cookie },
    });
    nowcast.engine.dataAnswer = {};
    expect(await answer.text()).toBe('timestamp,__proto__,constructor,value\r\n1000,y,x,1\r\n1000,,,1\r\n');
  });

  test('an Accept header that nobody can meet', async () => {
    const headers = { Cookie: viewer.cookie, Accept: 'image/png' };
    expect((await fetch(`${nowcast.url}/data?metric_type=m`, { headers })).status).toBe(406);
  });
});

test('metrics are searched for or named, not both', async () => {
  const status = async (query: string) => (await call(viewer, 'GET', `/api/v1/metrics?${query}`)).status;
  expect(await status('search=cpu&limit=5')).toBe(200);
  expect(await status('name=cpu&name=memory')).toBe(200);
  expect(await status('name=cpu&search=c')).toBe(400);
  expect(await status('name=cpu&limit=5')).toBe(400);
});

describe('sources', () => {
  test('the page waits, and is told of the first event and of what takes its key away', async () => {
    const { secret, keyId } = await nowcast.makeKey('ingest');
    expect((await call(editor, 'POST', `/api/v1/sources/${keyId}/board`)).status).toBe(409);
    const answer = await fetch(`${nowcast.url}/api/v1/sources/${keyId}/events`, {
      headers: { Cookie: editor.cookie },
    });
    let text = '';
    let ended = false;
    const reading = (async () => {
      for await (const chunk of answer.body!) text += Buffer.from(chunk).toString();
      ended = true;
    })();
    const statuses = () =>
      [...text.matchAll(/event: status\ndata: (.*)\n/g)].map((match) => JSON.parse(match[1]!) as unknown);
    await until(() => statuses().length === 1);
    expect(statuses()[0]).toMatchObject({ key_id: keyId, accepted: 0, first_seen_at: null });
    await fetch(`${nowcast.url}/api/v1/ingest`, {
      method: 'POST',
      headers: { Authorization: `Bearer ${secret}` },
      body: '{"metric_type":"a","value":1}',
    });
    await until(() => statuses().length === 2);
    expect(statuses()[1]).toMatchObject({ accepted: 1, first_seen_at: 1000 });
    expect((await call(admin, 'DELETE', `/api/v1/keys/${keyId}`)).status).toBe(204);
    await reading;
    expect(ended).toBe(true);
  });

  test('keys of others do not exist, and a viewer sees none', async () => {
    expect((await call(editor, 'GET', '/api/v1/sources/unknown/events')).status).toBe(404);
    expect((await call(viewer, 'GET', '/api/v1/sources')).status).toBe(403);
  });
});

describe('people', () => {
  test('an admin adds, changes and removes; what the person had open ends', async () => {
    const person = {
      name: 'Eve',
      email: 'eve@example.com',
      username: 'eve',
      password: 'correct horse battery',
      role: 'viewer',
    };
    const made = await call(admin, 'POST', '/api/v1/users', person);
    expect([made.status, made.body['role']]).toEqual([201, 'viewer']);
    expect((await call(admin, 'POST', '/api/v1/users', person)).status).toBe(409);
    const path = `/api/v1/users/${String(made.body['user_id'])}`;
    expect((await call(admin, 'PATCH', path, { role: 'owner' })).status).toBe(403);
    expect((await call(admin, 'PATCH', path, { role: 'editor' })).body).toMatchObject({ role: 'editor' });
    expect((await call(editor, 'DELETE', path)).status).toBe(403);
    expect((await call(admin, 'DELETE', path)).status).toBe(204);
    expect((await call(editor, 'GET', '/api/v1/users')).status).toBe(403);
  });

  test('who changes their own role goes on with a new session', async () => {
    const boss = await nowcast.signIn('owner');
    const answer = await fetch(`${nowcast.url}/api/v1/users/${boss.userId}`, {
      method: 'PATCH',
      headers: { Cookie: boss.cookie, 'Content-Type': 'application/json' },
      body: '{"role":"admin"}',
    });
    const cookie = answer.headers.getSetCookie()[0]?.split(';')[0] ?? '';
    expect((await call(boss, 'GET', '/api/v1/me')).status).toBe(401);
    expect((await call({ ...boss, cookie }, 'GET', '/api/v1/me')).body).toMatchObject({ role: 'admin' });
  });
});

test('figures are for this machine and for admins', async () => {
  expect(await (await fetch(`${nowcast.url}/metrics`)).text()).toContain('nowcast_ingest_points_total 7');
  const behindProxy = { 'X-Forwarded-For': '203.0.113.9' };
  const status = async (headers: Record<string, string>) =>
    (await fetch(`${nowcast.url}/metrics`, { headers })).status;
  expect(await status(behindProxy)).toBe(401);
  expect(await status({ ...behindProxy, Cookie: viewer.cookie })).toBe(403);
  expect(await status({ ...behindProxy, Cookie: admin.cookie })).toBe(200);
  const rebound = await new Promise<number | undefined>((resolve, reject) => {
    const headers = { Host: 'evil.example' };
    get({ host: '127.0.0.1', port: nowcast.port, path: '/metrics', headers }, (answer) => {
      answer.resume();
      resolve(answer.statusCode);
    }).on('error', reject);
  });
  expect(rebound).toBe(401);
});
