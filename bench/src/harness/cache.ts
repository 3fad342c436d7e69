import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
} from 'node:fs';
import { homedir, tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';

/**
 * What the bench needs beyond this repository: peers from Debian, Go and npm, and its own programs in C. All of it is put
 * in one folder of the user's cache, nothing is installed into the system, and no service of a package is started.
 */
const cache = join(process.env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache'), 'nowcast-bench');
const native = resolve(import.meta.dirname, '../../native');

/** Makes a folder of the cache once: filled beside its place and moved there when `fill` has succeeded. */
function cached(name: string, what: string, fill: (folder: string) => void): string {
  const folder = join(cache, name);
  if (existsSync(folder)) return folder;
  console.error(`Installing ${what} into ${folder} (once) …`);
  mkdirSync(cache, { recursive: true });
  const unfinished = mkdtempSync(join(cache, 'unfinished-'));
  try {
    fill(unfinished);
    renameSync(unfinished, folder);
  } finally {
    rmSync(unfinished, { recursive: true, force: true });
  }
  return folder;
}

function run(
  command: string,
  args: readonly string[],
  folder: string,
  environment: NodeJS.ProcessEnv = {},
): void {
  const env = { ...process.env, ...environment };
  const { status, stdout, stderr, error } = spawnSync(command, args, { cwd: folder, env, encoding: 'utf8' });
  if (error !== undefined) throw new Error(`${command} is needed: ${error.message}`);
  if (status !== 0) throw new Error(`${command} ${args.join(' ')} failed:\n${stdout}${stderr}`);
}

/** A C program of bench/native, built with the machine's gcc; its path. */
export function nativeProgram(name: 'load' | 'viewers' | 'floor' | 'evict'): string {
  const hash = createHash('sha256');
  for (const file of readdirSync(native).sort()) hash.update(readFileSync(join(native, file)));
  const version = hash.digest('hex').slice(0, 12);
  const folder = cached(`native-${name}-${version}`, `bench/native/${name}.c`, (to) =>
    run('gcc', ['-O2', '-o', join(to, name), join(native, `${name}.c`)], to),
  );
  return join(folder, name);
}

/** Debian packages, unpacked and not installed; the folder that stands for `/`. */
export function debianPackages(name: string, packages: readonly string[]): string {
  return cached(`debian-${name}`, `Debian's ${name}`, (to) => {
    try {
      run('apt-get', ['download', '-q', ...packages], to);
    } catch {
      // Its lists may be missing or older than what the mirror still has.
      run('apt-get', ['update', '-qq'], to);
      run('apt-get', ['download', '-q', ...packages], to);
    }
    for (const file of readdirSync(to).filter((one) => one.endsWith('.deb'))) {
      run('dpkg-deb', ['-x', file, '.'], to);
      rmSync(join(to, file));
    }
  });
}

/** Some programs look for their files where Debian installs them and nowhere else: a link there, unless there is one. */
export function linkFromSystem(root: string, path: string): void {
  if (existsSync(path)) return;
  mkdirSync(dirname(path), { recursive: true });
  symlinkSync(join(root, path), path);
}

export function hasGo(): boolean {
  return spawnSync('go', ['version']).status === 0;
}

/** A Go program at a version, built here; its path. */
export function goProgram(module: string, version: string): string {
  const name = module.split('/').findLast((part) => !/^v\d+$/.test(part))!;
  const folder = cached(`go-${name}-${version}`, `${name} ${version}`, (to) =>
    run('go', ['install', `${module}@${version}`], to, { GOBIN: to, GOFLAGS: '-trimpath' }),
  );
  return join(folder, name);
}

/** npm packages at exact versions; the folder whose node_modules has them. */
export function npmPackages(name: string, packages: readonly string[]): string {
  return cached(`npm-${name}`, packages.join(', '), (to) =>
    run('npm', ['install', '--no-audit', '--no-fund', '--loglevel=error', '--prefix', to, ...packages], to),
  );
}

/** An empty folder for the data of a server; the server's end removes it. */
export function dataFolder(name: string): string {
  return mkdtempSync(join(tmpdir(), `nowcast-bench-${name}-`));
}
