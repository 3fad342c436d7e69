import { setTimeout as delay } from 'node:timers/promises';
import { cpuSeconds } from '../harness/machine.ts';
import {
  check,
  figure,
  type Measure,
  type Options,
  type Outcome,
  runsOf,
  wanted,
} from '../harness/measure.ts';
import { interleave, type Run, type Subject } from '../harness/rounds.ts';
import { startOwnViewers, startViewers, type Viewers } from '../harness/viewers.ts';
import { type Broadcaster, type BroadcastPeer, broadcastPeers, floor } from '../servers/broadcasters.ts';
import { feed, manyConnections, viewsOf } from '../servers/feed.ts';
import { startNowcast } from '../servers/nowcast.ts';
import { stalledReader } from './stalled-reader.ts';

const connections = 2000;
const hz = 20;
const bytes = 512;
const stalled = 'a stalled reader';

/** Series of each view, so that a frame of changed values has about as many bytes as those of the peers. */
const cases = [
  { name: 'one update a frame', views: 1, series: 142 },
  { name: 'five updates a frame', views: 5, series: 20 },
];

type Ends = (() => Promise<void>)[];

/**
 * Messages that reach 2,000 viewers per CPU-second of the server, at 20 Hz and 512 bytes. Ours is the whole way: a point
 * is ingested durably, folded into a live view, encoded, sent in the real protocol and acknowledged.
 */
export const fanout: Measure = async (options) => {
  const outcome: Outcome = { rows: [], checks: [] };
  for (const one of cases.filter(({ name }) => wanted(options, name))) {
    const ends: Ends = [];
    try {
      const subjects = [await own(one, options, ends), await other('floor: C send()', floor, options, ends)];
      if (options.peers && one.views === 1)
        for (const [name, peer] of Object.entries(broadcastPeers()))
          subjects.push(await other(name, peer, options, ends));
      const rounds = { measure: 'fanout', case: one.name, runs: runsOf(options), settleMs: 500 };
      outcome.rows.push(...(await interleave(subjects, rounds)));
    } finally {
      for (const end of ends.toReversed()) await end();
    }
  }
  if (wanted(options, stalled)) outcome.rows.push(await stalledReader(stalled, options));
  outcome.checks.push(...checksOf(outcome));
  return outcome;
};

async function own(
  { views, series }: (typeof cases)[number],
  options: Options,
  ends: Ends,
): Promise<Subject> {
  const server = await startNowcast(manyConnections);
  ends.push(() => server.destroy());
  ends.push(await feed(server, { views, series, hz }));
  return {
    name: 'nowcast',
    run: () => watch(server.pid, () => startOwnViewers(server, connections, viewsOf(views)), options, views),
  };
}

/** A server in Node runs all the time, so that its code is compiled; others are started for each run. */
async function other(
  name: string,
  { start, inNode }: BroadcastPeer,
  options: Options,
  ends: Ends,
): Promise<Subject> {
  const watched = (server: Broadcaster) =>
    watch(server.pid, () => startViewers({ ...server.viewers, connections }), options, 1);
  if (inNode) {
    const server = await start({ bytes, hz });
    ends.push(() => server.destroy());
    return { name, run: () => watched(server) };
  }
  return {
    name,
    run: async () => {
      const server = await start({ bytes, hz });
      try {
        return await watched(server);
      } finally {
        await server.destroy();
      }
    },
  };
}

/** Viewers connect for each run and leave after it: a server that nobody watches leaves the machine to the others. */
async function watch(
  pid: number,
  connect: () => Promise<Viewers>,
  options: Options,
  updatesPerFrame: number,
): Promise<Run> {
  const viewers = await connect();
  await delay(1000);
  const before = { at: performance.now(), cpu: cpuSeconds(pid), ...(await viewers.counts()) };
  await delay(options.quick ? 3000 : 5000);
  const after = { at: performance.now(), cpu: cpuSeconds(pid), ...(await viewers.counts()) };
  await viewers.close();
  const seconds = (after.at - before.at) / 1000;
  const updates = after.messages - before.messages;
  const cpu = Math.max(after.cpu - before.cpu, 0.01);
  return {
    figures: {
      frames_per_cpu_second: updates / updatesPerFrame / cpu,
      ...(updatesPerFrame > 1 ? { updates_per_cpu_second: updates / cpu } : {}),
      frames_per_second: updates / updatesPerFrame / seconds,
      bytes_per_frame: ((after.payload_bytes - before.payload_bytes) / updates) * updatesPerFrame,
      acks_per_second: (after.acks - before.acks) / seconds,
    },
  };
}

function checksOf({ rows }: Outcome) {
  const [single, five] = cases;
  const of = (name: string, subject: string, what = 'frames_per_cpu_second') =>
    figure(rows, { case: name, subject, name: what });
  const frames = of(single!.name, 'nowcast');
  const stale = (name: string) => of(stalled, 'nowcast', name);
  return [
    ...check('fanout', 'frames per CPU-second', frames, '≥', 140_000),
    ...check(
      'fanout',
      'cost of a frame, times the floor',
      of(single!.name, 'floor: C send()') / frames,
      '≤',
      1.15,
    ),
    ...check(
      'fanout',
      'updates per CPU-second',
      of(five!.name, 'nowcast', 'updates_per_cpu_second'),
      '≥',
      700_000,
    ),
    ...check('fanout', 'stalled reader: times cut', stale('times_cut'), '≤', 0),
    ...check(
      'fanout',
      'stalled reader: age of what it is sent, ms',
      stale('oldest_sent_after_ack_ms'),
      '≤',
      1000,
    ),
  ];
}
