import type { Clock } from '@nowcast/kernel';

/** How long "last used" may wait to be written. */
const flushAfterMs = 5000;

/**
 * Collects "last used" times and writes them together: one commit every few seconds however many requests there are.
 * A crash loses a few seconds of them, which nothing depends on.
 */
export class TouchBatch {
  readonly #clock: Clock;
  readonly #write: (batch: readonly { id: string; at: number }[]) => Promise<void>;
  readonly #latest = new Map<string, number>();
  #cancel: (() => void) | undefined;

  constructor(clock: Clock, write: (batch: readonly { id: string; at: number }[]) => Promise<void>) {
    this.#clock = clock;
    this.#write = write;
  }

  add(id: string, at: number): void {
    this.#latest.set(id, at);
    this.#cancel ??= this.#clock.after(flushAfterMs, () => {
      // A store that cannot answer now gets the next batch; these times are then a little older than the truth.
      this.flush().catch(() => undefined);
    });
  }

  /** The time that waits to be written. */
  pending(id: string): number | undefined {
    return this.#latest.get(id);
  }

  async flush(): Promise<void> {
    this.#cancel?.();
    this.#cancel = undefined;
    if (this.#latest.size === 0) return;
    const batch = Array.from(this.#latest, ([id, at]) => ({ id, at }));
    this.#latest.clear();
    await this.#write(batch);
  }

  /** Writes what waits; gives up quietly when the store is gone already. */
  async stop(): Promise<void> {
    await this.flush().catch(() => undefined);
  }
}
