import { type FollowTopic, type TenantEvent, topicOf } from '@nowcast/contract';
import type { Clock } from '@nowcast/kernel';
import type { Connection } from './connection.ts';
import { encodeMessage, type LiveFormat } from './encoded-frame.ts';

/** Whom an event concerns; `userId` undefined: everybody in the tenant. */
export interface EventTarget {
  tenantId: string;
  userId: string | undefined;
}

/** Events of one topic for one target that go out at once; the next ones wait until the window is over. */
const burst = 10;
const windowMs = 250;

interface Stream {
  readonly to: EventTarget;
  /** Sent in this window. */
  sent: number;
  /** By what they are about; undefined: nothing waits. */
  waiting: Map<string, TenantEvent> | undefined;
  cancel: () => void;
}

/**
 * Tells open pages what happens beside views. The obvious loop, each event to each socket, stops the server in the
 * moment it is needed most: when a rule of ten thousand groups breaks, a thousand open pages would be ten million
 * writes in one turn. Pages read lists again anyway, so after the first few of a kind only the newest of each rule
 * goes out, four times a second, and of an inbox the newest entries with the number of unread ones.
 */
export class Followers {
  readonly #clock: Clock;
  readonly #byTenant = new Map<string, Set<Connection>>();
  readonly #streams = new Map<string, Stream>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Replaces what the connection follows; it must have an actor. */
  follow(connection: Connection, topics: readonly FollowTopic[]): void {
    this.gone(connection);
    const tenantId = connection.actor?.tenant_id;
    if (tenantId === undefined || topics.length === 0 || connection.closed) return;
    connection.follows = new Set(topics);
    const followers = this.#byTenant.get(tenantId) ?? new Set();
    this.#byTenant.set(tenantId, followers.add(connection));
  }

  gone(connection: Connection): void {
    if (connection.follows === undefined) return;
    connection.follows = undefined;
    const tenantId = connection.actor?.tenant_id ?? '';
    const followers = this.#byTenant.get(tenantId);
    followers?.delete(connection);
    if (followers?.size === 0) this.#byTenant.delete(tenantId);
  }

  tell(to: EventTarget, event: TenantEvent): void {
    if (!this.#byTenant.has(to.tenantId)) return;
    const key = JSON.stringify([to.tenantId, to.userId ?? null, event.topic]);
    let stream = this.#streams.get(key);
    if (stream === undefined) {
      stream = { to, sent: 0, waiting: undefined, cancel: this.#window(key) };
      this.#streams.set(key, stream);
    }
    if (stream.sent < burst) {
      stream.sent++;
      this.#send(to, event);
      return;
    }
    stream.waiting ??= new Map();
    const about = subjectOf(event);
    // Set anew, so that the newest stands last.
    stream.waiting.delete(about);
    stream.waiting.set(about, event);
  }

  #window(key: string): () => void {
    return this.#clock.after(windowMs, () => this.#windowOver(key));
  }

  #windowOver(key: string): void {
    const stream = this.#streams.get(key);
    if (stream === undefined) return;
    if (stream.waiting === undefined) {
      this.#streams.delete(key);
      return;
    }
    const newest = [...stream.waiting.values()].slice(-burst);
    stream.waiting = undefined;
    stream.sent = newest.length;
    stream.cancel = this.#window(key);
    for (const event of newest) this.#send(stream.to, event);
  }

  #send(to: EventTarget, event: TenantEvent): void {
    const forms = new Map<LiveFormat, Buffer>();
    const now = this.#clock.monotonic();
    const topic = topicOf(event);
    for (const connection of this.#byTenant.get(to.tenantId) ?? []) {
      const { actor, format, follows } = connection;
      if (follows?.has(topic) !== true || !concerns(to, actor)) continue;
      const bytes = forms.get(format) ?? encodeMessage(format, { type: 'event', event });
      forms.set(format, bytes);
      // A peer that reads nothing keeps the newest of each topic: the lists have the rest.
      connection.say(`event ${event.topic}`, bytes, now);
    }
  }

  stop(): void {
    for (const stream of this.#streams.values()) stream.cancel();
    this.#streams.clear();
    this.#byTenant.clear();
  }

  /** Connections that follow anything. */
  get size(): number {
    let count = 0;
    for (const followers of this.#byTenant.values()) count += followers.size;
    return count;
  }
}

function concerns(to: EventTarget, actor: Connection['actor']): boolean {
  return to.userId === undefined || (actor?.kind === 'user' && actor.user_id === to.userId);
}

/** Of events about the same thing the newest says it all. */
function subjectOf(event: TenantEvent): string {
  switch (event.topic) {
    case 'alerts':
    case 'rules':
      return event.rule_id;
    case 'notifications':
      return event.notification.notification_id;
    case 'policies':
      return event.kind;
    default:
      return '';
  }
}
