import { readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';

/** Files that a backup began and its process, named at their end, will never finish. */
const unfinishedPattern = /\.unfinished-(\d+)$/;

export async function removeAbandoned(folder: string): Promise<void> {
  for (const name of await readdir(folder)) {
    const pid = unfinishedPattern.exec(name)?.[1];
    if (pid !== undefined && !isAlive(Number(pid))) await rm(join(folder, name), { force: true });
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}
