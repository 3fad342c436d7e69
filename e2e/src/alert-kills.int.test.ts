import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as elapsed } from 'node:timers/promises';
import { HttpApi } from '@nowcast/client';
import type { Alert, Channel, Notification, Rule, RuleContentInput, Transition } from '@nowcast/contract';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { type RunningServer, serve, startServer } from './server.ts';

/**
 * Whatever the moment at which the process is killed: every transition is in the log of transitions and in the inbox
 * exactly once, and reaches the webhook at least once under one key. Each host fires with a value of its own in each
 * round, so that every message says which transition it speaks of.
 */
const isLong = process.env['NOWCAST_LONG'] === '1';
const hosts = isLong ? 100 : 40;
const rounds = isLong ? 50 : 5;
const wanted = 2 * hosts * rounds;
const limit = 500;
const args = ['--no-collector', '--partitions', '3', '--allow-private-destinations', '127.0.0.1'];
const patience = { timeout: isLong ? 600_000 : 120_000, interval: 20 };
const pageSize = 500;

const host = (index: number): string => `h${index}`;
/** Fires above the limit, is well below it, and tells its round. */
const valueOf = (round: number, fires: boolean): number => (fires ? 2 * limit : 0) + round;
const nameOf = (what: string, labels: Readonly<Record<string, string>>, value: number | null): string =>
  `${labels['host']} ${what} ${value}`;
const everyName = (fires: string, ends: string): string[] =>
  Array.from({ length: hosts * rounds }, (_, i) => {
    const [labels, round] = [{ host: host(i % hosts) }, Math.floor(i / hosts)];
    return [nameOf(fires, labels, valueOf(round, true)), nameOf(ends, labels, valueOf(round, false))];
  })
    .flat()
    .sort();

interface Arrival {
  key: string;
  name: string;
  at: number;
}

/** Counts what arrives, by key. */
class Receiver {
  readonly arrivals: Arrival[] = [];
  /** Called when a request is read and not answered yet. */
  onArrival = (): void => {};
  readonly #server: Server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const message = JSON.parse(Buffer.concat(chunks).toString()) as {
        kind: string;
        alerts: { labels: Record<string, string>; value: number }[];
      };
      const [alert] = message.alerts;
      const key = String(request.headers['idempotency-key']);
      const name = nameOf(message.kind, alert!.labels, alert!.value);
      this.arrivals.push({ key, name, at: performance.now() });
      this.onArrival();
      response.end('thanks');
    });
  });

  async listen(): Promise<string> {
    await new Promise<void>((resolve) => this.#server.listen(0, '127.0.0.1', resolve));
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}/hook`;
  }

  close(): void {
    this.#server.closeAllConnections();
    this.#server.close();
  }
}

let server: Omit<RunningServer, 'key' | 'login'>;
let key: string;
let api: HttpApi;
const receiver = new Receiver();
/** From the signal until the next process answers: what the dying one sent may be read meanwhile. */
const kills: { from: number; to: number }[] = [];
let doubleKills = 0;
/** Numbers of a seed: which run failed can be run again, as far as a machine's timing allows. */
let seed = Number(process.env['NOWCAST_SEED'] ?? 1);
function random(below: number): number {
  seed = (Math.imul(seed, 1_103_515_245) + 12_345) & 0x7fffffff;
  return Math.floor((seed / 0x80000000) * below);
}

beforeAll(async () => {
  const started = await startServer(args);
  server = started;
  key = started.key;
  api = new HttpApi({ url: started.url });
  await api.login(started.login.login, started.login.password);
});
afterAll(async () => {
  receiver.close();
  await server.destroy();
});

async function makeRule(): Promise<Rule> {
  const config = { kind: 'webhook', url: await receiver.listen(), format: 'nowcast' };
  const channel = await api.call<Channel>('POST', '/api/v1/channels', { body: { name: 'Hook', config } });
  const body: RuleContentInput = {
    name: 'load is high',
    severity: 'critical',
    evaluation: {
      query: { metric_type: 'load', agg: 'last' },
      group_by: ['host'],
      window: '5m',
      lateness: '10m',
      condition: { kind: 'threshold', op: 'above', value: limit },
    },
    flap: { changes: 100, within: '1s' },
    notify: {
      group_by: ['host'],
      targets: [
        { kind: 'role', role: 'owner' },
        { kind: 'channel', channel_id: channel.channel_id },
      ],
    },
  };
  return api.call('POST', '/api/v1/rules', { body });
}

/** A GET that goes on asking while nobody answers. */
async function ask<Answer>(path: string, parameters: Record<string, string> = {}): Promise<Answer> {
  let answer: Answer | undefined;
  await vi.waitUntil(async () => {
    answer = await api
      .call<Answer>('GET', path, { parameters: new URLSearchParams(parameters) })
      .catch(() => undefined);
    return answer !== undefined;
  }, patience);
  return answer!;
}

/** Sends one value of each host, again and again until the server says that it has it. */
async function send(round: number, fires: boolean): Promise<void> {
  await vi.waitUntil(async () => {
    const timestamp = Date.now() * 1_000_000;
    const body = Array.from(
      { length: hosts },
      (_, i) => `load,host=${host(i)} value=${valueOf(round, fires)} ${timestamp}`,
    ).join('\n');
    const headers = { authorization: `Token ${key}` };
    const answer = await fetch(`${server.url}/api/v2/write`, { method: 'POST', headers, body }).catch(
      () => undefined,
    );
    return answer?.ok === true;
  }, patience);
}

async function waitForState(rule: Rule, firing: number): Promise<void> {
  await vi.waitUntil(async () => {
    const { counts } = await ask<Rule>(`/api/v1/rules/${rule.rule_id}`);
    return counts.firing === firing && counts.ok === hosts - firing;
  }, patience);
}

/** At the latest after `mostMs`: when so many more messages have arrived, of which the last is not answered yet. */
async function afterArrivals(more: number, mostMs: number): Promise<void> {
  const target = receiver.arrivals.length + more;
  const arrived = new Promise<void>((resolve) => {
    receiver.onArrival = () => {
      if (receiver.arrivals.length >= target) resolve();
    };
  });
  await Promise.race([arrived, elapsed(mostMs)]);
  receiver.onArrival = () => {};
}

/** A moment that is known to hurt, a message that nobody will note, or one that nobody chose. */
async function moment(mostMs: number): Promise<void> {
  if (random(2) === 0) await elapsed(random(mostMs));
  else await afterArrivals(1 + random(hosts), mostMs);
}

/** Kills at some moment and starts again on what is left; one start in three is killed as well. */
async function killAndStart(): Promise<void> {
  await moment(1000);
  const from = performance.now();
  await server.kill();
  const options = { port: server.port, args };
  if (random(3) === 0) {
    let started: (end: () => void) => void;
    const end = new Promise<() => void>((resolve) => (started = resolve));
    const start = serve(server.dataDir, {
      ...options,
      onSpawn: (child) => started(() => child.kill('SIGKILL')),
    });
    const ended = start.then(
      (early) => early.kill(),
      () => {},
    );
    await moment(1000);
    (await end)();
    await ended;
    doubleKills += 1;
  }
  server = await serve(server.dataDir, options);
  kills.push({ from, to: performance.now() });
}

async function inbox(): Promise<Notification[]> {
  const all: Notification[] = [];
  for (let cursor: string | undefined; ;) {
    const parameters = { limit: String(pageSize), ...(cursor === undefined ? {} : { cursor }) };
    const page = await ask<{ notifications: Notification[]; cursor?: string }>(
      '/api/v1/notifications',
      parameters,
    );
    all.push(...page.notifications);
    if (page.cursor === undefined) return all;
    ({ cursor } = page);
  }
}

/** All transitions, time by time: an answer has two thousand at most. */
async function allTransitions(rule: Rule, from: number): Promise<Transition[]> {
  const found: Transition[] = [];
  const stepMs = 500;
  for (let at = from; at < Date.now(); at += stepMs) {
    const parameters = { rule_id: rule.rule_id, from: String(at), to: String(at + stepMs) };
    const { transitions } = await ask<{ transitions: Transition[] }>(
      '/api/v1/alerts/transitions',
      parameters,
    );
    found.push(...transitions);
  }
  return found;
}

function checkArrivals(): { repeated: number } {
  const byKey = Map.groupBy(receiver.arrivals, (arrival) => arrival.key);
  const names = [...byKey.values()].map((arrivals) => {
    expect(new Set(arrivals.map(({ name }) => name)).size, 'messages of one key').toBe(1);
    arrivals.slice(1).forEach(({ at }, i) => {
      const before = arrivals[i]!.at;
      expect(
        kills.some(({ from, to }) => before <= to && from <= at),
        'a message comes again after a kill alone',
      ).toBe(true);
    });
    return arrivals[0]!.name;
  });
  expect(names.sort(), 'each message under one key').toEqual(everyName('firing', 'resolved'));
  return { repeated: receiver.arrivals.length - byKey.size };
}

it(
  `kill -9 at random moments of ${wanted} transitions: each is there once, and told`,
  async () => {
    const from = Date.now() - 1000;
    const rule = await makeRule();
    for (let wave = 0; wave < 2 * rounds; wave++) {
      const killing = random(2) === 0 ? killAndStart() : undefined;
      await send(wave >> 1, wave % 2 === 0);
      await waitForState(rule, wave % 2 === 0 ? hosts : 0);
      await killing;
    }
    const keys = () => new Set(receiver.arrivals.map((arrival) => arrival.key));
    await vi.waitUntil(() => keys().size >= wanted, patience);
    const settled = async () => (await inbox()).every(({ deliveries }) => deliveries[0]?.status === 'sent');
    await vi.waitUntil(settled, { ...patience, interval: 500 });

    const transitions = await allTransitions(rule, from);
    expect(new Set(transitions.map(({ transition_id: id }) => id)).size).toBe(transitions.length);
    expect(transitions.map(({ to, labels, value }) => nameOf(to, labels, value)).sort()).toEqual(
      everyName('firing', 'ok'),
    );
    const entries = await inbox();
    expect(entries.map(({ kind, labels, value }) => nameOf(kind, labels, value)).sort()).toEqual(
      everyName('firing', 'resolved'),
    );
    const { repeated } = checkArrivals();
    const open = await ask<{ alerts: Alert[] }>('/api/v1/alerts', {
      rule_id: rule.rule_id,
      state: 'active',
    });
    expect(open.alerts).toEqual([]);
    expect(kills.length).toBeGreaterThan(1);
    process.stderr.write(
      `${wanted} transitions, ${kills.length + doubleKills} kills, ${repeated} messages repeated\n`,
    );
  },
  isLong ? 3_600_000 : undefined,
);
