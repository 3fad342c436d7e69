import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import type { QueryInput } from '@nowcast/contract';
import { nativeProgram } from './cache.ts';

/** What bench/native/viewers.c is asked to do. */
export interface ViewerOptions {
  mode: 'nowcast' | 'ws' | 'socket.io' | 'nats';
  port: number;
  connections: number;
  path?: string;
  headers?: readonly string[];
  /** Text messages that each sends once it is connected. */
  send?: readonly string[];
}

/** Over all viewers since they connected. */
export interface ViewerCounts {
  /** Of `nowcast`: deltas. */
  messages: number;
  payload_bytes: number;
  acks: number;
}

export interface Viewers {
  counts(): Promise<ViewerCounts>;
  close(): Promise<void>;
}

/** Connects all viewers; resolves once they are subscribed. */
export async function startViewers(options: ViewerOptions): Promise<Viewers> {
  const { headers = [], send = [], ...rest } = options;
  const args = Object.entries(rest).flatMap(([name, value]) => [`--${name}`, String(value)]);
  for (const header of headers) args.push('--header', header);
  for (const text of send) args.push('--send', text);
  const child = spawn(nativeProgram('viewers'), args, { stdio: ['pipe', 'pipe', 'pipe'] });
  let errors = '';
  child.stderr.on('data', (chunk: Buffer) => (errors += chunk.toString()));
  child.stdin.on('error', () => undefined);
  const lines = createInterface(child.stdout)[Symbol.asyncIterator]();
  const exit = new Promise<void>((resolve) => child.once('close', () => resolve()));
  const line = async (): Promise<string> => {
    const { value, done } = await lines.next();
    if (done !== true) return value;
    await exit;
    throw new Error(`${options.mode} viewers on port ${options.port}: ${errors || 'ended'}`);
  };
  await line();
  return {
    counts: async () => {
      child.stdin.write('\n');
      return JSON.parse(await line()) as ViewerCounts;
    },
    close: async () => {
      child.stdin.end();
      await exit;
    },
  };
}

/** Viewers of our own server, each subscribed to the same queries. */
export function startOwnViewers(
  server: { port: number; token: string },
  connections: number,
  queries: readonly QueryInput[],
): Promise<Viewers> {
  return startViewers({
    mode: 'nowcast',
    port: server.port,
    connections,
    path: '/updates',
    headers: ['Sec-WebSocket-Protocol: nowcast.v1', `Authorization: Bearer ${server.token}`],
    send: queries.map((query, i) => JSON.stringify({ type: 'subscribe', id: `q${i}`, query })),
  });
}
