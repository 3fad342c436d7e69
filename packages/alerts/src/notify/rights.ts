import { type Action, type Actor, appError, type Can } from '@nowcast/contract';

const refusals: Partial<Record<Action, string>> = {
  'alert.read': 'This key does not read alerts; use one with the scope "read"',
  'alert.act': 'Acknowledging and silencing need the role of an editor; ask an administrator',
  'alert.write': 'Rules are written by editors; ask an administrator for that role',
  'alert.manage': 'Only administrators do this; ask one',
};

/** Throws `auth.forbidden` unless the actor may do it in its own tenant. */
export function requireRight(can: Can, actor: Actor, action: Action): void {
  if (!can(actor, action, { tenant_id: actor.tenant_id }))
    throw appError('auth.forbidden', refusals[action] ?? 'You may not do this; ask an administrator');
}

/** Throws `auth.forbidden` for keys and the operator: an inbox belongs to a person. */
export function personOf(actor: Actor): Extract<Actor, { kind: 'user' }> {
  if (actor.kind === 'user') return actor;
  throw appError('auth.forbidden', 'This belongs to people; sign in as one');
}
