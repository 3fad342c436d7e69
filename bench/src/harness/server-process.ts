import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, openSync, readFileSync, rmSync } from 'node:fs';
import { createServer, connect } from 'node:net';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { dataFolder } from './cache.ts';

/** A server under measure, a peer's or our own, on loopback. */
export interface BenchServer {
  pid: number;
  port: number;
  /** Ends it and removes its data. */
  destroy(): Promise<void>;
}

export interface PeerProcess extends BenchServer {
  folder: string;
  exit: Promise<void>;
}

const patienceMs = 60_000;

/**
 * Starts a peer with a data folder of its own; `command` is told the folder and a free port. It is ready when it accepts
 * connections. What it prints goes into the folder, and is shown when it does not start.
 */
export async function startPeer(
  name: string,
  command: (folder: string, port: number) => { file: string; args: string[]; env?: NodeJS.ProcessEnv },
  folder = dataFolder(name),
): Promise<PeerProcess> {
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
  if (!(await accepts(port, child))) {
    child.kill('SIGKILL');
    throw new Error(`${name} does not start:\n${readFileSync(output, 'utf8').slice(-2000)}`);
  }
  return {
    pid: child.pid!,
    port,
    folder,
    exit,
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
