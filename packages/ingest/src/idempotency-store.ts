/** Answers by `Idempotency-Key`, in the order of the log: forgotten 24 h after their receipt, or one too many. */

export interface StoredAnswer {
  bodyHash: string;
  status: number;
  answer: string;
  receivedAt: number;
}

export class IdempotencyStore {
  readonly #answers = new Map<string, StoredAnswer>();
  readonly #maxAnswers: number;
  readonly #maxBytes: number;
  readonly #maxAgeMs: number;
  #bytes = 0;

  constructor(maxAnswers: number, maxBytes: number, maxAgeMs: number) {
    this.#maxAnswers = maxAnswers;
    this.#maxBytes = maxBytes;
    this.#maxAgeMs = maxAgeMs;
  }

  get size(): number {
    return this.#answers.size;
  }

  find(key: string, now: number): StoredAnswer | undefined {
    const stored = this.#answers.get(key);
    return stored !== undefined && stored.receivedAt + this.#maxAgeMs > now ? stored : undefined;
  }

  add(key: string, answer: StoredAnswer): void {
    this.#remove(key);
    this.expire(answer.receivedAt);
    for (const oldest of this.#answers.keys()) {
      if (!this.#isFull(answer)) break;
      this.#remove(oldest);
    }
    this.#answers.set(key, answer);
    this.#bytes += answer.answer.length;
  }

  /** Forgets what is too old at `now`, a receipt time of the log. */
  expire(now: number): void {
    for (const [oldest, { receivedAt }] of this.#answers) {
      if (receivedAt + this.#maxAgeMs > now) break;
      this.#remove(oldest);
    }
  }

  entries(): Iterable<[string, StoredAnswer]> {
    return this.#answers;
  }

  #isFull(answer: StoredAnswer): boolean {
    return this.#answers.size >= this.#maxAnswers || this.#bytes + answer.answer.length > this.#maxBytes;
  }

  #remove(key: string): void {
    const stored = this.#answers.get(key);
    if (stored === undefined) return;
    this.#answers.delete(key);
    this.#bytes -= stored.answer.length;
  }
}
