import { once } from 'node:events';
import { request } from 'node:http';
import { connect } from 'node:net';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createLogger } from '../log.ts';
import { startTestServer, type TestServer } from '../testing/start-server.ts';
import { ProxyTrust } from './client-address.ts';
import { Listener } from './listener.ts';

let nowcast: TestServer;
beforeAll(async () => {
  nowcast = await startTestServer();
});
afterAll(() => nowcast.stop());

test('an upgrade that is not spoken here is ignored: the request is answered over HTTP/1.1', async () => {
  const { secret } = await nowcast.makeKey('ingest');
  const taken = nowcast.engine.ingested.length;
  const status = await new Promise((resolve, reject) => {
    const sent = request(
      `${nowcast.url}/api/v1/ingest`,
      {
        method: 'POST',
        // What Java's client sends by itself.
        headers: {
          Authorization: `Bearer ${secret}`,
          Connection: 'Upgrade, HTTP2-Settings',
          Upgrade: 'h2c',
          'HTTP2-Settings': 'AAEAAEAAAAIAAAABAAMAAABkAAQBAAAAAAUAAEAA',
        },
      },
      (response) => resolve(response.resume().statusCode),
    );
    sent.on('error', reject);
    sent.end('{"metric":"m","value":1}');
  });
  expect(status).toBe(200);
  expect(nowcast.engine.ingested).toHaveLength(taken + 1);
});

test('connections of a proxy are counted like all others, and those above the limit', async () => {
  const listener = new Listener({
    host: '127.0.0.1',
    port: 0,
    tls: undefined,
    allowPlainHttp: false,
    maxConnections: 2,
    maxConnectionsPerAddress: 1,
    proxies: new ProxyTrust(['127.0.0.1']),
    log: createLogger({ level: 'error', format: 'json', write: () => undefined, now: () => 0 }),
    onRequest: (_request, response) => void response.end(),
    onUpgrade: (_request, socket) => void socket.destroy(),
  });
  await listener.run();
  try {
    const port = Number(new URL(listener.url).port);
    const [one] = await Promise.all(
      [0, 1].map(async () => {
        const socket = connect(port, '127.0.0.1');
        await once(socket, 'connect');
        return socket;
      }),
    );
    await expect.poll(() => listener.stats()).toEqual({ connections: 2, refused: 0 });
    await once(connect(port, '127.0.0.1').resume(), 'close');
    expect(listener.stats()).toEqual({ connections: 2, refused: 1 });
    one?.destroy();
    await expect.poll(() => listener.stats()).toEqual({ connections: 1, refused: 1 });
  } finally {
    await listener.stop();
  }
});
