import type { Clock } from '@nowcast/kernel';

/** A tick may take this share of the time: where it takes long, the next one waits, and work itself goes on. */
const share = 1 / 3;
/** However long ticks take, nobody waits longer than this for the next one. */
const mostMs = 250;

/** How long after the begin of a tick that took `tookMs` the next one may begin, ms. */
function restMs(intervalMs: number, tookMs: number): number {
  return Math.max(intervalMs, Math.min(tookMs / share, mostMs));
}

/**
 * Runs `tick` at once when idle, else no more often than every `intervalMs`, less often when ticks take long; a request
 * while one is due is free.
 */
export class Ticker {
  readonly #clock: Clock;
  readonly #intervalMs: number;
  readonly #tick: () => void;
  /** Monotonic time before which no tick begins. */
  #next = Number.NEGATIVE_INFINITY;
  #due = false;
  #stopped = false;

  constructor(clock: Clock, intervalMs: number, tick: () => void) {
    this.#clock = clock;
    this.#intervalMs = intervalMs;
    this.#tick = tick;
  }

  request(): void {
    if (this.#due || this.#stopped) return;
    this.#due = true;
    const wait = this.#next - this.#clock.monotonic();
    if (wait <= 0) setImmediate(() => this.#run());
    else this.#clock.after(wait, () => this.#run());
  }

  /** What belongs to the last tick and began at `begun`, monotonic ms, has ended only now. */
  took(begun: number): void {
    this.#next = Math.max(this.#next, begun + restMs(this.#intervalMs, this.#clock.monotonic() - begun));
  }

  stop(): void {
    this.#stopped = true;
  }

  #run(): void {
    if (this.#stopped) return;
    const wait = this.#next - this.#clock.monotonic();
    if (wait > 0) {
      // The last tick turned out to take longer after this one was asked for.
      this.#clock.after(wait, () => this.#run());
      return;
    }
    this.#due = false;
    const begun = this.#clock.monotonic();
    this.#next = begun + this.#intervalMs;
    this.#tick();
    this.took(begun);
  }
}
