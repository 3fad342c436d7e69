import { connect } from 'node:net';
import { limits } from '@nowcast/contract';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { LivePeer } from '../testing/live-peer.ts';
import { startTestServer, type TestServer, until } from '../testing/start-server.ts';

let nowcast: TestServer;
let reader: Awaited<ReturnType<TestServer['signIn']>>;
const peers: LivePeer[] = [];

beforeAll(async () => {
  nowcast = await startTestServer();
  reader = await nowcast.signIn('viewer');
});
afterEach(() => {
  for (const peer of peers.splice(0)) peer.close();
});
afterAll(() => nowcast.stop());

async function open(options: Parameters<typeof LivePeer.open>[1] = {}): Promise<LivePeer> {
  const headers = { Authorization: `Bearer ${reader.token}`, ...options.headers };
  const peer = await LivePeer.open(nowcast.url, { ...options, headers });
  peers.push(peer);
  await peer.hears('welcome');
  return peer;
}

/** What a viewer has after applying everything it heard about one subscription; throws where deltas do not join. */
function applied(peer: LivePeer, id: string): { seq: string; cells: Record<number, number | null> } {
  let seq = '';
  let cells: Record<number, number | null> = {};
  for (const message of peer.messages) {
    if (message.type === 'snapshot' && message.id === id) {
      seq = message.seq;
      cells = Object.fromEntries(
        message.series.flatMap((series) =>
          series.timestamp.map((time, i) => [time, series.value[i] ?? null]),
        ),
      );
    } else if (message.type === 'delta' && message.id === id) {
      if (seq !== '') expect(message.base_seq).toBe(seq);
      ({ seq } = message);
      for (const [, bucket, value] of message.cells) cells[bucket] = value;
    }
  }
  return { seq, cells };
}

describe('views', () => {
  test('a snapshot, then deltas that join up, for two views on one socket', async () => {
    const peer = await open();
    peer.subscribe('a', 'alpha');
    peer.subscribe('b', 'beta');
    await peer.hears('snapshot', 2);
    nowcast.engine.publish({ alpha: { bucket: 1000, value: 1 }, beta: { bucket: 1000, value: 2 } });
    nowcast.engine.publish({ alpha: { bucket: 2000, value: 3 } });
    await peer.hears('delta', 3);
    expect(applied(peer, 'a').cells).toEqual({ 1000: 1, 2000: 3 });
    expect(applied(peer, 'b').cells).toEqual({ 1000: 2 });
  });

  test('many viewers of one query are one view, one open and one read of the engine', async () => {
    const crowd = await Promise.all(Array.from({ length: 30 }, () => open()));
    const readsBefore = nowcast.engine.reads;
    for (const peer of crowd) peer.subscribe('x', 'crowded');
    await Promise.all(crowd.map((peer) => peer.hears('snapshot')));
    const view = [...nowcast.engine.views.values()].find(({ query }) => query.metric_type === 'crowded');
    expect(view?.opens).toBe(1);
    expect(nowcast.engine.reads - readsBefore).toBe(1);
    nowcast.engine.publish({ crowded: { bucket: 1000, value: 9 } });
    await Promise.all(crowd.map((peer) => peer.hears('delta')));
    for (const peer of crowd) expect(applied(peer, 'x').cells).toEqual({ 1000: 9 });
    for (const peer of crowd) peer.close();
    await until(() => view?.opens === 0);
  });

  test('resuming from a known position brings one merged delta, from an unknown one a snapshot', async () => {
    const first = await open();
    first.subscribe('r', 'resumed');
    await first.hears('snapshot');
    const { seq, epoch } = first.of('snapshot')[0]!;
    nowcast.engine.publish({ resumed: { bucket: 1000, value: 1 } });
    nowcast.engine.publish({ resumed: { bucket: 1000, value: 2 } });
    await first.hears('delta', 2);
    const second = await open();
    second.subscribe('r', 'resumed', { resume: { epoch, seq } });
    await second.hears('delta');
    expect(second.of('delta')).toMatchObject([{ base_seq: seq, cells: [[0, 1000, 2]] }]);
    second.subscribe('q', 'resumed', { resume: { epoch: 'another', seq } });
    await second.hears('snapshot');
    expect(second.of('snapshot')).toMatchObject([{ id: 'q', recovered: false }]);
  });

  test('a resume without news is answered all the same', async () => {
    const peer = await open();
    peer.subscribe('a', 'quiet');
    await peer.hears('snapshot');
    const { seq, epoch } = peer.of('snapshot')[0]!;
    peer.subscribe('b', 'quiet', { resume: { epoch, seq } });
    await peer.hears('delta');
    expect(peer.of('delta')).toMatchObject([{ id: 'b', base_seq: seq, seq, cells: [] }]);
  });

  test('a view that the engine let go of: all who had it are told to ask again, and get another', async () => {
    const [flowing, paused, slow] = [await open(), await open(), await open()];
    const all = [flowing, paused, slow];
    flowing.subscribe('x', 'dropped');
    paused.subscribe('x', 'dropped');
    slow.subscribe('x', 'dropped', { interval_ms: 60_000 });
    await Promise.all(all.map((peer) => peer.hears('snapshot')));
    paused.send({ type: 'pause', paused: true });
    nowcast.engine.publish({ dropped: { bucket: 1000, value: 1 } });
    await flowing.hears('delta');
    nowcast.engine.end('dropped');
    await Promise.all(all.map((peer) => peer.hears('notice')));
    for (const peer of all)
      expect(peer.of('notice')).toMatchObject([{ id: 'x', code: 'server.unavailable', retryable: true }]);
    for (const peer of all) peer.subscribe('y', 'dropped');
    await Promise.all([flowing, slow].map((peer) => peer.hears('snapshot', 2)));
    nowcast.engine.publish({ dropped: { bucket: 2000, value: 2 } });
    await Promise.all([flowing, slow].map((peer) => peer.hears('delta', peer === flowing ? 2 : 1)));
    expect(applied(flowing, 'y').cells).toEqual({ 2000: 2 });
    const view = [...nowcast.engine.views.values()].find(({ query }) => query.metric_type === 'dropped');
    expect(view?.opens).toBe(1);
    for (const peer of all) peer.close();
    await until(() => view?.opens === 0);
  });

  test('a view that cannot be read is said to be so, and subscribing again works once it can', async () => {
    const peer = await open();
    nowcast.engine.unreadable.add('broken');
    peer.subscribe('x', 'broken');
    await peer.hears('notice');
    expect(peer.of('notice')).toMatchObject([{ id: 'x', code: 'warehouse.unavailable', retryable: true }]);
    const view = [...nowcast.engine.views.values()].find(({ query }) => query.metric_type === 'broken');
    await until(() => view?.opens === 0);
    nowcast.engine.unreadable.delete('broken');
    peer.subscribe('x', 'broken');
    await peer.hears('snapshot');
  });

  test('what was refused is said with its id, and the socket stays', async () => {
    const peer = await open();
    peer.subscribe('bad', 'refused');
    await peer.hears('notice');
    expect(peer.of('notice')).toMatchObject([{ id: 'bad', code: 'query.invalid', retryable: false }]);
    peer.subscribe('bad', 'fine');
    await peer.hears('snapshot');
  });

  test('after unsubscribing nothing more comes, and the view is let go', async () => {
    const peer = await open();
    peer.subscribe('a', 'left');
    peer.subscribe('b', 'stayed');
    await peer.hears('snapshot', 2);
    peer.send({ type: 'unsubscribe', id: 'a' });
    const view = [...nowcast.engine.views.values()].find(({ query }) => query.metric_type === 'left');
    await until(() => view?.opens === 0);
    nowcast.engine.publish({ left: { bucket: 1000, value: 1 }, stayed: { bucket: 1000, value: 1 } });
    await peer.hears('delta');
    expect(peer.of('delta').map(({ id }) => id)).toEqual(['b']);
  });

  test('a paused viewer gets one merged delta when it goes on', async () => {
    const peer = await open();
    peer.subscribe('a', 'pausing');
    await peer.hears('snapshot');
    peer.send({ type: 'pause', paused: true });
    peer.subscribe('marker', 'pausing2');
    await peer.hears('snapshot', 2);
    for (let i = 1; i <= 5; i++) nowcast.engine.publish({ pausing: { bucket: 1000, value: i } });
    peer.send({ type: 'pause', paused: false });
    await peer.hears('delta');
    nowcast.engine.publish({ pausing: { bucket: 2000, value: 7 } });
    await peer.hears('delta', 2);
    expect(peer.of('delta', 'a').map(({ cells }) => cells)).toEqual([[[0, 1000, 5]], [[0, 2000, 7]]]);
    expect(applied(peer, 'a').cells).toEqual({ 1000: 5, 2000: 7 });
  });

  test('a viewer that wants a slower pace gets fewer, merged deltas', async () => {
    const peer = await open();
    peer.subscribe('slow', 'paced', { interval_ms: 200 });
    peer.subscribe('fast', 'paced');
    await peer.hears('snapshot', 2);
    for (let i = 1; i <= 10; i++) nowcast.engine.publish({ paced: { bucket: 1000, value: i } });
    await until(() => peer.of('delta', 'slow').length > 0);
    expect(peer.of('delta', 'fast')).toHaveLength(10);
    expect(peer.of('delta', 'slow')).toHaveLength(1);
    expect(applied(peer, 'slow')).toEqual(applied(peer, 'fast'));
  });

  test('binary and JSON viewers see the same', async () => {
    const socket = new WebSocket(`${nowcast.url.replace('http', 'ws')}/updates`, {
      protocols: ['nowcast.v1'],
      headers: { Authorization: `Bearer ${reader.token}` },
    });
    socket.binaryType = 'arraybuffer';
    const { decodeFrame, decodeSnapshotBody } = await import('@nowcast/contract');
    const frames: ReturnType<typeof decodeFrame>[] = [];
    socket.addEventListener('message', ({ data }) =>
      frames.push(decodeFrame(new Uint8Array(data as ArrayBuffer))),
    );
    await until(() => frames.length === 1);
    expect(JSON.parse(Buffer.from(frames[0]!.body).toString())).toMatchObject({
      type: 'welcome',
      protocol: 'nowcast.v1',
    });
    socket.send(
      JSON.stringify({
        type: 'subscribe',
        id: 'bin',
        query: { metric_type: 'alpha', window: '1m', step: '1s' },
      }),
    );
    await until(() => frames.length === 2);
    expect(frames[1]!.id).toBe('bin');
    expect(Array.from(decodeSnapshotBody(frames[1]!.body).series[0]!.values)).toEqual([1, 3]);
    socket.close();
  });
});

describe('flow', () => {
  test('a viewer that stops acknowledging is sent nothing more, and one merged delta when it answers', async () => {
    const peer = await open({ acknowledges: false });
    const quick = await open();
    peer.subscribe('a', 'flow');
    quick.subscribe('a', 'flow');
    await peer.hears('snapshot');
    await quick.hears('snapshot');
    let value = 0;
    const asked = (): number =>
      Math.max(0, ...peer.messages.map((message) => ('ack' in message ? message.ack : 0)));
    const tick = (): void => nowcast.engine.publish({ flow: { bucket: 1000, value: ++value } });
    const stalls = nowcast.server.gateway.stats().stalls;
    await until(() => {
      tick();
      return nowcast.server.gateway.stats().stalls > stalls;
    });
    const heard = peer.of('delta').length;
    for (let i = 0; i < 20; i++) tick();
    await until(() => applied(quick, 'a').cells[1000] === value);
    expect(peer.of('delta')).toHaveLength(heard);
    peer.send({ type: 'ack', n: asked() });
    await until(() => peer.of('delta').length > heard);
    expect(peer.of('delta')).toHaveLength(heard + 1);
    expect(applied(peer, 'a')).toEqual(applied(quick, 'a'));
    expect(peer.closed).toBeUndefined();
  });
});

describe('C2: what is revoked reaches open sockets', () => {
  test('logging out, disabling, and a lesser role close them; others stay', async () => {
    const stays = await open();
    const cases = [
      async (person: typeof reader) => {
        await nowcast.access.sessions.endByToken(person.token);
      },
      async (person: typeof reader) => {
        await nowcast.access.members.update(operator(), person.userId, { disabled: true });
      },
      async (person: typeof reader) => {
        await nowcast.access.members.update(operator(), person.userId, { role: 'viewer' });
      },
    ];
    for (const revoke of cases) {
      const person = await nowcast.signIn('editor');
      const peer = await open({ headers: { Authorization: `Bearer ${person.token}` } });
      peer.subscribe('a', 'revoked');
      await peer.hears('snapshot');
      await revoke(person);
      expect(await peer.ends()).toEqual({ code: 4401, reason: 'auth.revoked' });
      const heard = peer.messages.length;
      nowcast.engine.publish({ revoked: { bucket: 1000, value: 1 } });
      expect(peer.messages).toHaveLength(heard);
    }
    expect(stays.closed).toBeUndefined();
  });

  test('deleting a key closes its sockets', async () => {
    const { secret, keyId } = await nowcast.makeKey('read');
    const peer = await open({ headers: { Authorization: `Bearer ${secret}` } });
    await nowcast.access.keys.delete(operator(), keyId);
    expect(await peer.ends()).toMatchObject({ code: 4401 });
  });

  function operator() {
    return { kind: 'operator', tenant_id: nowcast.owner.tenant_id } as const;
  }
});

describe('C8: which pages may open a socket', () => {
  test.each([
    ['an evil page', { Origin: 'https://evil.example' }, false],
    ['a sandboxed page', { Origin: 'null' }, false],
    ['our host on another port', { Origin: 'http://127.0.0.1:1' }, false],
    ['a cookie without an origin', { Origin: undefined }, false],
    ['our own page', { Origin: 'own' }, true],
  ])('%s with the session cookie', async (_name, { Origin }, allowed) => {
    const headers: Record<string, string> = { Cookie: reader.cookie };
    if (Origin !== undefined) headers['Origin'] = Origin === 'own' ? nowcast.url : Origin;
    expect(await statusOfUpgrade(headers)).toBe(allowed ? 101 : 403);
  });

  test('a program with a token and no origin may', async () => {
    expect(await statusOfUpgrade({ Authorization: `Bearer ${reader.token}` })).toBe(101);
  });

  test('a name that was re-pointed at us is not our origin, though Host and Origin agree', async () => {
    expect(
      await statusOfUpgrade({ Host: 'evil.example', Origin: 'http://evil.example', Cookie: reader.cookie }),
    ).toBe(403);
  });
});

describe('C20: limits of a socket', () => {
  test('nothing but auth is taken before somebody is known, then everything', async () => {
    const peer = await LivePeer.open(nowcast.url);
    peers.push(peer);
    peer.send({ type: 'auth', token: reader.token });
    await peer.hears('welcome');
    peer.subscribe('a', 'after-auth');
    await peer.hears('snapshot');
    const stranger = await LivePeer.open(nowcast.url);
    stranger.subscribe('a', 'alpha');
    expect(await stranger.ends()).toEqual({ code: 4401, reason: 'auth.required' });
  });

  test('what a viewer says before its credential was looked up waits for the answer', async () => {
    const person = await nowcast.signIn('viewer');
    const eager = await LivePeer.open(nowcast.url);
    peers.push(eager);
    eager.send({ type: 'auth', token: person.token });
    eager.subscribe('a', 'eager');
    eager.subscribe('b', 'eager');
    await eager.hears('snapshot', 2);
    expect(eager.messages.map(({ type }) => type)).toEqual(['welcome', 'snapshot', 'snapshot']);
    const wrong = await LivePeer.open(nowcast.url, { headers: { Authorization: 'Bearer wrong' } });
    wrong.subscribe('a', 'eager');
    expect(await wrong.ends()).toEqual({ code: 4401, reason: 'auth.required' });
    expect(wrong.of('snapshot')).toEqual([]);
  });

  test('a token of somebody else does not take over an open socket', async () => {
    const peer = await open();
    const other = await nowcast.signIn('viewer');
    peer.send({ type: 'auth', token: other.token });
    expect(await peer.ends()).toEqual({ code: 4403, reason: 'auth.forbidden' });
  });

  test('a key that may only send points may not watch', async () => {
    const { secret } = await nowcast.makeKey('ingest');
    const peer = await LivePeer.open(nowcast.url, { headers: { Authorization: `Bearer ${secret}` } });
    expect(await peer.ends()).toEqual({ code: 4403, reason: 'auth.forbidden' });
  });

  test.each([
    ['not JSON', '{', 4400],
    ['an unknown type', '{"type":"replay"}', 4400],
    ['an unknown field', '{"type":"ack","n":1,"x":1}', 4400],
    ['too deep', `{"type":"auth","token":${'['.repeat(40)}${']'.repeat(40)}}`, 4400],
    ['65 KiB', 'x'.repeat(65 * 1024 + 1), 1009],
  ])('%s closes', async (_name, text, code) => {
    const peer = await open();
    peer.send(text);
    expect(await peer.ends()).toMatchObject({ code });
  });

  test('a flood of messages closes with 1008', async () => {
    const peer = await open();
    for (let i = 0; i < 2000; i++) peer.send({ type: 'ack', n: 0 });
    expect(await peer.ends()).toEqual({ code: 1008, reason: 'live.message_rate' });
  });

  // Three range keys on a board of a hundred panels broke its socket.
  test('a board of a hundred panels whose range changes three times at once keeps its socket', async () => {
    const board = await open();
    for (let range = 0; range < 4; range++) {
      for (let panel = 0; panel < 100; panel++) {
        if (range > 0) board.send({ type: 'unsubscribe', id: `p${panel}.${range - 1}` });
        // Each range is another query.
        board.subscribe(`p${panel}.${range}`, `panel${panel}.${range}`);
      }
    }
    await until(() => board.messages.some((message) => 'id' in message && message.id === 'p99.3'));
    expect(board.closed).toBeUndefined();
    // What is refused while views that were left are still being opened is asked for again.
    for (const notice of board.of('notice')) expect(notice).toMatchObject({ retryable: true });
    board.close();
  });

  test('an id that is in use closes', async () => {
    const twice = await open();
    twice.subscribe('a', 'alpha');
    twice.subscribe('a', 'alpha');
    expect(await twice.ends()).toMatchObject({ code: 4400 });
  });

  // A paused board of a hundred panels asks for what is new besides, and lost its socket for good.
  test('one subscription too many is refused alone: the others go on, and there is room once one ends', async () => {
    const greedy = await open();
    const most = limits.subscriptionsPerSocket;
    for (let i = 0; i <= most; i++) greedy.subscribe(`s${i}`, 'alpha');
    await greedy.hears('snapshot', most);
    expect(greedy.of('notice')).toMatchObject([
      { id: `s${most}`, code: 'live.subscription_limit', retryable: false },
    ]);
    greedy.send({ type: 'unsubscribe', id: 's0' });
    greedy.subscribe('again', 'alpha');
    await greedy.hears('snapshot', most + 1);
    nowcast.engine.publish({ alpha: { bucket: 1000, value: 5 } });
    await greedy.hears('delta', most);
    greedy.close();
  });
});

test('nobody takes all live views of an organisation: 300 a person, on whatever sockets', async () => {
  const [first, second, third, fourth] = [await open(), await open(), await open(), await open()];
  const three = [first, second, third];
  for (let i = 0; i < limits.viewsPerHolder; i++) three[i % 3]!.subscribe(`s${i}`, `view${i}`);
  await Promise.all(three.map((peer) => peer.hears('snapshot', 100)));
  fourth.subscribe('again', 'view0');
  fourth.subscribe('more', 'more');
  await fourth.hears('notice');
  expect(fourth.of('notice')).toMatchObject([
    { id: 'more', code: 'live.subscription_limit', message: expect.stringContaining('close some panels') },
  ]);
  const other = await nowcast.signIn('viewer');
  const theirs = await open({ headers: { Authorization: `Bearer ${other.token}` } });
  theirs.subscribe('x', 'more');
  await theirs.hears('snapshot');

  first.send({ type: 'unsubscribe', id: 's3' });
  first.subscribe('more', 'more');
  await first.hears('snapshot', 101);
  third.close();
  const views = () => [...nowcast.engine.views.values()];
  await until(() => views().some(({ query, opens }) => query.metric_type === 'view2' && opens === 0));
  fourth.subscribe('more', 'another');
  await fourth.hears('snapshot', 2);
});

describe('event streams', () => {
  test('the same view as Server-Sent Events, and Last-Event-ID resumes', async () => {
    const first = await stream('streamed');
    await until(() => first.events().length === 1);
    nowcast.engine.publish({ streamed: { bucket: 1000, value: 4 } });
    await until(() => first.events().length === 2);
    const [snapshot, delta] = first.events();
    expect(snapshot).toMatchObject({ event: 'snapshot', id: 'e1/0', data: { id: 'view', type: 'snapshot' } });
    expect(delta).toMatchObject({ event: 'delta', id: 'e1/1', data: { cells: [[0, 1000, 4]] } });
    first.stop();
    nowcast.engine.publish({ streamed: { bucket: 1000, value: 5 } });
    const second = await stream('streamed', { 'Last-Event-ID': 'e1/1' });
    await until(() => second.events().length === 1);
    expect(second.events()).toMatchObject([
      { event: 'delta', data: { base_seq: '1', cells: [[0, 1000, 5]] } },
    ]);
    second.stop();
  });

  test('without rights or with a wrong query it is an ordinary error', async () => {
    expect((await fetch(`${nowcast.url}/updates?metric_type=a`)).status).toBe(401);
    const headers = { Authorization: `Bearer ${reader.token}` };
    expect((await fetch(`${nowcast.url}/updates?metric=a`, { headers })).status).toBe(400);
    // What only the engine can tell is known before the stream begins, too.
    const refused = await fetch(`${nowcast.url}/updates?metric_type=refused`, { headers });
    expect([refused.status, await refused.json()]).toMatchObject([400, { error: { code: 'query.invalid' } }]);
  });

  async function stream(metric: string, more: Record<string, string> = {}) {
    const stop = new AbortController();
    const answer = await fetch(`${nowcast.url}/updates?metric_type=${metric}&window=1m&step=1s`, {
      headers: { Authorization: `Bearer ${reader.token}`, ...more },
      signal: stop.signal,
    });
    let text = '';
    const reading = (async () => {
      for await (const chunk of answer.body!) text += Buffer.from(chunk).toString();
    })();
    reading.catch(() => undefined);
    return {
      stop: () => stop.abort(),
      events: () =>
        text
          .split('\n\n')
          .slice(1, -1)
          .filter((block) => block.startsWith('event:'))
          .map((block) => {
            const fields = Object.fromEntries(
              block
                .split('\n')
                .map((line) => [line.slice(0, line.indexOf(':')), line.slice(line.indexOf(':') + 2)]),
            );
            return {
              event: fields['event'],
              id: fields['id'],
              data: JSON.parse(fields['data'] ?? '{}') as object,
            };
          }),
    };
  }
});

function statusOfUpgrade(headers: Record<string, string>): Promise<number> {
  return new Promise((resolve, reject) => {
    const socket = connect(nowcast.port, '127.0.0.1');
    const lines = Object.entries({ Host: `127.0.0.1:${nowcast.port}`, ...headers }).map(
      ([k, v]) => `${k}: ${v}\r\n`,
    );
    socket.write(
      `GET /updates HTTP/1.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\nSec-WebSocket-Protocol: nowcast.v1.json\r\n${lines.join('')}\r\n`,
    );
    socket.once('data', (chunk) => {
      resolve(Number(chunk.toString('latin1').split(' ')[1]));
      socket.destroy();
    });
    socket.once('error', reject);
  });
}

test('a peer whose upgrade was refused cannot keep the socket by keeping its own half open', async () => {
  const socket = connect({ port: nowcast.port, host: '127.0.0.1', allowHalfOpen: true });
  let closed = false;
  socket.on('error', () => undefined).on('close', () => (closed = true));
  socket.write('GET /updates HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n');
  await new Promise((resolve) => socket.once('data', resolve));
  // Once the server has let go, its kernel answers whatever still comes with a reset.
  await until(() => {
    if (!closed) socket.write('x');
    return closed;
  });
});
