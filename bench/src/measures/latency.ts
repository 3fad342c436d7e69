import { setTimeout as delay } from 'node:timers/promises';
import { LiveClient } from '@nowcast/client';
import { load, type LoadOptions } from '../harness/load.ts';
import { quantile } from '../harness/machine.ts';
import {
  check,
  figure,
  type Measure,
  type Options,
  type Outcome,
  runsOf,
  wanted,
} from '../harness/measure.ts';
import { interleave, type Run } from '../harness/rounds.ts';
import { startOwnViewers } from '../harness/viewers.ts';
import { manyConnections } from '../servers/feed.ts';
import { type Nowcast, startNowcast } from '../servers/nowcast.ts';

const viewers = 1000;
const idle = 'idle';
const loaded = 'half of the maximum ingest rate, 1,000 viewers';
const watched = { metric_type: 'delay', agg: 'last', window: '5m', step: '1s' } as const;

/** A point is sent → its cell is parsed by a viewer, one point after the other. No peer pushes. */
export const latency: Measure = async (options) => {
  const outcome: Outcome = { rows: [], checks: [] };
  const server = await startNowcast(manyConnections);
  try {
    const probe = await startProbe(server);
    const rounds = { measure: 'latency', runs: runsOf(options), settleMs: 200 };
    if (wanted(options, idle)) {
      const subject = { name: 'nowcast', run: () => probe.run(options.quick ? 30 : 100) };
      outcome.rows.push(...(await interleave([subject], { ...rounds, case: idle })));
    }
    if (wanted(options, loaded)) outcome.rows.push(...(await underLoad(server, probe, options)));
    probe.close();
  } finally {
    await server.destroy();
  }
  const of = (name: string, what: string) =>
    figure(outcome.rows, { case: name, subject: 'nowcast', name: what });
  outcome.checks.push(
    ...check('latency', 'idle, to the frame, p50 ms', of(idle, 'frame_p50_ms'), '≤', 10),
    ...check('latency', 'loaded, to the frame, p99 ms', of(loaded, 'frame_p99_ms'), '≤', 100),
  );
  return outcome;
};

async function underLoad(server: Nowcast, probe: Probe, options: Options) {
  let nextMs = 0;
  const send = async (more: Pick<LoadOptions, 'rate' | 'seconds'>) => {
    const startMs = Math.max(nextMs, Date.now() - 20_000);
    const what = {
      path: '/write?precision=ms',
      headers: server.headers,
      series: 1000,
      connections: 4,
      stepMs: 1,
    };
    const report = await load({ ...what, ...more, port: server.port, batch: 5000, startMs });
    nextMs = report.next_ms;
    return report;
  };
  const board = [
    watched,
    { metric_type: 'cpu_usage', agg: 'avg', group_by: ['region'], window: '5m' },
  ] as const;
  const crowd = await startOwnViewers(
    server,
    viewers,
    board.map((query) => ({ ...query, group_by: [] })),
  );
  try {
    await send({ seconds: 3 });
    // Long enough that what it takes in has to be flushed meanwhile, and with the viewers there.
    const most = await send({ seconds: options.quick ? 5 : 12 });
    const rate = Math.round(most.points / most.seconds / 2);
    const run = async (): Promise<Run> => {
      const points = options.quick ? 30 : 100;
      const background = send({ rate, seconds: points * 0.1 });
      await delay(500);
      const { figures } = await probe.run(points);
      return { figures: { ...figures, points_per_second: rate, ingest_p99_ms: (await background).p99_ms } };
    };
    const rounds = { measure: 'latency', case: loaded, runs: runsOf(options), settleMs: 200 };
    return await interleave([{ name: 'nowcast', run }], rounds);
  } finally {
    await crowd.close();
  }
}

interface Probe {
  run(points: number): Promise<Run>;
  close(): void;
}

async function startProbe(server: Nowcast): Promise<Probe> {
  const client = new LiveClient({ url: server.url, token: server.token });
  let expected = 0;
  let arrived: (at: number) => void = () => undefined;
  await new Promise<void>((resolve) =>
    client.subscribe(watched, {
      onSnapshot: () => resolve(),
      onDelta: (delta) => {
        for (let i = 0; i < delta.count; i++) if (delta.values[i] === expected) arrived(performance.now());
      },
    }),
  );
  const one = async () => {
    expected += 1;
    const seen = new Promise<number>((resolve) => (arrived = resolve));
    const sent = performance.now();
    const headers = { authorization: `Bearer ${server.key}` };
    const answer = await fetch(`${server.url}/write`, {
      method: 'POST',
      headers,
      body: `delay value=${expected}`,
    });
    if (answer.status !== 204) throw new Error(`ingest answered ${answer.status}`);
    return { acknowledged: performance.now() - sent, frame: (await seen) - sent };
  };
  return {
    close: () => client.close(),
    async run(points) {
      const all = [];
      for (let i = 0; i < points; i++) {
        all.push(await one());
        // Longer than a tick, so that each finds the viewer's turn open.
        await delay(60);
      }
      const frames = all.map(({ frame }) => frame);
      const answers = all.map(({ acknowledged }) => acknowledged);
      return {
        figures: {
          frame_p50_ms: quantile(frames, 0.5),
          frame_p99_ms: quantile(frames, 0.99),
          acknowledged_p50_ms: quantile(answers, 0.5),
          acknowledged_p99_ms: quantile(answers, 0.99),
        },
      };
    },
  };
}
