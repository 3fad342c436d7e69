import {
  appError,
  type BoardContent,
  foldLogin,
  preferencesSchema,
  type Role,
  type Scope,
} from '@nowcast/contract';
import type { AppError } from '@nowcast/kernel';
import type { BoardListRow, BoardRow, KeyRow, MemberRow, SessionRow, UserRow } from '@nowcast/ports';
import type { Selectable } from 'kysely';
import type { Tables } from './schema.ts';

/** Rows of the tables ↔ rows of the port. JSON columns were validated before they were written. */

export function conflict(
  reason: 'email_taken' | 'username_taken' | 'last_owner' | 'setup_done',
  message: string,
): AppError {
  return appError('request.conflict', message, { details: { reason } });
}

export function userToRow(user: UserRow): Tables['users'] {
  return {
    user_id: user.userId,
    username: user.username,
    username_key: foldLogin(user.username),
    email: user.email,
    email_key: foldLogin(user.email),
    name: user.name,
    password_hash: user.passwordHash,
    preferences: JSON.stringify(user.preferences),
    created_at: user.createdAt,
  };
}

export function userFromRow(row: Selectable<Tables['users']>): UserRow {
  return {
    userId: row.user_id,
    username: row.username,
    email: row.email,
    name: row.name,
    passwordHash: row.password_hash,
    // What an older version stored lacks what was added since.
    preferences: preferencesSchema.parse(JSON.parse(row.preferences)),
    createdAt: row.created_at,
  };
}

export type MemberColumns = Selectable<Tables['users']> & {
  tenant_id: string;
  tenant_name: string;
  role: Role;
  disabled: number;
  joined_at: number;
};

export function memberFromRow(row: MemberColumns): MemberRow {
  return {
    tenantId: row.tenant_id,
    tenantName: row.tenant_name,
    user: userFromRow(row),
    role: row.role,
    disabled: row.disabled === 1,
    joinedAt: row.joined_at,
  };
}

export function sessionFromRow(row: Selectable<Tables['sessions']>): SessionRow {
  return {
    sessionId: row.session_id,
    tokenHash: row.token_hash,
    userId: row.user_id,
    tenantId: row.tenant_id,
    createdAt: row.created_at,
    lastSeenAt: row.last_seen_at,
    expiresAt: row.expires_at,
    userAgent: row.user_agent,
  };
}

export function keyFromRow(row: Selectable<Tables['api_keys']>): KeyRow {
  return {
    keyId: row.key_id,
    tenantId: row.tenant_id,
    name: row.name,
    secretHash: row.secret_hash,
    scopes: JSON.parse(row.scopes) as Scope[],
    createdAt: row.created_at,
    createdBy: row.created_by,
    lastUsedAt: row.last_used_at ?? undefined,
    expiresAt: row.expires_at ?? undefined,
  };
}

export type BoardColumns = Selectable<Tables['boards']> & { owner_name: string; starred: number };

export function boardFromRow(row: BoardColumns): BoardRow {
  return {
    boardId: row.board_id,
    tenantId: row.tenant_id,
    userId: row.user_id,
    ownerName: row.owner_name,
    content: JSON.parse(row.content) as BoardContent,
    version: row.version,
    createdAt: row.created_at,
    updatedAt: row.updated_at,
    starred: row.starred === 1,
  };
}

export function boardListFromRow(row: Omit<BoardColumns, 'content'>): BoardListRow {
  return {
    boardId: row.board_id,
    userId: row.user_id,
    ownerName: row.owner_name,
    title: row.title,
    description: row.description,
    shared: row.shared === 1,
    panelCount: row.panel_count,
    version: row.version,
    updatedAt: row.updated_at,
    starred: row.starred === 1,
  };
}
