import {
  type CompiledQuery,
  type DatabaseConnection,
  type Dialect,
  type Driver,
  type QueryResult,
  SelectQueryNode,
  SqliteAdapter,
  SqliteIntrospector,
  SqliteQueryCompiler,
} from 'kysely';
import { assert } from '@nowcast/kernel';
import type { SqliteClient } from './sqlite-client.ts';
import type { SqlValue } from './wire.ts';

/**
 * A Kysely dialect whose statements run on the SQLite thread.
 *
 * Kysely's own SQLite dialect wants a synchronous driver on this thread. There is one writing connection, and a
 * transaction spans several messages, so a plain write that slipped in between would become part of somebody else's
 * transaction and could be rolled back after it was acknowledged. Hence one lock for all writers: a transaction holds
 * it from BEGIN to COMMIT, a single write for its own duration. Reads outside a transaction take no lock and go to
 * the reading connection.
 */
export function workerDialect(client: SqliteClient): Dialect {
  return {
    createAdapter: () => new SqliteAdapter(),
    createDriver: () => new WorkerDriver(client),
    createIntrospector: (db) => new SqliteIntrospector(db),
    createQueryCompiler: () => new SqliteQueryCompiler(),
  };
}

class WriterLock {
  #tail: Promise<void> = Promise.resolve();

  /** Resolves with the release function once all earlier holders have let go. */
  async acquire(): Promise<() => void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    const before = this.#tail;
    this.#tail = promise;
    await before;
    return resolve;
  }
}

class WorkerConnection implements DatabaseConnection {
  readonly #client: SqliteClient;
  readonly #lock: WriterLock;
  /** Set while this connection is inside a transaction. */
  #release: (() => void) | undefined;

  constructor(client: SqliteClient, lock: WriterLock) {
    this.#client = client;
    this.#lock = lock;
  }

  async begin(): Promise<void> {
    const release = await this.#lock.acquire();
    try {
      // IMMEDIATE: a deferred one that reads first may fail with SQLITE_BUSY when it comes to write.
      await this.#client.run('write', 'begin immediate', []);
    } catch (error) {
      release();
      throw error;
    }
    this.#release = release;
  }

  /** When it rejects the transaction is still open, and Kysely goes on to roll it back. */
  async commit(): Promise<void> {
    await this.#client.run('write', 'commit', []);
    this.#letGo();
  }

  /**
   * Never rejects: after a full disk SQLite has already rolled back by itself and refuses to do it again, which must
   * not hide the first error nor keep the lock.
   */
  async rollback(): Promise<void> {
    await this.#client.run('write', 'rollback', []).catch(() => undefined);
    this.#letGo();
  }

  #letGo(): void {
    this.#release?.();
    this.#release = undefined;
  }

  async executeQuery<R>({ query, sql, parameters }: CompiledQuery): Promise<QueryResult<R>> {
    const values = parameters as readonly SqlValue[];
    if (this.#release !== undefined) return result(await this.#client.run('write', sql, values));
    if (SelectQueryNode.is(query)) return result(await this.#client.run('read', sql, values));
    const release = await this.#lock.acquire();
    try {
      return result(await this.#client.run('write', sql, values));
    } finally {
      release();
    }
  }

  // oxlint-disable-next-line require-yield -- the interface wants a generator; the store never streams
  async *streamQuery<R>(): AsyncIterableIterator<QueryResult<R>> {
    throw new Error('the SQLite thread does not stream; read pages instead');
  }
}

function result<R>({ rows, changes }: { rows: unknown[]; changes: number }): QueryResult<R> {
  return { rows: rows as R[], numAffectedRows: BigInt(changes) };
}

class WorkerDriver implements Driver {
  readonly #client: SqliteClient;
  readonly #lock = new WriterLock();

  constructor(client: SqliteClient) {
    this.#client = client;
  }

  async init(): Promise<void> {}

  async acquireConnection(): Promise<DatabaseConnection> {
    return new WorkerConnection(this.#client, this.#lock);
  }

  beginTransaction(connection: DatabaseConnection): Promise<void> {
    return own(connection).begin();
  }

  commitTransaction(connection: DatabaseConnection): Promise<void> {
    return own(connection).commit();
  }

  rollbackTransaction(connection: DatabaseConnection): Promise<void> {
    return own(connection).rollback();
  }

  async releaseConnection(): Promise<void> {}

  destroy(): Promise<void> {
    return this.#client.close();
  }
}

function own(connection: DatabaseConnection): WorkerConnection {
  assert(connection instanceof WorkerConnection, 'Kysely hands back the connections it was given');
  return connection;
}
