import { DatabaseSync, type StatementSync } from 'node:sqlite';
import { parentPort, workerData } from 'node:worker_threads';
import {
  changedElsewhere,
  type SqlReply,
  type SqlRequest,
  type SqlRow,
  type ThreadOptions,
  type ThreadReady,
} from './wire.ts';

/**
 * The SQLite thread. `node:sqlite` is synchronous and a commit waits for the disk (`synchronous=FULL` fsyncs each
 * one), so on the main thread every saved board would stop every socket for as long as the disk takes.
 *
 * Two connections to one WAL file: a transaction that is open on the writer between two messages must not be seen
 * by, nor block, a session lookup that arrives meanwhile; the reader sees the last commit.
 */
const preparedStatements = 256;

class Connection {
  readonly #database: DatabaseSync;
  /** By SQL text, oldest use first. */
  readonly #statements = new Map<string, { statement: StatementSync; returnsRows: boolean }>();

  constructor(database: DatabaseSync) {
    this.#database = database;
  }

  run(request: SqlRequest): SqlReply {
    try {
      const { statement, returnsRows } = this.#prepare(request.sql);
      if (returnsRows)
        return { id: request.id, rows: statement.all(...request.parameters) as SqlRow[], changes: 0 };
      const { changes } = statement.run(...request.parameters);
      return { id: request.id, rows: [], changes: Number(changes) };
    } catch (error) {
      return { id: request.id, ...describe(error) };
    }
  }

  close(): void {
    this.#statements.clear();
    this.#database.close();
  }

  #prepare(sql: string) {
    const cached = this.#statements.get(sql);
    if (cached !== undefined) {
      this.#statements.delete(sql);
      this.#statements.set(sql, cached);
      return cached;
    }
    const statement = this.#database.prepare(sql);
    const entry = { statement, returnsRows: statement.columns().length > 0 };
    this.#statements.set(sql, entry);
    const oldest = this.#statements.keys().next();
    if (this.#statements.size > preparedStatements && !oldest.done) this.#statements.delete(oldest.value);
    return entry;
  }
}

function describe(error: unknown): { error: string; sqliteCode: number } {
  const sqliteCode = error instanceof Error && 'errcode' in error ? Number(error.errcode) : 0;
  return { error: error instanceof Error ? error.message : String(error), sqliteCode };
}

function openConnections({ path, busyTimeoutMs }: ThreadOptions): { read: Connection; write: Connection } {
  const writer = new DatabaseSync(path, { timeout: busyTimeoutMs, enableForeignKeyConstraints: true });
  writer.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON;');
  const reader = new DatabaseSync(path, { timeout: busyTimeoutMs, readOnly: true });
  return { write: new Connection(writer), read: new Connection(reader) };
}

/**
 * Calls `changed` after commits of other processes: the number of a connection does not move by its own ones
 * (https://sqlite.org/pragma.html#pragma_data_version). A look costs microseconds and touches no disk.
 */
function watchOthers(write: Connection, everyMs: number, changed: () => void): NodeJS.Timeout {
  const look = (): unknown => {
    const reply = write.run({ id: 0, on: 'write', sql: 'pragma data_version', parameters: [] });
    return 'rows' in reply ? reply.rows[0]?.['data_version'] : undefined;
  };
  let known = look();
  return setInterval(() => {
    const version = look();
    if (version === undefined || version === known) return;
    known = version;
    changed();
  }, everyMs);
}

function serve(): void {
  const port = parentPort;
  if (port === null) throw new Error('this file runs as a worker thread only');
  const options = workerData as ThreadOptions;
  let connections: { read: Connection; write: Connection };
  try {
    connections = openConnections(options);
  } catch (error) {
    port.postMessage({ ready: false, ...describe(error) } satisfies ThreadReady);
    port.close();
    return;
  }
  port.postMessage({ ready: true } satisfies ThreadReady);
  const watching = watchOthers(connections.write, options.watchMs, () => port.postMessage(changedElsewhere));
  port.on('message', (message: readonly SqlRequest[] | 'close') => {
    if (message !== 'close') {
      port.postMessage(message.map((request) => connections[request.on].run(request)));
      return;
    }
    clearInterval(watching);
    connections.read.close();
    // Last connection: SQLite checkpoints and removes the WAL here.
    connections.write.close();
    port.close();
  });
}

serve();
