/**
 * What the Sources page tells people to paste is pasted here: each snippet is run as it stands against the real
 * server, by the program it is written for, and must be seen as a source that sends.
 */
import { spawn, spawnSync } from 'node:child_process';
import { gzipSync } from 'node:zlib';
import type { ApiKey, SourceStatus } from '@nowcast/contract';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { snippets } from '../../apps/web/src/features/sources/snippets.ts';
import { patience } from '../fixtures/live-peer.ts';
import { callAs, type Person, signInOwner } from '../fixtures/people.ts';
import { type RunningServer, startServer } from './server.ts';

const hasPython = spawnSync('python3', ['--version']).status === 0;
/** Modules on standard input find packages from here. */
const cwd = new URL('..', import.meta.url).pathname;

let server: RunningServer;
let owner: Person;
beforeAll(async () => {
  server = await startServer(['--no-collector']);
  owner = await signInOwner(server);
});
afterAll(() => server?.destroy());

/** Feeds `code` to `program`; the function that comes back ends it, for snippets that send for ever. */
function feed(program: string, args: readonly string[], code: string): () => Promise<string> {
  const child = spawn(program, args, { cwd, stdio: ['pipe', 'pipe', 'pipe'] });
  let said = '';
  child.stdout.on('data', (chunk: Buffer) => (said += chunk.toString()));
  child.stderr.on('data', (chunk: Buffer) => (said += chunk.toString()));
  const ended = new Promise<void>((resolve) => child.once('close', () => resolve()));
  child.stdin.end(code);
  return async () => {
    child.kill('SIGKILL');
    await ended;
    return said;
  };
}

/** No Telegraf is installed here: its settings are read, and used as its output plugin uses them. */
async function asTelegraf(config: string): Promise<string> {
  const setting = (name: string): string => new RegExp(`${name} = \\[?"([^"]+)"`).exec(config)?.[1] ?? '';
  const query = new URLSearchParams({ bucket: setting('bucket'), org: setting('organization') });
  const answer = await fetch(`${setting('urls')}/api/v2/write?${query.toString()}`, {
    method: 'POST',
    headers: { Authorization: `Token ${setting('token')}`, 'Content-Encoding': 'gzip' },
    body: gzipSync(`cpu,cpu=cpu0,host=db-1 usage_user=3.5 ${Date.now()}000000\n`),
  });
  return `${answer.status} ${await answer.text()}`;
}

const programs: Record<string, (code: string) => () => Promise<string>> = {
  curl: (code) => feed('bash', [], code),
  line: (code) => feed('bash', [], code),
  ndjson: (code) => feed('bash', [], code),
  node: (code) => feed(process.execPath, ['--input-type=module', '-'], code),
  influxdb: (code) => feed(process.execPath, ['--input-type=module', '-'], code),
  python: (code) => feed('python3', ['-u', '-'], code),
  telegraf: (code) => {
    const sent = asTelegraf(code);
    return () => sent;
  },
};

test.each(snippets.filter(({ id }) => id !== 'python' || hasPython))(
  '$title: the snippet sends as it stands',
  async ({ id, code }) => {
    const made = await callAs(owner, server.url, 'POST', '/api/v1/keys', { name: id });
    const key = (await made.json()) as ApiKey;
    const end = programs[id]!(code(server.url, key.secret ?? ''));
    const read = async (): Promise<SourceStatus> => {
      const answer = await callAs(owner, server.url, 'GET', `/api/v1/sources/${key.key_id}`);
      return (await answer.json()) as SourceStatus;
    };
    let said = '';
    try {
      await vi.waitFor(async () => expect((await read()).accepted).toBeGreaterThan(0), patience);
    } finally {
      said = await end();
    }
    expect(said).not.toMatch(/error|refused|rejected/i);
    const status = await read();
    expect([status.rejected, status.last_error]).toEqual([0, null]);
    expect(status.first_sample?.metric_type).toBe(status.metrics[0]);
  },
);
