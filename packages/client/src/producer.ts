import { appError, limits } from '@nowcast/contract';
import { type AppError, type Clock, type Unsubscribe, randomId, systemClock } from '@nowcast/kernel';
import { type FetchLike, baseUrl, mayRepeat, refusal } from './http-api.ts';

/** A point to send. `timestamp` (epoch ms or RFC 3339) is when it happened; default: when it was pushed. */
export interface PointInput {
  metric_type: string;
  value: number;
  timestamp?: number | string;
  source?: string;
  labels?: Readonly<Record<string, string>>;
  data_id?: string;
  actor?: string;
  message?: string;
}

/** A point that the server will never take; sending it again would not help. */
export interface RejectedPoint {
  point: PointInput;
  code: string;
  message: string;
}

export interface ProducerOptions {
  url: string;
  /** API key with the scope `ingest`. */
  key: string;
  /** A batch is sent when it holds this many points… */
  batchPoints?: number;
  /** …or its oldest point has waited this long, ms. */
  batchAgeMs?: number;
  /** Points held in memory while the server cannot be reached; beyond it `push` refuses. */
  spoolPoints?: number;
  /** Points refused for good. */
  onRejected?: (rejected: readonly RejectedPoint[]) => void;
  /** A failed try that will be repeated, for logs. */
  onRetry?: (error: AppError, delayMs: number) => void;
  fetch?: FetchLike;
  clock?: Clock;
  /** Uniform in [0, 1), for the jitter of the backoff. */
  random?: () => number;
}

export interface ProducerStats {
  readonly accepted: number;
  readonly rejected: number;
  /** Points that `push` did not take because the spool was full. */
  readonly refused: number;
  /** Points waiting or under way. */
  readonly pending: number;
}

const requestTimeoutMs = 30_000;
const backoffBaseMs = 500;
const backoffMaxMs = 30_000;
/** Well below the server's cap for JSON, so that a batch is never too large. */
const batchCharacters = limits.jsonBytes / 4 / 3;

/** NDJSON lines that are sent, and repeated, exactly as they are, under one key. */
interface Batch {
  readonly key: string;
  readonly lines: readonly string[];
  /** Called when the server has decided. */
  readonly settled: (() => void)[];
}

/** Or why to try again, and when at the earliest. */
type Outcome = 'settled' | { error: AppError; afterMs: number | undefined };

/**
 * Sends points to `POST /api/v1/ingest` in batches and does not lose them while the server is away.
 *
 * The hard part is the answer that never arrives: the points may be stored or not. Every batch therefore keeps its
 * bytes and an `Idempotency-Key` from its first try to its last, and the server answers a repetition as it answered
 * the original. One batch is under way at a time, so that a server in trouble is not given more of it. 5xx, 429 and a
 * broken connection are repeated with full jitter (429 and 503 may name their delay); any other refusal is final and
 * reported, point by point where the server says which.
 */
export class Producer {
  readonly #endpoint: string;
  readonly #options: Required<Pick<ProducerOptions, 'batchPoints' | 'batchAgeMs' | 'spoolPoints'>> &
    ProducerOptions;
  readonly #fetch: FetchLike;
  readonly #clock: Clock;
  readonly #random: () => number;
  readonly #idPrefix = randomId('b');
  #batchNumber = 0;
  /** Points not yet in a batch, as JSON. */
  #lines: string[] = [];
  #characters = 0;
  readonly #batches: Batch[] = [];
  #batchedPoints = 0;
  #cancelAge: Unsubscribe | undefined;
  #stopWaiting: () => void = () => {};
  #abort: AbortController | undefined;
  #sending = false;
  #state: 'open' | 'closing' | 'closed' = 'open';
  #counts = { accepted: 0, rejected: 0, refused: 0 };

  constructor(options: ProducerOptions) {
    const url = baseUrl(options.url);
    this.#endpoint = `${url.origin}${url.pathname.replace(/\/$/, '')}/api/v1/ingest`;
    this.#options = { batchPoints: 1_000, batchAgeMs: 1_000, spoolPoints: 100_000, ...options };
    this.#fetch = options.fetch ?? ((url, init) => fetch(url, init));
    this.#clock = options.clock ?? systemClock;
    this.#random = options.random ?? Math.random;
  }

  get stats(): ProducerStats {
    return { ...this.#counts, pending: this.#pending() };
  }

  /**
   * Takes a point; it is sent in the background. False: the spool is full and the point was not taken, so the caller
   * can slow down or drop it knowingly. Throws on a closed producer and on a value that JSON cannot carry.
   */
  push(point: PointInput): boolean {
    if (this.#state !== 'open') throw appError('request.invalid', 'this producer was closed: make a new one');
    if (!Number.isFinite(point.value))
      throw appError('request.invalid', `value: ${point.value} is not a finite number`);
    if (this.#pending() >= this.#options.spoolPoints) {
      this.#counts.refused++;
      return false;
    }
    // A point that waits in the spool still happened when it was pushed.
    const line = JSON.stringify({ ...point, timestamp: point.timestamp ?? this.#clock.now() });
    if (this.#characters + line.length > batchCharacters) this.#cut();
    this.#lines.push(line);
    this.#characters += line.length + 1;
    if (this.#lines.length >= this.#options.batchPoints) this.#cut();
    else
      this.#cancelAge ??= this.#clock.after(this.#options.batchAgeMs, () => {
        this.#cancelAge = undefined;
        this.#cut();
      });
    return true;
  }

  /**
   * Sends what is waiting; resolves when every point pushed so far was accepted or refused for good, or `close` has
   * given up on it.
   */
  flush(): Promise<void> {
    this.#cut();
    const last = this.#batches.at(-1);
    if (last === undefined || this.#isClosed()) return Promise.resolve();
    return new Promise((resolve) => last.settled.push(resolve));
  }

  /** Flushes for at most `deadlineMs`, then stops. Resolves with the number of points that could not be delivered. */
  async close(deadlineMs = 10_000): Promise<number> {
    if (this.#state === 'closed') return this.#pending();
    this.#state = 'closing';
    let cancelDeadline = (): void => {};
    const deadline = new Promise<void>((resolve) => {
      cancelDeadline = this.#clock.after(deadlineMs, resolve);
    });
    await Promise.race([this.flush(), deadline]);
    cancelDeadline();
    this.#state = 'closed';
    this.#stopWaiting();
    this.#abort?.abort();
    // Nobody will decide about these any more, and somebody may be waiting for it.
    for (const { settled } of this.#batches) for (const resolve of settled.splice(0)) resolve();
    return this.#pending();
  }

  #isClosed(): boolean {
    return this.#state === 'closed';
  }

  #pending(): number {
    return this.#lines.length + this.#batchedPoints;
  }

  /** Closes the batch being filled. */
  #cut(): void {
    this.#cancelAge?.();
    this.#cancelAge = undefined;
    if (this.#lines.length === 0) return;
    const key = `${this.#idPrefix}-${++this.#batchNumber}`;
    this.#batches.push({ key, lines: this.#lines, settled: [] });
    this.#batchedPoints += this.#lines.length;
    this.#lines = [];
    this.#characters = 0;
    if (!this.#sending) void this.#sendAll();
  }

  async #sendAll(): Promise<void> {
    this.#sending = true;
    for (let batch = this.#batches[0]; batch !== undefined; batch = this.#batches[0]) {
      const settled = await this.#sendOne(batch);
      if (!settled) break;
      this.#batches.shift();
      this.#batchedPoints -= batch.lines.length;
      for (const resolve of batch.settled) resolve();
    }
    this.#sending = false;
  }

  /** Tries until the server has decided; false: the producer was closed before. */
  async #sendOne(batch: Batch): Promise<boolean> {
    for (let attempt = 0; ; attempt++) {
      const outcome = await this.#try(batch);
      if (outcome === 'settled') return true;
      if (this.#isClosed()) return false;
      const jittered = this.#random() * Math.min(backoffMaxMs, backoffBaseMs * 2 ** Math.min(attempt, 16));
      const delayMs = Math.max(outcome.afterMs ?? 0, jittered);
      this.#report(() => this.#options.onRetry?.(outcome.error, delayMs));
      await this.#wait(delayMs);
      if (this.#isClosed()) return false;
    }
  }

  #wait(delayMs: number): Promise<void> {
    return new Promise((resolve) => {
      const cancel = this.#clock.after(delayMs, resolve);
      this.#stopWaiting = () => {
        cancel();
        resolve();
      };
    });
  }

  async #try(batch: Batch): Promise<Outcome> {
    const abort = new AbortController();
    this.#abort = abort;
    const cancelTimeout = this.#clock.after(requestTimeoutMs, () => abort.abort());
    let response: Response;
    let text: string;
    try {
      response = await this.#fetch(this.#endpoint, {
        method: 'POST',
        headers: {
          authorization: `Bearer ${this.#options.key}`,
          'content-type': 'application/x-ndjson',
          'idempotency-key': batch.key,
        },
        body: batch.lines.join('\n'),
        signal: abort.signal,
      });
      text = await response.text();
    } catch (cause) {
      const error = appError('server.unavailable', `${this.#endpoint} cannot be reached`, { cause });
      return { error, afterMs: undefined };
    } finally {
      cancelTimeout();
    }
    return this.#judge(batch, response, text);
  }

  #judge(batch: Batch, response: Response, text: string): Outcome {
    const { status } = response;
    if (mayRepeat(status)) {
      const afterMs = retryAfterMs(response.headers.get('retry-after'), this.#clock.now());
      return { error: refusal(status, text), afterMs };
    }
    const partial = status === 422 ? partialAnswer(text) : undefined;
    if (response.ok) this.#counts.accepted += batch.lines.length;
    else if (partial === undefined) this.#reject(batch, refusal(status, text));
    else this.#rejectSome(batch, partial);
    return 'settled';
  }

  #reject(batch: Batch, { code, message }: AppError): void {
    this.#counts.rejected += batch.lines.length;
    const rejected = batch.lines.map((line) => ({ point: parsePoint(line), code, message }));
    this.#report(() => this.#options.onRejected?.(rejected));
  }

  /** The server names the first hundred; of the others it says only how many they are. */
  #rejectSome(batch: Batch, answer: PartialAnswer): void {
    this.#counts.accepted += answer.accepted;
    this.#counts.rejected += batch.lines.length - answer.accepted;
    const named = answer.rejected.flatMap(({ index, code, message }) => {
      const line = batch.lines[index];
      return line === undefined ? [] : [{ point: parsePoint(line), code, message }];
    });
    this.#report(() => this.#options.onRejected?.(named));
  }

  /** Calls the user back. What it throws must not look like a failed request, which would be repeated. */
  #report(call: () => void): void {
    try {
      call();
    } catch (error) {
      this.#clock.after(0, () => {
        throw error;
      });
    }
  }
}

interface PartialAnswer {
  accepted: number;
  rejected: { index: number; code: string; message: string }[];
}

function partialAnswer(text: string): PartialAnswer | undefined {
  try {
    const answer = JSON.parse(text) as Partial<PartialAnswer>;
    if (typeof answer.accepted !== 'number' || !Array.isArray(answer.rejected)) return undefined;
    return { accepted: answer.accepted, rejected: answer.rejected };
  } catch {
    return undefined;
  }
}

/** A line is what `push` wrote. */
function parsePoint(line: string): PointInput {
  return JSON.parse(line) as PointInput;
}

/** Seconds or an HTTP date (RFC 9110, 10.2.3), at most five minutes. */
function retryAfterMs(header: string | null, nowMs: number): number | undefined {
  if (header === null) return undefined;
  const delayMs = /^\d+$/.test(header) ? Number(header) * 1000 : Date.parse(header) - nowMs;
  return Number.isNaN(delayMs) ? undefined : Math.min(Math.max(0, delayMs), 300_000);
}
