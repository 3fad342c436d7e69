import { type DownMessage, decodeFrame, frameType } from '@nowcast/contract';
import { LiveClient } from '@nowcast/client';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { LivePeer } from '../testing/live-peer.ts';
import { startTestServer, type TestServer, until } from '../testing/start-server.ts';

let nowcast: TestServer;
beforeAll(async () => {
  nowcast = await startTestServer();
});
afterAll(() => nowcast.stop());

const rules = { topic: 'rules', rule_id: 'r1' } as const;

describe('following', () => {
  test('is confirmed, and brings the events of the tenant and of the person', async () => {
    const { token, userId } = await nowcast.signIn('viewer');
    const peer = await LivePeer.open(nowcast.url, { headers: { Authorization: `Bearer ${token}` } });
    peer.send({ type: 'follow', topics: ['rules', 'notifications'] });
    await peer.hears('following');
    const { tenant_id: tenantId } = nowcast.owner;
    nowcast.server.gateway.tell({ tenantId, userId: 'somebody else' }, { topic: 'unread', unread: 9 });
    nowcast.server.gateway.tell({ tenantId: 'another', userId: undefined }, rules);
    nowcast.server.gateway.tell({ tenantId, userId: undefined }, rules);
    nowcast.server.gateway.tell({ tenantId, userId }, { topic: 'unread', unread: 2 });
    await peer.hears('event', 2);
    expect(peer.of('event').map(({ event }) => event)).toEqual([rules, { topic: 'unread', unread: 2 }]);
    peer.close();
  });

  test('in the binary form is a JSON frame', async () => {
    const { token } = await nowcast.signIn('viewer');
    const socket = new WebSocket(`${nowcast.url.replace('http', 'ws')}/updates`, {
      protocols: ['nowcast.v1'],
      headers: { Authorization: `Bearer ${token}` },
    });
    socket.binaryType = 'arraybuffer';
    const heard: DownMessage[] = [];
    socket.addEventListener('message', ({ data }) => {
      const frame = decodeFrame(new Uint8Array(data as ArrayBuffer));
      expect(frame.type).toBe(frameType.json);
      heard.push(JSON.parse(Buffer.from(frame.body).toString()) as DownMessage);
    });
    await until(() => heard.length === 1);
    socket.send(JSON.stringify({ type: 'follow', topics: ['rules'] }));
    await until(() => heard.length === 2);
    nowcast.server.gateway.tell({ tenantId: nowcast.owner.tenant_id, userId: undefined }, rules);
    await until(() => heard.length === 3);
    expect(heard.slice(1)).toEqual([
      { type: 'following', topics: ['rules'] },
      { type: 'event', event: rules },
    ]);
    socket.close();
  });

  test('C2: ends with the right to it', async () => {
    const { token } = await nowcast.signIn('viewer');
    const peer = await LivePeer.open(nowcast.url, { headers: { Authorization: `Bearer ${token}` } });
    peer.send({ type: 'follow', topics: ['rules'] });
    await peer.hears('following');
    const before = nowcast.server.gateway.stats().followers;
    await fetch(`${nowcast.url}/logout`, { method: 'POST', headers: { Authorization: `Bearer ${token}` } });
    expect((await peer.ends()).code).toBe(4401);
    expect(nowcast.server.gateway.stats().followers).toBe(before - 1);
    nowcast.server.gateway.tell({ tenantId: nowcast.owner.tenant_id, userId: undefined }, rules);
    expect(peer.of('event')).toEqual([]);
  });

  test('an inbox belongs to a person: a key may follow alerts and no inbox', async () => {
    const { secret } = await nowcast.makeKey('read');
    const peer = await LivePeer.open(nowcast.url, { headers: { Authorization: `Bearer ${secret}` } });
    await peer.hears('welcome');
    peer.send({ type: 'follow', topics: ['alerts'] });
    await peer.hears('following');
    peer.send({ type: 'follow', topics: ['notifications'] });
    expect((await peer.ends()).code).toBe(4403);
  });

  test('a topic that does not exist ends the socket and says so', async () => {
    const { token } = await nowcast.signIn('viewer');
    const peer = await LivePeer.open(nowcast.url, { headers: { Authorization: `Bearer ${token}` } });
    await peer.hears('welcome');
    peer.send({ type: 'follow', topics: ['secrets'] });
    expect((await peer.ends()).code).toBe(4400);
  });

  test('the client library follows again after the link broke, and says when lists are to be read', async () => {
    const { token } = await nowcast.signIn('viewer');
    const sockets: WebSocket[] = [];
    class Remembered extends WebSocket {
      constructor(url: string, protocols: string[]) {
        super(url, protocols);
        sockets.push(this);
      }
    }
    const client = new LiveClient({ url: nowcast.url, token, WebSocket: Remembered, random: () => 0 });
    const log: string[] = [];
    client.follow(['rules'], {
      onFollowing: () => log.push('read'),
      onEvent: (event) => log.push(event.topic),
    });
    const tell = () =>
      nowcast.server.gateway.tell({ tenantId: nowcast.owner.tenant_id, userId: undefined }, rules);
    await until(() => log.length === 1);
    tell();
    await until(() => log.length === 2);
    sockets[0]!.close();
    await until(() => log.length === 3);
    tell();
    await until(() => log.length === 4);
    expect(log).toEqual(['read', 'rules', 'read', 'rules']);
    client.close();
  });
});
