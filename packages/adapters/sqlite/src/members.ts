import { foldLogin, type Role } from '@nowcast/contract';
import type { EndedSession, MemberRepository, MemberRow, UserRow } from '@nowcast/ports';
import { type Kysely, sql, type Transaction } from 'kysely';
import { handOverAlerting } from './alert-policies.ts';
import type { RevocationLog } from './revocations.ts';
import { conflict, memberFromRow, userToRow } from './rows.ts';
import type { Tables } from './schema.ts';

/** Members with their person and the tenant's name; every read of a role goes through here. */
export function selectMembers(db: Kysely<Tables>) {
  return db
    .selectFrom('memberships')
    .innerJoin('users', 'users.user_id', 'memberships.user_id')
    .innerJoin('tenants', 'tenants.tenant_id', 'memberships.tenant_id')
    .selectAll('users')
    .select([
      'memberships.tenant_id',
      'memberships.role',
      'memberships.disabled',
      'memberships.joined_at',
      'tenants.name as tenant_name',
    ]);
}

/** Refuses names that somebody else has; runs inside the transaction of the write it protects. */
export async function refuseTakenNames(
  trx: Transaction<Tables>,
  names: { email?: string; username?: string },
  exceptUserId: string | undefined,
): Promise<void> {
  if (names.email !== undefined) {
    const taken = await trx
      .selectFrom('users')
      .select('user_id')
      .where('email_key', '=', foldLogin(names.email))
      .where('user_id', '!=', exceptUserId ?? '')
      .executeTakeFirst();
    if (taken) throw conflict('email_taken', 'Somebody already uses this e-mail address; choose another');
  }
  if (names.username !== undefined) {
    const taken = await trx
      .selectFrom('users')
      .select('user_id')
      .where('username_key', '=', foldLogin(names.username))
      .where('user_id', '!=', exceptUserId ?? '')
      .executeTakeFirst();
    if (taken) throw conflict('username_taken', 'Somebody already has this username; choose another');
  }
}

export async function insertMember(
  trx: Transaction<Tables>,
  tenantId: string,
  user: UserRow,
  role: Role,
): Promise<void> {
  await refuseTakenNames(trx, user, undefined);
  await trx.insertInto('users').values(userToRow(user)).execute();
  await trx
    .insertInto('memberships')
    .values({
      tenant_id: tenantId,
      user_id: user.userId,
      role,
      disabled: 0,
      joined_at: user.createdAt,
    })
    .execute();
}

/** `leaving` is a member who does not count any more. */
async function refuseLosingLastOwner(
  trx: Transaction<Tables>,
  tenantId: string,
  leaving = '',
): Promise<void> {
  const owner = await trx
    .selectFrom('memberships')
    .select('user_id')
    .where('tenant_id', '=', tenantId)
    .where('role', '=', 'owner')
    .where('disabled', '=', 0)
    .where('user_id', '!=', leaving)
    .executeTakeFirst();
  if (owner === undefined)
    throw conflict('last_owner', 'An organisation needs an owner; make somebody else an owner first');
}

async function endSessions(
  trx: Transaction<Tables>,
  revocations: RevocationLog,
  tenantId: string,
  userId: string,
): Promise<EndedSession[]> {
  const rows = await trx
    .deleteFrom('sessions')
    .where('tenant_id', '=', tenantId)
    .where('user_id', '=', userId)
    .returning(['session_id', 'tenant_id'])
    .execute();
  const ended = rows.map((row) => ({ sessionId: row.session_id, tenantId: row.tenant_id }));
  await revocations.sessions(trx, ended);
  return ended;
}

export class SqliteMembers implements MemberRepository {
  readonly #db: Kysely<Tables>;
  readonly #revocations: RevocationLog;

  constructor(db: Kysely<Tables>, revocations: RevocationLog) {
    this.#db = db;
    this.#revocations = revocations;
  }

  async list(tenantId: string): Promise<MemberRow[]> {
    const rows = await selectMembers(this.#db)
      .where('memberships.tenant_id', '=', tenantId)
      .orderBy('users.name')
      .orderBy('users.username_key')
      .execute();
    return rows.map(memberFromRow);
  }

  async get(tenantId: string, userId: string): Promise<MemberRow | undefined> {
    const row = await selectMembers(this.#db)
      .where('memberships.tenant_id', '=', tenantId)
      .where('memberships.user_id', '=', userId)
      .executeTakeFirst();
    return row && memberFromRow(row);
  }

  async ofUser(userId: string): Promise<MemberRow[]> {
    const rows = await selectMembers(this.#db)
      .where('memberships.user_id', '=', userId)
      .orderBy('memberships.joined_at')
      .orderBy('memberships.tenant_id')
      .execute();
    return rows.map(memberFromRow);
  }

  create(tenantId: string, user: UserRow, role: Role): Promise<void> {
    return this.#db.transaction().execute((trx) => insertMember(trx, tenantId, user, role));
  }

  add(tenantId: string, userId: string, role: Role, at: number): Promise<boolean> {
    return this.#db.transaction().execute(async (trx) => {
      const user = await trx
        .selectFrom('users')
        .select('user_id')
        .where('user_id', '=', userId)
        .executeTakeFirst();
      if (user === undefined) return false;
      const added = await trx
        .insertInto('memberships')
        .values({ tenant_id: tenantId, user_id: userId, role, disabled: 0, joined_at: at })
        .onConflict((conflicting) => conflicting.doNothing())
        .executeTakeFirst();
      return added.numInsertedOrUpdatedRows === 1n;
    });
  }

  update(
    tenantId: string,
    userId: string,
    change: { role?: Role; disabled?: boolean },
  ): Promise<{ ended: EndedSession[] } | undefined> {
    return this.#db.transaction().execute(async (trx) => {
      const before = await trx
        .selectFrom('memberships')
        .select(['role', 'disabled'])
        .where('tenant_id', '=', tenantId)
        .where('user_id', '=', userId)
        .executeTakeFirst();
      if (before === undefined) return undefined;
      const role = change.role ?? before.role;
      const disabled = change.disabled === undefined ? before.disabled : Number(change.disabled);
      if (role === before.role && disabled === before.disabled) return { ended: [] };
      await trx
        .updateTable('memberships')
        .set({ role, disabled })
        .where('tenant_id', '=', tenantId)
        .where('user_id', '=', userId)
        .execute();
      await refuseLosingLastOwner(trx, tenantId);
      return { ended: await endSessions(trx, this.#revocations, tenantId, userId) };
    });
  }

  remove(tenantId: string, userId: string, boardsTo: string): Promise<{ ended: EndedSession[] } | undefined> {
    return this.#db.transaction().execute(async (trx) => {
      const member = await trx
        .selectFrom('memberships')
        .select('role')
        .where('tenant_id', '=', tenantId)
        .where('user_id', '=', userId)
        .executeTakeFirst();
      if (member === undefined) return undefined;
      // First: for the last owner there may be nobody to hand anything to.
      if (member.role === 'owner') await refuseLosingLastOwner(trx, tenantId, userId);
      const ended = await endSessions(trx, this.#revocations, tenantId, userId);
      await handOverBoards(trx, tenantId, userId, boardsTo);
      await handOverAlerting(trx, tenantId, userId, boardsTo);
      await trx
        .deleteFrom('memberships')
        .where('tenant_id', '=', tenantId)
        .where('user_id', '=', userId)
        .execute();
      await trx
        .deleteFrom('users')
        .where('user_id', '=', userId)
        .where((eb) =>
          eb.not(eb.exists(eb.selectFrom('memberships').select('tenant_id').where('user_id', '=', userId))),
        )
        .execute();
      return { ended };
    });
  }
}

async function handOverBoards(
  trx: Transaction<Tables>,
  tenantId: string,
  fromUserId: string,
  toUserId: string,
): Promise<void> {
  await trx
    .deleteFrom('boards')
    .where('tenant_id', '=', tenantId)
    .where('user_id', '=', fromUserId)
    .where('shared', '=', 0)
    .execute();
  // What was private stays so: the new owner could read it, as owners read all versions of their boards.
  await trx
    .deleteFrom('board_versions')
    .where('tenant_id', '=', tenantId)
    .where('board_id', 'in', (from) =>
      from
        .selectFrom('boards')
        .select('board_id')
        .where('tenant_id', '=', tenantId)
        .where('user_id', '=', fromUserId),
    )
    .where(sql`content ->> 'shared'`, '=', 0)
    .execute();
  await trx
    .updateTable('boards')
    .set({ user_id: toUserId })
    .where('tenant_id', '=', tenantId)
    .where('user_id', '=', fromUserId)
    .execute();
}
