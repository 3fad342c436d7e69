import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { LivePeer } from '../testing/live-peer.ts';
import { startTestServer, type TestServer, until } from '../testing/start-server.ts';

let nowcast: TestServer;
let token: string;
beforeAll(async () => {
  nowcast = await startTestServer({ maxConnections: 6, maxConnectionsPerAddress: 4 });
  token = (await nowcast.signIn('viewer')).token;
});
afterAll(() => nowcast.stop());

async function open(): Promise<LivePeer> {
  const peer = await LivePeer.open(nowcast.url, { headers: { Authorization: `Bearer ${token}` } });
  await peer.hears('welcome');
  return peer;
}

test('C19: a socket that was taken over counts against both caps until it closes, and no longer', async () => {
  // More rounds than the caps allow at once: whatever is counted and not given back shows.
  for (let round = 0; round < 4; round++) {
    const peers: LivePeer[] = [];
    // The listener hears of a closed socket a moment after the gateway.
    while (peers.length < 4) peers.push(await vi.waitFor(open, { timeout: 20_000 }));
    await expect(open()).rejects.toThrow();
    for (const peer of peers) {
      peer.subscribe('a', 'taken over');
      await peer.hears('snapshot');
    }
    nowcast.engine.publish({ 'taken over': { bucket: 1000, value: round } });
    for (const peer of peers) {
      await peer.hears('delta');
      peer.close();
    }
    await until(() => nowcast.server.gateway.stats().viewers === 0);
  }
});
