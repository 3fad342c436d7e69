import { type Action, type Actor, actions, type Role, roles, type Scope } from '@nowcast/contract';
import type { Revocation } from '@nowcast/ports';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { can, revokes } from './can.ts';

const person = (role: Role, tenant = 'acme', user = 'ada'): Actor => ({
  kind: 'user',
  tenant_id: tenant,
  user_id: user,
  role,
  session_id: `session of ${user}`,
});
const key = (scopes: Scope[]): Actor => ({ kind: 'key', tenant_id: 'acme', key_id: 'k', scopes });

/** Written out by hand, not derived: what each role may do. */
const allowed: Record<Role, Action[]> = {
  viewer: ['data.read', 'board.read', 'alert.read', 'profile.manage'],
  editor: [
    'data.read',
    'data.write',
    'board.read',
    'board.write',
    'board.share',
    'alert.read',
    'alert.act',
    'alert.write',
    'key.read',
    'profile.manage',
  ],
  admin: [
    'data.read',
    'data.write',
    'board.read',
    'board.write',
    'board.share',
    'alert.read',
    'alert.act',
    'alert.write',
    'alert.manage',
    'key.read',
    'key.manage',
    'user.read',
    'user.manage',
    'system.read',
    'profile.manage',
  ],
  owner: [...actions],
};

describe('can', () => {
  it.each(roles)('gives the role %s exactly its actions', (role) => {
    const granted = actions.filter((action) => can(person(role), action));
    expect(new Set(granted)).toEqual(new Set(allowed[role]));
  });

  it('C12 lets an ingest key write data and nothing else', () => {
    expect(actions.filter((action) => can(key(['ingest']), action))).toEqual(['data.write']);
    expect(actions.filter((action) => can(key([]), action))).toEqual([]);
    expect(actions.filter((action) => can(key(['read']), action))).toEqual([
      'data.read',
      'board.read',
      'alert.read',
    ]);
  });

  it('C11 refuses every action on an object of another tenant, whoever asks', () => {
    const anyActor = fc.constantFrom<Actor>(...roles.map((role) => person(role)), key(['ingest', 'read']), {
      kind: 'operator',
      tenant_id: 'acme',
    });
    fc.assert(
      fc.property(anyActor, fc.constantFrom(...actions), fc.boolean(), (actor, action, shared) => {
        const foreign = { tenant_id: 'globex', user_id: 'ada', shared };
        expect(can(actor, action, foreign)).toBe(false);
      }),
    );
  });

  it('keeps a private board to its owner, also against the owner of the tenant', () => {
    const board = { tenant_id: 'acme', user_id: 'bob', shared: false };
    for (const role of roles)
      for (const action of ['board.read', 'board.write', 'board.share'] as const)
        expect(can(person(role), action, board)).toBe(false);
    expect(can(person('editor', 'acme', 'bob'), 'board.write', board)).toBe(true);
    expect(can(person('viewer', 'acme', 'bob'), 'board.read', board)).toBe(true);
    expect(can(person('viewer', 'acme', 'bob'), 'board.write', board)).toBe(false);
    expect(can(key(['read']), 'board.read', board)).toBe(false);
  });

  it('lets everybody read a shared board and administrators change it', () => {
    const board = { tenant_id: 'acme', user_id: 'bob', shared: true };
    expect(roles.filter((role) => can(person(role), 'board.read', board))).toEqual([...roles]);
    expect(roles.filter((role) => can(person(role), 'board.write', board))).toEqual(['admin', 'owner']);
    expect(can(key(['read']), 'board.read', board)).toBe(true);
  });
});

describe('revokes', () => {
  const ada = person('viewer');
  const cases: [Revocation, boolean, boolean][] = [
    [{ kind: 'session', id: 'session of ada', tenant: 'acme' }, true, false],
    [{ kind: 'session', id: 'session of bob', tenant: 'acme' }, false, false],
    [{ kind: 'user', id: 'ada', tenant: 'globex' }, true, false],
    [{ kind: 'membership', id: 'ada', tenant: 'acme' }, true, false],
    [{ kind: 'membership', id: 'ada', tenant: 'globex' }, false, false],
    [{ kind: 'key', id: 'k', tenant: 'acme' }, false, true],
    [{ kind: 'key', id: 'other', tenant: 'acme' }, false, false],
  ];
  it.each(cases)('C2 matches %o to a person: %s, to a key: %s', (revocation, forPerson, forKey) => {
    expect(revokes(revocation, ada)).toBe(forPerson);
    expect(revokes(revocation, key(['ingest']))).toBe(forKey);
    expect(revokes(revocation, { kind: 'operator', tenant_id: 'acme' })).toBe(false);
  });
});
