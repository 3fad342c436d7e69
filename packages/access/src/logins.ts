import {
  appError,
  type ChangePasswordInput,
  foldLogin,
  type LoginAnswer,
  type LoginInput,
  type SetupInput,
} from '@nowcast/contract';
import { type Clock, isAppError, randomId } from '@nowcast/kernel';
import type { MemberRow, MetaStore, RevocationBus, UserRow } from '@nowcast/ports';
import { LoginThrottle } from './login-throttle.ts';
import { networkOf } from './network.ts';
import type { PasswordHasher } from './password-hasher.ts';
import { defaultPreferences } from './preferences.ts';
import type { IssuedSession, SessionService, UserActor } from './sessions.ts';
import { maxTokenLength, newToken, sameDigest, sha256 } from './tokens.ts';

/** Devices and networks remembered of a person. */
const originsKept = 40;

/** Where a login comes from; all of it is told by the server, none by the body. */
export interface LoginOrigin {
  /** Address of the peer (of the client behind a configured proxy). */
  ip: string;
  userAgent: string;
  /** The device token an earlier login of this browser was given. */
  deviceToken?: string | undefined;
  /** The session the browser still has: it ends with this login. */
  replaces?: string | undefined;
}

export interface LoginResult {
  answer: LoginAnswer;
  session: IssuedSession;
  /**
   * To be kept by the browser in a cookie of its own for a year. It grants nothing, except that this person's logins
   * from this device are not slowed down by guesses from elsewhere.
   */
  deviceToken: string;
}

/** Sign-in, first run and passwords: everything that compares or makes a password hash. */
export class LoginService {
  readonly #store: MetaStore;
  readonly #clock: Clock;
  readonly #bus: RevocationBus;
  readonly #hasher: PasswordHasher;
  readonly #sessions: SessionService;
  readonly #throttle: LoginThrottle;
  #founded = false;

  constructor(options: {
    store: MetaStore;
    clock: Clock;
    bus: RevocationBus;
    hasher: PasswordHasher;
    sessions: SessionService;
  }) {
    this.#store = options.store;
    this.#clock = options.clock;
    this.#bus = options.bus;
    this.#hasher = options.hasher;
    this.#sessions = options.sessions;
    this.#throttle = new LoginThrottle(options.clock);
  }

  /** Whether the first run is still to come. Asked by everybody, so the final answer is remembered. */
  async setupRequired(): Promise<boolean> {
    if (!this.#founded) this.#founded = (await this.#store.tenants.list()).length > 0;
    return !this.#founded;
  }

  /**
   * Makes a new setup token and invalidates earlier ones; undefined once set up. To be printed once: only its hash is
   * stored, and a restart prints another.
   */
  async newSetupToken(): Promise<string | undefined> {
    const token = newToken();
    return (await this.#store.settings.setSetupToken(sha256(token))) ? token : undefined;
  }

  /** Whether the link of the first run may still be used; what `GET /setup?token=` asks before it shows a form. */
  async setupTokenValid(token: string): Promise<boolean> {
    const stored = await this.#store.settings.setupToken();
    return stored !== undefined && token.length <= maxTokenLength && sameDigest(stored, sha256(token));
  }

  /** The first run by the one-time link. `request.not_found` once set up, `auth.forbidden` for a wrong token. */
  async setup(input: SetupInput, origin: LoginOrigin): Promise<LoginResult> {
    if (!(await this.setupRequired())) throw alreadySetUp();
    if (!(await this.setupTokenValid(input.token)))
      throw appError('auth.forbidden', 'This setup link is not the newest one; use the link printed last');
    const owner = await this.#newUser(input);
    const tenant = {
      tenantId: randomId('tenant'),
      name: input.organisation,
      createdAt: this.#clock.now(),
    };
    await this.#store.tenants.found(tenant, owner, sha256(input.token)).catch((error: unknown) => {
      // Of two submits of one link the second comes too late: for it there is no setup any more.
      if (isSetupDone(error)) throw alreadySetUp();
      throw error;
    });
    return this.#welcome(await this.#memberOf(tenant.tenantId, owner.userId), owner.passwordHash, origin);
  }

  /** The first run from the machine's own shell. `request.conflict` once set up. */
  async setupLocally(input: Omit<SetupInput, 'token'>): Promise<MemberRow> {
    if (!(await this.setupRequired()))
      throw appError(
        'request.conflict',
        'This installation is set up already; add people with "user create"',
      );
    const owner = await this.#newUser(input);
    const tenantId = randomId('tenant');
    await this.#store.tenants.found(
      { tenantId, name: input.organisation, createdAt: this.#clock.now() },
      owner,
      undefined,
    );
    return this.#memberOf(tenantId, owner.userId);
  }

  /**
   * `auth.invalid_credentials` for an unknown login and a wrong password alike, `auth.throttled` (with
   * `details.retry_after_s`) without a look at the password, `auth.forbidden` when the account is disabled.
   */
  async login(input: LoginInput, origin: LoginOrigin): Promise<LoginResult> {
    const typed = input.login.trim();
    const user = await this.#store.users.findByLogin(typed);
    const admission = await this.#admit(user, typed, origin);
    const matches = await this.#hasher.verify(user?.passwordHash, input.password).catch((error: unknown) => {
      admission.cancelled();
      throw error;
    });
    if (!matches || user === undefined)
      throw appError('auth.invalid_credentials', 'The e-mail address, username or password is wrong');
    admission.succeeded();
    const members = await this.#store.members.ofUser(user.userId);
    const member = members.find((candidate) => !candidate.disabled);
    if (member === undefined)
      throw appError('auth.forbidden', 'This account is disabled; ask an administrator to enable it');
    return this.#welcome(member, user.passwordHash, origin);
  }

  /** Stores the new password and ends the person's other sessions. */
  async changePassword(actor: UserActor, input: ChangePasswordInput): Promise<void> {
    const user = await this.#store.users.get(actor.user_id);
    if (user === undefined) throw appError('auth.required', 'Sign in again');
    // Somebody at an unlocked screen must not be able to try passwords faster than at the login page.
    const admission = this.#throttled(
      this.#throttle.admit({
        account: user.userId,
        exists: true,
        network: '',
        knownNetwork: true,
        knownDevice: actor.session_id,
      }),
    );
    const matches = await this.#hasher
      .verify(user.passwordHash, input.current_password)
      .catch((error: unknown) => {
        admission.cancelled();
        throw error;
      });
    if (!matches) throw appError('auth.invalid_credentials', 'The current password is wrong');
    admission.succeeded();
    await this.setPassword(user.userId, input.new_password, actor.session_id);
  }

  /** For the machine's own shell, when nobody can sign in any more. */
  async setPassword(userId: string, password: string, keepSessionId?: string): Promise<void> {
    const hash = await this.#hasher.hash(password);
    const ended = await this.#store.users.setPassword(userId, hash, keepSessionId);
    for (const { sessionId, tenantId } of ended)
      this.#bus.publish({ kind: 'session', id: sessionId, tenant: tenantId });
  }

  async #admit(user: UserRow | undefined, typed: string, origin: LoginOrigin) {
    const network = networkOf(origin.ip);
    const networkName = `network ${network}`;
    const deviceName = deviceNameOf(origin.deviceToken);
    const names = deviceName === undefined ? [networkName] : [networkName, deviceName];
    // Asked for a made-up login too: a known one must not take a read longer (C4).
    const known = await this.#store.users.knownOrigins(user?.userId ?? '', names);
    return this.#throttled(
      this.#throttle.admit({
        // Counted as a known one is, whatever its spelling: else the answer to another spelling would tell the two apart.
        account: user?.userId ?? foldLogin(typed),
        exists: user !== undefined,
        network,
        knownNetwork: known.includes(networkName),
        knownDevice: deviceName !== undefined && known.includes(deviceName) ? deviceName : undefined,
      }),
    );
  }

  #throttled(admission: ReturnType<LoginThrottle['admit']>) {
    if (admission.admitted) return admission;
    const seconds = Math.ceil(admission.retryAfterMs / 1000);
    throw appError('auth.throttled', `Too many failed attempts; try again in ${seconds} s`, {
      details: { retry_after_s: seconds },
    });
  }

  async #welcome(member: MemberRow, passwordHash: string, origin: LoginOrigin): Promise<LoginResult> {
    const session = await this.#sessions.issue(member, passwordHash, origin.userAgent);
    // A session id from before the login must not survive it (fixation, C1).
    if (origin.replaces !== undefined) await this.#sessions.endByToken(origin.replaces);
    const deviceToken = await this.#rememberOrigin(member.user.userId, origin);
    this.#founded = true;
    return {
      answer: { user: session.user, token: session.token, expires_at: session.expires_at },
      session,
      deviceToken,
    };
  }

  async #rememberOrigin(userId: string, origin: LoginOrigin): Promise<string> {
    const given = deviceNameOf(origin.deviceToken);
    const known = given === undefined ? [] : await this.#store.users.knownOrigins(userId, [given]);
    // A token this person does not have yet was made for somebody else at this browser, or made up.
    const token = known.length > 0 && origin.deviceToken !== undefined ? origin.deviceToken : newToken();
    await this.#store.users.rememberOrigins(
      userId,
      [`device ${sha256(token)}`, `network ${networkOf(origin.ip)}`],
      this.#clock.now(),
      originsKept,
    );
    return token;
  }

  async #newUser(input: Omit<SetupInput, 'token' | 'organisation'>): Promise<UserRow> {
    return {
      userId: randomId('user'),
      username: input.username,
      email: input.email,
      name: input.name,
      passwordHash: await this.#hasher.hash(input.password),
      preferences: defaultPreferences(),
      createdAt: this.#clock.now(),
    };
  }

  async #memberOf(tenantId: string, userId: string): Promise<MemberRow> {
    const member = await this.#store.members.get(tenantId, userId);
    if (member === undefined) throw appError('request.not_found', 'This account was removed meanwhile');
    return member;
  }
}

function deviceNameOf(token: string | undefined): string | undefined {
  return token === undefined || token.length > maxTokenLength ? undefined : `device ${sha256(token)}`;
}

function alreadySetUp() {
  return appError('request.not_found', 'This installation is set up already; sign in instead');
}

function isSetupDone(error: unknown): boolean {
  return isAppError(error) && error.details?.['reason'] === 'setup_done';
}
