/** More keys than this are not kept: those used longest ago begin anew. */
const mostKeys = 10_000;

interface Allowance {
  left: number;
  at: number;
}

/** How much each of many may do: so much at once, and then one for each stretch of time that passes. */
export class Allowances {
  readonly #most: number;
  readonly #oneEachMs: number;
  readonly #kept = new Map<string, Allowance>();

  constructor(options: { most: number; oneEachMs: number }) {
    this.#most = options.most;
    this.#oneEachMs = options.oneEachMs;
  }

  /**
   * Takes `count` (at most all there can be) of what is there beside `kept` for others, and returns 0; or takes nothing
   * and returns the milliseconds until it is there, if those others take theirs.
   */
  take(key: string, nowMs: number, count = 1, kept = 0): number {
    const wanted = Math.min(count, this.#most);
    const left = this.#left(key, nowMs);
    if (left < wanted + kept) return Math.ceil((wanted + kept - left) * this.#oneEachMs);
    this.#keep(key, { left: left - wanted, at: nowMs });
    return 0;
  }

  /** What was taken was not used. */
  giveBack(key: string, nowMs: number, count = 1): void {
    const left = this.#left(key, nowMs) + Math.min(count, this.#most);
    this.#keep(key, { left: Math.min(left, this.#most), at: nowMs });
  }

  #left(key: string, nowMs: number): number {
    const before = this.#kept.get(key) ?? { left: this.#most, at: nowMs };
    return Math.min(this.#most, before.left + (nowMs - before.at) / this.#oneEachMs);
  }

  #keep(key: string, allowance: Allowance): void {
    this.#kept.delete(key);
    this.#kept.set(key, allowance);
    const oldest = this.#kept.keys().next();
    if (this.#kept.size > mostKeys && !oldest.done) this.#kept.delete(oldest.value);
  }
}
