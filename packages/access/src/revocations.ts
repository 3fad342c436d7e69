import type { Unsubscribe } from '@nowcast/kernel';
import type { Revocation, RevocationBus } from '@nowcast/ports';

/** The bus of a single process: every listener has heard before `publish` returns. */
export class LocalRevocationBus implements RevocationBus {
  readonly #listeners = new Set<(revocation: Revocation) => void>();

  publish(revocation: Revocation): void {
    for (const listener of this.#listeners) listener(revocation);
  }

  onRevoked(listener: (revocation: Revocation) => void): Unsubscribe {
    // A function of its own, so that the same listener can be registered twice.
    const entry = (revocation: Revocation): void => listener(revocation);
    this.#listeners.add(entry);
    return () => this.#listeners.delete(entry);
  }
}
