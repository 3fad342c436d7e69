import { type Actor, appError } from '@nowcast/contract';
import { Allowances } from './allowances.ts';
import type { NotifyOptions } from './notify-options.ts';
import { personOf } from './rights.ts';

/**
 * Test messages leave the house at a person's word alone, to wherever a channel points: they are few, and the log says
 * who sent each where.
 */
export class TestSends {
  readonly #options: NotifyOptions;
  /** Ten in a row; after them one for each tenth of a minute that passes. */
  readonly #people = new Allowances({ most: 10, oneEachMs: 6000 });

  constructor(options: NotifyOptions) {
    this.#options = options;
  }

  /** Throws `request.throttled` when there were too many; else it counts and is logged. `what` names its target. */
  admit(actor: Actor, what: Readonly<Record<string, unknown>>): void {
    const { user_id: userId, tenant_id: tenantId } = personOf(actor);
    const waitMs = this.#people.take(JSON.stringify([tenantId, userId]), this.#options.clock.monotonic());
    if (waitMs > 0) {
      const seconds = Math.ceil(waitMs / 1000);
      throw appError('request.throttled', `These were many tests; send the next one in ${seconds} s`, {
        details: { retry_after_s: seconds },
      });
    }
    this.#options.log('info', 'a test message is sent', { tenant_id: tenantId, user_id: userId, ...what });
  }
}
