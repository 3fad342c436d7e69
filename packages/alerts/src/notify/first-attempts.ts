import type { Delivery } from '@nowcast/contract';
import type { Clock } from '@nowcast/kernel';
import { withinLimit } from './time-limit.ts';

/** How a delivery stood after it was first looked at. */
export type FirstAttempt = Pick<Delivery, 'status' | 'error'>;

/** Tells whoever sent a message how its deliveries went, as far as they did while they wait. */
export class FirstAttempts {
  readonly #clock: Clock;
  readonly #watched = new Map<string, (attempt: FirstAttempt) => void>();
  readonly #ending = new Set<() => void>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** What is known of these deliveries once all have been tried, or after `limitMs`. `store` makes them due. */
  async after(
    store: () => Promise<void>,
    ids: readonly string[],
    limitMs: number,
  ): Promise<ReadonlyMap<string, FirstAttempt>> {
    const known = new Map<string, FirstAttempt>();
    const all = Promise.withResolvers<void>();
    // Before they are stored: the first may be over by then.
    for (const id of ids)
      this.#watched.set(id, (attempt) => {
        known.set(id, attempt);
        if (known.size === ids.length) all.resolve();
      });
    this.#ending.add(all.resolve);
    try {
      await store();
      if (ids.length > 0) await withinLimit(this.#clock, limitMs, () => all.promise);
    } finally {
      for (const id of ids) this.#watched.delete(id);
      this.#ending.delete(all.resolve);
    }
    return known;
  }

  note(deliveryId: string, { status, error }: FirstAttempt): void {
    this.#watched.get(deliveryId)?.({ status, error });
  }

  /** Nobody waits any longer. */
  stop(): void {
    for (const end of this.#ending) end();
  }
}
