import type { Clock } from '@nowcast/kernel';

/** Runs `tick` at once when idle, else no more often than every `intervalMs`; a request while one is due is free. */
export class Ticker {
  readonly #clock: Clock;
  readonly #intervalMs: number;
  readonly #tick: () => void;
  #last = Number.NEGATIVE_INFINITY;
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
    const wait = this.#last + this.#intervalMs - this.#clock.monotonic();
    if (wait <= 0) setImmediate(() => this.#run());
    else this.#clock.after(wait, () => this.#run());
  }

  stop(): void {
    this.#stopped = true;
  }

  #run(): void {
    if (this.#stopped) return;
    this.#due = false;
    this.#last = this.#clock.monotonic();
    this.#tick();
  }
}
