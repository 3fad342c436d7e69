import { readdir, rm } from 'node:fs/promises';
import os from 'node:os';
import { join } from 'node:path';

/** What this process calls a file that it has begun: a folder may be shared, and process ids are those of one host. */
export function unfinishedName(path: string): string {
  return `${path}.unfinished-${ownHost()}-${process.pid}`;
}

/** Files that a backup from this host began and its process, named at their end, will never finish. */
export async function removeAbandoned(folder: string): Promise<void> {
  const host = ownHost();
  for (const name of await readdir(folder)) {
    const [, of, pid] = /\.unfinished-(.+)-(\d+)$/.exec(name) ?? [];
    if (of === host && !isAlive(Number(pid))) await rm(join(folder, name), { force: true });
  }
}

function ownHost(): string {
  return os.hostname().replaceAll(/[^\w.-]/g, '_') || 'host';
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}
