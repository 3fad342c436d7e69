import type {
  DeltaColumns,
  NoticeMessage,
  QueryInput,
  SnapshotColumns,
  SubscribeMessage,
  UpMessage,
} from '@nowcast/contract';
import type { Clock, Unsubscribe } from '@nowcast/kernel';
import {
  type SubscriptionEffect,
  type SubscriptionEvent,
  type SubscriptionMachine,
  newSubscription,
  stepSubscription,
} from './subscription.ts';

export interface ViewHandlers {
  /** Replaces everything known of the view. */
  onSnapshot(snapshot: SnapshotColumns): void;
  /** Continues exactly what was delivered before. */
  onDelta(delta: DeltaColumns): void;
  /** The server refused or ended the view. If `retryable`, the client asks again by itself. */
  onNotice?(notice: NoticeMessage): void;
}

export interface SubscribeOptions {
  /** Slowest cadence wanted, ms between deltas, 50 to 60,000. */
  intervalMs?: number;
}

export interface Subscription {
  /** Asks for another query; the old data stay until its snapshot arrives. */
  update(query: QueryInput): void;
  close(): void;
}

/** A subscribe as it is sent: defaults of the query are filled in by the server. */
export type SubscribeUp = Omit<SubscribeMessage, 'query'> & { query: QueryInput };

interface Entry {
  machine: SubscriptionMachine;
  /** Its name on the socket; undefined while the server does not have it. */
  wireId: string | undefined;
  query: QueryInput;
  readonly intervalMs: number | undefined;
  readonly handlers: ViewHandlers;
  cancelTimer: Unsubscribe | undefined;
}

/** A frame of a view, with what hands it to the handlers. */
interface Delivery {
  event: SubscriptionEvent;
  call: (handlers: ViewHandlers) => void;
}

/** All subscriptions of a client: executes what subscription.ts decides, and keeps the names they have on the socket. */
export class SubscriptionSet {
  readonly #clock: Clock;
  readonly #random: () => number;
  readonly #send: (message: UpMessage | SubscribeUp) => void;
  readonly #onError: (error: unknown) => void;
  readonly #entries = new Set<Entry>();
  readonly #byWireId = new Map<string, Entry>();
  /** How often each name was taken on this socket. */
  #namesTaken = new Map<string, number>();
  #linked = false;

  constructor(options: {
    clock: Clock;
    random: () => number;
    send: (message: UpMessage | SubscribeUp) => void;
    onError: (error: unknown) => void;
  }) {
    this.#clock = options.clock;
    this.#random = options.random;
    this.#send = options.send;
    this.#onError = options.onError;
  }

  add(query: QueryInput, handlers: ViewHandlers, options: SubscribeOptions): Subscription {
    const { intervalMs } = options;
    const entry: Entry = {
      machine: newSubscription,
      wireId: undefined,
      query,
      intervalMs,
      handlers,
      cancelTimer: undefined,
    };
    this.#entries.add(entry);
    if (this.#linked) this.#step(entry, { type: 'linkUp' });
    return {
      update: (next) => {
        entry.query = next;
        this.#step(entry, { type: 'updated' });
      },
      close: () => {
        this.#step(entry, { type: 'close' });
        this.#entries.delete(entry);
      },
    };
  }

  setLink(up: boolean): void {
    this.#linked = up;
    this.#namesTaken.clear();
    for (const entry of this.#entries) this.#step(entry, { type: up ? 'linkUp' : 'linkDown' });
  }

  snapshot(wireId: string, snapshot: SnapshotColumns): void {
    const { epoch, seq } = snapshot;
    this.#deliver(wireId, {
      event: { type: 'snapshot', epoch, seq },
      call: (handlers) => handlers.onSnapshot(snapshot),
    });
  }

  delta(wireId: string, delta: DeltaColumns): void {
    const { baseSeq, seq } = delta;
    this.#deliver(wireId, {
      event: { type: 'delta', baseSeq, seq },
      call: (handlers) => handlers.onDelta(delta),
    });
  }

  notice(notice: NoticeMessage): void {
    const entry = notice.id === undefined ? undefined : this.#byWireId.get(notice.id);
    if (entry === undefined) return;
    this.#step(entry, { type: 'refused', retryable: notice.retryable });
    try {
      entry.handlers.onNotice?.(notice);
    } catch (error) {
      this.#onError(error);
    }
  }

  closeAll(): void {
    for (const entry of this.#entries) this.#step(entry, { type: 'close' });
    this.#entries.clear();
  }

  #deliver(wireId: string, delivery: Delivery): void {
    const entry = this.#byWireId.get(wireId);
    if (entry !== undefined) this.#step(entry, delivery.event, delivery);
  }

  #step(entry: Entry, event: SubscriptionEvent, delivery?: Delivery): void {
    const { next, effects } = stepSubscription(entry.machine, event);
    entry.machine = next;
    for (const effect of effects) this.#execute(entry, effect, delivery);
  }

  #execute(entry: Entry, effect: SubscriptionEffect, delivery: Delivery | undefined): void {
    switch (effect.do) {
      case 'ask':
        this.#ask(entry);
        break;
      case 'withdraw':
        if (entry.wireId !== undefined) this.#send({ type: 'unsubscribe', id: entry.wireId });
        this.#forget(entry);
        break;
      case 'forget':
        this.#forget(entry);
        break;
      case 'arm':
        entry.cancelTimer?.();
        entry.cancelTimer = this.#clock.after(
          effect.jitter ? this.#random() * effect.delayMs : effect.delayMs,
          () => this.#step(entry, { type: 'retryDue' }),
        );
        break;
      case 'disarm':
        entry.cancelTimer?.();
        entry.cancelTimer = undefined;
        break;
      case 'deliver':
        try {
          delivery?.call(entry.handlers);
        } catch (error) {
          this.#step(entry, { type: 'broken' });
          this.#onError(error);
        }
        break;
    }
  }

  #ask(entry: Entry): void {
    const id = this.#nameFor(entry);
    entry.wireId = id;
    this.#byWireId.set(id, entry);
    const { query, intervalMs, machine } = entry;
    this.#send({
      type: 'subscribe',
      id,
      query,
      ...(machine.position === undefined ? {} : { resume: machine.position }),
      ...(intervalMs === undefined ? {} : { interval_ms: intervalMs }),
    });
  }

  /**
   * The name follows from the question, so that all who look at the same board name its views alike, in whatever order
   * they opened them: a server sends equal subscriptions the same bytes. On one socket no name is used twice: a late
   * frame of an ended subscription finds nobody.
   */
  #nameFor({ query, intervalMs }: Entry): string {
    const name = hashText(JSON.stringify([query, intervalMs ?? 0])).toString(36);
    const taken = this.#namesTaken.get(name) ?? 0;
    this.#namesTaken.set(name, taken + 1);
    return taken === 0 ? name : `${name}.${taken}`;
  }

  #forget(entry: Entry): void {
    if (entry.wireId !== undefined) this.#byWireId.delete(entry.wireId);
    entry.wireId = undefined;
  }
}

/** FNV-1a, 32 bits. Equal names of different questions would only be numbered, not confused. */
function hashText(text: string): number {
  let hash = 0x811c9dc5;
  for (let index = 0; index < text.length; index++)
    hash = Math.imul(hash ^ text.charCodeAt(index), 0x01000193) >>> 0;
  return hash;
}
