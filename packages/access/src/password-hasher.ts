import { hash, verify } from '@node-rs/argon2';
import { appError } from '@nowcast/contract';
import { newToken } from './tokens.ts';

/** argon2id (the package's default algorithm) as TRUST C3 has it: 19 MiB, two passes, one lane. */
const parameters = { memoryCost: 19_456, timeCost: 2, parallelism: 1 };

/** Both cores of a small machine would be gone with more, and ingest with them. */
const atOnce = 2;
/** About half a second of work. */
const maxWaiting = 64;

/**
 * Hashes passwords, two at a time, with a bounded queue: a burst of logins waits or is told to come back, and never
 * takes the machine away from ingest. The work itself runs on libuv's threads.
 */
export class PasswordHasher {
  #running = 0;
  readonly #waiting: (() => void)[] = [];
  /** What the password of nobody is compared with. */
  #decoy: Promise<string> | undefined;
  #checks = 0;
  #peakRunning = 0;

  /** PHC string. Rejects with `auth.throttled` when too many wait already. */
  hash(password: string): Promise<string> {
    return this.#queued(() => hash(password, parameters));
  }

  /**
   * Compares with a stored hash, or with a decoy when there is none, so that an unknown login costs what a known one
   * does (C4). Rejects with `auth.throttled` when too many wait already.
   */
  async verify(stored: string | undefined, password: string): Promise<boolean> {
    const expected = stored ?? (await this.prepareDecoy());
    const matches = await this.#queued(() => {
      this.#checks += 1;
      return verify(expected, password);
    });
    return matches && stored !== undefined;
  }

  /** Hashes the decoy ahead of the first login, which would otherwise take twice as long for an unknown name. */
  prepareDecoy(): Promise<string> {
    this.#decoy ??= this.#queued(() => hash(newToken(), parameters)).catch((error: unknown) => {
      this.#decoy = undefined;
      throw error;
    });
    return this.#decoy;
  }

  /** Comparisons made so far, and the most that ever ran at once. */
  stats(): { checks: number; peakRunning: number; waiting: number } {
    return { checks: this.#checks, peakRunning: this.#peakRunning, waiting: this.#waiting.length };
  }

  async #queued<T>(work: () => Promise<T>): Promise<T> {
    if (this.#running >= atOnce) await this.#turn();
    else this.#running += 1;
    this.#peakRunning = Math.max(this.#peakRunning, this.#running);
    try {
      return await work();
    } finally {
      // The place is handed over, not given back and taken again: nobody can slip in between.
      const next = this.#waiting.shift();
      if (next === undefined) this.#running -= 1;
      else next();
    }
  }

  #turn(): Promise<void> {
    if (this.#waiting.length >= maxWaiting) {
      throw appError('auth.throttled', 'Too many people are signing in at once; try again in a second', {
        details: { retry_after_s: 1 },
      });
    }
    return new Promise((resolve) => this.#waiting.push(resolve));
  }
}
