/**
 * Appends to the log and applies what became durable in the order of the appends, whatever order the promises come
 * back in: fdatasync → apply → acknowledge. What the log refuses at once takes everything behind it along, as a failed
 * write does: a batch counts on those before it.
 */
import { appError } from '@nowcast/contract';
import { type AppError, isAppError } from '@nowcast/kernel';
import type { LogEntry } from '@nowcast/ports';

/** What happens to an append when its turn comes; both must not throw. */
export interface Settlement {
  /** The entries are durable at these offsets. Everything appended before has been applied. */
  apply(offsets: readonly number[]): void;
  /** Nothing of the entries is in the log. */
  drop(error: unknown): void;
}

interface Waiting {
  settlement: Settlement;
  outcome: { offsets: readonly number[] } | { error: unknown } | undefined;
  settle: { resolve: () => void; reject: (error: unknown) => void };
}

export class AppendQueue {
  readonly #append: (entries: readonly LogEntry[]) => Promise<readonly number[]>;
  readonly #onBroken: (error: AppError) => void;
  readonly #waiting: Waiting[] = [];
  #last: Promise<void> = Promise.resolve();
  /** What the log refused: nothing may overtake it until those before it are through and the turn is over. */
  #refused: unknown;
  /** Set when an apply threw: memory no longer follows the log, so nothing more may be acknowledged. */
  #broken: unknown;

  /** `onBroken` hears once of an apply that threw. */
  constructor(
    append: (entries: readonly LogEntry[]) => Promise<readonly number[]>,
    onBroken: (error: AppError) => void = () => undefined,
  ) {
    this.#append = append;
    this.#onBroken = onBroken;
  }

  get length(): number {
    return this.#waiting.length;
  }

  /** Settles when the newest append so far has been applied (or has failed: then rejects with its error). */
  get last(): Promise<void> {
    return this.#last;
  }

  /** Resolves after `apply`; rejects with the log's error after `drop`. */
  push(entries: readonly LogEntry[], settlement: Settlement): Promise<void> {
    const done = new Promise<void>((resolve, reject) => {
      const waiting: Waiting = { settlement, outcome: undefined, settle: { resolve, reject } };
      this.#waiting.push(waiting);
      void this.#start(entries, waiting);
    });
    this.#last = done;
    // Whoever needs it looks at the promise it was given; `last` may have no reader.
    this.#last.catch(() => undefined);
    return done;
  }

  async #start(entries: readonly LogEntry[], waiting: Waiting): Promise<void> {
    try {
      waiting.outcome = { offsets: await this.#appended(entries) };
    } catch (error) {
      waiting.outcome = { error };
    }
    this.#drain();
  }

  #appended(entries: readonly LogEntry[]): Promise<readonly number[]> {
    if (this.#broken !== undefined) throw brokenError(this.#broken);
    if (this.#refused !== undefined) throw refusedError(this.#refused);
    try {
      return this.#append(entries);
    } catch (error) {
      this.#refused = error;
      throw error;
    }
  }

  #drain(): void {
    for (let first = this.#waiting[0]; first?.outcome !== undefined; first = this.#waiting[0]) {
      this.#waiting.shift();
      const { outcome, settlement, settle } = first;
      try {
        if ('error' in outcome) {
          settlement.drop(outcome.error);
          settle.reject(outcome.error);
        } else if (this.#broken !== undefined) {
          throw brokenError(this.#broken);
        } else {
          settlement.apply(outcome.offsets);
          settle.resolve();
        }
      } catch (error) {
        if (this.#broken === undefined) this.#onBroken(brokenError(error));
        this.#broken ??= error;
        settle.reject(error);
      }
    }
    if (this.#refused !== undefined) queueMicrotask(() => this.#forgive());
  }

  #forgive(): void {
    if (this.#waiting.length === 0) this.#refused = undefined;
  }
}

/** For what stands behind a refused append: it may define series or drop duplicates on the strength of that. */
function refusedError(cause: unknown): Error {
  if (isAppError(cause) && cause.retryable) return cause;
  return appError('ingest.busy', 'a batch before this one could not be stored; send the same again', {
    cause,
  });
}

function brokenError(cause: unknown): AppError {
  return appError('log.failed', 'points could not be applied after they were stored; restart the server', {
    cause,
  });
}
