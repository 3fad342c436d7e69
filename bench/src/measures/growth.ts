import { setTimeout as delay } from 'node:timers/promises';
import { load } from '../harness/load.ts';
import { cpuSeconds } from '../harness/machine.ts';
import { check, figure, type Measure, type Outcome, runsOf, wanted } from '../harness/measure.ts';
import { interleave, type Row, type Subject } from '../harness/rounds.ts';
import { startOwnViewers } from '../harness/viewers.ts';
import { feed, manyConnections, viewsOf } from '../servers/feed.ts';
import { type Nowcast, startNowcast } from '../servers/nowcast.ts';

const series = 'series: CPU µs a point';
const viewers = 'viewers: CPU µs a frame';
const sizes = [1, 10] as const;

/** What the same unit of work costs when there is ten times as much around it. */
export const growth: Measure = async (options) => {
  const outcome: Outcome = { rows: [], checks: [] };
  for (const [name, subjects] of [
    [series, ofSeries],
    [viewers, ofViewers],
  ] as const) {
    if (!wanted(options, name)) continue;
    const servers: Nowcast[] = [];
    try {
      const all = await subjects(servers);
      outcome.rows.push(...(await interleave(all, { measure: 'growth', case: name, runs: runsOf(options) })));
    } finally {
      for (const server of servers) await server.destroy();
    }
    outcome.checks.push(...flat(outcome.rows, name));
  }
  return outcome;
};

function flat(rows: readonly Row[], name: string) {
  const [one, ten] = sizes.map((size) => figure(rows, { case: name, subject: `${size} ×`, name: 'cpu_us' }));
  return check('growth', `${name}, ten times`, ten! / one!, '≤', 1.1);
}

async function ofSeries(servers: Nowcast[]): Promise<Subject[]> {
  const all: Subject[] = [];
  for (const size of sizes) {
    const server = await startNowcast();
    servers.push(server);
    let nextMs = 0;
    const run = async () => {
      const cpu = cpuSeconds(server.pid);
      const startMs = Math.max(nextMs, Date.now() - 20_000);
      const what = {
        path: '/write?precision=ms',
        headers: server.headers,
        batch: 5000,
        connections: 4,
        seconds: 3,
      };
      const report = await load({ ...what, port: server.port, series: 1000 * size, startMs, stepMs: size });
      nextMs = report.next_ms;
      await delay(1000);
      return {
        figures: { cpu_us: ((cpuSeconds(server.pid) - cpu) / report.points) * 1e6, series: 1000 * size },
      };
    };
    all.push({ name: `${size} ×`, run });
  }
  return all;
}

async function ofViewers(servers: Nowcast[]): Promise<Subject[]> {
  const server = await startNowcast(manyConnections);
  servers.push(server);
  const run = async (count: number) => {
    const stop = await feed(server, { views: 1, series: 112, hz: 20 });
    const crowd = await startOwnViewers(server, count, viewsOf(1));
    await delay(1000);
    const before = { cpu: cpuSeconds(server.pid), ...(await crowd.counts()) };
    await delay(4000);
    const after = { cpu: cpuSeconds(server.pid), ...(await crowd.counts()) };
    await crowd.close();
    await stop();
    const frames = after.messages - before.messages;
    return { figures: { cpu_us: ((after.cpu - before.cpu) / frames) * 1e6, viewers: count } };
  };
  return sizes.map((size) => ({ name: `${size} ×`, run: () => run(200 * size) }));
}
