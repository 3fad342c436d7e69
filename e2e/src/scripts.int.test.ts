import { spawnSync } from 'node:child_process';
import { copyFile, cp, mkdir, mkdtemp, realpath, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

const project = resolve(import.meta.dirname, '../..');

/** What the scripts themselves call; neither Node nor npm is among it. */
const tools = ['sh', 'cat', 'cmp', 'dirname'];

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

function run(script: string, args: readonly string[] = [], env: Record<string, string> = {}) {
  const options = { cwd: folder, env: { PATH: path, ...env }, encoding: 'utf8' as const };
  const { status, stdout, stderr } = spawnSync(join(root, script), args, options);
  return { status, stderr, said: stdout === '' ? undefined : (JSON.parse(stdout) as string[]) };
}

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
