import type { BoardContent, Preferences, Role, Scope } from '@nowcast/contract';
import type { Service, Unsubscribe } from '@nowcast/kernel';
import type { AlertStore } from './alert-store.ts';
import type { Revocation } from './revocation-bus.ts';

/**
 * Everything relational: who may come in, and what they made. Embedded it is SQLite, in the cluster PostgreSQL.
 *
 * Guarantees of every method, unless its comment says otherwise:
 * - **Durable.** A write that resolved survives SIGKILL and a power cut.
 * - **Atomic.** A call happens whole or not at all; the rules named "refuses" are checked in the same transaction as
 *   the write, so two calls at once cannot both slip through. The store serialises writers, callers never lock.
 * - **Tenant first.** A tenant-owned row is only reachable with its tenant's id; the id of another tenant behaves
 *   like a row that does not exist. People, their sessions and their devices are global and addressed by person.
 * - **Read your writes.** A read begun after a write resolved sees it.
 * - **Names.** E-mail addresses and usernames are unique among all people, compared by `foldLogin`; the spelling as
 *   entered is kept for display.
 * - **Errors.** `request.conflict` with `details.reason` for a broken rule (`email_taken`, `username_taken`,
 *   `last_owner`, `setup_done`), `server.unavailable` (retryable) when the store cannot answer. Nothing else.
 *
 * Times are epoch milliseconds and come from the caller: the store has no clock.
 */
export interface MetaStore extends Service {
  readonly tenants: TenantRepository;
  readonly users: UserRepository;
  readonly members: MemberRepository;
  readonly sessions: SessionRepository;
  readonly keys: KeyRepository;
  readonly boards: BoardRepository;
  readonly settings: SettingRepository;
  readonly alerting: AlertStore;
  /**
   * Sessions and keys that another process on the same data has ended, by whatever call, told within a second of its
   * commit; never this store's own doing. At least once, unordered, and only while the store runs: who holds
   * something open for longer looks it up again now and then.
   */
  onRevoked(listener: (revocation: Revocation) => void): Unsubscribe;
}

export interface TenantRow {
  tenantId: string;
  name: string;
  createdAt: number;
}

export interface UserRow {
  userId: string;
  username: string;
  email: string;
  /** As shown to people. */
  name: string;
  /** PHC string; never leaves the access domain. */
  passwordHash: string;
  preferences: Preferences;
  createdAt: number;
}

/** A person in a tenant. Disabling is per tenant: it never reaches another organisation's membership. */
export interface MemberRow {
  tenantId: string;
  tenantName: string;
  user: UserRow;
  role: Role;
  disabled: boolean;
  joinedAt: number;
}

export interface TenantRepository {
  /** All tenants, oldest first. */
  list(): Promise<TenantRow[]>;
  get(tenantId: string): Promise<TenantRow | undefined>;
  /**
   * Creates a tenant and its first owner, a new person. With `setupTokenHash` it is the first run: refuses with
   * `setup_done` unless the stored setup token has this hash, and consumes it in the same transaction, so that of two
   * submits of one link exactly one wins.
   */
  found(tenant: TenantRow, owner: UserRow, setupTokenHash: string | undefined): Promise<void>;
}

export interface UserRepository {
  get(userId: string): Promise<UserRow | undefined>;
  /** By e-mail address or username, compared by `foldLogin`. */
  findByLogin(login: string): Promise<UserRow | undefined>;
  /** Changes what is given. False when there is no such person. */
  update(
    userId: string,
    change: { name?: string; email?: string; preferences?: Preferences },
  ): Promise<boolean>;
  /** Stores the hash and ends every session of the person except `keepSessionId`; returns the ended ones. */
  setPassword(
    userId: string,
    passwordHash: string,
    keepSessionId: string | undefined,
  ): Promise<EndedSession[]>;
  /** Those of `origins` (opaque names of devices and networks) from which this person has signed in. */
  knownOrigins(userId: string, origins: readonly string[]): Promise<string[]>;
  /** Remembers origins of a successful sign-in; the newest `keep` of each person stay. */
  rememberOrigins(userId: string, origins: readonly string[], at: number, keep: number): Promise<void>;
}

export interface EndedSession {
  sessionId: string;
  tenantId: string;
}

export interface MemberRepository {
  /** Members of the tenant, by name. */
  list(tenantId: string): Promise<MemberRow[]>;
  get(tenantId: string, userId: string): Promise<MemberRow | undefined>;
  /** Every membership of a person, oldest first. */
  ofUser(userId: string): Promise<MemberRow[]>;
  /** Creates a person and the membership. */
  create(tenantId: string, user: UserRow, role: Role): Promise<void>;
  /** A person who exists already joins. False when there is no such person or they are a member. */
  add(tenantId: string, userId: string, role: Role, at: number): Promise<boolean>;
  /**
   * Changes role or disabled. When either really changes, every session of the person in this tenant ends in the same
   * transaction. Refuses with `last_owner` what would leave the tenant without an owner who is not disabled.
   * Undefined when there is no such member.
   */
  update(
    tenantId: string,
    userId: string,
    change: { role?: Role; disabled?: boolean },
  ): Promise<{ ended: EndedSession[] } | undefined>;
  /**
   * Ends the membership and its sessions. Shared boards, rules and alerting's policies go to `boardsTo`; private boards,
   * private versions of shared ones, inbox, preferences, devices and what was still to be sent to them are deleted, and
   * so is a person without any membership left. Refuses with `last_owner`. Undefined when there is no such member.
   */
  remove(tenantId: string, userId: string, boardsTo: string): Promise<{ ended: EndedSession[] } | undefined>;
}

export interface SessionRow {
  /** Public name of the session, for the list of devices. */
  sessionId: string;
  /** SHA-256 of the token, hex. Unique. */
  tokenHash: string;
  userId: string;
  /** The tenant this session acts in. */
  tenantId: string;
  createdAt: number;
  lastSeenAt: number;
  /** Absolute limit; idle limits are the caller's rule over `lastSeenAt`. */
  expiresAt: number;
  userAgent: string;
}

export interface SessionRepository {
  /**
   * False, and nothing stored, when the person is not (or no longer) an enabled member of the tenant, or has another
   * password than the one this hash was made of: a login that was under way must not outlive a change of password.
   */
  create(session: SessionRow, passwordHash: string): Promise<boolean>;
  /** One read: the session and its member. Expired sessions are returned as they are. */
  findByTokenHash(tokenHash: string): Promise<{ session: SessionRow; member: MemberRow } | undefined>;
  /** Sessions of a person in all tenants, last seen first. */
  list(userId: string): Promise<SessionRow[]>;
  /** Moves `lastSeenAt` forward, never back. Unknown ids are ignored. May be batched: callers need not wait. */
  touch(seen: readonly { id: string; at: number }[]): Promise<void>;
  /** Undefined when this person has no such session. */
  delete(userId: string, sessionId: string): Promise<EndedSession | undefined>;
  /** Forgets sessions past their absolute limit or last seen before `idleBefore`; returns how many. */
  deleteExpired(now: number, idleBefore: number): Promise<number>;
  /** Forgets every session of everybody and tells no one: for a store that nobody serves from yet. */
  deleteAll(): Promise<void>;
}

export interface KeyRow {
  keyId: string;
  tenantId: string;
  name: string;
  /** SHA-256 of the secret, hex. */
  secretHash: string;
  scopes: Scope[];
  createdAt: number;
  /** User id; empty: nobody. It stays when that person goes, and so does the key. */
  createdBy: string;
  lastUsedAt: number | undefined;
  /** Undefined: never. */
  expiresAt: number | undefined;
}

export interface KeyListRow extends KeyRow {
  /** Name of who made it; empty: nobody, or somebody who is no member of the tenant any more. */
  createdByName: string;
}

export interface KeyRepository {
  /** False, and nothing stored, when the tenant already has `maxKeys`. */
  create(tenantId: string, key: KeyRow, maxKeys: number): Promise<boolean>;
  /** Keys of the tenant, oldest first. */
  list(tenantId: string): Promise<KeyListRow[]>;
  /** By public id alone: what a request presents before its tenant is known. */
  find(keyId: string): Promise<KeyRow | undefined>;
  delete(tenantId: string, keyId: string): Promise<boolean>;
  /** Moves `lastUsedAt` forward, never back. Unknown ids are ignored. */
  touch(used: readonly { id: string; at: number }[]): Promise<void>;
}

export interface BoardRow {
  boardId: string;
  tenantId: string;
  userId: string;
  ownerName: string;
  content: BoardContent;
  /** 1 after creation, one more with every save. */
  version: number;
  createdAt: number;
  updatedAt: number;
  /** By the viewer who asked. */
  starred: boolean;
}

/** A board without its panels, for lists. */
export interface BoardListRow {
  boardId: string;
  userId: string;
  ownerName: string;
  title: string;
  description: string;
  shared: boolean;
  panelCount: number;
  version: number;
  updatedAt: number;
  starred: boolean;
}

export interface BoardVersionRow {
  version: number;
  savedAt: number;
  userId: string;
  ownerName: string;
}

export interface NewBoard {
  /** Unique in its tenant. */
  boardId: string;
  userId: string;
  content: BoardContent;
  at: number;
}

export interface BoardSave {
  content: BoardContent;
  /** The version it was edited from. */
  baseVersion: number;
  userId: string;
  at: number;
  /** Versions that stay, this one included. */
  keepVersions: number;
  /** As in `BoardLimits`. */
  maxBytes: number;
}

/** What a tenant may have. */
export interface BoardLimits {
  boards: number;
  /** Of all versions together, as UTF-8 JSON. Old ones go, the oldest of the tenant first; the newest of a board stays. */
  bytes: number;
}

export interface BoardRepository {
  /** Stores version 1; or says why nothing was stored: so many boards are there, or the newest versions alone take too much. */
  create(
    tenantId: string,
    board: NewBoard,
    limits: BoardLimits,
  ): Promise<'created' | 'too_many' | 'too_large'>;
  /** Boards that the viewer owns or that are shared in the tenant: starred first, then last updated first. */
  list(tenantId: string, viewerId: string): Promise<BoardListRow[]>;
  /** Any board of the tenant; whether the viewer may see it is the caller's rule. */
  get(tenantId: string, boardId: string, viewerId: string): Promise<BoardRow | undefined>;
  /** A board that `list` shows to the viewer and that has a panel of this id. */
  findByPanel(tenantId: string, visualizationId: string, viewerId: string): Promise<BoardRow | undefined>;
  /**
   * Compare and swap: stores version `baseVersion + 1` when the board still is at `baseVersion`. `saved: false` names
   * the version that is there instead; `too_large` is as with `create`. Undefined when there is no such board.
   */
  save(
    tenantId: string,
    boardId: string,
    save: BoardSave,
  ): Promise<{ saved: boolean; version: number } | 'too_large' | undefined>;
  /** Removes the board, its versions and its stars. */
  delete(tenantId: string, boardId: string): Promise<boolean>;
  /** Idempotent. False when there is no such board. */
  star(tenantId: string, boardId: string, userId: string, starred: boolean): Promise<boolean>;
  /** Newest first. */
  versions(tenantId: string, boardId: string): Promise<BoardVersionRow[]>;
  version(
    tenantId: string,
    boardId: string,
    version: number,
  ): Promise<(BoardVersionRow & { content: BoardContent }) | undefined>;
}

/** Small values of the whole installation. */
export interface SettingRepository {
  get(key: string): Promise<string | undefined>;
  set(key: string, value: string): Promise<void>;
  /** Stores the hash of the only valid setup token. False, and nothing stored, once a tenant exists. */
  setSetupToken(tokenHash: string): Promise<boolean>;
  /** Hash of the setup token that waits to be used. */
  setupToken(): Promise<string | undefined>;
}
