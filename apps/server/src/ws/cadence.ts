import type { Clock } from '@nowcast/kernel';
import type { Connection, SharedView, Subscription } from './connection.ts';

interface Pace {
  readonly intervalMs: number;
  readonly members: Map<Subscription, Connection>;
  /** Monotonic ms of the last round. */
  ranAt: number;
  /** Set while a round is due. */
  cancel: (() => void) | undefined;
}

/**
 * Viewers that asked for a slower pace than the server's ticks. All of one view and one pace are served in the same
 * round: they stand at the same position, so what they missed is read and encoded once.
 */
export class Cadence {
  readonly #clock: Clock;
  readonly #catchUp: (connection: Connection, subscription: Subscription) => void;
  readonly #paces = new Map<SharedView, Map<number, Pace>>();

  constructor(clock: Clock, catchUp: (connection: Connection, subscription: Subscription) => void) {
    this.#clock = clock;
    this.#catchUp = catchUp;
  }

  add(connection: Connection, subscription: Subscription): void {
    const { view, intervalMs } = subscription;
    if (view === undefined) return;
    const paces = this.#paces.get(view) ?? new Map<number, Pace>();
    this.#paces.set(view, paces);
    const pace = paces.get(intervalMs) ?? {
      intervalMs,
      members: new Map(),
      ranAt: this.#clock.monotonic(),
      cancel: undefined,
    };
    paces.set(intervalMs, pace);
    pace.members.set(subscription, connection);
  }

  remove(subscription: Subscription, view: SharedView): void {
    const paces = this.#paces.get(view);
    const pace = paces?.get(subscription.intervalMs);
    if (paces === undefined || pace === undefined) return;
    pace.members.delete(subscription);
    if (pace.members.size > 0) return;
    pace.cancel?.();
    paces.delete(subscription.intervalMs);
    if (paces.size === 0) this.#paces.delete(view);
  }

  /** The view has news: each pace runs when its interval is over. */
  touch(view: SharedView): void {
    const paces = this.#paces.get(view);
    if (paces === undefined) return;
    for (const pace of paces.values()) {
      if (pace.cancel !== undefined) continue;
      const waitMs = Math.max(0, pace.ranAt + pace.intervalMs - this.#clock.monotonic());
      pace.cancel = this.#clock.after(waitMs, () => this.#run(pace));
    }
  }

  #run(pace: Pace): void {
    pace.cancel = undefined;
    pace.ranAt = this.#clock.monotonic();
    for (const [subscription, connection] of pace.members) {
      if (subscription.state === 'resting' && !connection.blocked) this.#catchUp(connection, subscription);
    }
  }

  stop(): void {
    for (const paces of this.#paces.values()) {
      for (const pace of paces.values()) pace.cancel?.();
    }
    this.#paces.clear();
  }
}
