import { appError } from '@nowcast/contract';
import { type Kysely, sql } from 'kysely';
import { type Migration, Migrator } from 'kysely/migration';
import { alertTables, messagesInOrder, oldestFirst, toldAndDue } from './alert-migration.ts';
import type { Tables } from './schema.ts';

/**
 * The history of the schema. A released migration never changes; its name sorts after all earlier ones.
 * SQL as text, because what a migration must produce is one exact schema: STRICT tables, composite foreign keys that
 * keep every child row in its parent's tenant, WITHOUT ROWID where the primary key is the whole access path.
 */
const statements: Record<string, readonly string[]> = {
  '0001_first_schema': [
    `create table tenants (
      tenant_id text primary key, name text not null, created_at integer not null) strict`,
    `create table users (
      user_id text primary key,
      username text not null, username_key text not null unique,
      email text not null, email_key text not null unique,
      name text not null, password_hash text not null, preferences text not null,
      created_at integer not null) strict`,
    `create table memberships (
      tenant_id text not null references tenants on delete cascade,
      user_id text not null references users on delete cascade,
      role text not null, disabled integer not null, joined_at integer not null,
      primary key (tenant_id, user_id)) strict, without rowid`,
    'create index memberships_by_user on memberships (user_id)',
    `create table sessions (
      session_id text primary key, token_hash text not null unique,
      user_id text not null, tenant_id text not null,
      created_at integer not null, last_seen_at integer not null, expires_at integer not null,
      user_agent text not null,
      foreign key (tenant_id, user_id) references memberships on delete cascade) strict`,
    'create index sessions_by_user on sessions (user_id)',
    'create index sessions_by_member on sessions (tenant_id, user_id)',
    `create table api_keys (
      key_id text primary key,
      tenant_id text not null references tenants on delete cascade,
      name text not null, secret_hash text not null, scopes text not null,
      created_at integer not null, created_by text not null,
      last_used_at integer, expires_at integer) strict`,
    'create index api_keys_by_tenant on api_keys (tenant_id)',
    `create table boards (
      board_id text not null,
      tenant_id text not null references tenants on delete cascade, user_id text not null,
      title text not null, description text not null, shared integer not null, panel_count integer not null,
      content text not null, version integer not null,
      created_at integer not null, updated_at integer not null,
      primary key (tenant_id, board_id),
      foreign key (tenant_id, user_id) references memberships) strict`,
    'create index boards_by_owner on boards (tenant_id, user_id)',
    `create table board_versions (
      tenant_id text not null, board_id text not null, version integer not null,
      user_id text not null, owner_name text not null, content text not null, saved_at integer not null,
      primary key (tenant_id, board_id, version),
      foreign key (tenant_id, board_id) references boards on delete cascade) strict`,
    `create table board_panels (
      tenant_id text not null, visualization_id text not null, board_id text not null,
      primary key (tenant_id, visualization_id, board_id),
      foreign key (tenant_id, board_id) references boards on delete cascade) strict, without rowid`,
    'create index board_panels_by_board on board_panels (tenant_id, board_id)',
    `create table board_stars (
      tenant_id text not null, board_id text not null, user_id text not null,
      primary key (tenant_id, board_id, user_id),
      foreign key (tenant_id, board_id) references boards on delete cascade,
      foreign key (tenant_id, user_id) references memberships on delete cascade) strict, without rowid`,
    'create index board_stars_by_user on board_stars (tenant_id, user_id)',
    `create table known_origins (
      user_id text not null references users on delete cascade,
      origin text not null, seen_at integer not null,
      primary key (user_id, origin)) strict, without rowid`,
    'create table settings (key text primary key, value text not null) strict, without rowid',
  ],
  '0002_revocations': [
    `create table revocations (
      position integer primary key autoincrement,
      origin text not null, kind text not null, id text not null, tenant_id text not null) strict`,
  ],
  '0003_alerts': alertTables,
  '0004_told_and_due': toldAndDue,
  '0005_bytes_of_versions': [
    'alter table board_versions add column bytes integer generated always as (octet_length(content)) virtual',
    'create index board_versions_by_age on board_versions (tenant_id, saved_at, board_id, version, bytes)',
  ],
  '0006_messages_in_order': messagesInOrder,
  '0007_oldest_first': oldestFirst,
};

function toMigration(lines: readonly string[]): Migration {
  return {
    async up(db: Kysely<unknown>): Promise<void> {
      for (const line of lines) await sql.raw(line).execute(db);
    },
  };
}

/**
 * Brings the file to this program's schema. Refuses a file that a newer program has migrated: running on it would
 * write rows which that program's rules no longer allow.
 */
export async function migrate(db: Kysely<Tables>): Promise<void> {
  const migrations = Object.fromEntries(
    Object.entries(statements).map(([name, lines]) => [name, toMigration(lines)]),
  );
  const unknown = (await appliedMigrations(db)).filter((name) => !(name in migrations));
  if (unknown.length > 0) {
    throw appError(
      'server.error',
      `The database was written by a newer Nowcast (it has ${unknown.join(', ')}); install that version again, or restore a backup made with this one`,
    );
  }
  const migrator = new Migrator({ db, provider: { getMigrations: async () => migrations } });
  const { error } = await migrator.migrateToLatest();
  if (error !== undefined) throw error;
}

async function appliedMigrations(db: Kysely<Tables>): Promise<string[]> {
  const table = await sql`select 1 from sqlite_master where name = 'kysely_migration'`.execute(db);
  if (table.rows.length === 0) return [];
  const applied = await sql<{ name: string }>`select name from kysely_migration order by name`.execute(db);
  return applied.rows.map((row) => row.name);
}
