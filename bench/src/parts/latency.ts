import { LiveClient } from '@nowcast/client';
import { startServer } from '@nowcast/e2e/server';
import { signIn } from './fanout.ts';
import { machine, quantile } from '../harness/machine.ts';

const points = 300;

/** Point sent → its cell parsed by a viewer, one point at a time on an idle server. */
export async function benchLatency(): Promise<unknown> {
  const server = await startServer(['--no-collector']);
  const client = new LiveClient({ url: server.url, token: await signIn(server) });
  try {
    let expected = 0;
    let arrived: ((at: number) => void) | undefined;
    const opened = new Promise<void>((resolve) => {
      client.subscribe(
        { metric_type: 'delay', agg: 'last', window: '5m', step: '1s' },
        {
          onSnapshot: () => resolve(),
          onDelta: (delta) => {
            for (let i = 0; i < delta.count; i++)
              if (delta.values[i] === expected) arrived?.(performance.now());
          },
        },
      );
    });
    await opened;
    const toFrame: number[] = [];
    const toAnswer: number[] = [];
    for (expected = 1; expected <= points; expected++) {
      const seen = new Promise<number>((resolve) => {
        arrived = resolve;
      });
      const sent = performance.now();
      const answer = await fetch(`${server.url}/write`, {
        method: 'POST',
        headers: { authorization: `Bearer ${server.key}` },
        body: `delay value=${expected}`,
      });
      if (answer.status !== 204) throw new Error(`ingest answered ${answer.status}`);
      toAnswer.push(performance.now() - sent);
      toFrame.push((await seen) - sent);
      // Longer than a tick, so that each point finds the server idle.
      await new Promise((resolve) => setTimeout(resolve, 60));
    }
    return {
      measure: 'latency',
      machine: machine(),
      idle: {
        sentToFrameMs: { p50: quantile(toFrame, 0.5), p99: quantile(toFrame, 0.99) },
        sentToAcknowledgedMs: { p50: quantile(toAnswer, 0.5), p99: quantile(toAnswer, 0.99) },
      },
    };
  } finally {
    client.close();
    await server.destroy();
  }
}
