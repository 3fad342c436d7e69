/**
 * Entry of the child process that holds the engine. A native crash or an out-of-memory kill takes this process down
 * and nothing else: the parent starts it again and repeats what the log has (docs/decisions/0003).
 *
 * One chDB session runs one query at a time, so each lane has sessions of its own; a further one, never used for work,
 * kills queries. The process ends with its parent: a closed IPC channel means nobody will ever ask again.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { Session } from 'chdb';
import type { Lane } from '../sql-connection.ts';
import type { ChildOptions, ChildReply, ChildRequest } from './messages.ts';

type RunRequest = Extract<ChildRequest, { kind: 'run' }>;

interface Waiting {
  request: RunRequest;
  /** `performance.now()` of its arrival. */
  since: number;
  /** Ends the wait when the time is up. */
  expiry: NodeJS.Timeout | undefined;
}

const options = JSON.parse(process.argv[2] ?? '{}') as ChildOptions;
/** A statement that runs this much longer than it may is stuck in the engine, which nothing but its end cures. */
const stuckMs = (timeoutMs: number): number => 2 * timeoutMs + 60_000;
const maxMemoryBytes = { read: 2e9, write: 4e9, upkeep: 2e9 } as const;
/** ClickHouse's TIMEOUT_EXCEEDED. */
const timeoutCode = 159;
/** Between two attempts to kill the same query. */
const killAgainMs = 50;

function send(reply: ChildReply): void {
  process.send?.(reply, undefined, {}, () => undefined);
}

/**
 * Sessions of one lane and the calls that wait for one of them. Their wait is part of a read's time: whoever asked has
 * gone by then, and upkeep counts on reads being over (upkeep.ts).
 */
class LanePool {
  readonly #idle: Session[];
  readonly #waiting: Waiting[] = [];
  readonly #running = new Set<number>();

  constructor(sessions: Session[]) {
    this.#idle = sessions;
  }

  push(request: RunRequest): void {
    const expire = () => {
      this.drop(request.id);
      send({ kind: 'failed', id: request.id, code: timeoutCode, message: 'it waited too long' });
    };
    const expiry = request.lane === 'read' ? setTimeout(expire, request.timeoutMs) : undefined;
    this.#waiting.push({ request, since: performance.now(), expiry });
    this.#next();
  }

  isRunning(id: number): boolean {
    return this.#running.has(id);
  }

  /** Forgets a call that still waits. */
  drop(id: number): void {
    const at = this.#waiting.findIndex(({ request }) => request.id === id);
    if (at >= 0) clearTimeout(this.#waiting.splice(at, 1)[0]!.expiry);
  }

  #next(): void {
    const session = this.#idle.pop();
    if (session === undefined) return;
    const next = this.#waiting.shift();
    if (next === undefined) {
      this.#idle.push(session);
      return;
    }
    clearTimeout(next.expiry);
    void this.#run(session, next);
  }

  async #run(session: Session, { request, since }: Waiting): Promise<void> {
    this.#running.add(request.id);
    const waitedMs = request.lane === 'read' ? performance.now() - since : 0;
    const isClean = await run(session, request, request.timeoutMs - waitedMs);
    this.#running.delete(request.id);
    if (!isClean) await wipe(session);
    this.#idle.push(session);
    this.#next();
  }
}

/** `false` when the statement failed and the session still holds what is left of it. */
async function run(session: Session, request: RunRequest, leftMs: number): Promise<boolean> {
  const stuck = setTimeout(die, stuckMs(request.timeoutMs));
  try {
    const limits = request.answer ? limitSettings(request.lane, leftMs) : '';
    const sql = `/*nowcast:${request.id}*/ ${request.sql} ${limits}`;
    const result = await session.queryAsync(sql, { format: 'Native' });
    send({ kind: 'done', id: request.id, bytes: request.answer ? result.bytes() : undefined });
    return true;
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    const code = /Code: (\d+)/.exec(message)?.[1];
    send({ kind: 'failed', id: request.id, code: code === undefined ? undefined : Number(code), message });
    return false;
  } finally {
    clearTimeout(stuck);
  }
}

/** The engine stops on its own when the parent cannot tell it to. */
function limitSettings(lane: Lane, leftMs: number): string {
  const seconds = Math.max(1, Math.ceil(leftMs)) / 1000;
  return `SETTINGS max_execution_time = ${seconds}, max_memory_usage = ${maxMemoryBytes[lane]}, max_result_bytes = 1000000000`;
}

function die(): void {
  process.kill(process.pid, 'SIGKILL');
}

/**
 * A failed query, killed or timed out, stays in the engine's process list with what it holds until its session gets
 * another statement. A session that is rarely taken would keep it for hours.
 */
async function wipe(session: Session): Promise<void> {
  await session.queryAsync('SELECT 1', { format: 'Native' }).catch(() => undefined);
}

/** The directory may still be held by a predecessor that is about to notice the end of its parent. */
async function openFirst(): Promise<Session> {
  const patienceMs = 10_000;
  const start = performance.now();
  for (;;) {
    try {
      return new Session(options.path);
    } catch (error) {
      if (performance.now() - start > patienceMs) throw error;
      await delay(100);
    }
  }
}

async function open(): Promise<Map<Lane | 'control', Session[]>> {
  const first = await openFirst();
  const more = (count: number) => Array.from({ length: count }, () => new Session(options.path));
  const sessions = new Map<Lane | 'control', Session[]>([
    ['read', [first, ...more(options.readSessions - 1)]],
    ['write', more(1)],
    ['upkeep', more(1)],
    ['control', more(1)],
  ]);
  const settings = Object.entries(options.settings).map(([name, value]) => `${name} = ${value}`);
  for (const session of [...sessions.values()].flat()) {
    await session.queryAsync(`SET ${settings.join(', ')}`, { format: 'Native' });
  }
  return sessions;
}

function serve(sessions: Map<Lane | 'control', Session[]>): void {
  const control = sessions.get('control')![0]!;
  const pools = new Map<Lane, LanePool>();
  for (const lane of ['read', 'write', 'upkeep'] as const) pools.set(lane, new LanePool(sessions.get(lane)!));
  // A query that has only just begun is not in the process list yet, and a kill finds nothing: it is repeated until
  // the call has ended.
  const cancel = async (id: number) => {
    for (const pool of pools.values()) pool.drop(id);
    while ([...pools.values()].some((pool) => pool.isRunning(id))) {
      await kill(control, id);
      await delay(killAgainMs);
    }
  };
  process.on('message', (message: ChildRequest) => {
    if (message.kind === 'run') pools.get(message.lane)!.push(message);
    else if (message.kind === 'cancel') void cancel(message.id);
    else if (message.kind === 'ping') send({ kind: 'pong' });
    else close([...sessions.values()].flat());
  });
  send({ kind: 'ready' });
}

async function kill(control: Session, id: number): Promise<void> {
  // ASYNC: the synchronous form was seen to hang.
  const sql = `KILL QUERY WHERE startsWith(query, '/*nowcast:${id}*/') ASYNC`;
  await control.queryAsync(sql, { format: 'Native' }).catch(() => undefined);
}

function close(sessions: readonly Session[]): void {
  for (const session of sessions) session.close();
  process.exit(0);
}

// No orderly end here: every acknowledged insert is on disk, and a query in flight would only delay the end.
process.on('disconnect', die);
// Ctrl-C reaches the whole process group; the parent decides when the engine goes.
process.on('SIGINT', () => undefined);
process.on('SIGTERM', () => undefined);

open().then(serve, (error: unknown) => {
  const reply: ChildReply = {
    kind: 'open_failed',
    message: error instanceof Error ? error.message : String(error),
  };
  // The open channel would keep this process alive for ever.
  process.send?.(reply, undefined, {}, () => process.exit(1));
});
