/** Time, injected: domains never read the wall clock or start a timer on their own. */
export interface Clock {
  /** Wall clock, epoch milliseconds. May jump either way. */
  now(): number;
  /** Monotonic milliseconds with a fraction; only differences mean anything. */
  monotonic(): number;
  /** Calls `fn` once after `delayMs`. The returned function cancels; calling it twice is harmless. */
  after(delayMs: number, fn: () => void): () => void;
}

/** The real clock. Timers do not keep a process alive by themselves: services do. */
export const systemClock: Clock = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
  after(delayMs, fn) {
    const timer = setTimeout(fn, delayMs);
    return () => clearTimeout(timer);
  },
};

/** A clock that moves only when told to; timers fire in order of their due time. */
export class ManualClock implements Clock {
  #now: number;
  /** How far the wall clock was set away from where it began, ms. */
  #set = 0;
  #timers: { due: number; fn: () => void }[] = [];

  constructor(startMs = 0) {
    this.#now = startMs;
  }

  now(): number {
    return this.#now + this.#set;
  }

  monotonic(): number {
    return this.#now;
  }

  after(delayMs: number, fn: () => void): () => void {
    const timer = { due: this.#now + delayMs, fn };
    this.#timers.push(timer);
    return () => {
      this.#timers = this.#timers.filter((other) => other !== timer);
    };
  }

  /** Sets the wall clock on, or back: the monotonic one and timers do not notice. */
  setWallBy(ms: number): void {
    this.#set += ms;
  }

  advance(ms: number): void {
    const end = this.#now + ms;
    for (;;) {
      const next = this.#timers.filter((timer) => timer.due <= end).sort((a, b) => a.due - b.due)[0];
      if (next === undefined) break;
      this.#timers = this.#timers.filter((timer) => timer !== next);
      this.#now = Math.max(this.#now, next.due);
      next.fn();
    }
    this.#now = end;
  }
}
