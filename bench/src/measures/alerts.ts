import { setTimeout as delay } from 'node:timers/promises';
import type { Channel, RuleContentInput } from '@nowcast/contract';
import { load } from '../harness/load.ts';
import { quantile } from '../harness/machine.ts';
import { check, figure, type Measure, type Options, type Outcome, wanted } from '../harness/measure.ts';
import { interleave, type Subject } from '../harness/rounds.ts';
import { type Nowcast, startNowcast } from '../servers/nowcast.ts';
import { startPrometheus } from '../servers/prometheus.ts';
import { type Receiver, startReceiver } from '../servers/webhook-receiver.ts';

const rules = 1000;
const pointsPerSecond = 50_000;
const patienceMs = 30_000;
const name = '1,000 rules at 50k points/s';

/** Makes a value of a host break its rule, as the source of that value would. */
type Break = (host: number) => void | Promise<void>;

/**
 * From a value that breaks a rule leaving its source to the webhook's receiver having it. Every event concerns a rule
 * that has not fired yet. Prometheus is scraped at its own pace, so it has no load of points; its figure is its intervals'.
 */
export const alerts: Measure = async (options) => {
  const outcome: Outcome = { rows: [], checks: [] };
  if (!wanted(options, name)) return outcome;
  const receiver = await startReceiver();
  const ends: (() => Promise<void>)[] = [];
  try {
    const subjects = [await own(receiver, options, ends)];
    if (options.peers) subjects.push(await prometheus(receiver, options, ends));
    const rounds = { measure: 'alerts', case: name, runs: options.quick ? 2 : 5, settleMs: 1000 };
    outcome.rows.push(...(await interleave(subjects, rounds)));
  } finally {
    for (const end of ends.toReversed()) await end();
    receiver.close();
  }
  const of = (what: string) => figure(outcome.rows, { case: name, subject: 'nowcast', name: what });
  outcome.checks.push(
    ...check('alerts', 'event to channel, p50 ms', of('p50_ms'), '≤', 50),
    ...check('alerts', 'event to channel, p99 ms', of('p99_ms'), '≤', 250),
  );
  return outcome;
};

async function own(receiver: Receiver, options: Options, ends: (() => Promise<void>)[]): Promise<Subject> {
  const server = await startNowcast(['--allow-private-destinations', '127.0.0.1']);
  ends.push(() => server.destroy());
  await makeRules(server, receiver.url);
  const send: Break = async (host) => {
    const answer = await fetch(`${server.url}/write`, {
      method: 'POST',
      headers: { authorization: `Bearer ${server.key}` },
      body: `cpu,host=web-${host},region=r${host % 10},cluster=c${host % 50} usage=5000`,
    });
    if (answer.status !== 204) throw new Error(`ingest answered ${answer.status}`);
  };
  const events = eventsOf((host) => `"rule_name":"Host ${host}"`, receiver, send, options);
  let nextMs = 0;
  return {
    name: 'nowcast',
    pid: server.pid,
    run: async () => {
      const startMs = Math.max(nextMs, Date.now());
      const background = load({
        port: server.port,
        path: '/write?precision=ms',
        headers: server.headers,
        series: rules,
        batch: 500,
        connections: 4,
        rate: pointsPerSecond,
        seconds: eventsPerRun(options) * (gapMs / 1000) + 2,
        startMs,
        stepMs: (rules / pointsPerSecond) * 1000,
      });
      await delay(1000);
      const run = await events();
      const { points, p99_ms, next_ms } = await background;
      nextMs = next_ms;
      return { figures: { ...run, ingest_p99_ms: p99_ms }, work: { name: 'points', amount: points } };
    },
  };
}

async function makeRules(server: Nowcast, url: string): Promise<void> {
  const config = { kind: 'webhook', url, format: 'nowcast' };
  const channel: Channel = await server.api.call('POST', '/api/v1/channels', {
    body: { name: 'Hook', config },
  });
  for (let host = 0; host < rules; host++) {
    const rule: RuleContentInput = {
      name: `Host ${host}`,
      evaluation: {
        query: { metric_type: 'cpu_usage', agg: 'max', where: { host: [`web-${host}`] } },
        window: '10s',
        condition: { kind: 'threshold', op: 'above', value: 1000 },
      },
      notify: { targets: [{ kind: 'channel', channel_id: channel.channel_id }], resolved: false },
    };
    await server.api.call('POST', '/api/v1/rules', { body: rule });
  }
}

async function prometheus(
  receiver: Receiver,
  options: Options,
  ends: (() => Promise<void>)[],
): Promise<Subject> {
  const server = await startPrometheus(rules, receiver.url);
  ends.push(() => server.destroy());
  const events = eventsOf(
    (host) => `Host${host}Above`,
    receiver,
    (host) => server.set(host, 5000),
    options,
  );
  // Until it has scraped and evaluated once.
  await delay(5000);
  return {
    name: 'Prometheus + Alertmanager, 1 s / 1 s / 0 s',
    run: async () => ({ figures: await events() }),
  };
}

const gapMs = 150;
const eventsPerRun = (options: Options) => (options.quick ? 20 : 100);

/** Breaks the next rules one after the other, at times that no interval of a server can follow. */
function eventsOf(text: (host: number) => string, receiver: Receiver, send: Break, options: Options) {
  let host = 0;
  return async (): Promise<Record<string, number>> => {
    const count = eventsPerRun(options);
    const latencies: Promise<number>[] = [];
    for (let i = 0; i < count; i++, host++) {
      const arrival = receiver.arrival(text(host));
      const sent = performance.now();
      await send(host);
      const lost = delay(patienceMs, undefined, { ref: false }).then(() => Number.POSITIVE_INFINITY);
      latencies.push(Promise.race([arrival, lost]).then((at) => at - sent));
      await delay(gapMs * (0.5 + Math.random()));
    }
    const all = await Promise.all(latencies);
    const heard = all.filter(Number.isFinite);
    return {
      p50_ms: quantile(heard, 0.5),
      p99_ms: quantile(heard, 0.99),
      max_ms: Math.max(...heard),
      lost: all.length - heard.length,
    };
  };
}
