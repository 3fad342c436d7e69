import type { Clock } from '@nowcast/kernel';

/**
 * Decides which password guesses are worth a look. Locking an account after n failures hands everybody a button to
 * lock somebody else out; counting per address alone lets a botnet try for ever. So failures are counted where they
 * come from, and a place from which this person has signed in before is counted apart from the rest of the world
 * (after OWASP's "device cookies"):
 *
 *   attempt ─┬─ carries a device token of this person ──► gate (account, device)
 *            ├─ from a network of this person ──────────► gate (account, network)
 *            └─ stranger ───────────────────────────────► gates (account, network) and (account) and (network)
 *
 * All gates of an attempt must be open. Each allows a few failures, then waits twice as long after every further one;
 * failures leak away with time. An attempt is charged when it is admitted and refunded when it succeeds, so that
 * thousands of parallel guesses do not pass while the first is still being hashed. Refused attempts charge nothing:
 * an attacker cannot prolong anybody's wait by hammering.
 *
 * The waits of (account, network) are longer than those of (account): one attacking network never uses up what the
 * account allows to strangers, and its owner still gets in from a new place.
 */
interface GateRule {
  /** Failures without any wait. */
  allowance: number;
  /** The wait after the first failure beyond them; doubles with each further one. */
  firstWaitMs: number;
  maxWaitMs: number;
  /** One failure is forgotten every so often. */
  leakMs: number;
  /** Entries kept in memory; the longest untouched go first. */
  capacity: number;
}

const minute = 60_000;
const hour = 60 * minute;
const rules = {
  accountDevice: { allowance: 5, firstWaitMs: 10_000, maxWaitMs: 15 * minute, leakMs: 10 * minute },
  accountNetwork: { allowance: 3, firstWaitMs: minute, maxWaitMs: hour, leakMs: hour },
  account: { allowance: 8, firstWaitMs: 10_000, maxWaitMs: hour, leakMs: hour },
  network: { allowance: 30, firstWaitMs: 10_000, maxWaitMs: 15 * minute, leakMs: minute },
} as const satisfies Record<string, Omit<GateRule, 'capacity'>>;

interface GateState {
  failures: number;
  at: number;
  openAt: number;
}

/** One kind of gate: a bounded map from what is counted to its failures. */
class GateFamily {
  readonly #rule: GateRule;
  readonly #clock: Clock;
  readonly #states = new Map<string, GateState>();

  constructor(rule: GateRule, clock: Clock) {
    this.#rule = rule;
    this.#clock = clock;
  }

  /** Milliseconds until the gate opens; 0 when it is open. */
  waitMs(key: string): number {
    const state = this.#states.get(key);
    return state === undefined ? 0 : Math.max(0, state.openAt - this.#clock.monotonic());
  }

  charge(key: string): void {
    const now = this.#clock.monotonic();
    const failures = this.#failures(key, now) + 1;
    const beyond = failures - this.#rule.allowance;
    const waitMs =
      beyond < 0 ? 0 : Math.min(this.#rule.maxWaitMs, this.#rule.firstWaitMs * 2 ** Math.floor(beyond));
    this.#put(key, { failures, at: now, openAt: now + waitMs });
  }

  /** Takes one charge back; the gate opens again. */
  refund(key: string): void {
    const now = this.#clock.monotonic();
    const failures = this.#failures(key, now) - 1;
    if (failures <= 0) this.#states.delete(key);
    else this.#put(key, { failures, at: now, openAt: now });
  }

  clear(key: string): void {
    this.#states.delete(key);
  }

  #failures(key: string, now: number): number {
    const state = this.#states.get(key);
    return state === undefined ? 0 : Math.max(0, state.failures - (now - state.at) / this.#rule.leakMs);
  }

  #put(key: string, state: GateState): void {
    this.#states.delete(key);
    this.#states.set(key, state);
    const oldest = this.#states.keys().next();
    if (this.#states.size > this.#rule.capacity && !oldest.done) this.#states.delete(oldest.value);
  }
}

export interface LoginAttempt {
  /** The person, or what was typed when nobody is called so. */
  account: string;
  /** Whether the account exists: made-up names are counted apart, so that they cannot push real ones out. */
  exists: boolean;
  network: string;
  /** Whether the person has signed in from this network before. */
  knownNetwork: boolean;
  /** A device from which the person has signed in before. */
  knownDevice: string | undefined;
}

export type Admission =
  | {
      admitted: true;
      /** The password was right: nothing of this attempt stays counted. */
      succeeded(): void;
      /** The password was not looked at. */
      cancelled(): void;
    }
  | { admitted: false; retryAfterMs: number };

const capacity = 50_000;

export class LoginThrottle {
  readonly #accountDevice: GateFamily;
  readonly #accountNetwork: GateFamily;
  readonly #account: GateFamily;
  readonly #madeUpAccount: GateFamily;
  readonly #network: GateFamily;

  constructor(clock: Clock) {
    this.#accountDevice = new GateFamily({ ...rules.accountDevice, capacity }, clock);
    this.#accountNetwork = new GateFamily({ ...rules.accountNetwork, capacity }, clock);
    this.#account = new GateFamily({ ...rules.account, capacity }, clock);
    this.#madeUpAccount = new GateFamily({ ...rules.account, capacity }, clock);
    this.#network = new GateFamily({ ...rules.network, capacity }, clock);
  }

  /** Synchronous: the decision and its charge are one step. */
  admit(attempt: LoginAttempt): Admission {
    const [own, ...others] = this.#gatesOf(attempt);
    const gates = [own, ...others];
    const retryAfterMs = Math.max(...gates.map(({ family, key }) => family.waitMs(key)));
    if (retryAfterMs > 0) return { admitted: false, retryAfterMs };
    for (const { family, key } of gates) family.charge(key);
    return {
      admitted: true,
      succeeded() {
        own.family.clear(own.key);
        for (const { family, key } of others) family.refund(key);
      },
      cancelled() {
        for (const { family, key } of gates) family.refund(key);
      },
    };
  }

  /** The attempt's own place first. */
  #gatesOf(attempt: LoginAttempt): [Gate, ...Gate[]] {
    const { account, exists, network, knownNetwork, knownDevice } = attempt;
    if (knownDevice !== undefined) return [{ family: this.#accountDevice, key: `${account} ${knownDevice}` }];
    const own = { family: this.#accountNetwork, key: `${account} ${network}` };
    if (knownNetwork) return [own];
    return [
      own,
      { family: exists ? this.#account : this.#madeUpAccount, key: account },
      { family: this.#network, key: network },
    ];
  }
}

interface Gate {
  family: GateFamily;
  key: string;
}
