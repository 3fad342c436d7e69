import { DatabaseSync } from 'node:sqlite';

/**
 * The whole database as the bytes of one file, at one moment: what is still in the write-ahead log is in it, a
 * transaction in progress is not. Servers may have the file open. Holds all of it in memory: it is the store of users
 * and boards, not of data.
 */
export function copyDatabase(path: string): Uint8Array {
  const database = new DatabaseSync(path, { readOnly: true, timeout: 10_000 });
  try {
    // Pages are read one by one; the transaction keeps them of one moment.
    database.exec('BEGIN; SELECT count(*) FROM sqlite_schema');
    return database.serialize();
  } finally {
    database.close();
  }
}
