import { request } from 'node:http';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { startTestServer, type TestServer } from '../testing/start-server.ts';

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
