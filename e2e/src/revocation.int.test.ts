/**
 * C2 between real processes: the command line takes a right away beside a running server, and everything that was
 * open by that right ends, long before anybody looks the right up again (every 30 s).
 */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { runCli } from '../fixtures/cli.ts';
import { EventStream } from '../fixtures/event-stream.ts';
import { LivePeer } from '../fixtures/live-peer.ts';
import { addPerson, callAs, type Person, signInOwner } from '../fixtures/people.ts';
import { type RunningServer, startServer } from './server.ts';

const peersOfEach = 25;
let server: RunningServer;
let owner: Person;
let witness: Everything;
beforeAll(async () => {
  server = await startServer(['--no-collector']);
  owner = await signInOwner(server);
  witness = await openEverything(owner.token, await keyId());
});
afterAll(async () => {
  witness?.close();
  await server?.destroy();
});

interface Everything {
  peers: LivePeer[];
  streams: EventStream[];
  close(): void;
}

/** Id of the key the server was set up with. */
async function keyId(): Promise<string> {
  const answer = await callAs(owner, server.url, 'GET', '/api/v1/keys');
  return ((await answer.json()) as { keys: { key_id: string }[] }).keys[0]!.key_id;
}

/** Sockets and both kinds of event streams of one credential; `source` where it may watch one. */
async function openEverything(token: string, source: string | undefined): Promise<Everything> {
  const peers = await Promise.all(
    Array.from({ length: peersOfEach }, () => LivePeer.open(server.url, token)),
  );
  await Promise.all(peers.map((peer) => peer.watch('secret')));
  const paths = ['/updates?metric_type=secret&agg=count&window=5m&step=5m'];
  if (source !== undefined) paths.push(`/api/v1/sources/${source}/events`);
  const streams = await Promise.all(paths.map((path) => EventStream.open(`${server.url}${path}`, token)));
  return {
    peers,
    streams,
    close: () => {
      for (const open of [...peers, ...streams]) open.close();
    },
  };
}

async function expectEnd({ peers, streams }: Everything): Promise<void> {
  const ends = await Promise.all(peers.map((peer) => peer.ends()));
  expect(new Set(ends.map(({ code, reason }) => `${code} ${reason}`))).toEqual(
    new Set(['4401 auth.revoked']),
  );
  for (const stream of streams) await stream.ends();
  expect(witness.peers.map(({ closed }) => closed)).toEqual(witness.peers.map(() => undefined));
  expect(witness.streams.map(({ ended }) => ended)).toEqual([false, false]);
}

test('C2: a key deleted, a person disabled and a lesser role given by the command line end sockets and streams', async () => {
  const made = await callAs(owner, server.url, 'POST', '/api/v1/keys', { name: 'wall', scopes: ['read'] });
  const wall = (await made.json()) as { secret: string; key_id: string };
  const ofKey = await openEverything(wall.secret, undefined);
  const watched = await EventStream.open(`${server.url}/api/v1/sources/${wall.key_id}/events`, owner.token);
  await runCli(server.dataDir, 'key', 'delete', '--id', wall.key_id);
  await expectEnd(ofKey);
  await watched.ends();

  const source = await keyId();
  for (const [login, ...args] of [
    ['disabled', 'disable'],
    ['lesser', 'role', '--role', 'viewer'],
  ] as const) {
    const person = await addPerson(server.url, owner, login, 'editor');
    const opened = await openEverything(person.token, source);
    await runCli(server.dataDir, 'user', ...args, '--username', login);
    await expectEnd(opened);
    const me = await callAs(person, server.url, 'GET', '/api/v1/me');
    expect(me.status).toBe(401);
  }
}, 120_000);

test('C2: signing out, ending a device and the end that a key was made with end them too', async () => {
  const source = await keyId();
  const leaver = await addPerson(server.url, owner, 'leaver', 'editor');
  const left = await openEverything(leaver.token, source);
  expect((await callAs(leaver, server.url, 'POST', '/logout')).status).toBe(204);
  await expectEnd(left);

  const changer = await addPerson(server.url, owner, 'changer', 'editor');
  const device = await callAs(changer, server.url, 'GET', '/api/v1/me/sessions');
  const [session] = ((await device.json()) as { sessions: { session_id: string }[] }).sessions;
  const ofDevice = await openEverything(changer.token, source);
  await callAs(changer, server.url, 'DELETE', `/api/v1/me/sessions/${session!.session_id}`);
  await expectEnd(ofDevice);

  const soon = { name: 'soon over', scopes: ['read'], expires_at: Date.now() + 12_000 };
  const made = await callAs(owner, server.url, 'POST', '/api/v1/keys', soon);
  const short = await openEverything(((await made.json()) as { secret: string }).secret, undefined);
  await expectEnd(short);
  expect(Date.now()).toBeGreaterThanOrEqual(soon.expires_at);
}, 120_000);
