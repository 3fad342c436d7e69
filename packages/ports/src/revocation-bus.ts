import type { Unsubscribe } from '@nowcast/kernel';

/**
 * Something that was allowed and no longer is. `id` is the session's, the key's, or (for `user` and `membership`) the
 * person's. `user` ends all of a person's access in every tenant, `membership` in `tenant` only.
 */
export interface Revocation {
  kind: 'session' | 'user' | 'key' | 'membership';
  id: string;
  tenant: string;
}

/**
 * Carries revocations to every node, so that caches and open sockets let go at once. At least once, unordered; an
 * event is published after the change is committed. A subscriber that caches must subscribe before it reads the row,
 * and must not keep what it read while an event passed. Delivery may fail silently when the bus is cut: caches also
 * expire by time.
 */
export interface RevocationBus {
  publish(revocation: Revocation): void;
  /** Listeners are called synchronously where the bus is in process; they must not throw. */
  onRevoked(listener: (revocation: Revocation) => void): Unsubscribe;
}
