/** Messages between the adapter and its SQLite thread. Plain data only: they are structured-cloned. */

export type SqlValue = null | number | string | Uint8Array;
export type SqlRow = Record<string, SqlValue>;

/** `read` runs on a read-only connection that sees what is committed; `write` on the one that may change things. */
export interface SqlRequest {
  id: number;
  on: 'read' | 'write';
  sql: string;
  parameters: readonly SqlValue[];
}

export type SqlReply =
  | { id: number; rows: SqlRow[]; changes: number }
  /** `sqliteCode` is SQLite's extended result code, 0 when the failure is not SQLite's. */
  | { id: number; error: string; sqliteCode: number };

export interface ThreadOptions {
  path: string;
  /** How long a statement waits for another process that writes (the CLI beside a running server). */
  busyTimeoutMs: number;
  /** How often the thread looks whether another process has committed. */
  watchMs: number;
}

/** Another process has committed something to the file. */
export const changedElsewhere = 'changed elsewhere';

/**
 * First message of the thread; after it, one array of replies for each array of requests, in order, and
 * `changedElsewhere` whenever that is so.
 */
export type ThreadReady = { ready: true } | { ready: false; error: string; sqliteCode: number };
