import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, mkdirSync, openSync, readFileSync, rmSync } from 'node:fs';
import { createServer, connect } from 'node:net';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { dataFolder } from './cache.ts';

/** A server under measure, a peer's or our own, on loopback. */
export interface BenchServer {
  pid: number;
  port: number;
  /** Asks it to end, and waits; its data stay. */
  stop(): Promise<void>;
  /** Kills it and removes its data. */
  destroy(): Promise<void>;
}

const patienceMs = 60_000;

/** A bench that fails or is stopped in the middle leaves no server behind. */
const running = new Set<number>();
process.on('exit', () => {
  for (const pid of running) end(pid);
});

for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(1));

function end(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // It ended by itself.
  }
}

/** Ties a server to this process until it has ended. */
export function tie(pid: number, exit: Promise<unknown>): void {
  running.add(pid);
  void exit.finally(() => running.delete(pid));
}

/**
 * Starts a peer with a data folder of its own; `command` is told the folder and a free port. It is ready when it accepts
 * connections. What it prints goes into the folder, and is shown when it does not start.
 */
export async function startPeer(
  name: string,
  command: (folder: string, port: number) => { file: string; args: string[]; env?: NodeJS.ProcessEnv },
  folder = dataFolder(name),
): Promise<BenchServer> {
  mkdirSync(folder, { recursive: true });
  const port = await freePort();
  const { file, args, env } = command(folder, port);
  const output = join(folder, 'output.log');
  const log = openSync(output, 'a');
  const child = spawn(file, args, {
    cwd: folder,
    env: { ...process.env, ...env },
    stdio: ['ignore', log, log],
  });
  closeSync(log);
  const exit = new Promise<void>((resolve) => {
    child.once('exit', () => resolve());
    child.once('error', () => resolve());
  });
  if (child.pid !== undefined) tie(child.pid, exit);
  if (!(await accepts(port, child))) {
    child.kill('SIGKILL');
    throw new Error(`${name} does not start:\n${readFileSync(output, 'utf8').slice(-2000)}`);
  }
  return {
    pid: child.pid!,
    port,
    stop: async () => {
      child.kill('SIGTERM');
      await exit;
    },
    destroy: async () => {
      child.kill('SIGKILL');
      await exit;
      rmSync(folder, { recursive: true, force: true, maxRetries: 20, retryDelay: 50 });
    },
  };
}

async function accepts(port: number, child: ChildProcess): Promise<boolean> {
  for (
    const until = Date.now() + patienceMs;
    Date.now() < until && child.exitCode === null;
    await delay(50)
  ) {
    const open = await new Promise<boolean>((resolve) => {
      const socket = connect(port, '127.0.0.1');
      socket.once('connect', () => resolve(true)).once('error', () => resolve(false));
      socket.once('connect', () => socket.destroy());
    });
    if (open) return true;
  }
  return false;
}

export function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      server.close(() => resolve(typeof address === 'object' && address !== null ? address.port : 0));
    });
  });
}
