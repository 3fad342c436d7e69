import { type ChildProcess, fork } from 'node:child_process';
import { mkdir, open, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { appError } from '@nowcast/contract';
import type { Clock } from '@nowcast/kernel';
import { engineError } from '../engine-error.ts';
import type { NativeBlock } from '../native-writer.ts';
import { type SqlConnection, sessionSettings, type StatementOptions } from '../sql-connection.ts';
import { bindLiterals, type SqlParams, stringLiteral } from '../sql-literals.ts';
import type { ChildOptions, ChildReply, ChildRequest } from './messages.ts';

const readSessions = 4;
const firstBackoffMs = 100;
const longestBackoffMs = 10_000;
/** A child that lived this long had no trouble starting: the next crash is a new story. */
const healthyMs = 60_000;
const closePatienceMs = 5_000;
/** A child that answers none of so many pings in a row has stopped for good. */
const mostUnanswered = 6;
const defaultPingEveryMs = 5_000;

export interface ChdbConnectionOptions {
  dir: string;
  clock: Clock;
  log: (message: string, details: Readonly<Record<string, unknown>>) => void;
  /** How often the child is asked for a sign of life, milliseconds. */
  pingEveryMs?: number;
}

interface PendingCall {
  resolve: (bytes: Uint8Array | undefined) => void;
  reject: (error: Error) => void;
}

/**
 * chDB in a child process, from the parent's side.
 *
 * ```
 * open ─► starting ─ready─► up ─exit─► down ─backoff─► starting …        close ─► closed
 * ```
 * A child that is there and does nothing (stopped, stuck in the kernel) is killed after six pings without an answer, and
 * kills itself when one statement runs far beyond its time: everybody would wait for it for ever.
 *
 * Calls go to the child only while it is up; otherwise, and for all that were in flight when it died, they reject with
 * `warehouse.unavailable`. Blocks to insert do not pass through the channel: they are written to a file next to the
 * data (no fsync, the log has them) and the child reads them from the page cache.
 */
export class ChdbConnection implements SqlConnection {
  readonly #options: ChdbConnectionOptions;
  readonly #incoming: string;
  readonly #calls = new Map<number, PendingCall>();
  #child: ChildProcess | undefined;
  #state: 'starting' | 'up' | 'down' | 'closed' = 'down';
  #starting: Promise<void> | undefined;
  #cancelRestart: () => void = () => undefined;
  #cancelPing: () => void = () => undefined;
  #backoffMs = firstBackoffMs;
  #nextId = 1;
  incarnation = 0;

  constructor(options: ChdbConnectionOptions) {
    this.#options = options;
    this.#incoming = join(options.dir, 'incoming');
  }

  async open(): Promise<void> {
    if (this.#state === 'up') return;
    this.#cancelRestart();
    await rm(this.#incoming, { recursive: true, force: true });
    await mkdir(this.#incoming, { recursive: true });
    if (this.#state === 'closed') throw unavailable('it was closed');
    // An earlier call may have begun a start, or a restart may be under way: two children would fight for the files.
    if (this.#state !== 'starting') this.#starting = this.#start();
    await this.#starting;
  }

  async close(): Promise<void> {
    if (this.#state === 'closed') return;
    this.#state = 'closed';
    this.#cancelRestart();
    this.#cancelPing();
    this.#failAll('the warehouse was closed');
    const child = this.#child;
    if (child?.pid === undefined || child.exitCode !== null || child.signalCode !== null) return;
    const gone = new Promise<void>((resolve) => void child.once('exit', () => resolve()));
    const cancel = this.#options.clock.after(closePatienceMs, () => child.kill('SIGKILL'));
    if (child.connected) child.send({ kind: 'close' } satisfies ChildRequest, () => undefined);
    await gone;
    cancel();
  }

  async query(sql: string, params: SqlParams, options: StatementOptions): Promise<Uint8Array> {
    const bytes = await this.#call(bindLiterals(sql, params), true, options);
    return bytes ?? new Uint8Array(0);
  }

  async command(sql: string, params: SqlParams, options: StatementOptions): Promise<void> {
    await this.#call(bindLiterals(sql, params), false, options);
  }

  async insert(table: string, block: NativeBlock, token: string, options: StatementOptions): Promise<void> {
    const path = join(this.#incoming, `${table}-${this.#nextId++}.native`);
    try {
      const file = await open(path, 'wx');
      try {
        const parts = block.parts.filter((part) => part.length > 0);
        const { bytesWritten } = await file.writev(parts);
        const length = parts.reduce((sum, part) => sum + part.length, 0);
        if (bytesWritten !== length)
          throw appError('warehouse.unavailable', 'the disk of the data directory is full');
      } finally {
        await file.close();
      }
      const columns = block.columns.join(', ');
      const from = `file(${stringLiteral(path)}, 'Native', ${stringLiteral(block.structure)})`;
      const sql = `INSERT INTO ${table} (${columns}) SETTINGS insert_deduplication_token = ${stringLiteral(token)}, max_threads = 1, max_execution_time = ${options.timeoutMs / 1000} SELECT ${columns} FROM ${from}`;
      await this.#call(sql, false, options);
    } finally {
      await rm(path, { force: true });
    }
  }

  /** For tests of crashes: the process to kill. */
  get childPid(): number | undefined {
    return this.#child?.pid;
  }

  #call(sql: string, answer: boolean, options: StatementOptions): Promise<Uint8Array | undefined> {
    const { signal } = options;
    const child = this.#child;
    if (signal?.aborted === true) return Promise.reject(cancelled());
    if (this.#state !== 'up' || child === undefined) return Promise.reject(unavailable('it is starting'));
    const id = this.#nextId++;
    return new Promise((resolve, reject) => {
      const onAbort = () => {
        this.#calls.delete(id);
        if (child.connected) child.send({ kind: 'cancel', id } satisfies ChildRequest, () => undefined);
        reject(cancelled());
      };
      const settle = () => signal?.removeEventListener('abort', onAbort);
      this.#calls.set(id, {
        resolve: (bytes) => (settle(), resolve(bytes)),
        reject: (error) => (settle(), reject(error)),
      });
      signal?.addEventListener('abort', onAbort, { once: true });
      const request: ChildRequest = {
        kind: 'run',
        id,
        lane: options.lane,
        sql,
        answer,
        timeoutMs: options.timeoutMs,
      };
      child.send(request, (error) => {
        if (error !== null) this.#settle(id, (call) => call.reject(unavailable('its process is gone')));
      });
    });
  }

  /** However it fails, another start is under way then. */
  #start(): Promise<void> {
    this.#state = 'starting';
    const startedAt = this.#options.clock.monotonic();
    return new Promise((resolve, reject) => {
      const ended = (reason: string, how: Readonly<Record<string, unknown>>): void => {
        reject(unavailable(reason));
        this.#ended(reason, how, startedAt);
      };
      let child: ChildProcess;
      try {
        child = this.#fork();
      } catch (error) {
        ended(String(error), {});
        return;
      }
      this.#child = child;
      let reason = 'its process ended';
      child.on('message', (reply: ChildReply) => {
        if (reply.kind === 'ready') {
          this.#state = 'up';
          this.incarnation++;
          resolve();
          this.#watch(child);
        } else if (reply.kind === 'open_failed') reason = reply.message;
        else if (reply.kind !== 'pong') this.#onReply(reply);
      });
      child.on('error', (error) => {
        reason = error.message;
        // There is no process, and none will exit.
        if (child.pid === undefined) ended(reason, {});
      });
      child.once('exit', (code, signal) => ended(reason, { code, signal }));
    });
  }

  #fork(): ChildProcess {
    const { dir } = this.#options;
    const options: ChildOptions = { path: join(dir, 'chdb'), settings: sessionSettings, readSessions };
    return fork(new URL('./chdb-child.ts', import.meta.url), [JSON.stringify(options)], {
      serialization: 'advanced',
      stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
      execArgv: [],
      // Queries run on libuv's pool; sessions beyond its four threads would wait for each other, and for fs calls.
      env: { ...process.env, UV_THREADPOOL_SIZE: String(readSessions + 8) },
    });
  }

  #ended(reason: string, how: Readonly<Record<string, unknown>>, startedAt: number): void {
    const { clock, log } = this.#options;
    this.#cancelPing();
    this.#failAll(reason);
    if (this.#state === 'closed') return;
    this.#state = 'down';
    if (clock.monotonic() - startedAt > healthyMs) this.#backoffMs = firstBackoffMs;
    log('warehouse engine ended, starting it again', { ...how, reason, backoff_ms: this.#backoffMs });
    this.#restartLater();
  }

  /**
   * Counts rounds, not time: after this process itself was held up, the answers wait to be read behind the timer.
   */
  #watch(child: ChildProcess): void {
    const { clock, pingEveryMs = defaultPingEveryMs } = this.#options;
    let unanswered = 0;
    child.on('message', () => (unanswered = 0));
    const ping = (): void => {
      if (this.#child !== child || this.#state !== 'up') return;
      if (unanswered++ >= mostUnanswered) {
        this.#options.log('the warehouse engine gives no sign of life, it is killed', { pid: child.pid });
        child.kill('SIGKILL');
        return;
      }
      child.send({ kind: 'ping' } satisfies ChildRequest, () => undefined);
      this.#cancelPing = clock.after(pingEveryMs, ping);
    };
    ping();
  }

  #restartLater(): void {
    this.#cancelRestart = this.#options.clock.after(this.#backoffMs, () => {
      this.#backoffMs = Math.min(this.#backoffMs * 2, longestBackoffMs);
      this.#starting = this.#start();
      this.#starting.catch(() => undefined);
    });
  }

  #onReply(reply: Extract<ChildReply, { id: number }>): void {
    this.#settle(reply.id, (call) => {
      if (reply.kind === 'done') call.resolve(reply.bytes);
      else call.reject(engineError(reply.code, reply.message));
    });
  }

  #settle(id: number, settle: (call: PendingCall) => void): void {
    const call = this.#calls.get(id);
    if (call === undefined) return;
    this.#calls.delete(id);
    settle(call);
  }

  #failAll(reason: string): void {
    for (const id of this.#calls.keys()) this.#settle(id, (call) => call.reject(unavailable(reason)));
  }
}

function cancelled(): Error {
  return appError('request.cancelled', 'the query was cancelled by its caller');
}

function unavailable(reason: string): Error {
  return appError(
    'warehouse.unavailable',
    `the warehouse engine is not available (${reason}); try again shortly`,
  );
}
