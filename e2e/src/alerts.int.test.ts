import { createHmac } from 'node:crypto';
import { createServer, type IncomingHttpHeaders, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { HttpApi, LiveClient } from '@nowcast/client';
import type {
  Alert,
  Channel,
  Notification,
  Rule,
  RuleContentInput,
  TenantEvent,
  Transition,
} from '@nowcast/contract';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { type RunningServer, serve, startServer } from './server.ts';

const args = ['--no-collector', '--partitions', '2', '--allow-private-destinations', '127.0.0.1'];
const patience = { timeout: 60_000, interval: 25 };

interface Received {
  headers: IncomingHttpHeaders;
  body: string;
}

/** What alerts are sent to: remembers every request. */
class Receiver {
  readonly requests: Received[] = [];
  readonly #server: Server;

  constructor() {
    this.#server = createServer((request, response) => {
      const chunks: Buffer[] = [];
      request.on('data', (chunk: Buffer) => chunks.push(chunk));
      request.on('end', () => {
        this.requests.push({ headers: request.headers, body: Buffer.concat(chunks).toString() });
        response.end('thanks');
      });
    });
  }

  async listen(): Promise<string> {
    await new Promise<void>((resolve) => this.#server.listen(0, '127.0.0.1', resolve));
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}/hooks/nowcast`;
  }

  /** Requests that say this of a host. */
  about(kind: string, host: string): Received[] {
    return this.requests.filter(({ body }) => {
      const message = JSON.parse(body) as { kind: string; alerts: { labels: Record<string, string> }[] };
      return message.kind === kind && message.alerts.some(({ labels }) => labels['host'] === host);
    });
  }

  close(): void {
    this.#server.closeAllConnections();
    this.#server.close();
  }
}

let server: Omit<RunningServer, 'key' | 'login'>;
let key: string;
let api: HttpApi;
let channel: Channel;
const receiver = new Receiver();

beforeAll(async () => {
  const started = await startServer(args);
  server = started;
  key = started.key;
  api = new HttpApi({ url: started.url });
  await api.login(started.login.login, started.login.password);
  const url = await receiver.listen();
  const config = { kind: 'webhook', url, format: 'nowcast' };
  channel = await api.call('POST', '/api/v1/channels', { body: { name: 'Hook', config } });
});
afterAll(async () => {
  receiver.close();
  await server.destroy();
});

/** Like Telegraf: one line of the newest value of each host. */
async function send(metric: string, values: Readonly<Record<string, number>>): Promise<void> {
  const lines = Object.entries(values).map(([host, value]) => `${metric},host=${host} value=${value}`);
  const headers = { authorization: `Token ${key}` };
  const answer = await fetch(`${server.url}/api/v2/write`, {
    method: 'POST',
    headers,
    body: lines.join('\n'),
  });
  if (!answer.ok) throw new Error(`${answer.status} ${await answer.text()}`);
}

function makeRule(metric: string, more: Partial<RuleContentInput> = {}): Promise<Rule> {
  const body: RuleContentInput = {
    name: `${metric} is high`,
    severity: 'critical',
    evaluation: {
      query: { metric_type: metric, agg: 'last' },
      group_by: ['host'],
      window: '5m',
      condition: { kind: 'threshold', op: 'above', value: 90 },
    },
    notify: {
      group_by: ['host'],
      targets: [
        { kind: 'role', role: 'owner' },
        { kind: 'channel', channel_id: channel.channel_id },
      ],
    },
    ...more,
  };
  return api.call('POST', '/api/v1/rules', { body });
}

async function inbox(): Promise<Notification[]> {
  const all: Notification[] = [];
  for (let cursor: string | undefined; ;) {
    const parameters = new URLSearchParams({ limit: '500', ...(cursor === undefined ? {} : { cursor }) });
    const page = await api.call<{ notifications: Notification[]; cursor?: string }>(
      'GET',
      '/api/v1/notifications',
      { parameters },
    );
    all.push(...page.notifications);
    if (page.cursor === undefined) return all;
    ({ cursor } = page);
  }
}

async function entries(kind: Notification['kind'], ruleId: string, host: string): Promise<Notification[]> {
  return (await inbox()).filter(
    (entry) => entry.kind === kind && entry.rule_id === ruleId && entry.labels['host'] === host,
  );
}

function alertPath(alertId: string, rest = ''): string {
  return `/api/v1/alerts/${encodeURIComponent(alertId)}${rest}`;
}

describe('from a point to the people', () => {
  it('fires, is told in the inbox, on the open page and to the webhook once, is taken, and is over', async () => {
    const rule = await makeRule('cpu');
    const client = new LiveClient({ url: server.url, token: api.token! });
    const events: TenantEvent[] = [];
    let isFollowing = false;
    client.follow(['alerts', 'notifications'], {
      onFollowing: () => (isFollowing = true),
      onEvent: (event) => events.push(event),
    });
    await vi.waitUntil(() => isFollowing, patience);
    await send('cpu', { a: 95, b: 12 });

    const [entry] = await vi.waitUntil(async () => {
      const found = await entries('firing', rule.rule_id, 'a');
      return found.some(({ delay_ms: delay }) => delay !== null) && found;
    }, patience);
    expect(entry).toMatchObject({ severity: 'critical', value: 95, read_at: null, alert_state: 'firing' });
    expect(entry!.delay_ms).toBeGreaterThanOrEqual(0);
    const alertId = entry!.alert_ids[0]!;
    await vi.waitUntil(() => events.some(({ topic }) => topic === 'notifications'), patience);
    expect(events).toContainEqual(
      expect.objectContaining({ topic: 'alerts', alert_id: alertId, state: 'firing' }),
    );
    client.close();

    await vi.waitUntil(() => receiver.about('firing', 'a').length > 0, patience);
    const { headers, body } = receiver.about('firing', 'a')[0]!;
    const [, seconds, mac] = /^t=(\d+),v1=([0-9a-f]{64})$/.exec(String(headers['nowcast-signature']))!;
    expect(mac).toBe(
      createHmac('sha256', channel.signing_secret!).update(`${seconds}.${body}`).digest('hex'),
    );
    expect(headers['idempotency-key']).toMatch(/\S/);

    const taken = await api.call<Alert>('POST', alertPath(alertId, '/acknowledge'), {
      body: { note: 'mine' },
    });
    expect(taken).toMatchObject({ state: 'acknowledged', value: 95 });
    await send('cpu', { a: 20 });
    await vi.waitUntil(async () => (await entries('resolved', rule.rule_id, 'a')).length > 0, patience);
    const { alert, events: life } = await api.call<{ alert: Alert; events: { kind: string }[] }>(
      'GET',
      alertPath(alertId),
    );
    expect(alert.state).toBe('resolved');
    expect(life.map(({ kind }) => kind)).toEqual(
      expect.arrayContaining(['firing', 'acknowledged', 'resolved']),
    );
    await vi.waitUntil(() => receiver.about('resolved', 'a').length > 0, patience);
    expect(receiver.about('firing', 'a')).toHaveLength(1);
    expect(receiver.about('firing', 'b')).toEqual([]);
    expect(await entries('firing', rule.rule_id, 'b')).toEqual([]);
    expect(server.log()).not.toContain(channel.signing_secret);
  });

  it('a secret that was shown once is not shown again', async () => {
    const { channels } = await api.call<{ channels: Channel[] }>('GET', '/api/v1/channels');
    expect(channels).toHaveLength(1);
    expect(JSON.stringify(channels)).not.toContain(channel.signing_secret);
  });
});

it('a copy that is only looked at decides, and sends nothing', async () => {
  const rule = await makeRule('copied');
  await server.stop();
  server = await serve(server.dataDir, { port: server.port, args: [...args, '--no-messages'] });
  await vi.waitUntil(() => server.log().includes('kept and not sent (--no-messages)'), patience);
  await send('copied', { c: 99 });
  await vi.waitUntil(async () => (await entries('firing', rule.rule_id, 'c')).length > 0, patience);
  await send('copied', { c: 1 });
  await vi.waitUntil(async () => (await entries('resolved', rule.rule_id, 'c')).length > 0, patience);
  await server.stop();
  expect(receiver.about('firing', 'c')).toEqual([]);
  server = await serve(server.dataDir, { port: server.port, args });
  await vi.waitUntil(() => receiver.about('firing', 'c').length > 0, patience);
});

it('kill -9 between points, ticks and messages: everybody is told of each transition exactly once', async () => {
  const rule = await makeRule('load');
  const rounds = 3;
  const hosts = (round: number) => Array.from({ length: 10 }, (_, i) => `h${round}-${i}`);
  for (let round = 0; round < rounds; round++) {
    const all = hosts(round);
    await send('load', Object.fromEntries(all.map((host) => [host, 99])));
    // Killed somewhere between the first message and the last.
    await vi.waitUntil(async () => (await entries('firing', rule.rule_id, all[0]!)).length > 0, patience);
    await server.kill();
    server = await serve(server.dataDir, { port: server.port, args });
    await vi.waitUntil(
      async () => (await fetch(`${server.url}/readyz`).catch(() => undefined))?.status === 200,
      patience,
    );
    await send('load', Object.fromEntries(all.map((host) => [host, 1])));
    if (round % 2 === 0) {
      await server.kill();
      server = await serve(server.dataDir, { port: server.port, args });
    }
  }
  const every = Array.from({ length: rounds }, (_, round) => hosts(round)).flat();
  const said = async (kind: string) =>
    (await inbox())
      .filter((entry) => entry.kind === kind && entry.rule_id === rule.rule_id)
      .map(({ labels }) => labels['host'] ?? '');
  await vi.waitUntil(async () => (await said('resolved')).length >= every.length, patience);
  expect((await said('firing')).sort()).toEqual(every.toSorted());
  expect((await said('resolved')).sort()).toEqual(every.toSorted());

  const { transitions } = await api.call<{ transitions: Transition[] }>('GET', '/api/v1/alerts/transitions', {
    parameters: new URLSearchParams({ rule_id: rule.rule_id }),
  });
  expect(new Set(transitions.map(({ transition_id: id }) => id)).size).toBe(transitions.length);
  expect(transitions.filter(({ to }) => to === 'firing')).toHaveLength(every.length);
  const { alerts } = await api.call<{ alerts: Alert[] }>('GET', '/api/v1/alerts', {
    parameters: new URLSearchParams({ rule_id: rule.rule_id, state: 'active' }),
  });
  expect(alerts).toEqual([]);
});
