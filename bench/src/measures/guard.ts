import { setTimeout as delay } from 'node:timers/promises';
import { load } from '../harness/load.ts';
import { cpuSeconds, median } from '../harness/machine.ts';
import { check, type Measure, type Outcome } from '../harness/measure.ts';
import { interleave, type Subject } from '../harness/rounds.ts';
import type { BenchServer } from '../harness/server-process.ts';
import { startOwnViewers, startViewers, type Viewers } from '../harness/viewers.ts';
import { floor } from '../servers/broadcasters.ts';
import { feed, viewsOf } from '../servers/feed.ts';
import { startNowcast } from '../servers/nowcast.ts';
import { startHashServer } from '../servers/peers.ts';

/**
 * The regression guard of CI: what a point and a frame cost, as a multiple of a floor in the same run. Nothing here looks
 * at a clock on the wall: a busy machine makes both dearer. What others do can only add to a run, so the least of three
 * counts. It was 2.5 on a machine with little else to do and 5 on one with ten times the work it has cores for.
 */
export const guard: Measure = async () => {
  const outcome: Outcome = { rows: [], checks: [] };
  const ends: (() => Promise<void>)[] = [];
  try {
    const nowcast = await startNowcast();
    const hash = await startHashServer();
    const sender = await floor.start({ bytes: 512, hz: 20 });
    for (const server of [nowcast, hash, sender]) ends.push(() => server.destroy());
    const ingest = [sending('nowcast', nowcast, nowcast.headers), sending(floorName, hash, [])];
    outcome.rows.push(...(await interleave(ingest, { ...rounds, case: 'ingest' })));
    ends.push(await feed(nowcast, { views: 1, series: 112, hz: 20 }));
    const fanout = [
      watching('nowcast', nowcast.pid, () => startOwnViewers(nowcast, viewers, viewsOf(1))),
      watching(floorName, sender.pid, () => startViewers({ ...sender.viewers, connections: viewers })),
    ];
    outcome.rows.push(...(await interleave(fanout, { ...rounds, case: 'fanout' })));
  } finally {
    for (const end of ends.toReversed()) await end();
  }
  for (const [name, limit] of Object.entries(limits)) {
    const of = (subject: string) =>
      outcome.rows.find((row) => row.case === name && row.subject === subject)?.figures['cpu_us']?.min ??
      Number.NaN;
    outcome.checks.push(
      ...check('guard', `${name}: times the floor`, of('nowcast') / of(floorName), '≤', limit),
    );
  }
  return outcome;
};

const floorName = 'floor';
const viewers = 500;
const rounds = { measure: 'guard', runs: 3, settleMs: 0 };
const limits = { ingest: 6, fanout: 6 };

function sending(name: string, server: BenchServer, headers: readonly string[]): Subject {
  let nextMs = 0;
  return {
    name,
    run: async () => {
      const cpu = cpuSeconds(server.pid);
      const startMs = Math.max(nextMs, Date.now() - 20_000);
      // An amount and not a time: the same work whatever else the machine does.
      const what = {
        path: '/write?precision=ms',
        series: 1000,
        batch: 5000,
        connections: 2,
        points: 500_000,
      };
      const { next_ms, points } = await load({ ...what, port: server.port, headers, startMs, stepMs: 1 });
      nextMs = next_ms;
      return { figures: { cpu_us: ((cpuSeconds(server.pid) - cpu) / points) * 1e6 } };
    },
  };
}

function watching(name: string, pid: number, connect: () => Promise<Viewers>): Subject {
  return {
    name,
    run: async () => {
      const crowd = await connect();
      await delay(500);
      const costs = [];
      for (let i = 0; i < 2; i++) {
        const before = { cpu: cpuSeconds(pid), ...(await crowd.counts()) };
        await delay(1000);
        const after = { cpu: cpuSeconds(pid), ...(await crowd.counts()) };
        costs.push(((after.cpu - before.cpu) / (after.messages - before.messages)) * 1e6);
      }
      await crowd.close();
      return { figures: { cpu_us: median(costs) } };
    },
  };
}
