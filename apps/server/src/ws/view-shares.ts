import { type Actor, appError, limits, type Query } from '@nowcast/contract';

/** A query that somebody has open, with however many subscriptions. */
export interface HeldQuery {
  readonly holder: string;
  readonly text: string;
  uses: number;
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

  /** Throws `live.subscription_limit`. What it returns goes back by `give`, once. */
  take(actor: Actor, query: Query): HeldQuery {
    const holder = holderOf(actor);
    const queries = this.#byHolder.get(holder) ?? new Map<string, HeldQuery>();
    const text = JSON.stringify(query);
    const held = queries.get(text) ?? { holder, text, uses: 0 };
    if (held.uses === 0 && queries.size >= limits.viewsPerHolder) {
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

  give(held: HeldQuery): void {
    held.uses -= 1;
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
