import type { Clock } from '@nowcast/kernel';

const windowMs = 1_000;
const acksPerWindow = 2;

/**
 * Sends acknowledgements at most two a second, however the network bunches the frames that ask for them. A number
 * confirms all before it, so only the newest waits. The next message sends it where it can (`poll`), because timers of
 * a hidden tab run once a minute; the timer is for the case that the server, unacknowledged, has gone quiet.
 */
export class AckPacer {
  readonly #clock: Clock;
  readonly #send: (n: number) => void;
  /** Monotonic times of the last acknowledgements, oldest first, at most two. */
  #sentAtMs: number[] = [];
  #pending: number | undefined;
  #cancelTimer: (() => void) | undefined;

  constructor(clock: Clock, send: (n: number) => void) {
    this.#clock = clock;
    this.#send = send;
  }

  ask(n: number): void {
    this.#pending = n;
    this.poll();
  }

  /** To be called at every message. */
  poll(): void {
    if (this.#pending === undefined) return;
    const nowMs = this.#clock.monotonic();
    const oldest = this.#sentAtMs[0];
    if (oldest !== undefined && this.#sentAtMs.length === acksPerWindow && nowMs - oldest <= windowMs) {
      this.#cancelTimer ??= this.#clock.after(windowMs - (nowMs - oldest) + 1, () => {
        this.#cancelTimer = undefined;
        this.poll();
      });
      return;
    }
    if (this.#sentAtMs.length === acksPerWindow) this.#sentAtMs.shift();
    this.#sentAtMs.push(nowMs);
    const n = this.#pending;
    this.#pending = undefined;
    this.#send(n);
  }

  /** The socket is gone, and its numbers with it. The pace is kept: a new socket is the same client. */
  reset(): void {
    this.#pending = undefined;
    this.#cancelTimer?.();
    this.#cancelTimer = undefined;
  }
}
