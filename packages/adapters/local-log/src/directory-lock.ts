import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { appError } from '@nowcast/contract';

/** SQLite's primary result codes (https://sqlite.org/rescode.html). */
const sqliteBusy = 5;
const sqliteFull = 13;

/**
 * Keeps a second process, or a second thread, from opening the same log. Two writers would use the same offsets.
 *
 * A file with a process id in it cannot do this: after a crash the id may belong to somebody else, and in a container
 * everybody is process 1. The operating system's lock dies with its owner, but Node has no call for it. SQLite does:
 * an open exclusive transaction holds a POSIX lock on its (empty) file, and SQLite itself tells threads of one process
 * apart, which POSIX locks do not. Nothing is ever written to the file.
 *
 * Nobody else in this process may open and close the file: POSIX would drop the lock.
 */
export function lockDirectory(directory: string): () => void {
  const path = join(directory, 'lock');
  let database: DatabaseSync | undefined;
  try {
    database = new DatabaseSync(path, { timeout: 0 });
    database.exec('BEGIN EXCLUSIVE');
  } catch (cause) {
    database?.close();
    throw refusal(directory, cause as Error & { errcode?: number });
  }
  return () => {
    if (database.isOpen) database.close();
  };
}

function refusal(directory: string, cause: Error & { errcode?: number }): Error {
  const primary = (cause.errcode ?? 0) & 0xff;
  if (primary === sqliteFull) return Object.assign(new Error(cause.message, { cause }), { code: 'ENOSPC' });
  const message =
    primary === sqliteBusy
      ? `${directory} is in use by another Nowcast process: stop it, or choose another data directory`
      : `${directory} cannot be locked (${cause.message}): check its disk, and who may write there`;
  return appError('log.failed', message, { cause });
}
