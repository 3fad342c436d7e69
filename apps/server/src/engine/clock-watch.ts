import type { Clock } from '@nowcast/kernel';
import type { EngineLog } from './embedded-engine.ts';

/** Clocks are corrected by less than this every day. */
const farBehindMs = 60_000;

/**
 * What waits while the clock is far behind the newest receipt time; `undefined` when it is not. Receipt times never
 * step back: after the clock was set back they stand still until it has caught up, and with them the time of rules.
 */
export function clockBehind(lastReceivedAt: number, now: number): string | undefined {
  if (lastReceivedAt - now <= farBehindMs) return undefined;
  const caughtUp = new Date(lastReceivedAt).toISOString();
  return `the clock was set back: until it has caught up, at ${caughtUp}, alert rules wait and points are received at that time`;
}

/** Looks at the clock when asked to, and tells once when it falls behind and once when it has caught up. */
export class ClockWatch {
  readonly #clock: Clock;
  readonly #lastReceivedAt: () => number;
  readonly #log: EngineLog;
  readonly #say: (why: string | undefined) => void;
  #behind: string | undefined;

  constructor(
    clock: Clock,
    lastReceivedAt: () => number,
    log: EngineLog,
    say: (why: string | undefined) => void,
  ) {
    this.#clock = clock;
    this.#lastReceivedAt = lastReceivedAt;
    this.#log = log;
    this.#say = say;
  }

  look(): void {
    const now = this.#clock.now();
    const behind = clockBehind(this.#lastReceivedAt(), now);
    if (behind === this.#behind) return;
    this.#behind = behind;
    this.#say(behind);
    if (behind === undefined) this.#log('info', 'the clock has caught up with the log', {});
    else this.#log('warn', behind, { now: new Date(now).toISOString() });
  }
}
