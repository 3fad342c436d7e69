import type {
  EndedSession,
  KeyListRow,
  KeyRepository,
  KeyRow,
  MemberRow,
  SessionRepository,
  SessionRow,
} from '@nowcast/ports';
import { type Kysely, sql } from 'kysely';
import { selectMembers } from './members.ts';
import type { RevocationLog } from './revocations.ts';
import { keyFromRow, memberFromRow, sessionFromRow } from './rows.ts';
import type { Tables } from './schema.ts';

/** Rows of `[{id, at}, …]` as a table, so that a batch of any size is one statement. */
function touches(batch: readonly { id: string; at: number }[]) {
  return sql`(select value ->> 'id' as id, max(value ->> 'at') as at
    from json_each(${JSON.stringify(batch)}) group by 1) as touched`;
}

export class SqliteSessions implements SessionRepository {
  readonly #db: Kysely<Tables>;
  readonly #revocations: RevocationLog;

  constructor(db: Kysely<Tables>, revocations: RevocationLog) {
    this.#db = db;
    this.#revocations = revocations;
  }

  create(session: SessionRow, passwordHash: string): Promise<boolean> {
    return this.#db.transaction().execute(async (trx) => {
      const member = await trx
        .selectFrom('memberships')
        .innerJoin('users', 'users.user_id', 'memberships.user_id')
        .select('memberships.role')
        .where('memberships.tenant_id', '=', session.tenantId)
        .where('memberships.user_id', '=', session.userId)
        .where('memberships.disabled', '=', 0)
        .where('users.password_hash', '=', passwordHash)
        .executeTakeFirst();
      if (member === undefined) return false;
      await trx
        .insertInto('sessions')
        .values({
          session_id: session.sessionId,
          token_hash: session.tokenHash,
          user_id: session.userId,
          tenant_id: session.tenantId,
          created_at: session.createdAt,
          last_seen_at: session.lastSeenAt,
          expires_at: session.expiresAt,
          user_agent: session.userAgent,
        })
        .execute();
      return true;
    });
  }

  async findByTokenHash(tokenHash: string): Promise<{ session: SessionRow; member: MemberRow } | undefined> {
    const row = await selectMembers(this.#db)
      .innerJoin('sessions', (join) =>
        join
          .onRef('sessions.tenant_id', '=', 'memberships.tenant_id')
          .onRef('sessions.user_id', '=', 'memberships.user_id'),
      )
      .select([
        'sessions.session_id',
        'sessions.token_hash',
        'sessions.created_at as session_created_at',
        'sessions.last_seen_at',
        'sessions.expires_at',
        'sessions.user_agent',
      ])
      .where('sessions.token_hash', '=', tokenHash)
      .executeTakeFirst();
    return (
      row && {
        session: sessionFromRow({ ...row, created_at: row.session_created_at }),
        member: memberFromRow(row),
      }
    );
  }

  async list(userId: string): Promise<SessionRow[]> {
    const rows = await this.#db
      .selectFrom('sessions')
      .selectAll()
      .where('user_id', '=', userId)
      .orderBy('last_seen_at', 'desc')
      .orderBy('session_id')
      .execute();
    return rows.map(sessionFromRow);
  }

  async touch(seen: readonly { id: string; at: number }[]): Promise<void> {
    if (seen.length === 0) return;
    await sql`update sessions set last_seen_at = max(last_seen_at, touched.at)
      from ${touches(seen)} where session_id = touched.id`.execute(this.#db);
  }

  delete(userId: string, sessionId: string): Promise<EndedSession | undefined> {
    return this.#db.transaction().execute(async (trx) => {
      const row = await trx
        .deleteFrom('sessions')
        .where('user_id', '=', userId)
        .where('session_id', '=', sessionId)
        .returning(['session_id', 'tenant_id'])
        .executeTakeFirst();
      if (row === undefined) return undefined;
      const ended = { sessionId: row.session_id, tenantId: row.tenant_id };
      await this.#revocations.sessions(trx, [ended]);
      return ended;
    });
  }

  async deleteExpired(now: number, idleBefore: number): Promise<number> {
    const deleted = await this.#db
      .deleteFrom('sessions')
      .where((eb) => eb.or([eb('expires_at', '<=', now), eb('last_seen_at', '<', idleBefore)]))
      .executeTakeFirst();
    return Number(deleted.numDeletedRows);
  }

  async deleteAll(): Promise<void> {
    await this.#db.deleteFrom('sessions').execute();
  }
}

export class SqliteKeys implements KeyRepository {
  readonly #db: Kysely<Tables>;
  readonly #revocations: RevocationLog;

  constructor(db: Kysely<Tables>, revocations: RevocationLog) {
    this.#db = db;
    this.#revocations = revocations;
  }

  create(tenantId: string, key: KeyRow, maxKeys: number): Promise<boolean> {
    return this.#db.transaction().execute(async (trx) => {
      const { count } = await trx
        .selectFrom('api_keys')
        .select(({ fn }) => fn.countAll<number>().as('count'))
        .where('tenant_id', '=', tenantId)
        .executeTakeFirstOrThrow();
      if (count >= maxKeys) return false;
      await trx
        .insertInto('api_keys')
        .values({
          key_id: key.keyId,
          tenant_id: tenantId,
          name: key.name,
          secret_hash: key.secretHash,
          scopes: JSON.stringify(key.scopes),
          created_at: key.createdAt,
          created_by: key.createdBy,
          last_used_at: key.lastUsedAt ?? null,
          expires_at: key.expiresAt ?? null,
        })
        .execute();
      return true;
    });
  }

  async list(tenantId: string): Promise<KeyListRow[]> {
    const rows = await this.#db
      .selectFrom('api_keys')
      .leftJoin('memberships', (join) =>
        join
          .onRef('memberships.tenant_id', '=', 'api_keys.tenant_id')
          .onRef('memberships.user_id', '=', 'api_keys.created_by'),
      )
      .leftJoin('users', 'users.user_id', 'memberships.user_id')
      .selectAll('api_keys')
      .select('users.name as created_by_name')
      .where('api_keys.tenant_id', '=', tenantId)
      .orderBy('api_keys.created_at')
      .orderBy('api_keys.key_id')
      .execute();
    return rows.map((row) => ({ ...keyFromRow(row), createdByName: row.created_by_name ?? '' }));
  }

  async find(keyId: string): Promise<KeyRow | undefined> {
    const row = await this.#db
      .selectFrom('api_keys')
      .selectAll()
      .where('key_id', '=', keyId)
      .executeTakeFirst();
    return row && keyFromRow(row);
  }

  delete(tenantId: string, keyId: string): Promise<boolean> {
    return this.#db.transaction().execute(async (trx) => {
      const deleted = await trx
        .deleteFrom('api_keys')
        .where('tenant_id', '=', tenantId)
        .where('key_id', '=', keyId)
        .executeTakeFirst();
      if (deleted.numDeletedRows === 0n) return false;
      await this.#revocations.key(trx, keyId, tenantId);
      return true;
    });
  }

  async touch(used: readonly { id: string; at: number }[]): Promise<void> {
    if (used.length === 0) return;
    await sql`update api_keys set last_used_at = max(coalesce(last_used_at, 0), touched.at)
      from ${touches(used)} where key_id = touched.id`.execute(this.#db);
  }
}
