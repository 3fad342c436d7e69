import { Worker } from 'node:worker_threads';
import { appError } from '@nowcast/contract';
import { type AppError, assert } from '@nowcast/kernel';
import {
  changedElsewhere,
  type SqlReply,
  type SqlRequest,
  type SqlRow,
  type SqlValue,
  type ThreadOptions,
  type ThreadReady,
} from './wire.ts';

/** SQLite's primary result codes that callers can act on (https://sqlite.org/rescode.html). */
const sqliteBusy = 5;
const sqliteFull = 13;
const sqliteConstraint = 19;

interface Waiting {
  resolve(result: SqlResult): void;
  reject(error: AppError): void;
}

export interface SqlResult {
  rows: SqlRow[];
  changes: number;
}

/**
 * The near end of the SQLite thread. Requests made in one turn of the event loop travel in one message and come back
 * in one: a burst of session lookups costs one wake-up of each thread, not one each.
 */
export class SqliteClient {
  readonly #worker: Worker;
  readonly #waiting = new Map<number, Waiting>();
  #outbox: SqlRequest[] = [];
  #nextId = 1;
  #ended: AppError | undefined;
  /** Called after commits of other processes to the same file. */
  onChangedElsewhere: () => void = () => undefined;

  private constructor(worker: Worker) {
    this.#worker = worker;
    worker.on('message', (message: readonly SqlReply[] | typeof changedElsewhere) => {
      if (message === changedElsewhere) this.onChangedElsewhere();
      else this.#receive(message);
    });
    worker.on('error', (cause) => this.#end(unavailable('its thread failed', cause)));
    worker.on('exit', () => this.#end(unavailable('it is stopped')));
  }

  /** Opens the file on a new thread. Rejects with `server.unavailable` when it cannot be opened. */
  static async open(options: ThreadOptions): Promise<SqliteClient> {
    const worker = new Worker(new URL('./thread.ts', import.meta.url), {
      workerData: options,
      name: 'sqlite',
    });
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const failed = (cause: unknown): void => reject(unavailable('its thread failed', cause));
    worker.once('error', failed);
    worker.once('message', (first: ThreadReady) => {
      if (first.ready) resolve();
      else reject(unavailable(`${options.path} cannot be opened: ${first.error}`));
    });
    await promise;
    worker.off('error', failed);
    return new SqliteClient(worker);
  }

  /** Runs one statement. Order: requests of one connection run in the order of the calls. */
  run(on: 'read' | 'write', sql: string, parameters: readonly SqlValue[]): Promise<SqlResult> {
    if (this.#ended !== undefined) return Promise.reject(this.#ended);
    if (this.#outbox.length === 0) queueMicrotask(() => this.#send());
    const id = this.#nextId++;
    this.#outbox.push({ id, on, sql, parameters });
    return new Promise((resolve, reject) => this.#waiting.set(id, { resolve, reject }));
  }

  /** Finishes what was asked, closes the file and ends the thread. */
  async close(): Promise<void> {
    if (this.#ended !== undefined) return;
    const exited = new Promise<void>((resolve) => this.#worker.once('exit', () => resolve()));
    this.#send();
    this.#worker.postMessage('close', []);
    await exited;
  }

  #send(): void {
    if (this.#outbox.length === 0 || this.#ended !== undefined) return;
    this.#worker.postMessage(this.#outbox, []);
    this.#outbox = [];
  }

  #receive(replies: readonly SqlReply[]): void {
    for (const reply of replies) {
      const waiting = this.#waiting.get(reply.id);
      assert(waiting !== undefined, 'every reply of the SQLite thread answers one request');
      this.#waiting.delete(reply.id);
      if ('error' in reply) waiting.reject(sqlError(reply));
      else waiting.resolve(reply);
    }
  }

  #end(error: AppError): void {
    this.#ended ??= error;
    for (const waiting of this.#waiting.values()) waiting.reject(this.#ended);
    this.#waiting.clear();
    this.#outbox = [];
  }
}

function unavailable(why: string, cause?: unknown): AppError {
  return appError('server.unavailable', `The store of users and boards cannot answer: ${why}`, { cause });
}

/**
 * Rules that callers may break are checked before the write, inside its transaction; a constraint that fires all the
 * same is a defect of this adapter and says so instead of pretending that a retry helps.
 */
function sqlError({ error, sqliteCode }: { error: string; sqliteCode: number }): AppError {
  const primary = sqliteCode & 0xff;
  const cause = new Error(`${error} (SQLite result code ${sqliteCode})`);
  if (primary === sqliteFull) return unavailable('the disk is full; free some space', cause);
  if (primary === sqliteBusy) return unavailable('another process is writing to it; try again', cause);
  if (primary === sqliteConstraint || sqliteCode === 0)
    return appError('server.error', 'The store of users and boards refused an inconsistent change', {
      cause,
    });
  return unavailable('reading or writing its file failed', cause);
}
