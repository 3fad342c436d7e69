import { statfs } from 'node:fs/promises';
import { appError } from '@nowcast/contract';
import { isAppError } from '@nowcast/kernel';

/** With less than this left, SQLite and the warehouse fail and do not always say why. */
const leastFreeBytes = 1024 * 1024;

/**
 * The error to tell when something that writes to `folder` failed: the same, or one that says that the disk is full.
 * What is cleared away after a failure makes room, so ask before that.
 */
export async function orFullDisk(error: unknown, folder: string): Promise<unknown> {
  if (isAppError(error) && (error.code === 'log.full' || error.code.startsWith('request.'))) return error;
  if (!causesOf(error).some(isWithoutRoom) && (await freeBytes(folder)) >= leastFreeBytes) return error;
  const reason = error instanceof Error ? error.message.split('\n', 1)[0] : String(error);
  return appError('log.full', `the disk of ${folder} is full: free some space and try again (${reason})`, {
    cause: error,
  });
}

function causesOf(error: unknown): Error[] {
  return error instanceof Error ? [error, ...causesOf(error.cause)] : [];
}

function isWithoutRoom(error: NodeJS.ErrnoException): boolean {
  return error.code === 'ENOSPC' || error.code === 'EDQUOT';
}

/** What this process may still use; where that cannot be known it is no reason. */
async function freeBytes(folder: string): Promise<number> {
  const found = await statfs(folder).catch(() => undefined);
  if (found === undefined || found.blocks === 0) return Infinity;
  return (process.getuid?.() === 0 ? found.bfree : found.bavail) * found.bsize;
}
