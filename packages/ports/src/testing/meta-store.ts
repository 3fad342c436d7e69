import type { BoardContent, Preferences } from '@nowcast/contract';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { BoardLimits, BoardSave, KeyRow, MetaStore, SessionRow, UserRow } from '../meta-store.ts';

/** One store of the adapter under test, empty at first. */
export interface MetaStoreHarness {
  store: MetaStore;
  /** Stops the store and opens its data again. */
  reopen(): Promise<MetaStore>;
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

function user(name: string): UserRow {
  return {
    userId: `u_${name}`,
    username: name,
    email: `${name}@example.com`,
    name: name.toUpperCase(),
    passwordHash: `hash of ${name}`,
    preferences,
    createdAt: 1000,
  };
}

function session(name: string, userId: string, tenantId: string): SessionRow {
  return {
    sessionId: `s_${name}`,
    tokenHash: `token of ${name}`,
    userId,
    tenantId,
    createdAt: 1000,
    lastSeenAt: 1000,
    expiresAt: 9000,
    userAgent: 'test',
  };
}

function key(name: string, tenantId: string): KeyRow {
  return {
    keyId: `k_${name}`,
    tenantId,
    name,
    secretHash: `hash of ${name}`,
    scopes: ['ingest', 'read'],
    createdAt: 1000,
    createdBy: 'u_ada',
    lastUsedAt: undefined,
    expiresAt: undefined,
  };
}

function content(title: string, extra: Partial<BoardContent> = {}): BoardContent {
  return { title, description: '', window: '15m', shared: false, variables: [], panels: [], ...extra };
}

function panel(visualizationId: string): BoardContent['panels'][number] {
  return {
    visualization_id: visualizationId,
    title: 'Panel',
    metric_type: 'cpu_usage',
    chart_type: 'line',
    query: { group_by: [], where: {} },
    layout: { x: 0, y: 0, w: 6, h: 6 },
    display: { unit: 'none', legend: 'list', thresholds: [], connect_gaps: false },
  };
}

function saving(title: string, baseVersion: number): BoardSave {
  return {
    content: content(title),
    baseVersion,
    userId: 'u_ada',
    at: 2000 + baseVersion,
    keepVersions: 50,
    maxBytes: plenty.bytes,
  };
}

const plenty: BoardLimits = { boards: 100, bytes: 1_000_000 };
const one: BoardLimits = { ...plenty, boards: 1 };

/** Every adapter behind `MetaStore` passes this, unchanged. */
export function metaStoreConformance(adapter: string, open: () => Promise<MetaStoreHarness>): void {
  describe(`${adapter} as a MetaStore`, () => {
    let harness: MetaStoreHarness;
    let store: MetaStore;

    beforeEach(async () => {
      harness = await open();
      store = harness.store;
    });
    afterEach(() => harness.dispose());

    /** Tenants `acme` (owner ada, editor bob) and `globex` (owner eve). */
    async function foundTwoTenants(): Promise<void> {
      await store.tenants.found({ tenantId: 'acme', name: 'Acme', createdAt: 1 }, user('ada'), undefined);
      await store.tenants.found({ tenantId: 'globex', name: 'Globex', createdAt: 2 }, user('eve'), undefined);
      await store.members.create('acme', user('bob'), 'editor');
    }

    describe('setup', () => {
      const tenant = { tenantId: 'acme', name: 'Acme', createdAt: 1 };

      it('C6 consumes the setup token with the first tenant, once, and replaces older tokens', async () => {
        expect(await store.settings.setSetupToken('old')).toBe(true);
        expect(await store.settings.setSetupToken('new')).toBe(true);
        await expect(store.tenants.found(tenant, user('ada'), 'old')).rejects.toMatchObject({
          code: 'request.conflict',
          details: { reason: 'setup_done' },
        });
        const submits = await Promise.allSettled([
          store.tenants.found(tenant, user('ada'), 'new'),
          store.tenants.found({ ...tenant, tenantId: 'other' }, user('bob'), 'new'),
        ]);
        expect(submits.map((submit) => submit.status).sort()).toEqual(['fulfilled', 'rejected']);
        expect(await store.tenants.list()).toHaveLength(1);
        expect(await store.settings.setupToken()).toBeUndefined();
        expect(await store.settings.setSetupToken('again')).toBe(false);
      });

      it('C6 forgets a printed token when the first tenant is founded without it', async () => {
        await store.settings.setSetupToken('printed');
        await store.tenants.found(tenant, user('ada'), undefined);
        expect(await store.settings.setupToken()).toBeUndefined();
        await expect(
          store.tenants.found({ ...tenant, tenantId: 'b' }, user('bob'), 'printed'),
        ).rejects.toMatchObject({ details: { reason: 'setup_done' } });
      });

      it('keeps everything across a restart', async () => {
        await store.tenants.found(tenant, user('ada'), undefined);
        await store.settings.set('flavour', 'plain');
        store = await harness.reopen();
        expect(await store.tenants.get('acme')).toEqual(tenant);
        expect(await store.settings.get('flavour')).toBe('plain');
        expect(await store.members.get('acme', 'u_ada')).toMatchObject({ role: 'owner', disabled: false });
        expect(await store.users.get('u_ada')).toEqual(user('ada'));
      });

      it('keeps settings apart from the setup token', async () => {
        await store.settings.set('setup_token', 'mine');
        expect(await store.settings.setupToken()).toBeUndefined();
        expect(await store.settings.get('missing')).toBeUndefined();
      });
    });

    describe('people', () => {
      beforeEach(foundTwoTenants);

      it('finds a person by e-mail or username, whatever the spelling', async () => {
        for (const login of ['ada', 'ADA', 'ａda', 'ada@example.com', 'Ada@Example.COM'])
          expect((await store.users.findByLogin(login))?.userId).toBe('u_ada');
        expect(await store.users.findByLogin('ad')).toBeUndefined();
        expect(await store.users.findByLogin("' or 1=1 --")).toBeUndefined();
      });

      it('refuses a taken e-mail or username in any spelling and stores nothing of that call', async () => {
        const twin = { ...user('carl'), email: 'ADA@example.com' };
        await expect(store.members.create('globex', twin, 'viewer')).rejects.toMatchObject({
          code: 'request.conflict',
          details: { reason: 'email_taken' },
        });
        await expect(
          store.members.create('acme', { ...user('carl'), username: 'Ada' }, 'viewer'),
        ).rejects.toMatchObject({ details: { reason: 'username_taken' } });
        await expect(store.users.update('u_bob', { email: 'Eve@example.com' })).rejects.toMatchObject({
          details: { reason: 'email_taken' },
        });
        await expect(
          store.tenants.found({ tenantId: 'third', name: 'Third', createdAt: 3 }, user('ada'), undefined),
        ).rejects.toMatchObject({ code: 'request.conflict' });
        expect(await store.users.get('u_carl')).toBeUndefined();
        expect(await store.tenants.get('third')).toBeUndefined();
      });

      it('changes only what a change names', async () => {
        expect(await store.users.update('u_ada', { email: 'Ada@Example.com' })).toBe(true);
        expect(await store.users.update('u_ada', { preferences: { ...preferences, theme: 'dark' } })).toBe(
          true,
        );
        expect(await store.users.get('u_ada')).toMatchObject({
          email: 'Ada@Example.com',
          name: 'ADA',
          preferences: { theme: 'dark' },
        });
        expect(await store.users.update('u_nobody', { name: 'x' })).toBe(false);
      });

      it('ends the other sessions when a password changes', async () => {
        for (const name of ['one', 'two', 'three'])
          await store.sessions.create(session(name, 'u_ada', 'acme'), 'hash of ada');
        const ended = await store.users.setPassword('u_ada', 'fresh', 's_two');
        expect(ended.map((row) => row.sessionId).sort()).toEqual(['s_one', 's_three']);
        expect((await store.sessions.list('u_ada')).map((row) => row.sessionId)).toEqual(['s_two']);
        expect((await store.users.get('u_ada'))?.passwordHash).toBe('fresh');
        expect(await store.users.setPassword('u_ada', 'fresher', undefined)).toHaveLength(1);
      });

      it('C4 remembers the newest origins of a person and nobody else’s', async () => {
        await store.users.rememberOrigins('u_ada', ['a', 'b'], 10, 3);
        await store.users.rememberOrigins('u_ada', ['c'], 20, 3);
        await store.users.rememberOrigins('u_ada', ['a'], 30, 3);
        await store.users.rememberOrigins('u_ada', ['d'], 40, 3);
        const known = await store.users.knownOrigins('u_ada', ['a', 'b', 'c', 'd', 'e']);
        expect(known.sort()).toEqual(['a', 'c', 'd']);
        expect(await store.users.knownOrigins('u_bob', ['a'])).toEqual([]);
        expect(await store.users.knownOrigins('u_ada', [])).toEqual([]);
      });
    });

    describe('members', () => {
      beforeEach(foundTwoTenants);

      it('C11 shows a tenant its own members only', async () => {
        expect((await store.members.list('acme')).map((row) => row.user.userId)).toEqual(['u_ada', 'u_bob']);
        expect(await store.members.get('globex', 'u_ada')).toBeUndefined();
        expect(await store.members.update('globex', 'u_bob', { role: 'owner' })).toBeUndefined();
        expect(await store.members.remove('globex', 'u_bob', 'u_eve')).toBeUndefined();
        expect(await store.members.get('acme', 'u_bob')).toMatchObject({
          role: 'editor',
          tenantName: 'Acme',
        });
        expect((await store.members.ofUser('u_bob')).map((row) => row.tenantId)).toEqual(['acme']);
      });

      it('never leaves a tenant without an enabled owner', async () => {
        const lastOwner = { code: 'request.conflict', details: { reason: 'last_owner' } };
        await expect(store.members.update('acme', 'u_ada', { role: 'admin' })).rejects.toMatchObject(
          lastOwner,
        );
        await expect(store.members.update('acme', 'u_ada', { disabled: true })).rejects.toMatchObject(
          lastOwner,
        );
        await expect(store.members.remove('acme', 'u_ada', 'u_bob')).rejects.toMatchObject(lastOwner);
        const shared = { boardId: 'b', userId: 'u_ada', content: content('S', { shared: true }), at: 5 };
        await store.boards.create('acme', shared, plenty);
        await expect(store.members.remove('acme', 'u_ada', 'u_ada')).rejects.toMatchObject(lastOwner);
        expect(await store.members.get('acme', 'u_ada')).toMatchObject({ role: 'owner', disabled: false });
        await store.members.update('acme', 'u_bob', { role: 'owner' });
        const both = await Promise.allSettled([
          store.members.update('acme', 'u_ada', { role: 'viewer' }),
          store.members.update('acme', 'u_bob', { role: 'viewer' }),
        ]);
        expect(both.map((result) => result.status).sort()).toEqual(['fulfilled', 'rejected']);
      });

      it('C1 ends a member’s sessions in this tenant when role or disabled changes, else none', async () => {
        await store.sessions.create(session('bob', 'u_bob', 'acme'), 'hash of bob');
        expect(await store.members.update('acme', 'u_bob', { role: 'editor' })).toEqual({ ended: [] });
        expect(await store.members.update('acme', 'u_bob', { role: 'viewer' })).toEqual({
          ended: [{ sessionId: 's_bob', tenantId: 'acme' }],
        });
        expect(await store.sessions.findByTokenHash('token of bob')).toBeUndefined();
        await store.sessions.create(session('bob', 'u_bob', 'acme'), 'hash of bob');
        const disabled = await store.members.update('acme', 'u_bob', { disabled: true });
        expect(disabled?.ended).toHaveLength(1);
      });

      it('hands a shared board over without the versions from when it was private', async () => {
        const made = { boardId: 'b', userId: 'u_bob', content: content('Private'), at: 5 };
        await store.boards.create('acme', made, plenty);
        const shared = content('S', { shared: true });
        const save = { ...saving('S', 1), userId: 'u_bob', content: shared, at: 6 };
        await store.boards.save('acme', 'b', save);
        await store.boards.create('acme', { ...made, boardId: 'b3', userId: 'u_ada' }, plenty);
        await store.members.remove('acme', 'u_bob', 'u_ada');
        expect((await store.boards.versions('acme', 'b')).map((row) => row.version)).toEqual([2]);
        expect(await store.boards.version('acme', 'b3', 1)).toMatchObject({ content: { title: 'Private' } });
      });

      it('hands shared boards over and deletes private ones, sessions and the person', async () => {
        await store.sessions.create(session('bob', 'u_bob', 'acme'), 'hash of bob');
        const shared = { boardId: 'b1', userId: 'u_bob', content: content('S', { shared: true }), at: 5 };
        await store.boards.create('acme', shared, plenty);
        await store.boards.create(
          'acme',
          { boardId: 'b2', userId: 'u_bob', content: content('P'), at: 5 },
          plenty,
        );
        await store.boards.star('acme', 'b1', 'u_bob', true);
        expect((await store.members.remove('acme', 'u_bob', 'u_ada'))?.ended).toHaveLength(1);
        expect(await store.boards.get('acme', 'b1', 'u_ada')).toMatchObject({
          userId: 'u_ada',
          ownerName: 'ADA',
        });
        expect(await store.boards.get('acme', 'b2', 'u_ada')).toBeUndefined();
        expect((await store.boards.versions('acme', 'b1'))[0]).toMatchObject({ ownerName: 'BOB' });
        expect(await store.users.get('u_bob')).toBeUndefined();
        expect(await store.sessions.list('u_bob')).toEqual([]);
      });
    });

    describe('a person in two tenants', () => {
      beforeEach(async () => {
        await foundTwoTenants();
        expect(await store.members.add('globex', 'u_bob', 'admin', 5)).toBe(true);
        await store.sessions.create(session('acme', 'u_bob', 'acme'), 'hash of bob');
        await store.sessions.create(session('globex', 'u_bob', 'globex'), 'hash of bob');
        const made = { boardId: 'b', userId: 'u_bob', content: content('Private'), at: 1 };
        await store.boards.create('acme', made, plenty);
        await store.boards.create('globex', made, plenty);
        const shared = { boardId: 's', userId: 'u_bob', content: content('S', { shared: true }), at: 1 };
        await store.boards.create('acme', shared, plenty);
        await store.boards.create('globex', shared, plenty);
      });

      it('joins once, and only when they exist', async () => {
        expect(await store.members.add('globex', 'u_bob', 'owner', 6)).toBe(false);
        expect(await store.members.add('globex', 'u_nobody', 'viewer', 6)).toBe(false);
        expect((await store.members.ofUser('u_bob')).map((row) => [row.tenantId, row.role])).toEqual([
          ['globex', 'admin'],
          ['acme', 'editor'],
        ]);
      });

      it('C11 keeps role, access and sessions of the other tenant when one changes', async () => {
        const changed = await store.members.update('acme', 'u_bob', { role: 'viewer', disabled: true });
        expect(changed?.ended).toEqual([{ sessionId: 's_acme', tenantId: 'acme' }]);
        expect(await store.members.get('globex', 'u_bob')).toMatchObject({ role: 'admin', disabled: false });
        expect((await store.sessions.list('u_bob')).map((row) => row.sessionId)).toEqual(['s_globex']);
      });

      it('C11 keeps the person, and boards and sessions of the other tenant, when one lets them go', async () => {
        await store.members.remove('acme', 'u_bob', 'u_ada');
        expect((await store.members.ofUser('u_bob')).map((row) => row.tenantId)).toEqual(['globex']);
        expect((await store.sessions.list('u_bob')).map((row) => row.sessionId)).toEqual(['s_globex']);
        expect((await store.boards.list('globex', 'u_bob')).map((row) => row.userId)).toEqual([
          'u_bob',
          'u_bob',
        ]);
        expect((await store.boards.list('acme', 'u_ada')).map((row) => row.userId)).toEqual(['u_ada']);
      });

      it('C11 takes a star away in one tenant only', async () => {
        await store.boards.star('acme', 'b', 'u_bob', true);
        await store.boards.star('globex', 'b', 'u_bob', true);
        await store.boards.star('acme', 'b', 'u_bob', false);
        expect((await store.boards.get('acme', 'b', 'u_bob'))?.starred).toBe(false);
        expect((await store.boards.get('globex', 'b', 'u_bob'))?.starred).toBe(true);
      });

      it('ends the sessions of all tenants when the password changes', async () => {
        const ended = await store.users.setPassword('u_bob', 'fresh', undefined);
        expect(ended.map((row) => row.tenantId).sort()).toEqual(['acme', 'globex']);
      });
    });

    describe('sessions', () => {
      beforeEach(foundTwoTenants);

      it('returns a session with its member in one read', async () => {
        expect(await store.sessions.create(session('bob', 'u_bob', 'acme'), 'hash of bob')).toBe(true);
        expect(await store.sessions.findByTokenHash('token of bob')).toMatchObject({
          session: session('bob', 'u_bob', 'acme'),
          member: { role: 'editor', tenantName: 'Acme', user: user('bob') },
        });
        expect(await store.sessions.findByTokenHash('token of nobody')).toBeUndefined();
      });

      it('C11 opens no session in a tenant the person does not belong to, or is disabled in', async () => {
        expect(await store.sessions.create(session('x', 'u_bob', 'globex'), 'hash of bob')).toBe(false);
        await store.members.update('acme', 'u_bob', { disabled: true });
        expect(await store.sessions.create(session('x', 'u_bob', 'acme'), 'hash of bob')).toBe(false);
        expect(await store.sessions.findByTokenHash('token of x')).toBeUndefined();
      });

      it('C1 opens no session by a password that was changed meanwhile', async () => {
        await store.users.setPassword('u_bob', 'fresh', undefined);
        expect(await store.sessions.create(session('old', 'u_bob', 'acme'), 'hash of bob')).toBe(false);
        expect(await store.sessions.list('u_bob')).toEqual([]);
        expect(await store.sessions.create(session('new', 'u_bob', 'acme'), 'fresh')).toBe(true);
      });

      it('moves last seen forward only, for many sessions at once', async () => {
        await store.sessions.create(session('one', 'u_bob', 'acme'), 'hash of bob');
        await store.sessions.create(session('two', 'u_bob', 'acme'), 'hash of bob');
        await store.sessions.touch([
          { id: 's_one', at: 3000 },
          { id: 's_one', at: 2000 },
          { id: 's_two', at: 500 },
          { id: 's_none', at: 1 },
        ]);
        const seen = (await store.sessions.list('u_bob')).map((row) => [row.sessionId, row.lastSeenAt]);
        expect(seen).toEqual([
          ['s_one', 3000],
          ['s_two', 1000],
        ]);
        await store.sessions.touch([]);
      });

      it('deletes a session for its person only', async () => {
        await store.sessions.create(session('bob', 'u_bob', 'acme'), 'hash of bob');
        expect(await store.sessions.delete('u_ada', 's_bob')).toBeUndefined();
        expect(await store.sessions.delete('u_bob', 's_bob')).toEqual({
          sessionId: 's_bob',
          tenantId: 'acme',
        });
        expect(await store.sessions.delete('u_bob', 's_bob')).toBeUndefined();
      });

      it('forgets sessions past their absolute or idle limit', async () => {
        await store.sessions.create({ ...session('old', 'u_bob', 'acme'), expiresAt: 5000 }, 'hash of bob');
        await store.sessions.create({ ...session('idle', 'u_bob', 'acme'), lastSeenAt: 999 }, 'hash of bob');
        await store.sessions.create(session('good', 'u_bob', 'acme'), 'hash of bob');
        expect(await store.sessions.deleteExpired(5000, 1000)).toBe(2);
        expect((await store.sessions.list('u_bob')).map((row) => row.sessionId)).toEqual(['s_good']);
      });

      it('forgets the sessions of everybody', async () => {
        await store.sessions.create(session('one', 'u_bob', 'acme'), 'hash of bob');
        await store.sessions.create(session('two', 'u_ada', 'acme'), 'hash of ada');
        await store.sessions.deleteAll();
        expect(
          await store.sessions.findByTokenHash(session('one', 'u_bob', 'acme').tokenHash),
        ).toBeUndefined();
        expect(await store.sessions.list('u_ada')).toEqual([]);
      });
    });

    describe('keys', () => {
      beforeEach(foundTwoTenants);

      it('C11 counts each tenant’s keys alone', async () => {
        await store.keys.create('globex', key('g', 'globex'), 1);
        expect(await store.keys.create('acme', key('a', 'acme'), 1)).toBe(true);
      });

      it('C12 stores, finds, touches and deletes keys of their tenant', async () => {
        const expiring = { ...key('b', 'acme'), expiresAt: 9000, createdAt: 2000 };
        expect(await store.keys.create('acme', key('a', 'acme'), 2)).toBe(true);
        expect(await store.keys.create('acme', expiring, 2)).toBe(true);
        expect(await store.keys.create('acme', key('c', 'acme'), 2)).toBe(false);
        await store.keys.touch([
          { id: 'k_a', at: 4000 },
          { id: 'k_a', at: 3000 },
        ]);
        expect(await store.keys.list('acme')).toEqual([
          { ...key('a', 'acme'), lastUsedAt: 4000, createdByName: 'ADA' },
          { ...expiring, createdByName: 'ADA' },
        ]);
        expect(await store.keys.list('globex')).toEqual([]);
        expect(await store.keys.find('k_b')).toEqual(expiring);
        expect(await store.keys.delete('globex', 'k_a')).toBe(false);
        expect(await store.keys.delete('acme', 'k_a')).toBe(true);
        expect(await store.keys.find('k_a')).toBeUndefined();
      });

      it('C11 names who made a key while they are a member of its tenant', async () => {
        for (const maker of ['', 'u_bob', 'u_eve'])
          await store.keys.create('acme', { ...key(maker, 'acme'), createdBy: maker }, 9);
        const names = async () =>
          (await store.keys.list('acme')).map((row) => [row.createdBy, row.createdByName]);
        const [nobody, ofAnother] = [
          ['', ''],
          ['u_eve', ''],
        ];
        expect(await names()).toEqual([nobody, ['u_bob', 'BOB'], ofAnother]);
        await store.members.remove('acme', 'u_bob', 'u_ada');
        expect(await names()).toEqual([nobody, ['u_bob', ''], ofAnother]);
      });
    });

    describe('boards', () => {
      beforeEach(foundTwoTenants);

      async function create(boardId: string, userId: string, board: BoardContent, at = 1000): Promise<void> {
        expect(await store.boards.create('acme', { boardId, userId, content: board, at }, plenty)).toBe(
          'created',
        );
      }

      it('lists own and shared boards, starred first, then the newest', async () => {
        await create('own', 'u_ada', content('Own', { panels: [panel('v1')] }), 1);
        await create('private', 'u_bob', content('Private'), 2);
        await create('shared', 'u_bob', content('Shared', { shared: true, description: 'd' }), 3);
        await create('newest', 'u_ada', content('Newest'), 4);
        await store.boards.star('acme', 'own', 'u_ada', true);
        await store.boards.star('acme', 'own', 'u_ada', true);
        await store.boards.star('acme', 'shared', 'u_bob', true);
        const rows = await store.boards.list('acme', 'u_ada');
        expect(rows.map((row) => row.boardId)).toEqual(['own', 'newest', 'shared']);
        expect(rows[0]).toMatchObject({ starred: true, panelCount: 1, version: 1 });
        expect(rows[2]).toMatchObject({ starred: false, ownerName: 'BOB', description: 'd', shared: true });
        await store.boards.star('acme', 'own', 'u_ada', false);
        expect((await store.boards.get('acme', 'own', 'u_ada'))?.starred).toBe(false);
        expect(await store.boards.star('acme', 'none', 'u_ada', true)).toBe(false);
      });

      it('C11 hides boards from other tenants in every method', async () => {
        await create('b', 'u_ada', content('B', { shared: true, panels: [panel('v1')] }));
        const { boards } = store;
        expect(await boards.get('globex', 'b', 'u_eve')).toBeUndefined();
        expect(await boards.list('globex', 'u_eve')).toEqual([]);
        expect(await boards.findByPanel('globex', 'v1', 'u_eve')).toBeUndefined();
        expect(await boards.save('globex', 'b', saving('mine', 1))).toBeUndefined();
        expect(await boards.delete('globex', 'b')).toBe(false);
        expect(await boards.star('globex', 'b', 'u_eve', true)).toBe(false);
        expect(await boards.versions('globex', 'b')).toEqual([]);
        expect(await boards.version('globex', 'b', 1)).toBeUndefined();
        expect((await boards.get('acme', 'b', 'u_ada'))?.content.title).toBe('B');
      });

      it('C11 keeps boards of the same id in two tenants apart', async () => {
        const twin = {
          boardId: 'b',
          userId: 'u_eve',
          content: content('E', { panels: [panel('v1')] }),
          at: 1,
        };
        await store.boards.create('globex', twin, one);
        expect(await store.boards.create('acme', { ...twin, userId: 'u_ada' }, one)).toBe('created');
        await store.boards.star('globex', 'b', 'u_eve', true);
        await store.boards.star('acme', 'b', 'u_ada', true);
        await store.boards.save('acme', 'b', { ...saving('A', 1), keepVersions: 1 });
        await store.boards.star('acme', 'b', 'u_ada', false);
        const untouched = { content: { title: 'E' }, version: 1, starred: true, userId: 'u_eve' };
        expect(await store.boards.get('globex', 'b', 'u_eve')).toMatchObject(untouched);
        expect(await store.boards.findByPanel('globex', 'v1', 'u_eve')).toMatchObject(untouched);
        expect(await store.boards.versions('globex', 'b')).toHaveLength(1);
        await store.boards.delete('acme', 'b');
        expect(await store.boards.get('globex', 'b', 'u_eve')).toMatchObject(untouched);
      });

      it('saves only over the version it was edited from', async () => {
        await create('b', 'u_ada', content('One'));
        const results = await Promise.all([
          store.boards.save('acme', 'b', saving('Two', 1)),
          store.boards.save('acme', 'b', saving('Also two', 1)),
        ]);
        expect(results).toHaveLength(2);
        for (const saved of [true, false]) expect(results).toContainEqual({ saved, version: 2 });
        expect(await store.boards.get('acme', 'b', 'u_ada')).toMatchObject({ version: 2, updatedAt: 2001 });
        expect(await store.boards.save('acme', 'none', saving('x', 1))).toBeUndefined();
      });

      it('keeps the newest versions, each with its content and its author', async () => {
        await create('b', 'u_ada', content('v1'));
        for (let version = 1; version <= 5; version += 1)
          await store.boards.save('acme', 'b', { ...saving(`v${version + 1}`, version), keepVersions: 3 });
        expect((await store.boards.versions('acme', 'b')).map((row) => row.version)).toEqual([6, 5, 4]);
        expect(await store.boards.version('acme', 'b', 5)).toMatchObject({
          content: { title: 'v5' },
          ownerName: 'ADA',
          savedAt: 2004,
        });
        expect(await store.boards.version('acme', 'b', 1)).toBeUndefined();
      });

      it('keeps versions while they fit: the oldest of the tenant goes first, the newest of a board never', async () => {
        const big = content('Big', { description: 'é'.repeat(150) });
        const size = Buffer.byteLength(JSON.stringify(big));
        const limits: BoardLimits = { boards: 10, bytes: 4 * size };
        let at = 0;
        const create = (boardId: string) =>
          store.boards.create('acme', { boardId, userId: 'u_ada', content: big, at: ++at }, limits);
        const save = (boardId: string, baseVersion: number, change: Partial<BoardContent> = {}) => {
          const edited = { ...saving('', baseVersion), content: { ...big, ...change } };
          return store.boards.save('acme', boardId, { ...edited, at: ++at, maxBytes: limits.bytes });
        };
        const kept = async (...ids: string[]) =>
          Promise.all(
            ids.map(async (id) => (await store.boards.versions('acme', id)).map(({ version }) => version)),
          );
        const theirs = { boardId: 'a', userId: 'u_eve', content: big, at: 0 };
        expect(await store.boards.create('globex', theirs, limits)).toBe('created');
        for (const id of ['a', 'b']) await create(id);
        for (const id of ['a', 'b']) await save(id, 1);
        expect(await kept('a', 'b')).toEqual([
          [2, 1],
          [2, 1],
        ]);
        await save('a', 2);
        expect(await kept('a', 'b')).toEqual([
          [3, 2],
          [2, 1],
        ]);
        await save('a', 3);
        expect(await kept('a', 'b')).toEqual([[4, 3, 2], [2]]);
        for (const id of ['c', 'd']) expect(await create(id)).toBe('created');
        expect(await kept('a', 'b', 'c', 'd')).toEqual([[4], [2], [1], [1]]);
        expect(await create('e')).toBe('too_large');
        expect(await store.boards.get('acme', 'e', 'u_ada')).toBeUndefined();
        expect(await save('a', 4, { title: 'Big!' })).toBe('too_large');
        expect(await save('a', 4)).toEqual({ saved: true, version: 5 });
        expect(await kept('a', 'b', 'c', 'd')).toEqual([[5], [2], [1], [1]]);
        expect(await store.boards.versions('globex', 'a')).toHaveLength(1);
        // Who has more than there may be can have less.
        limits.bytes = size;
        expect(await save('a', 5, { title: 'Big!' })).toBe('too_large');
        expect(await save('a', 5, { title: 'B' })).toEqual({ saved: true, version: 6 });
      });

      it('finds the visible board of a panel, as last saved', async () => {
        await create('hidden', 'u_bob', content('H', { panels: [panel('v1')] }), 9);
        await create('own', 'u_ada', content('O', { panels: [panel('v1'), panel('v2')] }), 5);
        expect((await store.boards.findByPanel('acme', 'v1', 'u_ada'))?.boardId).toBe('own');
        await store.boards.save('acme', 'own', saving('O', 1));
        expect(await store.boards.findByPanel('acme', 'v2', 'u_ada')).toBeUndefined();
      });

      it('deletes a board with its versions, and stops at the tenant’s limit', async () => {
        await create('b', 'u_ada', content('B', { panels: [panel('v1')] }));
        expect(await store.boards.delete('acme', 'b')).toBe(true);
        expect(await store.boards.delete('acme', 'b')).toBe(false);
        expect(await store.boards.versions('acme', 'b')).toEqual([]);
        await create('c', 'u_ada', content('C'));
        const second = { boardId: 'd', userId: 'u_ada', content: content('D'), at: 1 };
        expect(await store.boards.create('acme', second, one)).toBe('too_many');
        expect(await store.boards.get('acme', 'd', 'u_ada')).toBeUndefined();
      });
    });
  });
}
