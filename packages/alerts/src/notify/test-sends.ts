import { type Actor, appError } from '@nowcast/contract';
import type { NotifyOptions } from './notify-options.ts';
import { personOf } from './rights.ts';

/** Tests in a row; after them one for each tenth of a minute that passes. */
const mostAtOnce = 10;
const oneEachMs = 6000;
const mostPeople = 10_000;

interface Allowance {
  left: number;
  at: number;
}

/**
 * Test messages leave the house at a person's word alone, to wherever a channel points: they are few, and the log says
 * who sent each where.
 */
export class TestSends {
  readonly #options: NotifyOptions;
  readonly #people = new Map<string, Allowance>();

  constructor(options: NotifyOptions) {
    this.#options = options;
  }

  /** Throws `request.throttled` when there were too many; else it counts and is logged. `what` names its target. */
  admit(actor: Actor, what: Readonly<Record<string, unknown>>): void {
    const { user_id: userId, tenant_id: tenantId } = personOf(actor);
    const now = this.#options.clock.monotonic();
    const key = JSON.stringify([tenantId, userId]);
    const before = this.#people.get(key) ?? { left: mostAtOnce, at: now };
    const left = Math.min(mostAtOnce, before.left + (now - before.at) / oneEachMs);
    if (left < 1) {
      const seconds = Math.ceil(((1 - left) * oneEachMs) / 1000);
      throw appError('request.throttled', `These were many tests; send the next one in ${seconds} s`, {
        details: { retry_after_s: seconds },
      });
    }
    this.#people.delete(key);
    this.#people.set(key, { left: left - 1, at: now });
    const oldest = this.#people.keys().next();
    if (this.#people.size > mostPeople && !oldest.done) this.#people.delete(oldest.value);
    this.#options.log('info', 'a test message is sent', { tenant_id: tenantId, user_id: userId, ...what });
  }
}
