import { readdir, rm, stat } from 'node:fs/promises';
import os from 'node:os';
import { join } from 'node:path';

/** What this process calls a file that it has begun: a folder may be shared, and process ids are those of one host. */
export function unfinishedName(path: string): string {
  return `${path}.unfinished-${ownHost()}-${process.pid}`;
}

/** A backup writes all the time; hosts that have another name at each run cannot say of which process a file is. */
const abandonedMs = 86_400_000;

/**
 * Deletes what it may of the files that a backup from this host began and its process, named at their end, will never
 * finish, and of those of any host that nobody has written to for a day.
 */
export async function removeAbandoned(folder: string): Promise<void> {
  const host = ownHost();
  for (const name of await readdir(folder)) {
    const [, of, pid] = /\.unfinished-(?:(.+)-)?(\d+)$/.exec(name) ?? [];
    if (pid === undefined) continue;
    const path = join(folder, name);
    const isDead = of === host && !isAlive(Number(pid));
    // One that another user left may not be deleted.
    if (isDead || (await isOld(path))) await rm(path).catch(() => undefined);
  }
}

async function isOld(path: string): Promise<boolean> {
  // Its own host may finish it at this moment.
  const found = await stat(path).catch(() => undefined);
  return found !== undefined && Date.now() - found.mtimeMs > abandonedMs;
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
