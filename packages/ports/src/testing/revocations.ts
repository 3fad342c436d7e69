import type { Preferences } from '@nowcast/contract';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { MetaStore } from '../meta-store.ts';
import type { Revocation } from '../revocation-bus.ts';

/** Two stores on the same data, as two processes open it. */
export interface TwoStoresHarness {
  here: MetaStore;
  there: MetaStore;
  dispose(): Promise<void>;
}

const preferences: Preferences = {
  theme: 'system',
  density: 'comfortable',
  time_zone: 'browser',
  locale: 'browser',
  number_format: 'locale',
  reduced_motion: false,
  shortcuts: true,
};
const patience = { timeout: 60_000, interval: 10 };

/** Every adapter behind `MetaStore` whose data several processes may open passes this, unchanged. */
export function revocationConformance(adapter: string, open: () => Promise<TwoStoresHarness>): void {
  describe(`C2 ${adapter} tells of what another process revokes`, () => {
    let harness: TwoStoresHarness;
    let heard: Revocation[];
    beforeEach(async () => {
      harness = await open();
      const { there } = harness;
      for (const [tenantId, name] of [
        ['acme', 'ada'],
        ['globex', 'eve'],
      ] as const)
        await there.tenants.found({ tenantId, name: tenantId, createdAt: 1 }, person(name), undefined);
      await there.members.create('acme', person('bob'), 'editor');
      await there.members.add('globex', 'u_bob', 'viewer', 1);
      for (const tenantId of ['acme', 'globex']) {
        await there.sessions.create(session(`bob in ${tenantId}`, 'u_bob', tenantId), '');
        await there.keys.create(tenantId, key(`of ${tenantId}`, tenantId), 10);
      }
      heard = [];
      harness.here.onRevoked((revocation) => heard.push(revocation));
    });
    afterEach(() => harness.dispose());

    const names = (): string[] => heard.map(({ kind, id, tenant }) => `${kind} ${id} (${tenant})`).sort();
    const hears = (...expected: string[]): Promise<void> =>
      vi.waitFor(() => expect(names()).toEqual(expected.toSorted()), patience);

    it('by signing out, deleting a key, disabling, a new role, a removal and a new password', async () => {
      const { there } = harness;
      await there.keys.delete('acme', 'of acme');
      await hears('key of acme (acme)');
      await there.members.update('acme', 'u_bob', { disabled: true });
      await hears('key of acme (acme)', 'session bob in acme (acme)');
      heard = [];
      await there.members.update('globex', 'u_bob', { role: 'editor' });
      await hears('session bob in globex (globex)');
      heard = [];
      for (const name of ['one', 'two']) await there.sessions.create(session(name, 'u_ada', 'acme'), '');
      await there.users.setPassword('u_ada', 'fresh', 'one');
      await hears('session two (acme)');
      await there.sessions.delete('u_ada', 'one');
      await hears('session two (acme)', 'session one (acme)');
      heard = [];
      await there.sessions.create(session('again', 'u_bob', 'globex'), '');
      await there.members.remove('globex', 'u_bob', 'u_eve');
      await hears('session again (globex)');
    });

    it('but neither of what it did itself, nor of changes that take nothing away', async () => {
      const { here, there } = harness;
      await here.keys.delete('acme', 'of acme');
      await here.members.update('acme', 'u_bob', { role: 'viewer' });
      await there.settings.set('a', 'b');
      expect(await there.sessions.delete('u_bob', 'nobody’s')).toBeUndefined();
      expect(await there.keys.delete('acme', 'of globex')).toBe(false);
      await expect(there.members.update('acme', 'u_ada', { role: 'viewer' })).rejects.toThrow();
      // Heard last: what came before it would have been heard before it.
      await there.keys.delete('globex', 'of globex');
      await hears('key of globex (globex)');
    });

    it('to many listeners, until they leave', async () => {
      const { here, there } = harness;
      const brief: Revocation[] = [];
      const leave = here.onRevoked((revocation) => brief.push(revocation));
      await there.keys.delete('acme', 'of acme');
      await hears('key of acme (acme)');
      leave();
      await there.keys.delete('globex', 'of globex');
      await hears('key of acme (acme)', 'key of globex (globex)');
      expect(brief).toHaveLength(1);
    });
  });
}

function person(name: string) {
  return {
    userId: `u_${name}`,
    username: name,
    email: `${name}@example.com`,
    name,
    passwordHash: '',
    preferences,
    createdAt: 1,
  };
}

function session(name: string, userId: string, tenantId: string) {
  return {
    sessionId: name,
    tokenHash: `token of ${name}`,
    userId,
    tenantId,
    createdAt: 1,
    lastSeenAt: 1,
    expiresAt: 9000,
    userAgent: 'test',
  };
}

function key(keyId: string, tenantId: string) {
  return {
    keyId,
    tenantId,
    name: keyId,
    secretHash: keyId,
    scopes: ['read' as const],
    createdAt: 1,
    createdBy: '',
    lastUsedAt: undefined,
    expiresAt: undefined,
  };
}
