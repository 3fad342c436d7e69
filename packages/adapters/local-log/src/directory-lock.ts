import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { appError } from '@nowcast/contract';

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
  const database = new DatabaseSync(path, { timeout: 0 });
  try {
    database.exec('BEGIN EXCLUSIVE');
  } catch (cause) {
    database.close();
    throw appError(
      'log.failed',
      `${directory} is in use by another Nowcast process: stop it, or choose another data directory`,
      { cause },
    );
  }
  return () => {
    if (database.isOpen) database.close();
  };
}
