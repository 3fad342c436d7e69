import { type Action, type ActionObject, type Actor, type Role, roles, type Scope } from '@nowcast/contract';
import { unreachable } from '@nowcast/kernel';
import type { Revocation } from '@nowcast/ports';

/** The weakest role that may do an action. A line for every action, or it does not compile. */
const weakestRole: Readonly<Record<Action, Role>> = {
  'data.read': 'viewer',
  'board.read': 'viewer',
  'alert.read': 'viewer',
  'profile.manage': 'viewer',
  'data.write': 'editor',
  'board.write': 'editor',
  'board.share': 'editor',
  'alert.act': 'editor',
  'alert.write': 'editor',
  'key.read': 'editor',
  'key.manage': 'admin',
  'alert.manage': 'admin',
  'user.read': 'admin',
  'user.manage': 'admin',
  'system.read': 'admin',
  'tenant.manage': 'owner',
};

/** What each scope of an API key allows; keys never manage anything. */
const scopeActions: Readonly<Record<Scope, readonly Action[]>> = {
  ingest: ['data.write'],
  read: ['data.read', 'board.read', 'alert.read'],
};

/** 0 (viewer) … 3 (owner). */
export function rankOf(role: Role): number {
  return roles.indexOf(role);
}

/**
 * The one decision about rights. Without an object it says whether the actor may ever do such a thing in its own
 * tenant; with one, whether it may do it to that object. An object of another tenant is always refused, whoever asks.
 */
export function can(actor: Actor, action: Action, object?: ActionObject): boolean {
  if (object !== undefined && object.tenant_id !== actor.tenant_id) return false;
  switch (actor.kind) {
    case 'operator':
      return true;
    case 'key':
      if (!actor.scopes.some((scope) => scopeActions[scope].includes(action))) return false;
      return object === undefined || action !== 'board.read' || object.shared === true;
    case 'user':
      if (rankOf(actor.role) < rankOf(weakestRole[action])) return false;
      return object === undefined || mayTouchBoard(actor, action, object);
    default:
      return unreachable(actor);
  }
}

/**
 * A private board is its owner's alone, also against administrators. A shared one is read by everybody in the tenant
 * and changed by its owner and administrators; anybody else makes a copy.
 */
function mayTouchBoard(
  actor: Extract<Actor, { kind: 'user' }>,
  action: Action,
  object: ActionObject,
): boolean {
  const own = object.user_id === actor.user_id;
  if (action === 'board.read') return own || object.shared === true;
  if (action === 'board.write' || action === 'board.share')
    return own || (object.shared === true && rankOf(actor.role) >= rankOf('admin'));
  return true;
}

/** Whether a revocation ends what this actor was allowed: its sockets close and its cached look-ups go. */
export function revokes(revocation: Revocation, actor: Actor): boolean {
  switch (revocation.kind) {
    case 'key':
      return actor.kind === 'key' && actor.key_id === revocation.id;
    case 'session':
      return actor.kind === 'user' && actor.session_id === revocation.id;
    case 'user':
      return actor.kind === 'user' && actor.user_id === revocation.id;
    case 'membership':
      return (
        actor.kind === 'user' && actor.user_id === revocation.id && actor.tenant_id === revocation.tenant
      );
    default:
      return unreachable(revocation.kind);
  }
}
