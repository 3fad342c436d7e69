import { type ChildProcess, spawn } from 'node:child_process';
import { join, resolve } from 'node:path';
import type { Readable } from 'node:stream';

const root = resolve(import.meta.dirname, '../..');
export const node = join(root, 'node_modules/.bin/node');
export const main = join(root, 'apps/server/src/main.ts');

export interface CliResult {
  code: number | null;
  signal: NodeJS.Signals | null;
  stdout: string;
  stderr: string;
}

/** A run of the real command line. */
export interface CliRun {
  child: ChildProcess;
  result: Promise<CliResult>;
}

export function startCli(
  args: readonly string[],
  { input = '', env = {} }: { input?: string; env?: Record<string, string> } = {},
): CliRun {
  const child = spawn(node, [main, ...args], {
    env: { ...process.env, ...env },
    stdio: ['pipe', 'pipe', 'pipe'],
  });
  // A command that ends before it has read everything is no failure of the one that starts it.
  child.stdin.on('error', () => undefined);
  child.stdin.end(input);
  const ended = new Promise<Pick<CliResult, 'code' | 'signal'>>((found) =>
    child.once('close', (code, signal) => found({ code, signal })),
  );
  const result = Promise.all([ended, text(child.stdout), text(child.stderr)]).then(
    ([end, stdout, stderr]) => ({ ...end, stdout, stderr }),
  );
  return { child, result };
}

/** Runs a command to its end; rejects with what it said unless it went well. */
export async function cli(
  args: readonly string[],
  options: { input?: string; env?: Record<string, string> } = {},
): Promise<CliResult> {
  const result = await startCli(args, options).result;
  if (result.code === 0) return result;
  throw new Error(`nowcast ${args.join(' ')}: ${result.code ?? result.signal} ${result.stderr}`);
}

/** The message of a command that must fail. */
export async function cliError(
  args: readonly string[],
  options: { input?: string; env?: Record<string, string> } = {},
): Promise<string> {
  const { code, stderr } = await startCli(args, options).result;
  if (code === 0) throw new Error(`nowcast ${args.join(' ')} went well`);
  return stderr;
}

async function text(stream: Readable): Promise<string> {
  return Buffer.concat((await stream.toArray()) as Buffer[]).toString('utf8');
}
