import type { Clock } from '@nowcast/kernel';

const samplesKept = 8;

/**
 * The server's wall clock as well as it can be known here. A message can be late but never early, so of the last
 * samples of `server time − local time` the largest is the nearest to the truth.
 */
export class ServerClock {
  readonly #clock: Clock;
  #offsets: number[] = [];

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  sample(serverTimeMs: number): void {
    if (!Number.isFinite(serverTimeMs)) return;
    this.#offsets.push(serverTimeMs - this.#clock.now());
    if (this.#offsets.length > samplesKept) this.#offsets.shift();
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
