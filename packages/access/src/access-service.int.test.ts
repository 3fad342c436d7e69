import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { SqliteMetaStore } from '@nowcast/adapter-sqlite';
import type { Actor, Role, User } from '@nowcast/contract';
import { ManualClock } from '@nowcast/kernel';
import type { Revocation } from '@nowcast/ports';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { AccessService } from './access-service.ts';
import type { LoginOrigin, LoginResult } from './logins.ts';
import type { UserActor } from './sessions.ts';
import { sha256 } from './tokens.ts';

const day = 86_400_000;
const password = 'correct horse battery';
const owner = {
  organisation: 'Acme',
  name: 'Ada',
  email: 'ada@example.com',
  username: 'ada',
  password,
};
const home: LoginOrigin = { ip: '203.0.113.5', userAgent: 'Firefox' };

let folder: string;
let path: string;
let store: SqliteMetaStore;
let clock: ManualClock;
let access: AccessService;
let revoked: Revocation[];

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'nowcast-access-'));
  path = join(folder, 'meta.db');
  store = new SqliteMetaStore({ path });
  await store.run();
  clock = new ManualClock(1_767_225_600_000);
  access = new AccessService({ store, clock });
  await access.run();
  revoked = [];
  access.onRevoked((revocation) => revoked.push(revocation));
});
afterEach(async () => {
  await access.stop();
  await store.stop();
  await rm(folder, { recursive: true });
});

async function setUp(): Promise<LoginResult> {
  const token = await access.logins.newSetupToken();
  return access.logins.setup({ token: token ?? '', ...owner }, home);
}

async function addPerson(actor: Actor, username: string, role: Role): Promise<User> {
  return access.members.create(actor, {
    name: username,
    email: `${username}@example.com`,
    username,
    password,
    role,
  });
}

function signIn(login: string, origin: LoginOrigin = home): Promise<LoginResult> {
  return access.logins.login({ login, password }, origin);
}

const isValid = async (token: string): Promise<boolean> => (await access.authenticate(token)) !== undefined;

describe('first run', () => {
  it('C6 works once with the link printed last, and is gone afterwards', async () => {
    expect(await access.logins.setupRequired()).toBe(true);
    const old = (await access.logins.newSetupToken()) ?? '';
    const token = (await access.logins.newSetupToken()) ?? '';
    expect(await access.logins.setupTokenValid(old)).toBe(false);
    await expect(access.logins.setup({ token: old, ...owner }, home)).rejects.toMatchObject({
      code: 'auth.forbidden',
    });
    expect(await access.logins.setupTokenValid(token)).toBe(true);
    const [first, second] = await Promise.allSettled([
      access.logins.setup({ token, ...owner }, home),
      access.logins.setup({ token, ...owner, username: 'eve', email: 'eve@example.com' }, home),
    ]);
    const statuses = [first.status, second.status].sort();
    expect(statuses).toEqual(['fulfilled', 'rejected']);
    const refused =
      first.status === 'rejected' ? first.reason : second.status === 'rejected' && second.reason;
    expect(refused).toMatchObject({ code: 'request.not_found' });
    await expect(access.logins.setup({ token, ...owner }, home)).rejects.toMatchObject({
      code: 'request.not_found',
    });
    expect(await access.logins.setupRequired()).toBe(false);
    expect(await access.logins.newSetupToken()).toBeUndefined();
    expect(await access.logins.setupTokenValid(token)).toBe(false);
  });

  it('C6 makes the first person an owner who is signed in', async () => {
    const { answer } = await setUp();
    expect(answer.user).toMatchObject({ username: 'ada', role: 'owner', tenant_name: 'Acme' });
    expect(answer.expires_at).toBe(clock.now() + 90 * day);
    expect((await access.authenticate(answer.token))?.user).toEqual(answer.user);
  });

  it('can be done from the shell, once', async () => {
    await access.logins.newSetupToken();
    const member = await access.logins.setupLocally(owner);
    expect(member).toMatchObject({ role: 'owner', tenantName: 'Acme' });
    await expect(access.logins.setupLocally(owner)).rejects.toMatchObject({ code: 'request.conflict' });
    await signIn('ada@example.com');
  });
});

describe('login', () => {
  beforeEach(setUp);

  it('accepts the e-mail address or the username in any case', async () => {
    for (const login of ['ada', 'ADA ', 'Ada@Example.com'])
      expect((await signIn(login)).answer.user.username).toBe('ada');
  });

  it('answers an unknown login and a wrong password alike', async () => {
    const wrong = access.logins.login({ login: 'ada', password: 'wrong password' }, home);
    const unknown = access.logins.login({ login: 'nobody', password }, home);
    const [first, second] = await Promise.allSettled([wrong, unknown]);
    expect(first).toMatchObject({ reason: { code: 'auth.invalid_credentials' } });
    expect(second).toMatchObject({ reason: { code: 'auth.invalid_credentials' } });
    expect(first.status === 'rejected' && first.reason.message).toBe(
      second.status === 'rejected' && second.reason.message,
    );
  });

  it('C4 hashes as often for an unknown login as for a known one', async () => {
    for (const login of ['ada', 'nobody']) {
      const before = access.stats().password_checks;
      await expect(access.logins.login({ login, password: 'no' }, home)).rejects.toThrow();
      expect(access.stats().password_checks - before).toBe(1);
    }
  });

  it('C4 counts guesses alike for known and unknown logins, in whatever spelling they come', async () => {
    const origin = { ip: '198.51.100.7', userAgent: 'bot' };
    const guess = (login: string) =>
      access.logins.login({ login, password: 'no' }, origin).catch(({ code }: { code: string }) => code);
    for (const login of ['ada', 'nobody']) {
      const wide = String.fromCodePoint(login.codePointAt(0)! + 0xfee0) + login.slice(1);
      const codes: unknown[] = [];
      for (const spelling of [login, wide, login.toUpperCase(), wide, login])
        codes.push(await guess(spelling));
      expect(codes).toEqual([
        ...Array<string>(3).fill('auth.invalid_credentials'),
        ...Array<string>(2).fill('auth.throttled'),
      ]);
    }
  });

  it('C4 looks at no more than 20 of 10,000 guesses, while the owner signs in from home', async () => {
    const before = access.stats().password_checks;
    const codes = new Map<string, number>();
    for (let batch = 0; batch < 100; batch += 1) {
      const guesses = Array.from({ length: 100 }, (_, i) =>
        access.logins.login(
          { login: 'ada', password: `guess ${batch} ${i}` },
          { ip: `2001:db8:${i}:${batch}::1`, userAgent: 'bot' },
        ),
      );
      for (const guess of await Promise.allSettled(guesses)) {
        const code = guess.status === 'rejected' ? String(guess.reason.code) : 'accepted';
        codes.set(code, (codes.get(code) ?? 0) + 1);
      }
      clock.advance(6000);
    }
    const verified = access.stats().password_checks - before;
    expect(verified).toBeLessThanOrEqual(20);
    expect(codes.get('auth.throttled')).toBe(10_000 - verified);
    expect(codes.get('auth.invalid_credentials')).toBe(verified);
    await signIn('ada', home);
  });

  it('C4 lets a known device in while its own network is used up by guesses', async () => {
    const { deviceToken } = await signIn('ada');
    for (let i = 0; i < 10; i += 1)
      await expect(access.logins.login({ login: 'ada', password: 'no' }, home)).rejects.toThrow();
    await expect(signIn('ada')).rejects.toMatchObject({
      code: 'auth.throttled',
      details: { retry_after_s: expect.any(Number) },
    });
    const again = await signIn('ada', { ...home, deviceToken });
    expect(again.deviceToken).toBe(deviceToken);
    const stranger = await signIn('ada', { ip: '192.0.2.77', userAgent: '', deviceToken: 'made up' });
    expect(stranger.deviceToken).not.toBe('made up');
  });

  it('C3 compares at most two passwords at once and turns the rest away when too many wait', async () => {
    const attempts = await Promise.allSettled(
      Array.from({ length: 200 }, (_, i) =>
        access.logins.login({ login: `user ${i}`, password: 'x' }, { ip: `192.0.2.${i}`, userAgent: '' }),
      ),
    );
    const codes = attempts.map((result) => (result.status === 'rejected' ? result.reason.code : ''));
    expect(access.stats().password_checks_peak).toBe(2);
    expect(codes.filter((code) => code === 'auth.throttled').length).toBeGreaterThan(0);
    expect(codes.filter((code) => code === 'auth.invalid_credentials').length).toBeGreaterThanOrEqual(64);
    expect(access.stats().password_checks_waiting).toBe(0);
    await signIn('ada');
  });

  it('C3 stores argon2id hashes with m=19456, t=2, p=1', async () => {
    const user = await store.users.findByLogin('ada');
    expect(user?.passwordHash).toMatch(/^\$argon2id\$v=19\$m=19456,t=2,p=1\$/);
  });
});

describe('sessions', () => {
  let first: LoginResult;
  beforeEach(async () => {
    first = await setUp();
  });

  it('C1 issues a new 256-bit id at login and ends the one the browser came with', async () => {
    const second = await signIn('ada', { ...home, replaces: first.answer.token });
    expect(Buffer.from(second.answer.token, 'base64url')).toHaveLength(32);
    expect(second.answer.token).not.toBe(first.answer.token);
    expect(await isValid(first.answer.token)).toBe(false);
    expect(await isValid(second.answer.token)).toBe(true);
  });

  it('C1 ends after 14 days without use', async () => {
    clock.advance(14 * day - 1);
    expect(await isValid(first.answer.token)).toBe(true);
    clock.advance(14 * day - 1);
    expect(await isValid(first.answer.token)).toBe(true);
    clock.advance(14 * day);
    expect(await isValid(first.answer.token)).toBe(false);
  });

  it('C1 ends after 90 days in spite of use, also across a restart', async () => {
    for (let days = 0; days < 89; days += 1) {
      clock.advance(day);
      expect(await isValid(first.answer.token)).toBe(true);
    }
    await access.stop();
    access = new AccessService({ store, clock });
    expect(await isValid(first.answer.token)).toBe(true);
    clock.advance(day);
    expect(await isValid(first.answer.token)).toBe(false);
    expect(await access.sessions.list(first.session.actor)).toEqual([]);
  });

  it('C1 C12 keeps no usable token, key or password in the files of the database', async () => {
    const key = await access.keys.create(first.session.actor, { name: 'k', scopes: ['ingest'] });
    const secrets = [first.answer.token, key.secret?.split('_').slice(2).join('_') ?? '', password];
    for (const suffix of ['', '-wal']) {
      const file = await readFile(path + suffix);
      for (const secret of [...secrets, first.deviceToken]) expect(file.includes(secret)).toBe(false);
    }
  });

  it.each(['', 'x', 'x'.repeat(43), 'x'.repeat(100_000), 'nk_', `nk_${'a'.repeat(20)}_${'b'.repeat(43)}`])(
    'refuses %.50j as a credential',
    async (token) => {
      expect(await access.authenticate(token)).toBeUndefined();
    },
  );

  it('C2 lists sessions, and ends one at once, telling everybody who listens', async () => {
    const second = await signIn('ada', { ip: '192.0.2.1', userAgent: 'Phone' });
    clock.advance(1000);
    const list = await access.sessions.list(second.session.actor);
    expect(list.map((row) => [row.user_agent, row.current])).toEqual(
      expect.arrayContaining([
        ['Phone', true],
        ['Firefox', false],
      ]),
    );
    expect(await isValid(first.answer.token)).toBe(true);
    await access.sessions.end(second.session.actor, first.session.actor.session_id);
    expect(await isValid(first.answer.token)).toBe(false);
    expect(revoked).toEqual([
      {
        kind: 'session',
        id: first.session.actor.session_id,
        tenant: first.session.actor.tenant_id,
      },
    ]);
    await expect(access.sessions.end(second.session.actor, 'other')).rejects.toMatchObject({
      code: 'request.not_found',
    });
    await access.sessions.endByToken(second.answer.token);
    expect(await isValid(second.answer.token)).toBe(false);
    await access.sessions.endByToken('unknown');
  });

  it('C2 ends a person’s other sessions when the password changes', async () => {
    const second = await signIn('ada');
    const change = { current_password: password, new_password: 'another fine password' };
    await expect(
      access.logins.changePassword(second.session.actor, { ...change, current_password: 'no' }),
    ).rejects.toMatchObject({ code: 'auth.invalid_credentials' });
    await access.logins.changePassword(second.session.actor, change);
    expect(await isValid(first.answer.token)).toBe(false);
    expect(await isValid(second.answer.token)).toBe(true);
    expect(revoked.map((revocation) => revocation.id)).toEqual([first.session.actor.session_id]);
    await expect(signIn('ada')).rejects.toMatchObject({ code: 'auth.invalid_credentials' });
    await access.logins.login({ login: 'ada', password: change.new_password }, home);
  });

  it('C1 opens no session for a login that was under way when the password changed', async () => {
    // Read with the old hash, compared with it, and finished after the change has ended every session.
    const { users } = store;
    const knownOrigins = users.knownOrigins.bind(users);
    users.knownOrigins = async (...asked) => {
      users.knownOrigins = knownOrigins;
      await access.logins.setPassword(first.session.actor.user_id, 'another fine password');
      return knownOrigins(...asked);
    };
    await expect(signIn('ada')).rejects.toMatchObject({ code: 'auth.invalid_credentials' });
    expect(await store.sessions.list(first.session.actor.user_id)).toEqual([]);
  });

  it('C4 slows guesses at the current password from an open session', async () => {
    const wrong = { current_password: 'no', new_password: 'another fine password' };
    for (let i = 0; i < 5; i += 1)
      await expect(access.logins.changePassword(first.session.actor, wrong)).rejects.toMatchObject({
        code: 'auth.invalid_credentials',
      });
    await expect(access.logins.changePassword(first.session.actor, wrong)).rejects.toMatchObject({
      code: 'auth.throttled',
    });
  });

  it('changes the profile for the next request already', async () => {
    const { actor } = first.session;
    const preferences = {
      ...first.answer.user.preferences,
      theme: 'dark' as const,
      time_zone: 'Europe/Berlin',
    };
    await access.members.updateProfile(actor, { name: 'Ada L.', preferences });
    expect((await access.authenticate(first.answer.token))?.user).toMatchObject({
      name: 'Ada L.',
      preferences,
    });
    await expect(
      access.members.updateProfile(actor, { preferences: { ...preferences, time_zone: 'Mars/Base' } }),
    ).rejects.toMatchObject({ code: 'request.invalid' });
    await expect(
      access.members.updateProfile(actor, { preferences: { ...preferences, locale: 'not a locale' } }),
    ).rejects.toMatchObject({ code: 'request.invalid' });
  });
});

describe('people', () => {
  let ada: UserActor;
  beforeEach(async () => {
    ada = (await setUp()).session.actor;
  });

  it('grants, takes and touches no role above the actor’s own', async () => {
    await addPerson(ada, 'bob', 'admin');
    const eve = await addPerson(ada, 'eve', 'editor');
    const bob = (await signIn('bob')).session.actor;
    await expect(addPerson(bob, 'mal', 'owner')).rejects.toMatchObject({ code: 'auth.forbidden' });
    await expect(access.members.update(bob, eve.user_id, { role: 'owner' })).rejects.toMatchObject({
      code: 'auth.forbidden',
    });
    await expect(access.members.update(bob, bob.user_id, { role: 'owner' })).rejects.toMatchObject({
      code: 'auth.forbidden',
    });
    await expect(access.members.update(bob, ada.user_id, { disabled: true })).rejects.toMatchObject({
      code: 'auth.forbidden',
    });
    await expect(access.members.remove(bob, ada.user_id)).rejects.toMatchObject({ code: 'auth.forbidden' });
    expect((await access.members.update(bob, eve.user_id, { role: 'admin' })).user.role).toBe('admin');
  });

  it('keeps viewers and editors away from people and keys', async () => {
    for (const role of ['viewer', 'editor'] as const) {
      await addPerson(ada, role, role);
      const { actor } = (await signIn(role)).session;
      const attempts = [
        () => access.members.list(actor),
        () => addPerson(actor, 'mal', 'viewer'),
        () => access.members.update(actor, ada.user_id, { disabled: true }),
        () => access.members.remove(actor, ada.user_id),
        () => access.keys.create(actor, { name: 'k', scopes: ['ingest'] }),
        () => access.keys.delete(actor, 'k'),
      ];
      for (const attempt of attempts)
        await expect(attempt()).rejects.toMatchObject({ code: 'auth.forbidden' });
    }
  });

  it('keeps the last owner', async () => {
    await expect(access.members.update(ada, ada.user_id, { role: 'admin' })).rejects.toMatchObject({
      code: 'request.conflict',
    });
    await expect(access.members.remove(ada, ada.user_id)).rejects.toMatchObject({
      code: 'request.conflict',
    });
  });

  it('C2 ends a disabled or removed person’s sessions at once', async () => {
    const bob = await addPerson(ada, 'bob', 'editor');
    const one = await signIn('bob');
    expect(await isValid(one.answer.token)).toBe(true);
    await access.members.update(ada, bob.user_id, { disabled: true });
    expect(await isValid(one.answer.token)).toBe(false);
    await expect(signIn('bob')).rejects.toMatchObject({ code: 'auth.forbidden' });
    await access.members.update(ada, bob.user_id, { disabled: false });
    const two = await signIn('bob');
    await access.members.remove(ada, bob.user_id);
    expect(await isValid(two.answer.token)).toBe(false);
    expect(revoked.every((revocation) => revocation.id === bob.user_id)).toBe(true);
    expect((await access.members.list(ada)).map((user) => user.username)).toEqual(['ada']);
  });

  it('C1 C2 replaces the session of whoever changes their own role, and ends the old one', async () => {
    const bob = await addPerson(ada, 'bob', 'owner');
    const session = await signIn('bob');
    const changed = await access.members.update(session.session.actor, bob.user_id, { role: 'viewer' });
    expect(changed.user.role).toBe('viewer');
    expect(await isValid(session.answer.token)).toBe(false);
    expect((await access.authenticate(changed.session?.token ?? ''))?.actor).toMatchObject({
      role: 'viewer',
    });
    const again = await access.members.update(ada, bob.user_id, { role: 'viewer', name: 'Robert' });
    expect(again.session).toBeUndefined();
    expect(again.user.name).toBe('Robert');
    expect(await isValid(changed.session?.token ?? '')).toBe(true);
  });

  it('C11 reaches nobody in another organisation', async () => {
    const stranger: Actor = { kind: 'operator', tenant_id: 'globex' };
    expect(await access.members.list(stranger)).toEqual([]);
    await expect(access.members.update(stranger, ada.user_id, { disabled: true })).rejects.toMatchObject({
      code: 'request.not_found',
    });
    await expect(access.members.remove(stranger, ada.user_id)).rejects.toMatchObject({
      code: 'request.not_found',
    });
    expect(await access.keys.list(stranger)).toEqual([]);
  });

  it('refuses a taken name and says which', async () => {
    await expect(addPerson(ada, 'ADA', 'viewer')).rejects.toMatchObject({
      code: 'request.conflict',
      details: { reason: 'email_taken' },
    });
  });

  it('lets two requests end one session', async () => {
    const { answer } = await signIn('ada');
    await isValid(answer.token);
    await Promise.all([access.sessions.endByToken(answer.token), access.sessions.endByToken(answer.token)]);
    expect(await isValid(answer.token)).toBe(false);
  });

  it('changes nothing when it refuses a part', async () => {
    const change = { name: 'Somebody', role: 'viewer' } as const;
    await expect(access.members.update(ada, ada.user_id, change)).rejects.toMatchObject({
      details: { reason: 'last_owner' },
    });
    expect((await access.members.list(ada))[0]).toMatchObject({ name: 'Ada', role: 'owner' });
  });

  it('C2 tells of a change also when the person is gone by then', async () => {
    const bob = await addPerson(ada, 'bob', 'editor');
    await Promise.allSettled([
      access.members.update(ada, bob.user_id, { disabled: true }),
      access.members.remove(ada, bob.user_id),
    ]);
    const told = { kind: 'membership', id: bob.user_id, tenant: ada.tenant_id };
    expect(revoked).toEqual([told, told]);
  });

  it('knows a session whose token begins as keys do', async () => {
    const token = `nk_${'a'.repeat(40)}`;
    const { passwordHash = '' } = (await store.users.get(ada.user_id)) ?? {};
    const session = {
      sessionId: 's',
      tokenHash: sha256(token),
      userId: ada.user_id,
      tenantId: ada.tenant_id,
      createdAt: clock.now(),
      lastSeenAt: clock.now(),
      expiresAt: clock.now() + day,
      userAgent: '',
    };
    expect(await store.sessions.create(session, passwordHash)).toBe(true);
    expect((await access.authenticate(token))?.actor).toMatchObject({ session_id: 's' });
  });

  it('C2 ends every session when the shell sets a password', async () => {
    const { answer } = await signIn('ada');
    await access.logins.setPassword(ada.user_id, 'set by the operator');
    expect(await isValid(answer.token)).toBe(false);
  });
});

describe('API keys', () => {
  let ada: UserActor;
  beforeEach(async () => {
    ada = (await setUp()).session.actor;
  });

  it('C12 authenticates its tenant and scopes, shows the secret once, and dies when deleted', async () => {
    const key = await access.keys.create(ada, { name: 'edge', scopes: ['ingest', 'ingest'] });
    const secret = key.secret ?? '';
    expect(secret).toMatch(/^nk_[0-9a-z]{20}_[\w-]{43}$/);
    expect((await access.authenticate(secret))?.actor).toEqual({
      kind: 'key',
      tenant_id: ada.tenant_id,
      key_id: key.key_id,
      scopes: ['ingest'],
    });
    const [listed] = await access.keys.list(ada);
    expect(listed).toMatchObject({
      key_id: key.key_id,
      name: 'edge',
      created_by: ada.user_id,
      created_by_name: (await store.members.get(ada.tenant_id, ada.user_id))?.user.name,
      last_used_at: null,
    });
    expect(key).toEqual({ ...listed, secret });
    expect(listed).not.toHaveProperty('secret');
    const forged = `nk_${key.key_id}_${'A'.repeat(43)}`;
    expect(await access.authenticate(forged)).toBeUndefined();
    await access.keys.delete(ada, key.key_id);
    expect(await access.authenticate(secret)).toBeUndefined();
    expect(revoked).toEqual([{ kind: 'key', id: key.key_id, tenant: ada.tenant_id }]);
    await expect(access.keys.delete(ada, key.key_id)).rejects.toMatchObject({ code: 'request.not_found' });
  });

  it('expires at a whole millisecond', async () => {
    const made = { name: 'k', scopes: ['ingest' as const], expires_at: clock.now() + 1000.5 };
    expect((await access.keys.create(ada, made)).expires_at).toBe(clock.now() + 1000);
  });

  it('expires by the clock, and is not made with an end in the past', async () => {
    const key = await access.keys.create(ada, {
      name: 'short',
      scopes: ['ingest'],
      expires_at: clock.now() + 1000,
    });
    expect(await isValid(key.secret ?? '')).toBe(true);
    clock.advance(1000);
    expect(await isValid(key.secret ?? '')).toBe(false);
    await expect(
      access.keys.create(ada, { name: 'late', scopes: ['ingest'], expires_at: clock.now() }),
    ).rejects.toMatchObject({ code: 'request.invalid' });
  });

  it('remembers when it was used last, written once for many uses', async () => {
    const key = await access.keys.create(ada, { name: 'busy', scopes: ['ingest'] });
    for (let i = 0; i < 100; i += 1) await access.keys.verify(key.secret ?? '');
    expect((await access.keys.list(ada))[0]?.last_used_at).toBeNull();
    clock.advance(1000);
    await access.keys.verify(key.secret ?? '');
    const usedAt = clock.now();
    await access.stop();
    expect((await store.keys.list(ada.tenant_id))[0]?.lastUsedAt).toBe(usedAt);
  });

  it('C12 F8 is used without a read of the store, and goes on for a minute when the store is down', async () => {
    const key = await access.keys.create(ada, { name: 'busy', scopes: ['ingest'] });
    const secret = key.secret ?? '';
    await access.keys.verify(secret);
    await store.stop();
    expect(await isValid(secret)).toBe(true);
    clock.advance(30_000);
    expect(await isValid(secret)).toBe(true);
    clock.advance(60_000);
    await expect(access.keys.verify(secret)).rejects.toMatchObject({ code: 'server.unavailable' });
    await store.run();
  });
});
