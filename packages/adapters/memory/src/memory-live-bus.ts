import type { Unsubscribe } from '@nowcast/kernel';
import type { LiveBus, ViewFrame } from '@nowcast/ports';

type Listener = (frames: readonly ViewFrame[]) => void;

/** The bus of one process: a publish is a call of each listener. */
export class MemoryLiveBus implements LiveBus {
  readonly #subscriptions = new Set<{ listener: Listener }>();
  readonly #onListenerError: (error: unknown) => void;

  /** `onListenerError` hears what listeners throw; the bus goes on. */
  constructor(options: { onListenerError: (error: unknown) => void }) {
    this.#onListenerError = options.onListenerError;
  }

  publish(frames: readonly ViewFrame[]): void {
    if (frames.length === 0) return;
    // Fixed before the first call: who subscribes inside a listener was not there at the publish.
    const present = Array.from(this.#subscriptions);
    for (const subscription of present) {
      if (!this.#subscriptions.has(subscription)) continue;
      try {
        subscription.listener(frames);
      } catch (error) {
        this.#onListenerError(error);
      }
    }
  }

  subscribe(listener: Listener): Unsubscribe {
    // An object of its own: the same function may subscribe twice.
    const subscription = { listener };
    this.#subscriptions.add(subscription);
    return () => this.#subscriptions.delete(subscription);
  }
}
