import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { request } from 'node:https';
import { connect, type TLSSocket } from 'node:tls';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { selfSignedCertificate } from '@nowcast/ports/testing';
import { createLogger } from '../log.ts';
import { startTestServer, testPassword, type TestServer, until } from '../testing/start-server.ts';
import { ProxyTrust } from './client-address.ts';
import { Listener } from './listener.ts';

let folder: string;
let nowcast: TestServer;
const first = selfSignedCertificate('first');

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'nowcast-tls-'));
  await writeCertificate(first);
  nowcast = await startTestServer({
    tls: { certFile: join(folder, 'cert.pem'), keyFile: join(folder, 'key.pem') },
    publicUrl: undefined,
  });
});
afterAll(async () => {
  await nowcast.stop();
  await rm(folder, { recursive: true, force: true });
});

async function writeCertificate(certificate: { cert: string; key: string }): Promise<void> {
  await writeFile(join(folder, 'key.pem'), certificate.key);
  await writeFile(join(folder, 'cert.pem'), certificate.cert);
}

function serialNow(): Promise<string> {
  return serialAt(nowcast.port);
}

function serialAt(port: number): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket: TLSSocket = connect({ port, host: '127.0.0.1', rejectUnauthorized: false }, () => {
      resolve(socket.getPeerCertificate().serialNumber);
      socket.destroy();
    });
    socket.on('error', reject);
  });
}

describe('HTTPS by certificate files', () => {
  test('C1: over TLS the cookie has the __Host- prefix and Secure', async () => {
    const { login } = await nowcast.signIn('viewer');
    const cookies = await new Promise<string[]>((resolve, reject) => {
      const options = {
        method: 'POST',
        rejectUnauthorized: false,
        headers: { 'Content-Type': 'application/json' },
      };
      const sent = request(`${nowcast.url}/login`, options, (response) => {
        response.resume();
        resolve(response.headers['set-cookie'] ?? []);
      });
      sent.on('error', reject);
      sent.end(JSON.stringify({ login, password: testPassword }));
    });
    expect(cookies[0]).toMatch(
      /^__Host-nowcast=[\w-]{43}; Path=\/; HttpOnly; SameSite=Lax; Max-Age=\d+; Secure$/,
    );
  });

  test('a new certificate is served without a restart; a broken one changes nothing', async () => {
    expect(await serialNow()).toBe(first.serial);
    await writeFile(join(folder, 'cert.pem'), 'not a certificate');
    await until(() => nowcast.logs.some((line) => line.includes('the old one stays')));
    expect(await serialNow()).toBe(first.serial);
    const second = selfSignedCertificate('second');
    await writeCertificate(second);
    await until(() => nowcast.logs.some((line) => line.includes('certificate loaded')));
    expect(await serialNow()).toBe(second.serial);
  });

  test('plain HTTP on the TLS port is not an answer', async () => {
    await expect(fetch(nowcast.url.replace('https', 'http'))).rejects.toThrow();
  });
});

test('a folder that cannot be watched is no reason not to serve its certificate', async () => {
  const gone = await mkdtemp(join(tmpdir(), 'nowcast-tls-gone-'));
  const tls = { certFile: join(gone, 'cert.pem'), keyFile: join(gone, 'key.pem') };
  await writeFile(tls.certFile, first.cert);
  await writeFile(tls.keyFile, first.key);
  const logs: string[] = [];
  const listener = new Listener({
    host: '127.0.0.1',
    port: 0,
    tls,
    allowPlainHttp: false,
    maxConnections: 10,
    maxConnectionsPerAddress: 10,
    proxies: new ProxyTrust([], undefined),
    log: createLogger({ level: 'debug', format: 'json', write: (line) => logs.push(line), now: () => 0 }),
    onRequest: (_request, response) => void response.end('served'),
    onUpgrade: (_request, socket) => void socket.destroy(),
  });
  // Root may read every folder; this one is gone once its certificate was read.
  await rm(gone, { recursive: true });
  await listener.run();
  try {
    expect(await serialAt(Number(new URL(listener.url).port))).toBe(first.serial);
    expect(logs.join('')).toMatch(/cannot watch the certificate; send SIGHUP after a renewal/);
  } finally {
    await listener.stop();
  }
});

test('plain HTTP beyond this machine takes --allow-plain-http', async () => {
  await expect(startTestServer({ listen: '0.0.0.0' })).rejects.toThrow(
    /--tls-cert and --tls-key, or say --allow-plain-http/,
  );
});

test('a port that is taken is said with what to do', async () => {
  await expect(startTestServer({ port: nowcast.port })).rejects.toThrow(/another with --port/);
});
