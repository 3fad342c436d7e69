import { type FollowTopic, type TenantEvent, topicOf } from '@nowcast/contract';
import type { Unsubscribe } from '@nowcast/kernel';

export interface FollowHandlers {
  /** At most once; what a broken socket lost is in the lists. */
  onEvent(event: TenantEvent): void;
  /**
   * From here on events come, after the first connection and after each further one: what the lists hold now may be
   * newer than what is known here, so they are read (again).
   */
  onFollowing(): void;
}

interface Follower {
  readonly topics: readonly FollowTopic[];
  readonly handlers: FollowHandlers;
  /** It was told since the socket opened. */
  told: boolean;
}

/**
 * Everybody in the page who wants to hear of alerts, rules or the inbox, over one `follow` of the socket. Reading a
 * list and then following it would lose what happens between the two, so a follower is told to read once the server
 * has confirmed.
 */
export class FollowSet {
  readonly #send: (topics: FollowTopic[]) => void;
  readonly #onError: (error: unknown) => void;
  readonly #followers = new Set<Follower>();
  #linked = false;
  /** What the server was asked for last. */
  #asked = '';

  constructor(options: { send: (topics: FollowTopic[]) => void; onError: (error: unknown) => void }) {
    this.#send = options.send;
    this.#onError = options.onError;
  }

  add(topics: readonly FollowTopic[], handlers: FollowHandlers): Unsubscribe {
    const follower: Follower = { topics, handlers, told: false };
    this.#followers.add(follower);
    if (this.#linked) {
      // Also when nothing new is asked for: the answer is what tells the follower to read.
      this.#ask();
    }
    return () => {
      this.#followers.delete(follower);
      if (this.#linked && this.#wanted().join() !== this.#asked) this.#ask();
    };
  }

  setLink(up: boolean): void {
    this.#linked = up;
    for (const follower of this.#followers) follower.told = false;
    if (up && this.#followers.size > 0) this.#ask();
  }

  #ask(): void {
    const topics = this.#wanted();
    this.#asked = topics.join();
    this.#send(topics);
  }

  #wanted(): FollowTopic[] {
    return [...new Set([...this.#followers].flatMap(({ topics }) => topics))].sort();
  }

  /** An answer to an earlier question does not speak for those who joined since. */
  following(topics: readonly FollowTopic[]): void {
    if (topics.join() !== this.#asked) return;
    for (const follower of this.#followers) {
      if (follower.told) continue;
      follower.told = true;
      this.#call(() => follower.handlers.onFollowing());
    }
  }

  event(event: TenantEvent): void {
    const topic = topicOf(event);
    for (const { topics, handlers } of this.#followers)
      if (topics.includes(topic)) this.#call(() => handlers.onEvent(event));
  }

  clear(): void {
    this.#followers.clear();
  }

  #call(handler: () => void): void {
    try {
      handler();
    } catch (error) {
      this.#onError(error);
    }
  }
}
