import type { ConditionState, RuleContentInput } from '@nowcast/contract';
import type { DecidedTransition } from '@nowcast/ports';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startTestServer, type TestServer, until } from '../testing/start-server.ts';

let nowcast: TestServer;
type Person = Awaited<ReturnType<TestServer['signIn']>>;
let viewer: Person;
let editor: Person;
let admin: Person;

beforeAll(async () => {
  nowcast = await startTestServer();
  viewer = await nowcast.signIn('viewer');
  editor = await nowcast.signIn('editor');
  admin = await nowcast.signIn('admin');
});
afterAll(() => nowcast.stop());

interface Reply {
  status: number;
  body: Record<string, unknown>;
}

async function call(who: Person, method: string, path: string, body?: unknown): Promise<Reply> {
  const answer = await fetch(`${nowcast.url}/api/v1${path}`, {
    method,
    headers: { Cookie: who.cookie, ...(body === undefined ? {} : { 'Content-Type': 'application/json' }) },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  const text = await answer.text();
  return { status: answer.status, body: text === '' ? {} : (JSON.parse(text) as Record<string, unknown>) };
}

const list = async (who: Person, path: string, name: string) =>
  (await call(who, 'GET', path)).body[name] as Record<string, unknown>[];

const content = (name: string, metric = 'cpu'): RuleContentInput => ({
  name,
  evaluation: {
    query: { metric_type: metric },
    group_by: ['host'],
    condition: { kind: 'threshold', op: 'above', value: 90 },
  },
});

async function makeRule(name: string): Promise<string> {
  const made = await call(editor, 'POST', '/rules', content(name));
  expect(made.status).toBe(201);
  return String(made.body['rule_id']);
}

let decided = 0;
function transition(
  ruleId: string,
  host: string,
  from: ConditionState,
  to: ConditionState,
): DecidedTransition {
  const at = Date.now();
  return {
    transition_id: `t${++decided}`,
    alert_id: `alert of ${host}`,
    rule_id: ruleId,
    labels: { host },
    from,
    to,
    at,
    value: 95,
    limit: 90,
    reason: 'value',
    tenant: nowcast.owner.tenant_id,
    received_at: at - 5,
  };
}

/** An alert that fires, as the lists show it. */
async function fire(ruleId: string, host: string): Promise<string> {
  const heard = nowcast.engine.confirmed.length;
  nowcast.engine.decide(transition(ruleId, host, 'ok', 'firing'));
  await until(() => nowcast.engine.confirmed.length > heard);
  return `/alerts/${encodeURIComponent(`alert of ${host}`)}`;
}

describe('rules', () => {
  test('made, read, saved and deleted by whoever may; a stale save is told which version is there', async () => {
    expect((await call(viewer, 'POST', '/rules', content('CPU'))).status).toBe(403);
    const path = `/rules/${await makeRule('CPU')}`;
    expect((await call(viewer, 'GET', path)).body).toMatchObject({
      name: 'CPU',
      severity: 'warning',
      version: 1,
      editable: false,
      problem: null,
    });
    const save = { content: content('CPU high'), base_version: 1 };
    expect((await call(viewer, 'PUT', path, save)).status).toBe(403);
    expect((await call(editor, 'PUT', path, save)).body).toMatchObject({ name: 'CPU high', version: 2 });
    expect(await call(editor, 'PUT', path, save)).toMatchObject({
      status: 409,
      body: { error: { code: 'request.conflict', details: { version: 2 } } },
    });
    expect((await list(viewer, '/rules', 'rules')).map(({ name }) => name)).toEqual(['CPU high']);
    expect((await call(viewer, 'DELETE', path)).status).toBe(403);
    expect((await call(editor, 'DELETE', path)).status).toBe(204);
    expect((await call(viewer, 'GET', path)).status).toBe(404);
    expect(nowcast.engine.rules.size).toBe(0);
  });

  test('one that cannot be evaluated is refused in words and not kept', async () => {
    expect(await call(editor, 'POST', '/rules', content('Bad', 'refused'))).toMatchObject({
      status: 400,
      body: { error: { code: 'query.invalid', message: expect.stringContaining('window') as string } },
    });
    const none = { ...content('Bad'), evaluation: { condition: { kind: 'sometimes' } } };
    expect((await call(editor, 'POST', '/rules', none)).body).toMatchObject({
      error: { message: expect.stringContaining('evaluation.condition') as string },
    });
    expect(await list(viewer, '/rules', 'rules')).toEqual([]);
  });

  test('a preview is no rule of the id "preview"', async () => {
    const { evaluation } = content('x');
    expect((await call(viewer, 'POST', '/rules/preview', { evaluation })).body).toMatchObject({
      step_ms: 60_000,
      fired: 0,
    });
    const long = { evaluation, range: '40d' };
    expect((await call(viewer, 'POST', '/rules/preview', long)).status).toBe(400);
  });
});

describe('alerts', () => {
  test('an alert is listed, taken, given back, snoozed, over; what happened stays readable', async () => {
    const ruleId = await makeRule('Load');
    const path = await fire(ruleId, 'web-1');
    expect(await list(viewer, `/alerts?rule_id=${ruleId}`, 'alerts')).toMatchObject([
      { rule_name: 'Load', state: 'firing', labels: { host: 'web-1' }, value: 95, limit: 90 },
    ]);
    expect((await call(viewer, 'POST', `${path}/acknowledge`, {})).status).toBe(403);
    expect((await call(editor, 'POST', `${path}/acknowledge`, { note: 'mine' })).body).toMatchObject({
      state: 'acknowledged',
      acknowledged_by: editor.login,
    });
    expect(await list(viewer, `/alerts?state=firing&rule_id=${ruleId}`, 'alerts')).toEqual([]);
    const listed = async (more: string) =>
      (await list(viewer, `/alerts?rule_id=${ruleId}&${more}`, 'alerts')).length;
    expect(await listed('where=host:web-1&from=now-1m')).toBe(1);
    expect(await listed('where=host:!web-1')).toBe(0);
    expect(await listed('to=now-1h')).toBe(0);
    expect(await listed('metric_type=other')).toBe(0);
    expect(await listed('severity=info')).toBe(0);
    expect((await call(editor, 'DELETE', `${path}/acknowledge`)).body).toMatchObject({ state: 'firing' });
    const until = Date.now() + 3_600_000;
    expect((await call(editor, 'POST', `${path}/snooze`, { until: 1 })).status).toBe(400);
    expect((await call(editor, 'POST', `${path}/snooze`, { until })).body).toMatchObject({
      snoozed_until: until,
    });
    const { body } = await call(viewer, 'GET', path);
    expect(body['rule']).toMatchObject({ rule_id: ruleId });
    expect((body['events'] as { kind: string }[]).map(({ kind }) => kind)).toEqual(
      expect.arrayContaining(['firing', 'acknowledged', 'unacknowledged', 'snoozed']),
    );
    await call(editor, 'DELETE', `/rules/${ruleId}`);
    expect((await call(viewer, 'GET', path)).body).toMatchObject({
      alert: { state: 'resolved' },
      rule: null,
    });
    expect((await call(editor, 'POST', `${path}/acknowledge`, {})).status).toBe(409);
  });

  test('transitions are read by label, and are no alert of the id "transitions"', async () => {
    const ruleId = await makeRule('Disk');
    for (const host of ['db-1', 'db-2']) await fire(ruleId, host);
    const found = await list(viewer, `/alerts/transitions?rule_id=${ruleId}&where=host:!db-1`, 'transitions');
    expect(found).toMatchObject([{ labels: { host: 'db-2' }, to: 'firing', rule_name: 'Disk' }]);
    expect(found[0]).not.toHaveProperty('tenant');
    const other = await list(viewer, '/alerts/transitions?metric_type=other', 'transitions');
    expect(other).toEqual([]);
  });
});

const hour = 3_600_000;
const policies: [string, string, object, object, 'editor' | 'admin'][] = [
  [
    'silences',
    'silence_id',
    { where: {}, from: Date.now(), to: Date.now() + hour, reason: 'move' },
    {},
    'editor',
  ],
  [
    'maintenance',
    'maintenance_id',
    { name: 'Sunday', where: { host: ['nobody'] }, days: [0], start: '03:00', duration: '2h', tz: 'UTC' },
    { name: 'Sundays' },
    'admin',
  ],
  [
    'inhibitions',
    'inhibition_id',
    { name: 'Site', source: { rule: ['none'] }, target: { host: ['none'] } },
    { name: 'Sites' },
    'admin',
  ],
  [
    'channels',
    'channel_id',
    { name: 'Hook', config: { kind: 'webhook', url: 'https://hooks.example.com/T0/secret' } },
    { name: 'Hooks' },
    'admin',
  ],
];

describe('settings of alerting', () => {
  test.each(policies)(
    '%s: made, listed, changed and deleted by who may',
    async (path, id, body, change, role) => {
      const weak = role === 'admin' ? editor : viewer;
      const strong = role === 'admin' ? admin : editor;
      expect((await call(weak, 'POST', `/${path}`, body)).status).toBe(403);
      const made = await call(strong, 'POST', `/${path}`, body);
      expect([made.status, made.body]).toEqual([
        201,
        expect.objectContaining({ [id]: expect.any(String) as string }),
      ]);
      const one = `/${path}/${String(made.body[id])}`;
      expect((await list(viewer, `/${path}`, path)).map((entry) => entry[id])).toEqual([made.body[id]]);
      if (path !== 'silences') {
        expect((await call(weak, 'PUT', one, { ...body, ...change })).status).toBe(403);
        expect((await call(strong, 'PUT', one, { ...body, ...change })).body).toMatchObject(change);
      }
      expect((await call(weak, 'DELETE', one)).status).toBe(403);
      expect((await call(strong, 'DELETE', one)).status).toBe(204);
      if (path === 'silences') {
        // It ends and stays readable: people ask later why nobody was told.
        const [ended] = await list(viewer, '/silences', 'silences');
        expect(ended?.['to']).toBeLessThanOrEqual(Date.now());
        return;
      }
      expect((await call(strong, 'DELETE', one)).status).toBe(404);
      expect(await call(viewer, 'GET', `/${path}`)).toEqual({ status: 200, body: { [path]: [] } });
    },
  );

  test('maintenance says when it comes next, and lasts no longer than a week', async () => {
    const body = { name: 'Night', where: {}, days: [1], start: '03:00', duration: '2h', tz: 'UTC' };
    const preview = await call(admin, 'POST', '/maintenance/preview', body);
    const upcoming = preview.body['upcoming'] as { from: number; to: number }[];
    expect(upcoming.map(({ from }) => new Date(from).getUTCDay())).toEqual(Array<number>(10).fill(1));
    expect((upcoming[0]?.to ?? 0) - (upcoming[0]?.from ?? 0)).toBe(2 * hour);
    expect((await call(editor, 'POST', '/maintenance/preview', body)).status).toBe(403);
    for (const duration of ['0m', '169h', '99999999999h'])
      for (const path of ['/maintenance/preview', '/maintenance'])
        expect([duration, (await call(admin, 'POST', path, { ...body, duration })).status]).toEqual([
          duration,
          400,
        ]);
    const off = await call(admin, 'POST', '/maintenance', { ...body, enabled: false });
    expect(off.body['upcoming']).toEqual([]);
    const one = `/maintenance/${String(off.body['maintenance_id'])}`;
    const on = await call(admin, 'PUT', one, body);
    expect(on.body['upcoming']).toEqual(upcoming.slice(0, 5));
    expect((await call(admin, 'DELETE', one)).status).toBe(204);
  });

  test('schedules say who is on call', async () => {
    const body = {
      name: 'Ops',
      tz: 'Europe/Berlin',
      members: [editor.userId],
      handover_day: 1,
      handover_time: '09:00',
      starts_at: Date.now(),
    };
    const made = await call(admin, 'POST', '/schedules', body);
    expect(made.body).toMatchObject({ on_call: { user_id: editor.userId } });
    expect(made.body['people']).toEqual([{ user_id: editor.userId, name: expect.any(String) as string }]);
    const strangers = { ...body, members: ['nobody'] };
    for (const path of ['/schedules', '/schedules/preview'])
      expect((await call(admin, 'POST', path, strangers)).status).toBe(400);
    const preview = await call(admin, 'POST', '/schedules/preview', body);
    const shifts = preview.body['shifts'] as { user_id: string; from: number; to: number }[];
    expect(shifts).toHaveLength(8);
    expect(shifts[1]).toMatchObject({ user_id: editor.userId, from: shifts[0]?.to });
    expect((await call(editor, 'POST', '/schedules/preview', body)).status).toBe(403);
    const path = `/schedules/${String(made.body['schedule_id'])}`;
    // Nanoseconds for milliseconds: taken once, and whoever asked for schedules was answered 500 from then on.
    const override = { user_id: editor.userId, from: Date.now(), to: Number.MAX_SAFE_INTEGER };
    for (const content of [
      { ...body, starts_at: Date.now() * 1e6 },
      { ...body, overrides: [override] },
    ])
      expect((await call(admin, 'PUT', path, content)).status).toBe(400);
    const silence = { where: {}, from: Date.now() * 1e6, to: Date.now() * 1e6 + 1000, reason: 'later' };
    expect((await call(admin, 'POST', '/silences', silence)).status).toBe(400);
    expect((await call(admin, 'GET', '/schedules')).status).toBe(200);
    expect((await call(admin, 'DELETE', path)).status).toBe(204);
  });

  test('secrets of channels are shown once or never, and addresses to those who manage them', async () => {
    const config = { kind: 'webhook', url: 'https://events.example.com/v2/x?key=k1', secret: 'routing-key' };
    const made = await call(admin, 'POST', '/channels', {
      name: 'Pager',
      config: { ...config, format: 'pagerduty' },
    });
    const signing = String(made.body['signing_secret']);
    expect(signing.length).toBeGreaterThan(30);
    const shown = await Promise.all(
      [admin, editor, viewer].map(async (who) => JSON.stringify((await call(who, 'GET', '/channels')).body)),
    );
    for (const text of shown) {
      expect(text).not.toContain(signing);
      expect(text).not.toContain('routing-key');
    }
    expect(shown.map((text) => text.includes('key=k1'))).toEqual([true, false, false]);
    expect(shown[1]).toContain('https://events.example.com/…');
    expect(nowcast.logs.join('')).not.toContain('routing-key');
    await call(admin, 'DELETE', `/channels/${String(made.body['channel_id'])}`);
  });

  test('C13: a channel to this machine is tried and refused, since nobody opened it', async () => {
    const config = { kind: 'webhook', url: `${nowcast.url}/healthz` };
    const made = await call(admin, 'POST', '/channels', { name: 'Self', config });
    const path = `/channels/${String(made.body['channel_id'])}`;
    expect((await call(editor, 'POST', `${path}/test`)).status).toBe(403);
    expect((await call(admin, 'POST', `${path}/test`)).body).toMatchObject({
      status: 'failed',
      error: expect.stringContaining('--allow-private-destinations') as string,
    });
    await call(admin, 'DELETE', path);
  });

  test('tests are for administrators, are few at a time, and the log says who sent which', async () => {
    const tester = await nowcast.signIn('admin');
    const config = { kind: 'webhook', url: `${nowcast.url}/healthz` };
    const made = await call(admin, 'POST', '/channels', { name: 'Often', config });
    const path = `/channels/${String(made.body['channel_id'])}`;
    const rule = `/rules/${await makeRule('Tested')}`;
    for (const who of [viewer, editor]) {
      expect((await call(who, 'POST', `${path}/test`)).status).toBe(403);
      expect((await call(who, 'POST', `${rule}/test`)).status).toBe(403);
      expect((await call(who, 'POST', '/rules/test', { content: content('Draft') })).status).toBe(403);
    }
    expect((await call(tester, 'POST', `${rule}/test`)).status).toBe(200);
    const nobody = { notify: { targets: [{ kind: 'channel', channel_id: 'channel_none' }] } };
    const bad = await call(tester, 'POST', '/rules/test', { content: { ...content('Draft'), ...nobody } });
    expect(bad).toMatchObject({
      status: 400,
      body: { error: { message: expect.stringContaining('a channel, does not exist') as string } },
    });
    expect((await call(tester, 'POST', '/rules/test', { content: { name: 'Draft' } })).status).toBe(400);
    const draft = await call(tester, 'POST', '/rules/test', { content: content('Draft') });
    expect(draft).toMatchObject({ status: 200, body: { deliveries: [] } });
    let last = await call(tester, 'POST', `${path}/test`);
    for (let sent = 2; sent < 30 && last.status === 200; sent += 1)
      last = await call(tester, 'POST', `${path}/test`);
    expect((await call(tester, 'POST', '/rules/test', { content: content('Draft') })).status).toBe(429);
    expect(last).toMatchObject({
      status: 429,
      body: {
        error: {
          code: 'request.throttled',
          retryable: true,
          details: { retry_after_s: expect.any(Number) as number },
        },
      },
    });
    // Another person's tests are their own.
    expect((await call(admin, 'POST', `${path}/test`)).status).toBe(200);
    const said = nowcast.logs.filter((line) => line.includes('a test message is sent'));
    expect(said.filter((line) => line.includes(tester.userId)).length).toBeGreaterThanOrEqual(10);
    expect(said.some((line) => line.includes(String(made.body['channel_id'])))).toBe(true);
    await call(admin, 'DELETE', path);
    await call(editor, 'DELETE', rule);
  });
});

describe('the inbox', () => {
  test('is the person’s own: told, read, and read all', async () => {
    const ruleId = await makeRule('Inbox');
    const before = (await call(editor, 'GET', '/notifications')).body['unread'] as number;
    for (const host of ['i1', 'i2']) await fire(ruleId, host);
    const { body } = await call(editor, 'GET', '/notifications?unread=true&search=Inbox&limit=1');
    expect(body['unread']).toBe(before + 2);
    expect(body['cursor']).toEqual(expect.any(String));
    const [newest] = body['notifications'] as { notification_id: string }[];
    expect(newest).toMatchObject({ kind: 'firing', rule_id: ruleId, labels: { host: 'i2' }, value: 95 });
    expect((await call(viewer, 'GET', '/notifications')).body).toEqual({ notifications: [], unread: 0 });
    const all = (await call(editor, 'GET', '/notifications?search=Inbox')).body['notifications'];
    expect(all).toHaveLength(2);
    const ids = { notification_ids: [newest!.notification_id] };
    await call(viewer, 'POST', '/notifications/read', ids);
    expect((await call(editor, 'POST', '/notifications/read', ids)).body).toEqual({ unread: before + 1 });
    expect((await call(editor, 'POST', '/notifications/read', { notification_ids: 'all' })).body).toEqual({
      unread: 0,
    });
  });

  test('a key has none', async () => {
    const { secret } = await nowcast.makeKey('read');
    const status = async (path: string) =>
      (await fetch(`${nowcast.url}/api/v1${path}`, { headers: { Authorization: `Bearer ${secret}` } }))
        .status;
    expect(await status('/notifications')).toBe(403);
    expect(await status('/alerts')).toBe(200);
  });

  test('preferences begin with the usual ones and are kept', async () => {
    const path = '/me/notification-preferences';
    expect((await call(viewer, 'GET', path)).body).toMatchObject({ warning: ['push'], digest: 'off' });
    const chosen = { info: ['email'], digest: 'daily' };
    expect((await call(viewer, 'PUT', path, chosen)).body).toMatchObject(chosen);
    expect((await call(viewer, 'GET', path)).body).toMatchObject(chosen);
    expect((await call(viewer, 'PUT', path, { info: ['pigeon'] })).status).toBe(400);
  });

  test('devices: added, listed without their keys, removed; those of others do not exist', async () => {
    const device = {
      endpoint: 'https://push.example.com/send/abc',
      keys: { p256dh: 'B'.repeat(87), auth: 'A'.repeat(22) },
      device: 'Phone',
    };
    const made = await call(viewer, 'POST', '/me/push-devices', device);
    expect([made.status, made.body]).toEqual([201, expect.objectContaining({ device: 'Phone', last: null })]);
    const shown = JSON.stringify((await call(viewer, 'GET', '/me/push-devices')).body);
    expect(shown).toContain('Phone');
    expect(shown).not.toContain('push.example.com');
    const path = `/me/push-devices/${String(made.body['device_id'])}`;
    expect((await call(editor, 'DELETE', path)).status).toBe(404);
    expect((await call(viewer, 'DELETE', path)).status).toBe(204);
    expect(
      (await call(viewer, 'POST', '/me/push-devices', { ...device, endpoint: 'http://x/' })).status,
    ).toBe(400);
  });

  test('what can be sent is known to the page', async () => {
    const { body } = await call(viewer, 'GET', '/notify-info');
    expect(body['email']).toBe(false);
    expect(Buffer.from(String(body['push_public_key']), 'base64url')).toHaveLength(65);
  });
});
