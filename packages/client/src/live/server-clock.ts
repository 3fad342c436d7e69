import type { Clock } from '@nowcast/kernel';

const samplesKept = 8;
/** Later than this a message hardly ever is, ms. */
const setBackMs = 2000;

/**
 * The server's wall clock as well as it can be known here. A message can be late but never early, so of the last
 * samples of `server time − local time` the largest is the nearest to the truth. One that lies far behind it is late;
 * two in a row, and the server's clock was set back.
 */
export class ServerClock {
  readonly #clock: Clock;
  #offsets: number[] = [];

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  sample(serverTimeMs: number): void {
    if (!Number.isFinite(serverTimeMs)) return;
    const offsets = [...this.#offsets, serverTimeMs - this.#clock.now()].slice(-samplesKept);
    const lastTwo = offsets.slice(-2);
    this.#offsets = Math.max(...lastTwo) < Math.max(...offsets) - setBackMs ? lastTwo : offsets;
  }

  /** A new socket may be another server, or this machine's clock may have been set: old samples are forgotten. */
  restart(serverTimeMs: number): void {
    this.#offsets = [];
    this.sample(serverTimeMs);
  }

  /** Epoch ms; the local clock as long as nothing is known. */
  now(): number {
    return this.#clock.now() + (this.#offsets.length === 0 ? 0 : Math.max(...this.#offsets));
  }

  /** Milliseconds from the server's receipt of a record until now; not negative. */
  since(receivedAtMs: number): number {
    return Math.max(0, this.now() - receivedAtMs);
  }
}
