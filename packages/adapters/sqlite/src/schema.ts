import type { Role } from '@nowcast/contract';
import type { ColumnType, Generated } from 'kysely';
import type { AlertTables } from './alert-schema.ts';

/**
 * The tables as Kysely sees them. Booleans are 0 and 1, JSON is text, times are epoch milliseconds.
 * `*_key` columns hold the folded spelling that uniqueness goes by.
 */
export interface Tables extends AlertTables {
  tenants: { tenant_id: string; name: string; created_at: number };
  users: {
    user_id: string;
    username: string;
    username_key: string;
    email: string;
    email_key: string;
    name: string;
    password_hash: string;
    preferences: string;
    created_at: number;
  };
  memberships: { tenant_id: string; user_id: string; role: Role; disabled: number; joined_at: number };
  sessions: {
    session_id: string;
    token_hash: string;
    user_id: string;
    tenant_id: string;
    created_at: number;
    last_seen_at: number;
    expires_at: number;
    user_agent: string;
  };
  api_keys: {
    key_id: string;
    tenant_id: string;
    name: string;
    secret_hash: string;
    scopes: string;
    created_at: number;
    created_by: string;
    last_used_at: number | null;
    expires_at: number | null;
  };
  boards: {
    board_id: string;
    tenant_id: string;
    user_id: string;
    title: string;
    description: string;
    shared: number;
    panel_count: number;
    content: string;
    version: number;
    created_at: number;
    updated_at: number;
  };
  board_versions: {
    tenant_id: string;
    board_id: string;
    version: number;
    user_id: string;
    owner_name: string;
    content: string;
    saved_at: number;
    /** Of the content. */
    bytes: ColumnType<number, never, never>;
  };
  board_panels: { tenant_id: string; board_id: string; visualization_id: string };
  board_stars: { tenant_id: string; board_id: string; user_id: string };
  known_origins: { user_id: string; origin: string; seen_at: number };
  settings: { key: string; value: string };
  /** See `revocations.ts`; positions are never used again. */
  revocations: {
    position: Generated<number>;
    origin: string;
    kind: 'session' | 'key';
    id: string;
    tenant_id: string;
  };
}
