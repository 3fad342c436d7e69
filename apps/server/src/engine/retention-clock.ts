import type { Clock } from '@nowcast/kernel';
import type { EngineLog } from './embedded-engine.ts';
import type { EngineOptions } from './options.ts';

type Retention = EngineOptions['retention'];

/** It moves on by at most so much for each day that the server runs: enough for machines that are off most of the day. */
const mostPace = 8;
const tellMs = 86_400_000;
/** Clocks without a battery begin in 1970 or 2000, and nothing was kept that early. */
const earliestMs = Date.UTC(2026, 0, 1);

/**
 * The time that retention counts back from. What it drops is gone for good, so it does not believe a clock that jumps
 * ahead (a wrong year, a dead battery) but follows it slowly, also through restarts. It never steps back.
 */
export class RetentionClock {
  readonly #clock: Clock;
  readonly #log: EngineLog;
  #at: number;
  #seenAt: number;
  #hasTold = false;

  /** `beginMs`: where the last life left it. Undefined: nothing is known, and the clock is believed once. */
  constructor(clock: Clock, log: EngineLog, beginMs: number | undefined) {
    this.#clock = clock;
    this.#log = log;
    this.#at = Math.max(beginMs ?? clock.now(), earliestMs);
    this.#seenAt = clock.monotonic();
  }

  /** For the next life, epoch ms. */
  get at(): number {
    return this.#at;
  }

  /** What to keep, counted back from `now`, epoch ms. Asked about once a minute. */
  kept(now: number, { rawMs, fineMs, coarseMs }: Retention): Retention {
    const seenAt = this.#clock.monotonic();
    const reachable = this.#at + mostPace * (seenAt - this.#seenAt);
    this.#seenAt = seenAt;
    this.#at = Math.max(this.#at, Math.min(now, reachable));
    const behindMs = Math.max(0, now - this.#at);
    this.#tell(behindMs);
    return { rawMs: rawMs + behindMs, fineMs: fineMs + behindMs, coarseMs: coarseMs + behindMs };
  }

  #tell(behindMs: number): void {
    if (behindMs > tellMs && !this.#hasTold)
      this.#log(
        'warn',
        `the clock is far ahead of when the server last ran: retention follows it by at most ${mostPace} days a day`,
        { retention_at: new Date(this.#at).toISOString() },
      );
    this.#hasTold = behindMs > tellMs;
  }
}
