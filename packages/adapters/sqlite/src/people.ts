import { foldLogin, type Preferences } from '@nowcast/contract';
import type { EndedSession, TenantRepository, TenantRow, UserRepository, UserRow } from '@nowcast/ports';
import type { Kysely } from 'kysely';
import { insertMember, refuseTakenNames } from './members.ts';
import type { RevocationLog } from './revocations.ts';
import { conflict, userFromRow } from './rows.ts';
import type { Tables } from './schema.ts';
import { setupTokenKey } from './settings.ts';

export class SqliteTenants implements TenantRepository {
  readonly #db: Kysely<Tables>;

  constructor(db: Kysely<Tables>) {
    this.#db = db;
  }

  async list(): Promise<TenantRow[]> {
    const rows = await this.#db
      .selectFrom('tenants')
      .selectAll()
      .orderBy('created_at')
      .orderBy('tenant_id')
      .execute();
    return rows.map((row) => ({ tenantId: row.tenant_id, name: row.name, createdAt: row.created_at }));
  }

  async get(tenantId: string): Promise<TenantRow | undefined> {
    const row = await this.#db
      .selectFrom('tenants')
      .selectAll()
      .where('tenant_id', '=', tenantId)
      .executeTakeFirst();
    return row && { tenantId: row.tenant_id, name: row.name, createdAt: row.created_at };
  }

  found(tenant: TenantRow, owner: UserRow, setupTokenHash: string | undefined): Promise<void> {
    return this.#db.transaction().execute(async (trx) => {
      if (setupTokenHash !== undefined) {
        const used = await trx
          .deleteFrom('settings')
          .where('key', '=', setupTokenKey)
          .where('value', '=', setupTokenHash)
          .executeTakeFirst();
        if (used.numDeletedRows === 0n)
          throw conflict('setup_done', 'This setup link has been used or replaced; use the newest one');
      }
      await trx
        .insertInto('tenants')
        .values({ tenant_id: tenant.tenantId, name: tenant.name, created_at: tenant.createdAt })
        .execute();
      await insertMember(trx, tenant.tenantId, owner, 'owner');
      // Founded without the link (by the CLI): a link that was printed earlier must not work any more.
      await trx.deleteFrom('settings').where('key', '=', setupTokenKey).execute();
    });
  }
}

export class SqliteUsers implements UserRepository {
  readonly #db: Kysely<Tables>;
  readonly #revocations: RevocationLog;

  constructor(db: Kysely<Tables>, revocations: RevocationLog) {
    this.#db = db;
    this.#revocations = revocations;
  }

  async get(userId: string): Promise<UserRow | undefined> {
    const row = await this.#db
      .selectFrom('users')
      .selectAll()
      .where('user_id', '=', userId)
      .executeTakeFirst();
    return row && userFromRow(row);
  }

  async findByLogin(login: string): Promise<UserRow | undefined> {
    const key = foldLogin(login);
    const row = await this.#db
      .selectFrom('users')
      .selectAll()
      .where((eb) => eb.or([eb('email_key', '=', key), eb('username_key', '=', key)]))
      .executeTakeFirst();
    return row && userFromRow(row);
  }

  update(
    userId: string,
    change: { name?: string; email?: string; preferences?: Preferences },
  ): Promise<boolean> {
    return this.#db.transaction().execute(async (trx) => {
      const { name, email, preferences } = change;
      if (email !== undefined) await refuseTakenNames(trx, { email }, userId);
      const updated = await trx
        .updateTable('users')
        .set({
          user_id: userId,
          ...(name === undefined ? {} : { name }),
          ...(email === undefined ? {} : { email, email_key: foldLogin(email) }),
          ...(preferences === undefined ? {} : { preferences: JSON.stringify(preferences) }),
        })
        .where('user_id', '=', userId)
        .executeTakeFirst();
      return updated.numUpdatedRows === 1n;
    });
  }

  setPassword(
    userId: string,
    passwordHash: string,
    keepSessionId: string | undefined,
  ): Promise<EndedSession[]> {
    return this.#db.transaction().execute(async (trx) => {
      await trx
        .updateTable('users')
        .set({ password_hash: passwordHash })
        .where('user_id', '=', userId)
        .execute();
      const rows = await trx
        .deleteFrom('sessions')
        .where('user_id', '=', userId)
        .where('session_id', '!=', keepSessionId ?? '')
        .returning(['session_id', 'tenant_id'])
        .execute();
      const ended = rows.map((row) => ({ sessionId: row.session_id, tenantId: row.tenant_id }));
      await this.#revocations.sessions(trx, ended);
      return ended;
    });
  }

  async knownOrigins(userId: string, origins: readonly string[]): Promise<string[]> {
    if (origins.length === 0) return [];
    const rows = await this.#db
      .selectFrom('known_origins')
      .select('origin')
      .where('user_id', '=', userId)
      .where('origin', 'in', origins)
      .execute();
    return rows.map((row) => row.origin);
  }

  rememberOrigins(userId: string, origins: readonly string[], at: number, keep: number): Promise<void> {
    if (origins.length === 0) return Promise.resolve();
    return this.#db.transaction().execute(async (trx) => {
      await trx
        .insertInto('known_origins')
        .values(origins.map((origin) => ({ user_id: userId, origin, seen_at: at })))
        .onConflict((conflicting) => conflicting.columns(['user_id', 'origin']).doUpdateSet({ seen_at: at }))
        .execute();
      await trx
        .deleteFrom('known_origins')
        .where('user_id', '=', userId)
        .where('origin', 'not in', (query) =>
          query
            .selectFrom('known_origins')
            .select('origin')
            .where('user_id', '=', userId)
            .orderBy('seen_at', 'desc')
            .orderBy('origin')
            .limit(keep),
        )
        .execute();
    });
  }
}
