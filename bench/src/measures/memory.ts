import { setTimeout as delay } from 'node:timers/promises';
import { load } from '../harness/load.ts';
import { residentBytes } from '../harness/machine.ts';
import { check, figure, type Measure, type Options, type Outcome, wanted } from '../harness/measure.ts';
import { figureOf, type Row } from '../harness/rounds.ts';
import type { BenchServer } from '../harness/server-process.ts';
import { startOwnViewers, startViewers, type Viewers } from '../harness/viewers.ts';
import { broadcastPeers } from '../servers/broadcasters.ts';
import { feed, manyConnections, viewsOf } from '../servers/feed.ts';
import { startNowcast } from '../servers/nowcast.ts';
import { startVictoriaMetrics } from '../servers/peers.ts';

const settleMs = 3000;
const connections = 'a subscribed connection';
const series = 'a live series';

/** Resident memory by the thousand: what a further connection and a further series cost. One server at a time. */
export const memory: Measure = async (options) => {
  const outcome: Outcome = { rows: [], checks: [] };
  if (wanted(options, connections)) outcome.rows.push(...(await ofConnections(options)));
  if (wanted(options, series)) outcome.rows.push(...(await ofSeries(options)));
  const of = (name: string) =>
    figure(outcome.rows, { case: name, subject: 'nowcast', name: 'resident_bytes' });
  outcome.checks.push(
    ...check('memory', `${connections}, bytes`, of(connections), '≤', 10_240),
    ...check('memory', `${series}, bytes`, of(series), '≤', 500),
  );
  return outcome;
};

function row(name: string, subject: string, figures: Record<string, number>): Row {
  const all = Object.entries(figures).map(([of, value]) => [of, figureOf([value])]);
  return { measure: 'memory', case: name, subject, figures: Object.fromEntries(all), runs: 1, noisy_runs: 0 };
}

async function ofConnections(options: Options): Promise<Row[]> {
  const count = options.quick ? 2000 : 10_000;
  const rows: Row[] = [];
  const add = async (subject: string, server: BenchServer, connect: (n: number) => Promise<Viewers>) => {
    // The first hundred bring what is there once for all.
    const first = await connect(100);
    await delay(settleMs);
    const before = residentBytes(server.pid);
    const viewers = await connect(count);
    await delay(settleMs);
    const bytes = (residentBytes(server.pid) - before) / count;
    rows.push(row(connections, subject, { resident_bytes: bytes, connections: count }));
    await viewers.close();
    await first.close();
  };
  const nowcast = await startNowcast(manyConnections);
  const stop = await feed(nowcast, { views: 1, series: 10, hz: 2 });
  await add('nowcast', nowcast, (n) => startOwnViewers(nowcast, n, viewsOf(1)));
  await stop();
  await nowcast.destroy();
  if (!options.peers) return rows;
  for (const [name, { start }] of Object.entries(broadcastPeers())) {
    const server = await start({ bytes: 100, hz: 2 });
    await add(name, server, (n) => startViewers({ ...server.viewers, connections: n }));
    await server.destroy();
  }
  return rows;
}

async function ofSeries(options: Options): Promise<Row[]> {
  const count = options.quick ? 200_000 : 1_000_000;
  const rows: Row[] = [];
  const add = async (subject: string, server: BenchServer, headers: readonly string[]) => {
    const what = { port: server.port, path: '/write?precision=ms', headers, batch: 5000, connections: 2 };
    // What a server takes for its buffers and compiled code, it takes for a thousand series too.
    await load({ ...what, series: 1000, points: count, startMs: Date.now() - 60_000, stepMs: 10 });
    await delay(settleMs);
    const before = residentBytes(server.pid);
    await load({ ...what, series: count, points: count, startMs: Date.now(), stepMs: 1 });
    await delay(settleMs);
    const bytes = (residentBytes(server.pid) - before) / count;
    rows.push(row(series, subject, { resident_bytes: bytes, series: count }));
    await server.destroy();
  };
  const nowcast = await startNowcast();
  await add('nowcast', nowcast, nowcast.headers);
  if (options.peers) await add('victoria-metrics', await startVictoriaMetrics(), []);
  return rows;
}
