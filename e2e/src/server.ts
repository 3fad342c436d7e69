import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';

const root = resolve(import.meta.dirname, '../..');
export const node = join(root, 'node_modules/.bin/node');
export const main = join(root, 'apps/server/src/main.ts');

/** A real server process on a free port. */
export interface RunningServer {
  pid: number;
  port: number;
  url: string;
  /** API key with the scopes ingest and read. */
  key: string;
  dataDir: string;
  login: { login: string; password: string };
  /** What it printed so far. */
  output(): string;
  /** Its log so far: JSON, one object a line. */
  log(): string;
  /** Its exit code once it has ended; null after a signal. */
  exit: Promise<number | null>;
  /** SIGTERM, and wait for the end. */
  stop(): Promise<void>;
  /** SIGKILL, and wait for the end. */
  kill(): Promise<void>;
  /** Kills it and removes its data folder. */
  destroy(): Promise<void>;
}

/** Whom `startServer` makes the owner of a data folder. */
export const owner = { login: 'ada', password: 'correct horse battery' };

/** Starts the real server on a fresh (or the given, empty) data folder, set up by the CLI, with one owner and one API key. */
export async function startServer(
  args: readonly string[] = [],
  dataDir = mkdtempSync(join(tmpdir(), 'nowcast-e2e-')),
): Promise<RunningServer> {
  const login = owner;
  const setup = [
    'setup',
    '--tenant',
    'Acme',
    '--email',
    'ada@example.com',
    '--username',
    login.login,
    '--password-stdin',
  ];
  cli(dataDir, setup, login.password);
  const key = /nk_[\w-]+/.exec(
    cli(dataDir, ['key', 'create', '--name', 'first', '--scopes', 'ingest,read'], ''),
  )?.[0];
  if (key === undefined) throw new Error('the CLI printed no key');
  const server = await serve(dataDir, { args });
  return { ...server, key, login };
}

/** Starts the server on an existing data folder; `stop` leaves the folder, `destroy` removes it. */
export async function serve(
  dataDir: string,
  {
    port: wanted = 0,
    args = [],
    onSpawn,
  }: { port?: number; args?: readonly string[]; onSpawn?: (child: ChildProcess) => void } = {},
): Promise<Omit<RunningServer, 'key' | 'login'>> {
  const child = spawn(node, [main, 'serve', '--data-dir', dataDir, '--port', String(wanted), ...args], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  onSpawn?.(child);
  const exit = new Promise<number | null>((resolve) => child.once('exit', resolve));
  let text = '';
  let log = '';
  child.stderr.on('data', (chunk: Buffer) => (log += chunk.toString()));
  const port = await new Promise<number>((found, failed) => {
    child.stdout.on('data', (chunk: Buffer) => {
      text += chunk.toString();
      const match = /https?:\/\/[^\s:/]+:(\d+)/.exec(text);
      if (match !== null) found(Number(match[1]));
    });
    child.once('close', (code) => failed(new Error(`the server ended with ${code}: ${text}${log}`)));
  });
  const end = async (signal: 'SIGTERM' | 'SIGKILL') => {
    child.kill(signal);
    await exit;
  };
  return {
    pid: child.pid!,
    port,
    url: `http://127.0.0.1:${port}`,
    dataDir,
    output: () => text,
    log: () => log,
    exit,
    stop: () => end('SIGTERM'),
    kill: () => end('SIGKILL'),
    destroy: async () => {
      await end('SIGKILL');
      // Its warehouse process notices a moment later, and may write until then.
      rmSync(dataDir, { recursive: true, force: true, maxRetries: 20, retryDelay: 50 });
    },
  };
}

function cli(dataDir: string, args: readonly string[], input: string): string {
  const result = spawnSync(node, [main, ...args, '--data-dir', dataDir], { input, encoding: 'utf8' });
  if (result.status !== 0) throw new Error(`nowcast ${args[0]}: ${result.stderr}`);
  return result.stdout;
}
