import { isAppError } from '@nowcast/kernel';
import { describe, expect, test } from 'vitest';
import { HttpApi, queryParameters } from './http-api.ts';

function setUp(answer: () => Response | Promise<Response>, url = 'https://example.com/monitor/') {
  const requests: { url: string; init: RequestInit }[] = [];
  const api = new HttpApi({
    url,
    fetch: async (url, init) => {
      requests.push({ url, init });
      return answer();
    },
  });
  return { api, requests };
}

async function thrownBy(
  call: Promise<unknown>,
): Promise<{ code: string; retryable: boolean; message: string }> {
  const error: unknown = await call.then(
    () => undefined,
    (error: unknown) => error,
  );
  if (!isAppError(error)) throw new Error(`not an AppError: ${String(error)}`);
  return error;
}

describe('calls', () => {
  test('go below the path of the address and carry the token of the login', async () => {
    const { api, requests } = setUp(() => Response.json({ token: 'secret', user: {}, expires_at: 0 }));
    await api.login('ada', 'a long password');
    await api.me();
    expect(requests.map(({ url }) => url)).toEqual([
      'https://example.com/monitor/login',
      'https://example.com/monitor/api/v1/me',
    ]);
    expect(requests[0]!.init.body).toBe('{"login":"ada","password":"a long password"}');
    expect(new Headers(requests[1]!.init.headers).get('authorization')).toBe('Bearer secret');
  });

  test('with an empty answer resolve with undefined', async () => {
    const { api } = setUp(() => new Response(null, { status: 204 }));
    expect(await api.call('POST', '/logout')).toBeUndefined();
  });

  test('refused by the server throw its error, with the status among the details', async () => {
    const error = {
      code: 'request.conflict',
      number: 1006,
      message: 'the board is at version 4: load it again',
      retryable: false,
      details: { version: 4 },
    };
    const { api } = setUp(() => Response.json({ error }, { status: 409 }));
    expect(await thrownBy(api.call('PUT', '/api/v1/boards/b', { body: {} }))).toMatchObject({
      code: 'request.conflict',
      message: 'the board is at version 4: load it again',
      retryable: false,
      details: { version: 4, status: 409 },
    });
  });

  test('answered by something that is not Nowcast say so', async () => {
    const page = setUp(() => new Response('<h1>Bad gateway</h1>', { status: 502 })).api;
    expect(await thrownBy(page.me())).toMatchObject({ code: 'server.unavailable', retryable: true });
    const other = setUp(() => new Response('<h1>Welcome</h1>')).api;
    expect((await thrownBy(other.me())).message).toMatch(/is https:\/\/example.com Nowcast\?/);
  });

  test('to a server that cannot be reached are retryable, cancelled ones are cancelled', async () => {
    const { api } = setUp(() => Promise.reject(new TypeError('fetch failed')));
    expect(await thrownBy(api.me())).toMatchObject({ code: 'server.unavailable', retryable: true });
    const signal = AbortSignal.abort();
    expect(await thrownBy(api.call('GET', '/data', { signal }))).toMatchObject({ code: 'request.cancelled' });
  });

  test('need a whole address', () => {
    expect(() => setUp(() => Response.json({}), 'localhost:7070')).toThrow(/write a whole address/);
  });
});

describe('a query as parameters', () => {
  test('names scalars once, groups and conditions once each', () => {
    const parameters = queryParameters({
      metric_type: 'cpu_usage',
      agg: 'avg',
      group_by: ['host', 'core'],
      where: {
        region: ['eu', 'us'],
        host: { not: ['db-1', 'db-2'] },
        dc: { regex: String.raw`fra|ams\d` },
        rack: { not_regex: 'r.*' },
        shard: { all: [{ regex: 's.*' }, { not: ['s1'] }] },
      },
      window: '1h',
      limit: 5,
    });
    expect([...parameters]).toEqual([
      ['metric_type', 'cpu_usage'],
      ['agg', 'avg'],
      ['window', '1h'],
      ['limit', '5'],
      ['group_by', 'host'],
      ['group_by', 'core'],
      ['where', 'region:eu|us'],
      ['where', 'host:!db-1|db-2'],
      ['where', String.raw`dc:~fra|ams\d`],
      ['where', 'rack:!~r.*'],
      ['where', 'shard:~s.*'],
      ['where', 'shard:!s1'],
    ]);
  });

  test('escapes what would mean something in names and values', () => {
    const parameters = queryParameters({
      metric_type: 'm',
      where: { 'a:b': ['!x', '~y', 'p|q', String.raw`back\slash`] },
    });
    expect(parameters.get('where')).toBe(String.raw`a\:b:\!x|\~y|p\|q|back\\slash`);
    const grouped = queryParameters({ metric_type: 'm', group_by: ['a,b', String.raw`c\d`] });
    expect(grouped.getAll('group_by')).toEqual([String.raw`a\,b`, String.raw`c\\d`]);
  });
});
