import type { QueryInput } from '@nowcast/contract';
import { type RunningServer, startServer } from '@nowcast/e2e/server';
import { cpuSeconds, machine, median } from '../harness/machine.ts';
import { Viewer } from '../servers/viewer.ts';

const viewers = 2000;
const updatesPerSecond = 20;
const secondsPerRun = 5;
const runs = 5;

/** Frames per server-CPU-second to viewers of one board, one and five updated panels a tick. */
export async function benchFanout(): Promise<unknown> {
  const results: Record<string, unknown> = {};
  for (const panels of [1, 5]) results[`${panels} updates a write`] = await fanout(panels);
  return { measure: 'fanout', machine: machine(), viewers, updatesPerSecond, results };
}

async function fanout(panels: number): Promise<unknown> {
  const server = await startServer(['--no-collector', '--max-connections-per-address', '100000']);
  const all: Viewer[] = [];
  try {
    const token = await signIn(server);
    const queries: QueryInput[] = Array.from({ length: panels }, (_, i) => ({
      metric_type: `load_${i}`,
      agg: 'last',
      window: '5m',
      step: '1s',
    }));
    await feed(server, panels);
    for (let i = 0; i < viewers; i += 100) {
      const batch = Array.from({ length: 100 }, () => new Viewer(server, token, queries));
      await Promise.all(batch.map((viewer) => viewer.ready));
      all.push(...batch);
    }
    const stop = new AbortController();
    const feeding = (async () => {
      while (!stop.signal.aborted) {
        const next = performance.now() + 1000 / updatesPerSecond;
        await feed(server, panels);
        await new Promise((resolve) => setTimeout(resolve, Math.max(0, next - performance.now())));
      }
    })();
    const perCpuSecond: number[] = [];
    for (let run = 0; run <= runs; run++) {
      const frames = all.reduce((sum, viewer) => sum + viewer.frames, 0);
      const cpu = cpuSeconds(server.pid);
      await new Promise((resolve) => setTimeout(resolve, secondsPerRun * 1000));
      const delta = all.reduce((sum, viewer) => sum + viewer.frames, 0) - frames;
      // The first run warms up.
      if (run > 0) perCpuSecond.push(delta / (cpuSeconds(server.pid) - cpu));
    }
    stop.abort();
    await feeding;
    return { updatesPerCpuSecond: Math.round(median(perCpuSecond)) };
  } finally {
    for (const viewer of all) viewer.close();
    await server.destroy();
  }
}

async function feed(server: RunningServer, panels: number): Promise<void> {
  const body = Array.from({ length: panels }, (_, i) => `load_${i} value=${Math.random()}`).join('\n');
  const answer = await fetch(`${server.url}/write`, {
    method: 'POST',
    headers: { authorization: `Bearer ${server.key}` },
    body,
  });
  if (answer.status !== 204) throw new Error(`ingest answered ${answer.status}`);
}

export async function signIn(server: RunningServer): Promise<string> {
  const answer = await fetch(`${server.url}/login`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(server.login),
  });
  return ((await answer.json()) as { token: string }).token;
}
