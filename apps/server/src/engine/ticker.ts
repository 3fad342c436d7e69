import { performance } from 'node:perf_hooks';
import type { Clock } from '@nowcast/kernel';

/** Share of the time that ticks may take: where they take long the next one waits, and work itself goes on. */
const share = 1 / 3;
/** The same while the thread has no time to spare: what a tick costs whatever it brings is then taken from points. */
const busyShare = 1 / 12;
/** A thread that idles less than this share of the time has less and less to spare. */
const spareIdle = 0.2;
/** However long ticks take, nobody waits longer than this for the next one. */
const mostMs = 250;

/** How long after the begin of a tick that took `tookMs` the next one may begin, ms. `utilisation`: of the thread. */
function restMs(intervalMs: number, tookMs: number, utilisation: number): number {
  const spare = Math.min(1, Math.max(0, (1 - utilisation) / spareIdle));
  const allowed = busyShare + (share - busyShare) * spare;
  return Math.max(intervalMs, Math.min(tookMs / allowed, mostMs));
}

/** Which part of the time since it was asked before this thread has worked, 0 … 1. */
function threadUtilisation(): () => number {
  let before = performance.eventLoopUtilization();
  return () => {
    const now = performance.eventLoopUtilization();
    const { utilization } = performance.eventLoopUtilization(now, before);
    before = now;
    return utilization;
  };
}

/**
 * Runs `tick` at once when idle, else no more often than every `intervalMs`, less often when ticks take long; a request
 * while one is due is free.
 */
export class Ticker {
  readonly #clock: Clock;
  readonly #intervalMs: number;
  readonly #tick: () => void;
  readonly #utilisation: () => number;
  /** As it was when the last tick began. */
  #utilised = 0;
  /** Monotonic time before which no tick begins. */
  #next = Number.NEGATIVE_INFINITY;
  #due = false;
  #stopped = false;

  constructor(clock: Clock, intervalMs: number, tick: () => void, utilisation = threadUtilisation()) {
    this.#clock = clock;
    this.#intervalMs = intervalMs;
    this.#tick = tick;
    this.#utilisation = utilisation;
  }

  request(): void {
    if (this.#due || this.#stopped) return;
    this.#due = true;
    const wait = this.#next - this.#clock.monotonic();
    if (wait <= 0) setImmediate(() => this.#run());
    else this.#clock.after(wait, () => this.#run());
  }

  /** What belongs to the last tick and began at `begun`, monotonic ms, has ended only now, and took the thread `tookMs`. */
  took(begun: number, tookMs: number): void {
    const rest = restMs(this.#intervalMs, tookMs, this.#utilised);
    this.#next = Math.max(this.#next, begun + rest);
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
    this.#utilised = this.#utilisation();
    const begun = this.#clock.monotonic();
    this.#next = begun + this.#intervalMs;
    this.#tick();
    this.took(begun, this.#clock.monotonic() - begun);
  }
}
