import * as z from 'zod/mini';
import { latestMomentMs } from './time.ts';

/** Built-in roles, weakest first. The mission's `admin` and `user` are admin and editor. */
export const roles = ['viewer', 'editor', 'admin', 'owner'] as const;
export const roleSchema = z.enum(roles);
export type Role = z.infer<typeof roleSchema>;

/** What may be done. Every route and every live subscription names exactly one of these. */
export const actions = [
  'data.read',
  'data.write',
  'board.read',
  'board.write',
  'board.share',
  /** Rules and their alerts. */
  'alert.read',
  /** Acknowledge, snooze, silence. */
  'alert.act',
  /** Rules. */
  'alert.write',
  /** Channels, schedules, maintenance, inhibitions, test sends: what leaves the house, and whom it reaches. */
  'alert.manage',
  'key.read',
  'key.manage',
  'user.read',
  'user.manage',
  'tenant.manage',
  'system.read',
  'profile.manage',
] as const;
export type Action = (typeof actions)[number];

/** What an API key may do. */
export const scopeSchema = z.enum(['ingest', 'read']);
export type Scope = z.infer<typeof scopeSchema>;

/** The spelling by which usernames and e-mail addresses are told apart: compatibility forms and case folded away. */
export function foldLogin(text: string): string {
  return text.normalize('NFKC').toLowerCase();
}

export const preferencesSchema = z.strictObject({
  theme: z._default(z.enum(['system', 'dark', 'light']), 'system'),
  density: z._default(z.enum(['comfortable', 'compact']), 'comfortable'),
  /** `browser`, `UTC` or an IANA zone. */
  time_zone: z._default(z.string().check(z.maxLength(64)), 'browser'),
  /** `browser` or a BCP 47 tag: how dates and numbers are written. */
  locale: z._default(z.string().check(z.maxLength(35)), 'browser'),
  /** `locale`: as the locale does; otherwise the signs between thousands and before decimals. */
  number_format: z._default(
    z.enum(['locale', 'comma_dot', 'dot_comma', 'space_comma', 'apostrophe_dot']),
    'locale',
  ),
  reduced_motion: z._default(z.boolean(), false),
  shortcuts: z._default(z.boolean(), true),
  home_board_id: z.optional(z.string().check(z.maxLength(64))),
});
export type Preferences = z.infer<typeof preferencesSchema>;

/**
 * Who asks. The tenant always comes from the session or the key, never from the request. `operator` is somebody with
 * a shell on the machine (the CLI) or the server itself.
 */
export type Actor =
  | { kind: 'user'; tenant_id: string; user_id: string; role: Role; session_id: string }
  | { kind: 'key'; tenant_id: string; key_id: string; scopes: readonly Scope[] }
  | { kind: 'operator'; tenant_id: string };

/** What an action is done to, as far as the decision depends on it. */
export interface ActionObject {
  tenant_id: string;
  /** Owner of a board. */
  user_id?: string;
  shared?: boolean;
}

/** The one decision about rights. */
export type Can = (actor: Actor, action: Action, object?: ActionObject) => boolean;

/** A user as the wire shows it; `role` is that of the session's active tenant. */
export interface User {
  user_id: string;
  username: string;
  email: string;
  name: string;
  role: Role;
  preferences: Preferences;
  tenant_id: string;
  tenant_name: string;
  disabled: boolean;
  created_at: number;
}

const password = z.string().check(z.minLength(10, 'use at least 10 characters'), z.maxLength(256));
export const usernameSchema = z
  .string()
  .check(
    z.minLength(2),
    z.maxLength(64),
    z.regex(/^[a-zA-Z0-9][a-zA-Z0-9._-]*$/, 'use letters, digits, dot, dash and underscore'),
  );
export const emailSchema = z
  .string()
  .check(z.maxLength(254), z.regex(/^[^\s@<>"]+@[^\s@<>"]+$/, 'write an address like name@example.com'));
const displayName = z.string().check(z.minLength(1), z.maxLength(120));

export const loginSchema = z.strictObject({
  login: z.string().check(z.minLength(1), z.maxLength(254)),
  password: z.string().check(z.maxLength(256)),
});
export type LoginInput = z.infer<typeof loginSchema>;
export interface LoginAnswer {
  user: User;
  token: string;
  expires_at: number;
}

/** First run: the one-time link's token and the first owner. */
export const setupSchema = z.strictObject({
  token: z.string().check(z.maxLength(128)),
  organisation: displayName,
  name: displayName,
  email: emailSchema,
  username: usernameSchema,
  password,
});
export type SetupInput = z.infer<typeof setupSchema>;
export const createUserSchema = z.strictObject({
  name: displayName,
  email: emailSchema,
  username: usernameSchema,
  password,
  role: roleSchema,
});
export type CreateUserInput = z.infer<typeof createUserSchema>;
export const updateUserSchema = z.strictObject({
  role: z.optional(roleSchema),
  disabled: z.optional(z.boolean()),
  name: z.optional(displayName),
});
export type UpdateUserInput = z.infer<typeof updateUserSchema>;
export const updateProfileSchema = z.strictObject({
  name: z.optional(displayName),
  email: z.optional(emailSchema),
  preferences: z.optional(preferencesSchema),
});
export type UpdateProfileInput = z.infer<typeof updateProfileSchema>;
export const changePasswordSchema = z.strictObject({
  current_password: z.string().check(z.maxLength(256)),
  new_password: password,
});
export type ChangePasswordInput = z.infer<typeof changePasswordSchema>;

export const createKeySchema = z.strictObject({
  name: displayName,
  scopes: z._default(z.array(scopeSchema).check(z.minLength(1)), ['ingest']),
  expires_at: z.optional(z.number().check(z.lte(latestMomentMs))),
});
export type CreateKeyInput = z.infer<typeof createKeySchema>;
/** An API key as the wire shows it; `secret` only in the answer that created it. */
export interface ApiKey {
  key_id: string;
  name: string;
  prefix: string;
  scopes: Scope[];
  created_at: number;
  /** User id of whoever made it; empty: it was made on the command line. */
  created_by: string;
  /** Their name; empty when they are no member of the organisation any more, though the key still works. */
  created_by_name: string;
  last_used_at: number | null;
  expires_at: number | null;
  secret?: string;
}

export interface SessionInfo {
  session_id: string;
  created_at: number;
  last_seen_at: number;
  user_agent: string;
  current: boolean;
}
