import type { Actor, SessionInfo, User } from '@nowcast/contract';
import { appError } from '@nowcast/contract';
import { type Clock, randomId } from '@nowcast/kernel';
import type { MemberRow, MetaStore, RevocationBus, SessionRow } from '@nowcast/ports';
import { revokes } from './can.ts';
import { maxTokenLength, newToken, sha256 } from './tokens.ts';
import { TouchBatch } from './touch-batch.ts';
import { VerifyCache } from './verify-cache.ts';

const day = 86_400_000;
/** A session unused for this long is over. */
export const sessionIdleMs = 14 * day;
/** And used or not, it is over after this long. */
export const sessionAbsoluteMs = 90 * day;
/** `last_seen_at` is exact to this. */
const touchEveryMs = 60_000;
const sweepEveryMs = 3_600_000;
const cachedSessions = 50_000;

export type UserActor = Extract<Actor, { kind: 'user' }>;

/** What a valid session token stands for. */
export interface VerifiedSession {
  actor: UserActor;
  user: User;
  /** Absolute limit, epoch ms. */
  expires_at: number;
}

export interface IssuedSession extends VerifiedSession {
  /** Shown to its owner once; only its hash is stored. */
  token: string;
}

interface CachedSession {
  verified: VerifiedSession;
  /** Moved by every request here, and every minute in the store. */
  lastSeenAt: number;
  touchedAt: number;
}

/** A person as the wire shows it. */
export function userOf(member: MemberRow): User {
  const { user } = member;
  return {
    user_id: user.userId,
    username: user.username,
    email: user.email,
    name: user.name,
    role: member.role,
    preferences: user.preferences,
    tenant_id: member.tenantId,
    tenant_name: member.tenantName,
    disabled: member.disabled,
    created_at: user.createdAt,
  };
}

function verifiedOf(session: SessionRow, member: MemberRow): VerifiedSession {
  return {
    actor: {
      kind: 'user',
      tenant_id: member.tenantId,
      user_id: member.user.userId,
      role: member.role,
      session_id: session.sessionId,
    },
    user: userOf(member),
    expires_at: session.expiresAt,
  };
}

/** Sessions: issued at login, checked at every request and every socket, ended by whoever may. */
export class SessionService {
  readonly #store: MetaStore;
  readonly #clock: Clock;
  readonly #bus: RevocationBus;
  readonly #cache: VerifyCache<CachedSession>;
  readonly #touches: TouchBatch;
  #cancelSweep: (() => void) | undefined;

  constructor(options: { store: MetaStore; clock: Clock; bus: RevocationBus }) {
    this.#store = options.store;
    this.#clock = options.clock;
    this.#bus = options.bus;
    this.#touches = new TouchBatch(options.clock, (batch) => this.#store.sessions.touch(batch));
    this.#cache = new VerifyCache({
      clock: options.clock,
      bus: options.bus,
      capacity: cachedSessions,
      load: (hash) => this.#load(hash),
      isRevokedBy: ({ verified }, revocation) => revokes(revocation, verified.actor),
    });
  }

  start(): void {
    this.#cancelSweep = this.#clock.after(sweepEveryMs, () => {
      this.start();
      const now = this.#clock.now();
      // What a sweep misses the next one takes; an expired session is refused whether swept or not.
      this.#store.sessions.deleteExpired(now, now - sessionIdleMs).catch(() => undefined);
    });
  }

  async stop(): Promise<void> {
    this.#cancelSweep?.();
    this.#cache.stop();
    await this.#touches.stop();
  }

  /**
   * Opens a session in the member's tenant for who has shown the password of this hash. Rejects with
   * `auth.invalid_credentials` when the membership is gone meanwhile, or the password is another one.
   */
  async issue(member: MemberRow, passwordHash: string, userAgent: string): Promise<IssuedSession> {
    const now = this.#clock.now();
    const token = newToken();
    const session: SessionRow = {
      sessionId: randomId('session'),
      tokenHash: sha256(token),
      userId: member.user.userId,
      tenantId: member.tenantId,
      createdAt: now,
      lastSeenAt: now,
      expiresAt: now + sessionAbsoluteMs,
      userAgent: userAgent.slice(0, 256),
    };
    if (!(await this.#store.sessions.create(session, passwordHash)))
      throw appError('auth.invalid_credentials', 'This account was changed meanwhile; sign in again');
    return { ...verifiedOf(session, member), token };
  }

  /** Undefined for every token that is not a live session's: unknown, ended, idle or too old. */
  async verify(token: string): Promise<VerifiedSession | undefined> {
    if (token.length === 0 || token.length > maxTokenLength) return undefined;
    const hash = sha256(token);
    const cached = await this.#cache.get(hash);
    if (cached === undefined) return undefined;
    const now = this.#clock.now();
    if (now >= cached.verified.expires_at || now - cached.lastSeenAt >= sessionIdleMs) {
      this.#cache.forget(hash);
      return undefined;
    }
    cached.lastSeenAt = Math.max(cached.lastSeenAt, now);
    if (now - cached.touchedAt >= touchEveryMs) {
      cached.touchedAt = now;
      this.#touches.add(cached.verified.actor.session_id, now);
    }
    return cached.verified;
  }

  /** Look-ups that went to the store. */
  get reads(): number {
    return this.#cache.reads;
  }

  /** Forgets what is cached of a person, after a change of name, address or preferences. */
  refresh(userId: string): void {
    this.#cache.forgetIf(({ verified }) => verified.user.user_id === userId);
  }

  /** Ends the session of a token; nothing happens when it is not one. */
  async endByToken(token: string): Promise<void> {
    const verified = await this.verify(token);
    // Another request may have ended it meanwhile.
    if (verified !== undefined) await this.#delete(verified.actor, verified.actor.session_id);
  }

  /** Ends one of the actor's own sessions. Rejects with `request.not_found`. */
  async end(actor: UserActor, sessionId: string): Promise<void> {
    if (!(await this.#delete(actor, sessionId)))
      throw appError('request.not_found', 'You have no such session');
  }

  /** False when there is no such session. */
  async #delete(actor: UserActor, sessionId: string): Promise<boolean> {
    const ended = await this.#store.sessions.delete(actor.user_id, sessionId);
    if (ended !== undefined)
      this.#bus.publish({ kind: 'session', id: ended.sessionId, tenant: ended.tenantId });
    return ended !== undefined;
  }

  async list(actor: UserActor): Promise<SessionInfo[]> {
    const now = this.#clock.now();
    const rows = await this.#store.sessions.list(actor.user_id);
    return rows
      .filter((row) => now < row.expiresAt && now - row.lastSeenAt < sessionIdleMs)
      .map((row) => ({
        session_id: row.sessionId,
        created_at: row.createdAt,
        last_seen_at: row.lastSeenAt,
        user_agent: row.userAgent,
        current: row.sessionId === actor.session_id,
      }));
  }

  async #load(tokenHash: string): Promise<CachedSession | undefined> {
    const found = await this.#store.sessions.findByTokenHash(tokenHash);
    if (found === undefined || found.member.disabled) return undefined;
    const { session, member } = found;
    const pending = this.#touches.pending(session.sessionId) ?? 0;
    const lastSeenAt = Math.max(session.lastSeenAt, pending);
    return { verified: verifiedOf(session, member), lastSeenAt, touchedAt: lastSeenAt };
  }
}
