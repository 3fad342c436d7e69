import type { Actor, User } from '@nowcast/contract';
import type { Clock, Service, Unsubscribe } from '@nowcast/kernel';
import type { MetaStore, Revocation, RevocationBus } from '@nowcast/ports';
import { isKeyText, KeyService } from './keys.ts';
import { LoginService } from './logins.ts';
import { MemberService } from './members.ts';
import { PasswordHasher } from './password-hasher.ts';
import { LocalRevocationBus } from './revocations.ts';
import { SessionService } from './sessions.ts';

/** Who a bearer token or session cookie speaks for. */
export interface Authenticated {
  actor: Exclude<Actor, { kind: 'operator' }>;
  /** Undefined for an API key. */
  user: User | undefined;
  /** When it ends by itself at the latest, epoch ms; undefined: never. */
  expires_at: number | undefined;
}

/**
 * Who may come in and what they may do: the rules over a `MetaStore`, without HTTP.
 *
 * Every change that takes a right away publishes a revocation after its commit; whoever holds a socket listens
 * (`onRevoked` with `revokes`) and must have subscribed before it authenticated the socket. What another process on
 * the same store takes away is published too.
 */
export class AccessService implements Service {
  readonly logins: LoginService;
  readonly sessions: SessionService;
  readonly members: MemberService;
  readonly keys: KeyService;
  readonly #bus: RevocationBus;
  readonly #store: MetaStore;
  readonly #hasher = new PasswordHasher();
  #stopListening: Unsubscribe | undefined;

  constructor(options: { store: MetaStore; clock: Clock; bus?: RevocationBus }) {
    const { store, clock, bus = new LocalRevocationBus() } = options;
    this.#bus = bus;
    this.#store = store;
    this.sessions = new SessionService({ store, clock, bus });
    this.keys = new KeyService({ store, clock, bus });
    const passwords = { store, clock, bus, hasher: this.#hasher, sessions: this.sessions };
    this.logins = new LoginService(passwords);
    this.members = new MemberService(passwords);
  }

  async run(): Promise<void> {
    this.#stopListening = this.#store.onRevoked((revocation) => this.#bus.publish(revocation));
    await this.#hasher.prepareDecoy();
    this.sessions.start();
  }

  async stop(): Promise<void> {
    this.#stopListening?.();
    await this.sessions.stop();
    await this.keys.stop();
  }

  /** Resolves an API key or a session token; undefined for everything else. */
  async authenticate(token: string): Promise<Authenticated | undefined> {
    if (isKeyText(token)) {
      const key = await this.keys.verify(token);
      return key && { ...key, user: undefined };
    }
    return this.sessions.verify(token);
  }

  onRevoked(listener: (revocation: Revocation) => void): Unsubscribe {
    return this.#bus.onRevoked(listener);
  }

  /** For `/metrics`. */
  stats(): {
    password_checks: number;
    password_checks_peak: number;
    password_checks_waiting: number;
    credential_reads: number;
  } {
    const { checks, peakRunning, waiting } = this.#hasher.stats();
    return {
      password_checks: checks,
      password_checks_peak: peakRunning,
      password_checks_waiting: waiting,
      credential_reads: this.sessions.reads + this.keys.reads,
    };
  }
}
