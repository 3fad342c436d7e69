import { once } from 'node:events';
import { createServer, type Server } from 'node:net';
import { spawnSync } from 'node:child_process';
import { selfSignedCertificate } from '@nowcast/ports/testing';
import { afterEach, describe, expect, test } from 'vitest';
import { GuardedHttp, type GuardedHttpOptions, type GuardedRequest } from './guarded-http.ts';
import { Receiver, type ReceiverOptions } from './testing/receiver.ts';

/** Real servers on loopback addresses; the operator's list opens those that stand for the public internet. */
const cleanups: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

async function receiver(options: ReceiverOptions = {}): Promise<Receiver> {
  const started = await Receiver.start(options);
  cleanups.push(() => started.stop());
  return started;
}

/** A free port of one address may be taken at the other. */
async function onOnePort(first: string, second: string): Promise<[Receiver, Receiver]> {
  for (;;) {
    const one = await receiver({ host: first });
    try {
      return [one, await receiver({ host: second, port: one.port })];
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EADDRINUSE') throw error;
    }
  }
}

function ask(
  options: Partial<GuardedHttpOptions>,
  request: Partial<GuardedRequest> & { url: string },
): ReturnType<GuardedHttp['request']> {
  return new GuardedHttp({ allowPrivate: [], ...options }).request({
    method: 'GET',
    headers: {},
    signal: new AbortController().signal,
    maxBytes: 1000,
    read: 'all',
    ...request,
  });
}

const open = { allowPrivate: ['127.0.0.0/8'] };

describe('where it goes', () => {
  test.each([
    '127.0.0.1',
    'localhost',
    '[::1]',
    '0x7f000001',
    '2130706433',
    '127.1',
    '[::ffff:127.0.0.1]',
    '0',
  ])('http://%s is refused without a connection, with a hint for the operator', async (host) => {
    const trap = await receiver();
    await expect(ask({}, { url: `http://${host}:${trap.port}/` })).rejects.toMatchObject({
      code: 'outgoing.refused',
      retryable: false,
      message: expect.stringContaining('--allow-private-destinations'),
    });
    expect(trap.connections).toBe(0);
  });

  test.each(['ftp://example.com/', 'file:///etc/passwd', 'gopher://127.0.0.1/', 'nonsense', ''])(
    '"%s" is refused: only http and https',
    async (url) => {
      await expect(ask(open, { url })).rejects.toMatchObject({ code: 'outgoing.refused' });
    },
  );

  test('the operator can open a host and port, and nothing else of the machine', async () => {
    const [hook, trap] = [await receiver(), await receiver()];
    const allowed = { allowPrivate: [`localhost:${hook.port}`] };
    expect(await ask(allowed, { url: hook.url('localhost') })).toMatchObject({ status: 200 });
    await expect(ask(allowed, { url: trap.url('localhost') })).rejects.toMatchObject({
      code: 'outgoing.refused',
    });
    expect(trap.connections).toBe(0);
  });

  test('a name that has one private address among others is refused as a whole', async () => {
    const hook = await receiver();
    const asked: string[] = [];
    const resolve = async (name: string): Promise<string[]> => {
      asked.push(name);
      return ['127.0.0.1', '10.0.0.7'];
    };
    await expect(ask({ ...open, resolve }, { url: hook.url('mixed.example') })).rejects.toMatchObject({
      code: 'outgoing.refused',
    });
    expect(asked).toEqual(['mixed.example']);
    expect(hook.connections).toBe(0);
  });

  test('a name that changes its address after the check is dialled at the checked one', async () => {
    const [hook, trap] = await onOnePort('127.0.0.2', '127.0.0.1');
    let asked = 0;
    const resolve = async (): Promise<string[]> => (asked++ === 0 ? ['127.0.0.2'] : ['127.0.0.1']);
    const http = new GuardedHttp({ allowPrivate: ['127.0.0.2/32'], resolve });
    const request = {
      url: hook.url('rebind.example'),
      method: 'GET',
      headers: {},
      signal: new AbortController().signal,
      maxBytes: 10,
      read: 'all',
    } as const;
    expect(await http.request(request)).toMatchObject({ status: 200 });
    expect(asked).toBe(1);
    expect(hook.received[0]!.headers.host).toBe(`rebind.example:${hook.port}`);
    await expect(http.request(request)).rejects.toMatchObject({ code: 'outgoing.refused' });
    expect(trap.connections).toBe(0);
  });

  test('the second address is tried when nobody listens at the first', async () => {
    const hook = await receiver({ host: '127.0.0.3' });
    const resolve = async (): Promise<string[]> => ['127.0.0.4', '127.0.0.3'];
    expect(await ask({ ...open, resolve }, { url: hook.url('two.example') })).toMatchObject({ status: 200 });
  });

  test('a redirect is handed back and never followed', async () => {
    const trap = await receiver();
    const hook = await receiver({
      answer: (response) => response.writeHead(302, { Location: trap.url() }).end('moved'),
    });
    const answer = await ask(open, { url: hook.url() });
    expect(answer).toMatchObject({ status: 302, headers: { location: trap.url() } });
    expect(trap.connections).toBe(0);
  });

  test('plain HTTP is refused where it must be secure, unless the operator opened the host', async () => {
    const resolve = async (): Promise<string[]> => ['8.8.8.8'];
    await expect(ask({ resolve }, { url: 'http://push.example/', secureOnly: true })).rejects.toMatchObject({
      message: expect.stringContaining('https://'),
    });
    const hook = await receiver();
    expect(await ask(open, { url: hook.url(), secureOnly: true })).toMatchObject({ status: 200 });
  });

  test('a proxy of the environment is not asked', () => {
    const script = `
      const { GuardedHttp } = await import(${JSON.stringify(new URL('guarded-http.ts', import.meta.url).href)});
      const { createServer } = await import('node:http');
      const server = createServer((request, response) => response.end(request.url)).listen(0, '127.0.0.1', async () => {
        const http = new GuardedHttp({ allowPrivate: ['127.0.0.1'] });
        const url = 'http://127.0.0.1:' + server.address().port + '/direct';
        const signal = new AbortController().signal;
        const answer = await http.request({ url, method: 'GET', headers: {}, signal, maxBytes: 100, read: 'all' });
        process.stdout.write(answer.body.toString());
        server.close();
      });`;
    const child = spawnSync(process.execPath, ['--input-type=module', '--eval', script], {
      encoding: 'utf8',
      env: {
        ...process.env,
        NODE_USE_ENV_PROXY: '1',
        HTTP_PROXY: 'http://127.0.0.1:9',
        http_proxy: 'http://127.0.0.1:9',
      },
    });
    expect(child.stdout).toBe('/direct');
  });
});

describe('what it sends and reads', () => {
  test('method, headers and body arrive; a login in the address becomes a header', async () => {
    const hook = await receiver({ answer: (response) => response.writeHead(201).end('made') });
    const url = `http://user:p%40ss@127.0.0.1:${hook.port}/in?x=1`;
    const answer = await ask(open, { url, method: 'POST', headers: { 'X-Test': 'a' }, body: 'häuser' });
    expect(answer).toMatchObject({ status: 201, truncated: false });
    expect(answer.body.toString()).toBe('made');
    expect(hook.received).toMatchObject([
      {
        method: 'POST',
        path: '/in?x=1',
        headers: {
          'x-test': 'a',
          'content-length': '7',
          authorization: `Basic ${Buffer.from('user:p@ss').toString('base64')}`,
        },
      },
    ]);
    expect(hook.received[0]!.body.toString()).toBe('häuser');
  });

  test('an endless answer is cut at the cap, and its connection closed', async () => {
    const closed = Promise.withResolvers<void>();
    const hook = await receiver({
      answer: (response) => {
        const pour = (): void => {
          while (!response.destroyed && response.write(Buffer.alloc(65_536, 'x')));
        };
        response.on('drain', pour).on('close', closed.resolve);
        pour();
      },
    });
    const answer = await ask(open, { url: hook.url(), maxBytes: 100_000 });
    expect(answer.truncated).toBe(true);
    expect(answer.body).toHaveLength(100_000);
    await closed.promise;
  });

  test('the body of a success is not waited for where only failures are read', async () => {
    const hook = await receiver({ answer: (response) => void response.writeHead(200).write('never ends') });
    expect(await ask(open, { url: hook.url(), read: 'failures' })).toMatchObject({ status: 200 });
  });

  test('an answer with too many headers is an error, not memory', async () => {
    const hook = await receiver({
      answer: (response) => response.setHeader('X-Much', 'x'.repeat(100_000)).end(),
    });
    await expect(ask(open, { url: hook.url() })).rejects.toMatchObject({ code: 'outgoing.failed' });
  });

  test('a header with a line end is refused before anything is sent', async () => {
    const hook = await receiver();
    const headers = { Authorization: 'x\r\nX-Injected: 1' };
    await expect(ask(open, { url: hook.url(), headers })).rejects.toMatchObject({ code: 'outgoing.refused' });
    expect(hook.received).toHaveLength(0);
  });
});

describe('what can go wrong', () => {
  test('somebody who never answers, or dribbles for ever, ends at the deadline', async () => {
    const silent = await receiver({ answer: () => undefined });
    const dribbling = await receiver({
      answer: (response) => {
        const timer = setInterval(() => response.write('x'), 20);
        response.on('close', () => clearInterval(timer));
      },
    });
    for (const slow of [silent, dribbling]) {
      await expect(ask({ ...open, totalMs: 300 }, { url: `${slow.url()}/secret` })).rejects.toMatchObject({
        code: 'outgoing.failed',
        retryable: true,
        message: `127.0.0.1:${slow.port} did not answer within 0.3 s`,
      });
    }
  });

  test('a resolver that hangs ends at the deadline too', async () => {
    const resolve = (): Promise<string[]> => new Promise(() => undefined);
    await expect(ask({ resolve, totalMs: 100 }, { url: 'http://slow.example/' })).rejects.toMatchObject({
      message: 'slow.example did not answer within 0.1 s',
    });
  });

  test('a TLS handshake that never comes ends at the time for connecting', async () => {
    const mute = createServer(() => undefined).listen(0, '127.0.0.1');
    await once(mute, 'listening');
    cleanups.push(async () => mute.close());
    const { port } = mute.address() as { port: number };
    await expect(
      ask({ ...open, connectMs: 200 }, { url: `https://127.0.0.1:${port}/` }),
    ).rejects.toMatchObject({ message: `127.0.0.1:${port} cannot be reached: no answer` });
  });

  test('nobody listening, a name that is not known, an answer that is not HTTP: each is said in words', async () => {
    const gone = await receiver();
    const { port } = gone;
    await gone.stop();
    cleanups.pop();
    await expect(ask(open, { url: `http://127.0.0.1:${port}/` })).rejects.toThrow('refuses the connection');
    const unknown = async (): Promise<string[]> => {
      throw Object.assign(new Error('getaddrinfo ENOTFOUND'), { code: 'ENOTFOUND' });
    };
    await expect(ask({ resolve: unknown }, { url: 'http://no.example/' })).rejects.toThrow(
      'no.example has no address: its name is not known',
    );
    const smtp: Server = createServer((socket) => socket.end('220 mail.example ESMTP\r\n')).listen(
      0,
      '127.0.0.1',
    );
    await once(smtp, 'listening');
    cleanups.push(async () => smtp.close());
    const other = (smtp.address() as { port: number }).port;
    await expect(ask(open, { url: `http://127.0.0.1:${other}/` })).rejects.toThrow('does not answer in HTTP');
  });

  test('a cancelled attempt is over at once', async () => {
    const silent = await receiver({ answer: () => undefined });
    const controller = new AbortController();
    const attempt = ask(open, { url: silent.url(), signal: controller.signal });
    controller.abort();
    await expect(attempt).rejects.toMatchObject({ code: 'request.cancelled' });
  });
});

describe('TLS', () => {
  test('the certificate is checked for the name, over the connection to the checked address', async () => {
    const certificate = selfSignedCertificate('localhost');
    const hook = await receiver({ tls: certificate });
    const known = { ...open, ca: certificate.cert, resolve: async () => ['127.0.0.1'] };
    expect(await ask(known, { url: hook.url('localhost') })).toMatchObject({ status: 200 });
    expect(await ask(known, { url: hook.url() })).toMatchObject({ status: 200 });
    await expect(ask(known, { url: hook.url('other.example') })).rejects.toThrow(
      /certificate of other\.example:\d+ is not valid for it \(ERR_TLS_CERT_ALTNAME_INVALID\)/,
    );
    await expect(ask(open, { url: hook.url('localhost') })).rejects.toThrow(/certificate of localhost/);
    expect(hook.received).toHaveLength(2);
  });
});
