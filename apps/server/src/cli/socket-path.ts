import { closeSync, openSync } from 'node:fs';
import { join } from 'node:path';
import { appError } from '@nowcast/contract';

/** `sun_path` holds 108 bytes on Linux and 104 elsewhere, the final zero included. */
const longestPathBytes = 100;

/**
 * Runs `work` with a name of the data folder's local socket that the kernel takes. Where the path is too long, Linux
 * reaches the same file through an open handle of the folder, which is kept until `work` is done.
 */
export async function withSocketPath<T>(dataDir: string, work: (path: string) => Promise<T>): Promise<T> {
  const path = join(dataDir, 'local.sock');
  if (Buffer.byteLength(path) <= longestPathBytes) return work(path);
  if (process.platform !== 'linux')
    throw appError(
      'request.invalid',
      `the path ${dataDir} is too long for a local socket; use a shorter one`,
    );
  const folder = openSync(dataDir, 'r');
  try {
    return await work(`/proc/self/fd/${folder}/local.sock`);
  } finally {
    closeSync(folder);
  }
}
