import { binaryProtocol, jsonProtocol } from '@nowcast/contract';
import { WebSocket as WsWebSocket } from 'ws';
import { afterEach, expect, test, vi } from 'vitest';
import { ViewState } from '../view-state.ts';
import { LiveClient, type LiveClientOptions, type SocketConstructor } from './live-client.ts';
import { SocketServer } from './testing/socket-server.ts';

/** Long enough for a busy machine; what is waited for usually takes milliseconds. */
const patience = { timeout: 60_000, interval: 5 };

const opened: { client: LiveClient; server: SocketServer }[] = [];

async function setUp(options: Partial<LiveClientOptions> = {}) {
  const server = new SocketServer();
  await server.start();
  const client = new LiveClient({ url: server.url, random: () => 0.02, ...options });
  const state = new ViewState();
  const counts = { snapshots: 0, deltas: 0 };
  opened.push({ client, server });
  client.subscribe(
    { metric_type: 'cpu', window: '1m' },
    {
      onSnapshot(snapshot) {
        counts.snapshots++;
        state.applySnapshot(snapshot);
      },
      onDelta(delta) {
        counts.deltas++;
        state.applyDelta(delta);
      },
    },
  );
  /** Waits until the client sees exactly what the server has. */
  function agree(): Promise<void> {
    return vi.waitFor(() => {
      const line = state.series.get(1);
      const seen = Array.from(line?.timestamps ?? [], (bucket, at) => [bucket, line?.values[at]]);
      expect(client.status.state).toBe('live');
      expect(seen).toEqual([...server.logic.metric('cpu').cells].sort(([a], [b]) => a - b));
    }, patience);
  }
  return { client, server, counts, agree };
}

afterEach(async () => {
  for (const { client, server } of opened.splice(0)) {
    client.close();
    server.logic.stop();
    await server.stop();
  }
});

const platforms: [string, LiveClientOptions['protocol'], SocketConstructor | undefined][] = [
  ["the platform's WebSocket", binaryProtocol, undefined],
  ["the platform's WebSocket", jsonProtocol, undefined],
  ['the ws package', binaryProtocol, WsWebSocket],
];

test.each(platforms)(
  'over %s and %s a view heals after every broken connection',
  async (_name, protocol, WebSocket) => {
    const { server, counts, agree } = await setUp({
      protocol: protocol!,
      ...(WebSocket === undefined ? {} : { WebSocket }),
    });
    for (let round = 0; round < 4; round++) {
      for (let cell = 0; cell < 25; cell++)
        server.publish('cpu', (round * 20 + cell) * 1000, round + cell / 100);
      await agree();
      server.breakConnections();
      server.publish('cpu', round * 1000, 100 + round);
    }
    await agree();
    expect(server.logic.violations).toEqual([]);
    expect(counts.snapshots, 'every reconnect was a resume').toBe(1);
  },
);

test('a server that is away for a while is found again on its port', async () => {
  const { client, server, agree } = await setUp();
  server.publish('cpu', 0, 1);
  await agree();
  await server.stop();
  await vi.waitFor(() => expect(client.status.state).not.toBe('live'), patience);
  server.publish('cpu', 1000, 2);
  await server.start();
  await agree();
});

test('a revoked session ends the connection with 4401, and a new token brings it back', async () => {
  const { client, server, agree } = await setUp({ token: 'first' });
  await agree();
  server.logic.token = 'second';
  server.closeConnections(4401, 'auth.revoked');
  await vi.waitFor(
    () =>
      expect(client.status).toMatchObject({
        state: 'refused',
        refusal: { code: 4401, reason: 'auth.revoked' },
      }),
    patience,
  );
  server.publish('cpu', 0, 1);
  client.authenticate('second');
  await agree();
});

test('a wrong token stops the client: it does not knock again', async () => {
  const { client, server } = await setUp({ token: 'wrong' });
  server.logic.token = 'right';
  await vi.waitFor(
    () => expect(client.status).toMatchObject({ state: 'refused', refusal: { code: 4401 } }),
    patience,
  );
  expect(server.logic.sockets.length).toBe(1);
});
