import { connect, type Socket } from 'node:net';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { LivePeer } from '../testing/live-peer.ts';
import { startTestServer, type TestServer, until } from '../testing/start-server.ts';

/** The usual times, many times faster, and still long enough for a machine that stands still for a second. */
const liveTiming = { authenticateMs: 1000, heartbeatMs: 1000, deadMs: 3000, sweepMs: 50, recheckMs: 100 };
let nowcast: TestServer;
let reader: Awaited<ReturnType<TestServer['signIn']>>;

beforeAll(async () => {
  nowcast = await startTestServer({ liveTiming });
  reader = await nowcast.signIn('viewer');
});
afterAll(() => nowcast.stop());

const open = (options: Parameters<typeof LivePeer.open>[1] = {}): Promise<LivePeer> =>
  LivePeer.open(nowcast.url, { headers: { Authorization: `Bearer ${reader.token}` }, ...options });

test('C20: a socket that never says who it is is closed', async () => {
  const peer = await LivePeer.open(nowcast.url);
  expect(await peer.ends()).toEqual({ code: 4401, reason: 'auth.required' });
});

describe('F9: a dead link', () => {
  test('a peer that answers pings stays and hears heartbeats', async () => {
    const peer = await open();
    await peer.hears('heartbeat', 3);
    expect(peer.closed).toBeUndefined();
    peer.close();
  });

  test('hears them beside other messages too: a page learns from them that the clock of the server was set', async () => {
    const peer = await open();
    peer.subscribe('a', 'busy');
    const publishing = setInterval(() => nowcast.engine.publish({ busy: { bucket: 1000, value: 1 } }), 50);
    await peer.hears('heartbeat', 2);
    clearInterval(publishing);
    expect(peer.of('delta').length).toBeGreaterThan(3);
    peer.close();
  });

  test('a peer that answers nothing is cut within two pings', async () => {
    await until(() => nowcast.server.gateway.stats().viewers === 0);
    const { socket, pings, closed } = silentPeer();
    await until(() => nowcast.server.gateway.stats().viewers === 1);
    await closed;
    expect(pings()).toBeGreaterThanOrEqual(1);
    expect(pings()).toBeLessThanOrEqual(3);
    await until(() => nowcast.server.gateway.stats().viewers === 0);
    socket.destroy();
  });
});

test('a viewer that acknowledges nothing is closed with 4408 and can resume', async () => {
  const peer = await open({ acknowledges: false });
  peer.subscribe('a', 'deaf');
  await peer.hears('snapshot');
  const publishing = setInterval(
    () => nowcast.engine.publish({ deaf: { bucket: 1000, value: Math.random() } }),
    20,
  );
  expect(await peer.ends()).toEqual({ code: 4408, reason: 'live.unacknowledged' });
  clearInterval(publishing);
  const last = peer.of('delta').at(-1)!;
  const again = await open();
  again.subscribe('a', 'deaf', { resume: { epoch: 'e1', seq: last.seq } });
  await again.hears('delta');
  expect(again.of('delta')[0]!.base_seq).toBe(last.seq);
  again.close();
});

/** A socket that says hello and never another word, as behind a cable that was pulled. */
function silentPeer(): { socket: Socket; pings: () => number; closed: Promise<void> } {
  const socket = connect(nowcast.port, '127.0.0.1');
  let bytes: Buffer = Buffer.alloc(0);
  socket.on('data', (chunk: Buffer) => {
    bytes = Buffer.concat([bytes, chunk]);
  });
  socket.on('error', () => undefined);
  const closed = new Promise<void>((resolve) => {
    socket.on('close', () => resolve());
  });
  socket.write(
    `GET /updates HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\nSec-WebSocket-Protocol: nowcast.v1.json\r\nAuthorization: Bearer ${reader.token}\r\n\r\n`,
  );
  return { socket, closed, pings: () => bytes.toString('latin1').split('\x89\x00').length - 1 };
}
