import { type Actor, appError, limits, type Query } from '@nowcast/contract';

/** A query that somebody has open, with however many subscriptions. */
export interface HeldQuery {
  readonly holder: string;
  readonly text: string;
  uses: number;
  /** Of them those that have ended while the view was still being opened. */
  ended: number;
}

/**
 * What each person and each key has open of their organisation's live views. The engine bounds the views of an
 * organisation; without shares, one of its viewers could take them all and leave everybody else without.
 *
 * A share counts queries as they are spelt, when they are asked for: which of them are one view shows only after they
 * were opened, when a burst would be past any limit. A crowd with one key that watches one board counts once a panel.
 */
export class ViewShares {
  readonly #byHolder = new Map<string, Map<string, HeldQuery>>();

  /**
   * Throws `live.subscription_limit`, or `server.unavailable` where that will not last. What it returns goes back by
   * `give`, once.
   */
  take(actor: Actor, query: Query): HeldQuery {
    const holder = holderOf(actor);
    const queries = this.#byHolder.get(holder) ?? new Map<string, HeldQuery>();
    const text = JSON.stringify(query);
    const held = queries.get(text) ?? { holder, text, uses: 0, ended: 0 };
    if (held.uses === 0 && queries.size >= limits.viewsPerHolder) {
      if ([...queries.values()].some(({ uses, ended }) => uses === ended))
        throw appError(
          'server.unavailable',
          'views that were left are still being opened; ask again in a moment',
        );
      throw appError(
        'live.subscription_limit',
        `one person or key may have ${limits.viewsPerHolder} live views open; close some panels, here or in other windows`,
      );
    }
    held.uses += 1;
    queries.set(text, held);
    this.#byHolder.set(holder, queries);
    return held;
  }

  /** Its subscription has ended; the engine still opens the view. */
  end(held: HeldQuery): void {
    held.ended += 1;
  }

  /** `ended`: after `end`. */
  give(held: HeldQuery, ended = false): void {
    held.uses -= 1;
    if (ended) held.ended -= 1;
    if (held.uses > 0) return;
    const queries = this.#byHolder.get(held.holder);
    queries?.delete(held.text);
    if (queries?.size === 0) this.#byHolder.delete(held.holder);
  }
}

/** Ids of people and keys are never the same; those of one person in two organisations are. */
function holderOf(actor: Actor): string {
  const id = actor.kind === 'user' ? actor.user_id : actor.kind === 'key' ? actor.key_id : '';
  return `${actor.tenant_id}/${id}`;
}
