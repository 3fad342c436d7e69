import {
  type Actor,
  appError,
  type CreateUserInput,
  type Role,
  type UpdateProfileInput,
  type UpdateUserInput,
  type User,
} from '@nowcast/contract';
import { type Clock, randomId } from '@nowcast/kernel';
import type { MemberRow, MetaStore, RevocationBus } from '@nowcast/ports';
import { can, rankOf } from './can.ts';
import type { PasswordHasher } from './password-hasher.ts';
import { checkPreferences, defaultPreferences } from './preferences.ts';
import { type IssuedSession, type SessionService, type UserActor, userOf } from './sessions.ts';

/** The members of a tenant and each person's own profile. */
export class MemberService {
  readonly #store: MetaStore;
  readonly #clock: Clock;
  readonly #bus: RevocationBus;
  readonly #hasher: PasswordHasher;
  readonly #sessions: SessionService;

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
  }

  async list(actor: Actor): Promise<User[]> {
    if (!can(actor, 'user.read')) throw appError('auth.forbidden', 'Your role does not see other people');
    return (await this.#store.members.list(actor.tenant_id)).map(userOf);
  }

  /** `request.conflict` when the e-mail address or username is taken. */
  async create(actor: Actor, input: CreateUserInput): Promise<User> {
    requireManager(actor);
    requireRank(actor, input.role);
    const user = {
      userId: randomId('user'),
      username: input.username,
      email: input.email,
      name: input.name,
      passwordHash: await this.#hasher.hash(input.password),
      preferences: defaultPreferences(),
      createdAt: this.#clock.now(),
    };
    await this.#store.members.create(actor.tenant_id, user, input.role);
    return userOf(await this.#require(actor, user.userId));
  }

  /**
   * Changes role, name or disabled. A changed role or disabling ends the person's sessions in this tenant at once.
   * Who changes their own role goes on with the returned new session (C1: a session id does not survive it).
   */
  async update(
    actor: Actor,
    userId: string,
    input: UpdateUserInput,
    userAgent = '',
  ): Promise<{ user: User; session?: IssuedSession }> {
    requireManager(actor);
    const before = await this.#require(actor, userId);
    const self = actor.kind === 'user' && actor.user_id === userId;
    requireRank(actor, before.role);
    if (input.role !== undefined) requireRank(actor, input.role);
    if (self && input.disabled === true)
      throw appError('request.invalid', 'You cannot disable yourself; ask another administrator');
    const name = input.name === before.user.name ? undefined : input.name;
    if (name !== undefined) await this.#requireOneTenant(userId);
    const { role, disabled } = input;
    const change = { ...(role && { role }), ...(disabled === undefined ? {} : { disabled }) };
    const result = await this.#store.members.update(actor.tenant_id, userId, change);
    if (result === undefined) throw noSuchPerson();
    // What was read before may be old by now: what ended says whether this was a change.
    const { role: oldRole, disabled: wasDisabled } = before;
    const isChanged =
      result.ended.length > 0 || (role ?? oldRole) !== oldRole || (disabled ?? wasDisabled) !== wasDisabled;
    if (isChanged) this.#bus.publish({ kind: 'membership', id: userId, tenant: actor.tenant_id });
    if (name !== undefined) {
      await this.#store.users.update(userId, { name });
      this.#sessions.refresh(userId);
    }
    const after = await this.#require(actor, userId);
    if (!isChanged || !self) return { user: userOf(after) };
    const session = await this.#sessions.issue(after, before.user.passwordHash, userAgent);
    return { user: userOf(after), session };
  }

  /** Ends the membership. Shared boards go to the actor, or to an owner when the actor is not a person. */
  async remove(actor: Actor, userId: string): Promise<void> {
    requireManager(actor);
    const member = await this.#require(actor, userId);
    requireRank(actor, member.role);
    const heir = await this.#heir(actor, userId);
    const removed = await this.#store.members.remove(actor.tenant_id, userId, heir);
    if (removed === undefined) throw noSuchPerson();
    this.#bus.publish({ kind: 'membership', id: userId, tenant: actor.tenant_id });
  }

  /** The actor's own name, address and preferences. */
  async updateProfile(actor: UserActor, input: UpdateProfileInput): Promise<User> {
    if (input.preferences !== undefined) checkPreferences(input.preferences);
    const { name, email, preferences } = input;
    await this.#store.users.update(actor.user_id, {
      ...(name === undefined ? {} : { name }),
      ...(email === undefined ? {} : { email }),
      ...(preferences === undefined ? {} : { preferences }),
    });
    this.#sessions.refresh(actor.user_id);
    return userOf(await this.#require(actor, actor.user_id));
  }

  /** A name belongs to the person everywhere: one tenant's administrator does not change it for the others. */
  async #requireOneTenant(userId: string): Promise<void> {
    const memberships = await this.#store.members.ofUser(userId);
    if (memberships.length > 1) {
      throw appError(
        'auth.forbidden',
        'This person belongs to several organisations; only they can change their name',
      );
    }
  }

  async #heir(actor: Actor, leavingUserId: string): Promise<string> {
    if (actor.kind === 'user' && actor.user_id !== leavingUserId) return actor.user_id;
    const members = await this.#store.members.list(actor.tenant_id);
    const heir = members.find(
      (member) => member.role === 'owner' && !member.disabled && member.user.userId !== leavingUserId,
    );
    // Without another owner the store refuses the removal itself.
    return heir?.user.userId ?? leavingUserId;
  }

  async #require(actor: Actor, userId: string): Promise<MemberRow> {
    const member = await this.#store.members.get(actor.tenant_id, userId);
    if (member === undefined) throw noSuchPerson();
    return member;
  }
}

function requireManager(actor: Actor): void {
  if (!can(actor, 'user.manage')) throw appError('auth.forbidden', 'Managing people takes an administrator');
}

/** Nobody hands out, takes away or touches a role above their own. */
function requireRank(actor: Actor, role: Role): void {
  if (actor.kind === 'user' && rankOf(role) > rankOf(actor.role))
    throw appError('auth.forbidden', `Only an ${role} can do this to, or make somebody, ${role}`);
}

function noSuchPerson() {
  return appError('request.not_found', 'There is no such person in this organisation');
}
