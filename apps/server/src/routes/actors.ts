import { type Actor, appError } from '@nowcast/contract';

/** What only a person can do for themselves. Throws `auth.forbidden` for keys. */
export function requireUser(actor: Actor): Extract<Actor, { kind: 'user' }> {
  if (actor.kind === 'user') return actor;
  throw appError('auth.forbidden', 'this is about a person; an API key cannot do it, sign in instead');
}

/** The key a point is counted for; empty when a person sent it. */
export function keyIdOf(actor: Actor): string {
  return actor.kind === 'key' ? actor.key_id : '';
}
