import { spawnSync } from 'node:child_process';
import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { nativeProgram } from './cache.ts';

/** Bytes that a folder's files occupy; links below it are not followed, one that is the folder itself is. */
export function bytesOnDisk(folder: string): number {
  let bytes = 0;
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) bytes += bytesOnDisk(path);
    else if (entry.isFile()) bytes += statSync(path).blocks * 512;
  }
  return bytes;
}

/** Drops a folder's files from the page cache. The server that has them must not run. */
export function dropFromPageCache(folder: string): void {
  const { status, stderr } = spawnSync(nativeProgram('evict'), [folder], { encoding: 'utf8' });
  if (status !== 0) throw new Error(`the page cache keeps ${folder}: ${stderr}`);
}
