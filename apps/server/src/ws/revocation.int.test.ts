import { DatabaseSync } from 'node:sqlite';
import type { AccessService } from '@nowcast/access';
import type { Actor } from '@nowcast/contract';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { metaStorePath } from '../embedded.ts';
import { LivePeer } from '../testing/live-peer.ts';
import { startTestServer, type TestServer, until } from '../testing/start-server.ts';

type Person = Awaited<ReturnType<TestServer['signIn']>>;
/** Rights are not looked up again by themselves in this file's servers, unless a test says so. */
const never = 3_600_000;

/** An answer that goes on until the server ends it. */
class Stream {
  text = '';
  ended = false;

  static async open(url: string, credential: string): Promise<Stream> {
    const answer = await fetch(url, { headers: { Authorization: `Bearer ${credential}` } });
    expect(answer.status).toBe(200);
    const stream = new Stream();
    void (async () => {
      for await (const chunk of answer.body!) stream.text += Buffer.from(chunk).toString();
      stream.ended = true;
      // Cut with the server at the end of a test: that is not an end it was given.
    })().catch(() => undefined);
    await until(() => stream.text.includes('event: '));
    return stream;
  }
}

/** A socket, a live stream and the stream of a source, all of one person or key. */
async function openEverything(nowcast: TestServer, credential: string, keyId: string | undefined) {
  const headers = { Authorization: `Bearer ${credential}` };
  const peer = await LivePeer.open(nowcast.url, { headers });
  peer.subscribe('a', 'watched');
  await peer.hears('snapshot');
  const streams = [
    await Stream.open(`${nowcast.url}/updates?metric_type=watched&window=1m&step=1s`, credential),
  ];
  if (keyId !== undefined)
    streams.push(await Stream.open(`${nowcast.url}/api/v1/sources/${keyId}/events`, credential));
  return {
    peer,
    streams,
    async end(): Promise<void> {
      expect(await peer.ends()).toEqual({ code: 4401, reason: 'auth.revoked' });
      await until(() => streams.every(({ ended }) => ended));
      expect(streams[0]!.text).toContain('"code":"auth.revoked"');
    },
  };
}

describe('C2: what another process takes away ends sockets and streams without anybody looking again', () => {
  let nowcast: TestServer;
  let elsewhere: AccessService;
  let stop: () => Promise<void>;
  let operator: Actor;
  let witness: Awaited<ReturnType<typeof openEverything>>;
  beforeAll(async () => {
    nowcast = await startTestServer({ liveTiming: { recheckMs: never } });
    ({ elsewhere, stop } = await nowcast.otherProcess());
    operator = { kind: 'operator', tenant_id: nowcast.owner.tenant_id };
  });
  afterAll(async () => {
    await stop();
    await nowcast.stop();
  });
  beforeEach(async () => {
    const { keyId } = await nowcast.makeKey('ingest');
    witness = await openEverything(nowcast, (await nowcast.signIn('editor')).token, keyId);
  });
  afterEach(() => {
    expect(witness.peer.closed).toBeUndefined();
    expect(witness.streams.map(({ ended }) => ended)).toEqual([false, false]);
    witness.peer.close();
  });

  test.each<[string, (person: Person) => Promise<unknown>]>([
    ['disabling', ({ userId }) => elsewhere.members.update(operator, userId, { disabled: true })],
    ['a lesser role', ({ userId }) => elsewhere.members.update(operator, userId, { role: 'viewer' })],
    ['removal', ({ userId }) => elsewhere.members.remove(operator, userId)],
    ['a new password', ({ userId }) => elsewhere.logins.setPassword(userId, 'another long password')],
    ['signing out', ({ token }) => elsewhere.sessions.endByToken(token)],
  ])('%s', async (_name, revoke) => {
    const person = await nowcast.signIn('editor');
    const { keyId } = await nowcast.makeKey('ingest');
    const opened = await openEverything(nowcast, person.token, keyId);
    await revoke(person);
    await opened.end();
  });

  test('deleting a key: what it opened, and what others watched of it', async () => {
    const { secret, keyId } = await nowcast.makeKey('ingest', 'read');
    const opened = await openEverything(nowcast, secret, undefined);
    const watcher = await nowcast.signIn('editor');
    const watched = await Stream.open(`${nowcast.url}/api/v1/sources/${keyId}/events`, watcher.token);
    await elsewhere.keys.delete(operator, keyId);
    await opened.end();
    await until(() => watched.ended);
  });

  test('and whoever signs in again stays', async () => {
    const person = await nowcast.signIn('editor');
    const old = await openEverything(nowcast, person.token, undefined);
    await elsewhere.members.update(operator, person.userId, { role: 'viewer' });
    const again = await nowcast.access.logins.login(
      { login: person.login, password: 'correct horse battery' },
      { ip: '::1', userAgent: 'test' },
    );
    const fresh = await openEverything(nowcast, again.answer.token, undefined);
    await old.end();
    nowcast.engine.publish({ watched: { bucket: 1000, value: 1 } });
    await fresh.peer.hears('delta');
    expect(fresh.peer.closed).toBeUndefined();
    fresh.peer.close();
  });
});

test('C2: sockets and streams end with the credential’s own end', async () => {
  const nowcast = await startTestServer({ liveTiming: { recheckMs: never } });
  const operator: Actor = { kind: 'operator', tenant_id: nowcast.owner.tenant_id };
  const made = await nowcast.access.keys.create(operator, {
    name: 'short',
    scopes: ['read'],
    // Long enough to open everything on a busy machine.
    expires_at: Date.now() + 10_000,
  });
  const opened = await openEverything(nowcast, made.secret!, undefined);
  await opened.end();
  expect(Date.now()).toBeGreaterThanOrEqual(made.expires_at!);
  await nowcast.stop();
});

test('C2: what nobody tells of ends sockets all the same, by looking again', async () => {
  const nowcast = await startTestServer({ liveTiming: { recheckMs: 200 } });
  const person = await nowcast.signIn('viewer');
  const opened = await openEverything(nowcast, person.token, undefined);
  // Straight in the file: no revocation is recorded, as when the word of it is lost.
  const file = new DatabaseSync(metaStorePath(nowcast.dataDir));
  file.prepare('delete from sessions where user_id = ?').run(person.userId);
  file.close();
  await opened.end();
  await nowcast.stop();
});
