import { spawnSync } from 'node:child_process';
import {
  chmod,
  copyFile,
  cp,
  mkdir,
  mkdtemp,
  readdir,
  realpath,
  rm,
  symlink,
  utimes,
  writeFile,
} from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

const project = resolve(import.meta.dirname, '../..');

/** What the scripts themselves call; neither Node nor npm is among it. */
const tools = ['sh', 'cat', 'cksum', 'cmp', 'dirname', 'find', 'ls', 'mkdir', 'mktemp', 'rm', 'sort'];

let folder: string;
let root: string;
let path: string;

/** An installed project whose program says where and how it was started. */
beforeEach(async () => {
  folder = await realpath(await mkdtemp(join(tmpdir(), 'nowcast-scripts-')));
  root = join(folder, 'nowcast');
  path = join(folder, 'tools');
  const server = join(root, 'apps/server/src');
  const installed = join(root, 'node_modules/.bin');
  for (const made of [path, server, installed]) await mkdir(made, { recursive: true });
  await cp(join(project, 'bin'), join(root, 'bin'), { recursive: true });
  for (const lock of ['package-lock.json', 'node_modules/.installed'])
    await copyFile(join(project, 'package-lock.json'), join(root, lock));
  await symlink(await realpath(join(project, 'node_modules/.bin/node')), join(installed, 'node'));
  await writeFile(
    join(server, 'main.ts'),
    'console.log(JSON.stringify([process.cwd(), process.env.NOWCAST_DATA_DIR, ...process.argv.slice(2)]));',
  );
  for (const tool of tools) await link(tool);
});
afterEach(() => rm(folder, { recursive: true, force: true }));

async function link(tool: string): Promise<void> {
  const found = spawnSync('/bin/sh', ['-c', `command -v ${tool}`], { encoding: 'utf8' }).stdout.trim();
  await symlink(found, join(path, tool));
}

function run(
  script: string,
  args: readonly string[] = [],
  env: Record<string, string> = {},
  as: { uid?: number; gid?: number; cwd?: string } = {},
) {
  const options = { cwd: folder, env: { PATH: path, ...env }, encoding: 'utf8' as const, ...as };
  const { status, stdout, stderr } = spawnSync(join(root, script), args, options);
  return { status, stderr, said: stdout === '' ? undefined : (JSON.parse(stdout) as string[]) };
}

/** Nobody in particular, where the tests run as the one who may write everywhere. */
const somebody = process.getuid?.() === 0 ? { uid: 65_534, gid: 65_534 } : {};

describe('bin/nowcast', () => {
  it('needs no Node of the machine once it is installed: cron has none in its PATH', () => {
    const { said, stderr } = run('bin/nowcast', ['backup', '--to', 'b']);
    expect(stderr).toBe('');
    expect(said).toEqual([folder, join(root, '.nowcast'), 'backup', '--to', 'b']);
  });

  it('says what it needs where it has to install itself', async () => {
    await rm(join(root, 'node_modules/.installed'));
    const { status, stderr } = run('bin/nowcast', ['backup']);
    expect(status).toBe(1);
    expect(stderr).toContain('needs Node.js 20 or newer with npm');
  });
});

describe('bin/install', () => {
  it('writes what an installation says to a file that nobody can have put there before', async () => {
    await rm(join(root, 'node_modules/.installed'));
    const TMPDIR = join(folder, 'tmp');
    await mkdir(TMPDIR);
    for (const name of ['node', 'npm']) {
      await writeFile(join(path, name), '#!/bin/sh\nls "$TMPDIR"\nexit 1\n');
      await chmod(join(path, name), 0o755);
    }
    const { status, stderr } = run('bin/nowcast', [], { TMPDIR });
    expect(status).toBe(1);
    expect(stderr).toMatch(/\ntmp\.\w{6,}\n.*could not be installed/);
    expect(await readdir(TMPDIR)).toEqual([]);
  });
});

describe('bin/test and bin/bench', () => {
  it.each([
    ['bin/test', '--none', 'usage: bin/test'],
    ['bin/bench', '--help', 'bench of this folder'],
  ])('%s finds itself where the shell looks for folders elsewhere, too', async (script, arg, words) => {
    const CDPATH = join(folder, 'elsewhere');
    await mkdir(join(CDPATH, 'bin'), { recursive: true });
    await mkdir(join(root, 'bench/src'), { recursive: true });
    await writeFile(join(root, 'bench/src/main.ts'), 'console.error("bench of this folder")');
    const env = { PATH: path, CDPATH };
    const { stderr } = spawnSync('sh', ['-c', `${script} ${arg}`], { cwd: root, env, encoding: 'utf8' });
    expect(stderr).toContain(words);
  });
});

describe('bin/start', () => {
  const page = (): string => join(root, 'apps/web/page.ts');

  beforeEach(async () => {
    for (const name of ['apps/web', 'packages/contract', 'packages/client', 'packages/kernel'])
      await mkdir(join(root, name), { recursive: true });
    await writeFile(page(), 'first');
    const vite = join(root, 'node_modules/.bin/vite');
    await writeFile(vite, '#!/bin/sh\nmkdir -p apps/web/dist\n: >apps/web/dist/index.html\n');
    await chmod(vite, 0o755);
  });

  it('relative paths in options mean where the caller is', () => {
    const { said } = run('bin/start', ['--data-dir', 'here'], { NOWCAST_DATA_DIR: 'there' });
    expect(said).toEqual([folder, 'there', 'serve', '--data-dir', 'here']);
    expect(run('bin/start').said).toEqual([folder, join(root, '.nowcast'), 'serve']);
  });

  it.runIf('uid' in somebody)('starts for a user who may not enter the folder it is called in', async () => {
    expect(run('bin/start').status).toBe(0);
    await chmod(folder, 0o755);
    const cwd = join(folder, 'closed');
    await mkdir(cwd, { mode: 0o700 });
    const { status, said, stderr } = run('bin/start', [], {}, { ...somebody, cwd });
    expect(stderr).toContain(`${cwd} cannot be entered`);
    expect(status).toBe(0);
    expect(said).toEqual([root, join(root, '.nowcast'), 'serve']);
  });

  it('finds itself where the shell looks for folders elsewhere, too', () => {
    const env = { CDPATH: `.:${folder}` };
    const from = { cwd: root };
    expect(spawnSync('sh', ['-c', 'bin/start'], { ...from, env: { PATH: path, ...env } }).status).toBe(0);
    expect(run('bin/start', [], env, from).said).toEqual([root, join(root, '.nowcast'), 'serve']);
  });

  it('builds the page when what it is made of has changed, and for nothing else', async () => {
    const builds = (env?: Record<string, string>): boolean =>
      run('bin/start', [], env).stderr.includes('Building');
    expect(builds()).toBe(true);
    await utimes(page(), 1, 1);
    await chmod(page(), 0o600);
    expect(builds({ TZ: 'Asia/Tokyo', LC_ALL: 'C.UTF-8' })).toBe(false);
    await writeFile(page(), 'other');
    expect(builds()).toBe(true);
  });

  it('serves the page that is there, where this user may not build another', async () => {
    expect(run('bin/start').status).toBe(0);
    await writeFile(page(), 'other');
    await chmod(folder, 0o755);
    await chmod(join(root, 'apps/web/dist'), 0o555);
    const { status, stderr, said } = run('bin/start', [], {}, somebody);
    expect(stderr).toContain('may not build it anew');
    expect(status).toBe(0);
    expect(said).toEqual([folder, join(root, '.nowcast'), 'serve']);
    await chmod(join(root, 'apps/web/dist'), 0o755);
  });
});
