import { type DeltaColumns, type SnapshotColumns, jsonProtocol } from '@nowcast/contract';
import { ManualClock, isAppError } from '@nowcast/kernel';
import { describe, expect, test } from 'vitest';
import { LiveClient, type LiveClientOptions, type SocketConstructor } from './live-client.ts';
import { SimulatedServer } from './testing/simulated-server.ts';

function setUp(options: Partial<LiveClientOptions> = {}) {
  const clock = new ManualClock(1_000_000);
  const server = new SimulatedServer(clock);
  const urls: string[] = [];
  function Socket(url: string, protocols: string[]): unknown {
    urls.push(url);
    return server.connect(protocols[0] ?? '');
  }
  const errors: unknown[] = [];
  const client = new LiveClient({
    url: 'https://example.com',
    protocol: jsonProtocol,
    WebSocket: Socket as unknown as SocketConstructor,
    clock,
    random: () => 0.5,
    onError: (error) => errors.push(error),
    ...options,
  });
  const log: string[] = [];
  const handlers = {
    onSnapshot: (snapshot: SnapshotColumns) => log.push(`snapshot ${snapshot.seq}`),
    onDelta: (delta: DeltaColumns) => log.push(`delta ${delta.baseSeq}-${delta.seq}`),
    onNotice: (notice: { code: string }) => log.push(`notice ${notice.code}`),
  };
  /** Lets the server accept and everything it sent arrive. */
  function flow(): void {
    server.accept();
    server.socket?.deliverAll();
  }
  return { clock, server, client, log, handlers, errors, urls, flow };
}

const query = { metric_type: 'cpu', window: '1m' };

describe('connecting', () => {
  test('the first subscription opens /updates below the path of the address, over TLS for https', () => {
    const { client, handlers, urls } = setUp({ url: 'https://example.com/monitor/' });
    client.subscribe(query, handlers);
    expect(urls).toEqual(['wss://example.com/monitor/updates']);
  });

  test('an address that cannot be used is refused when the client is made, and says how to write it', () => {
    for (const url of ['example.com', 'ftp://example.com', '/updates'])
      expect(() => setUp({ url }), url).toThrow(/write a whole address such as https/);
  });

  test('a token is sent as the first message, and a refused one stops the client until it is given another', () => {
    const { client, handlers, server, clock, log, flow } = setUp({ token: 'old' });
    server.token = 'new';
    client.subscribe(query, handlers);
    flow();
    clock.advance(1);
    expect(client.status).toMatchObject({ state: 'refused', refusal: { code: 4401 } });
    clock.advance(600_000);
    expect(server.sockets.length).toBe(1);
    client.authenticate('new');
    flow();
    flow();
    expect(client.status.state).toBe('live');
    expect(log).toEqual(['snapshot 0']);
  });

  test('a server that never answers is given up after ten seconds, again and again, ever more slowly', () => {
    const { client, handlers, clock, server } = setUp();
    client.subscribe(query, handlers);
    const waits: (number | undefined)[] = [];
    client.onStatus((status) => {
      if (status.state === 'waiting') waits.push(status.retryInMs);
    });
    clock.advance(200_000);
    expect(waits.slice(0, 7)).toEqual([500, 1000, 2000, 4000, 8000, 15_000, 15_000]);
    expect(server.sockets.filter((socket) => socket.state !== 'closed').length).toBeLessThanOrEqual(1);
  });

  test('a platform that refuses to make the socket is reported and tried again', () => {
    let tries = 0;
    function Refusing(): never {
      tries++;
      throw new Error('the policy of this page forbids it');
    }
    const { client, handlers, clock, errors } = setUp({
      WebSocket: Refusing as unknown as SocketConstructor,
    });
    client.subscribe(query, handlers);
    expect(errors).toEqual([new Error('the policy of this page forbids it')]);
    clock.advance(10_500);
    expect(tries).toBe(2);
  });

  test('a hint that the network or the page is back ends the waiting at once', () => {
    for (const hint of ['online', 'visible'] as const) {
      const { client, handlers, server } = setUp();
      client.subscribe(query, handlers);
      server.socket!.end(1006);
      expect(client.status.state).toBe('waiting');
      client.hint(hint);
      expect(client.status.state, hint).toBe('connecting');
    }
  });
});

describe('a connection that breaks', () => {
  test('is resumed from the last position by one merged delta', () => {
    const { client, handlers, server, clock, log, flow } = setUp();
    server.publish('cpu', 0, 1);
    client.subscribe(query, handlers);
    flow();
    flow();
    server.socket!.end(1006);
    server.publish('cpu', 0, 2);
    server.publish('cpu', 1000, 3);
    clock.advance(1000);
    flow();
    flow();
    expect(log).toEqual(['snapshot 1', 'delta 1-3']);
  });

  test('is noticed after two silent heartbeats, though nobody closed it', () => {
    const { client, handlers, server, clock, flow } = setUp();
    client.subscribe(query, handlers);
    flow();
    server.cut = true;
    clock.advance(31_999);
    expect(client.status.state).toBe('live');
    clock.advance(1);
    expect(client.status.state).toBe('waiting');
  });

  test('is replaced at once when the page comes back from a sleep in which timers stood still', () => {
    const { client, handlers, server, clock, flow } = setUp();
    client.subscribe(query, handlers);
    flow();
    const slept = clock.now.bind(clock);
    clock.now = () => slept() + 3_600_000;
    client.hint('visible');
    expect(client.status.state).toBe('connecting');
    expect(server.sockets.length).toBe(2);
  });

  test('is replaced at once when the network was gone and is back', () => {
    const { client, handlers, server, flow } = setUp();
    client.subscribe(query, handlers);
    flow();
    client.hint('online');
    expect(client.status.state).toBe('live');
    client.hint('offline');
    expect(client.status.offline).toBe(true);
    client.hint('online');
    expect(client.status).toMatchObject({ state: 'connecting', offline: false });
    expect(server.sockets.length).toBe(2);
  });

  test('a goaway is honoured: the old socket works until the delay is over, then one new one takes its place', () => {
    const { client, handlers, server, clock, log, flow } = setUp();
    client.subscribe(query, handlers);
    flow();
    flow();
    server.socket!.push({ type: 'goaway', reconnect_after_ms: 3000 });
    flow();
    clock.advance(2999);
    server.publish('cpu', 0, 1);
    flow();
    expect(server.sockets.length).toBe(1);
    clock.advance(1);
    expect(server.sockets.length).toBe(2);
    flow();
    flow();
    expect(log).toEqual(['snapshot 0', 'delta 0-1', 'delta 1-1']);
  });

  test('a server that closes before its goaway delay is over is still not called before', () => {
    const { client, handlers, server, clock, flow } = setUp();
    client.subscribe(query, handlers);
    flow();
    server.socket!.push({ type: 'goaway', reconnect_after_ms: 3000 });
    flow();
    clock.advance(1000);
    server.socket!.end(1012);
    expect(client.status).toMatchObject({ state: 'waiting', retryInMs: 2000 });
  });

  test('a close that says "you are wrong" is not answered by trying again', () => {
    for (const code of [1009, 4400, 4401, 4403]) {
      const { client, handlers, server, clock, flow } = setUp();
      client.subscribe(query, handlers);
      flow();
      server.socket!.end(code);
      clock.advance(600_000);
      expect(client.status, String(code)).toMatchObject({ state: 'refused', refusal: { code } });
      expect(server.sockets.length).toBe(1);
    }
  });
});

describe('views', () => {
  test('a lost frame is noticed by the next one, and only what is missing is asked for', () => {
    const { client, handlers, server, log, flow } = setUp();
    client.subscribe(query, handlers);
    flow();
    server.publish('cpu', 0, 1);
    server.socket!.queue.length = 0;
    server.publish('cpu', 1000, 2);
    flow();
    expect(log).toEqual(['snapshot 0', 'delta 0-2']);
    expect(server.socket!.subscriptions.size).toBe(1);
  });

  test('viewers of one board name its views alike, whatever they opened first, and again after a reconnect', () => {
    const cpu = query;
    const memory = { metric_type: 'memory', window: '1m' };
    const names = [
      [cpu, memory],
      [memory, cpu],
    ].map((queries) => {
      const { client, handlers, server, clock, flow } = setUp();
      for (const one of queries) client.subscribe(one, handlers);
      flow();
      server.socket!.end(1012);
      clock.advance(1000);
      flow();
      return [...server.socket!.subscriptions].map(([id, { metric }]) => `${metric} ${id}`).sort();
    });
    expect(names[0]!.length).toBe(2);
    expect(names[1]).toEqual(names[0]);
  });

  test('the same view opened twice on one client is two subscriptions', () => {
    const { client, handlers, server, log, flow } = setUp();
    client.subscribe(query, handlers);
    const second = client.subscribe(query, handlers);
    flow();
    server.publish('cpu', 0, 1);
    second.close();
    server.publish('cpu', 0, 2);
    flow();
    expect(log).toEqual(['snapshot 0', 'snapshot 0', 'delta 0-1', 'delta 1-2']);
    expect(server.violations).toEqual([]);
  });

  test('a handler that throws is reported and given a fresh snapshot', () => {
    const { client, server, clock, errors, flow } = setUp();
    let snapshots = 0;
    client.subscribe(query, {
      onSnapshot: () => snapshots++,
      onDelta: () => {
        throw new Error('drawing failed');
      },
    });
    flow();
    server.publish('cpu', 0, 1);
    flow();
    clock.advance(1000);
    flow();
    expect(errors).toEqual([new Error('drawing failed')]);
    expect(snapshots).toBe(2);
  });

  test('a view refused for good is not asked for again, until its query changes', () => {
    const { client, handlers, server, clock, log, flow } = setUp();
    server.refuseNext = 'final';
    const subscription = client.subscribe(query, handlers);
    flow();
    for (let minute = 0; minute < 20; minute++) {
      clock.advance(15_000);
      flow();
    }
    expect(log).toEqual(['notice query.timeout']);
    subscription.update({ metric_type: 'memory', window: '1m' });
    flow();
    expect(log).toEqual(['notice query.timeout', 'snapshot 0']);
  });

  test('a paused client keeps its views and gets one merged delta when it goes on', () => {
    const { client, handlers, server, log, flow } = setUp();
    client.subscribe(query, handlers);
    flow();
    client.pause();
    for (let bucket = 0; bucket < 5; bucket++) server.publish('cpu', bucket * 1000, bucket);
    flow();
    expect(log).toEqual(['snapshot 0']);
    client.resume();
    flow();
    expect(log).toEqual(['snapshot 0', 'delta 0-5']);
  });

  test('subscribing on a closed client says what to do', () => {
    const { client, handlers } = setUp();
    client.close();
    let thrown: unknown;
    try {
      client.subscribe(query, handlers);
    } catch (error) {
      thrown = error;
    }
    expect(isAppError(thrown) && thrown.message).toMatch(/make a new one/);
  });

  test('a message that cannot be read is reported and costs one reconnect, not the views', () => {
    const { client, handlers, server, clock, log, errors, flow } = setUp();
    client.subscribe(query, handlers);
    flow();
    server.socket!.queue.push('{"type":"delta"');
    flow();
    expect(errors.length).toBe(1);
    server.publish('cpu', 0, 1);
    clock.advance(1000);
    flow();
    flow();
    expect(log).toEqual(['snapshot 0', 'delta 0-1']);
  });

  test('messages of a newer server that this client does not know are ignored', () => {
    const { client, handlers, server, errors, flow } = setUp();
    client.subscribe(query, handlers);
    flow();
    server.socket!.queue.push('{"type":"weather"}');
    flow();
    expect(client.status.state).toBe('live');
    expect(errors).toEqual([]);
  });
});

describe('time', () => {
  /** A client whose own wall clock is its own, on the timers of the server. */
  function setUpClocks() {
    const own = { aheadMs: 0 };
    const serverTime = new ManualClock(1_000_000);
    const server = new SimulatedServer(serverTime);
    function Socket(_url: string, protocols: string[]): unknown {
      return server.connect(protocols[0] ?? '');
    }
    const client = new LiveClient({
      url: 'http://127.0.0.1:7070',
      WebSocket: Socket as unknown as SocketConstructor,
      clock: {
        now: () => serverTime.monotonic() + own.aheadMs,
        monotonic: () => serverTime.monotonic(),
        after: (ms, fn) => serverTime.after(ms, fn),
      },
      random: () => 0,
    });
    client.subscribe(query, { onSnapshot: () => {}, onDelta: () => {} });
    const flow = () => {
      server.accept();
      server.socket?.deliverAll();
    };
    flow();
    flow();
    return { own, serverTime, server, client, flow };
  }

  // A kiosk without a clock of its own showed empty charts from its first NTP step to the next lost socket.
  test("when this machine's clock is set, the server's is right again from the next message on", () => {
    for (const stepMs of [3 * 3_600_000, -3 * 3_600_000]) {
      const { own, serverTime, server, client, flow } = setUpClocks();
      own.aheadMs = stepMs;
      serverTime.advance(1000);
      server.publish('cpu', 0, 1);
      for (let i = 0; i < 4; i += 1) {
        flow();
        serverTime.advance(10);
      }
      expect(client.status.state).toBe('live');
      expect(client.serverNow()).toBe(serverTime.now());
      server.stop();
    }
  });

  test("when the server's clock is set on, the next heartbeat tells, and when it is set back the one after", () => {
    const { serverTime, server, client, flow } = setUpClocks();
    serverTime.setWallBy(3_600_000);
    serverTime.advance(15_000);
    flow();
    expect(client.serverNow()).toBe(serverTime.now());
    serverTime.setWallBy(-7_200_000);
    for (let i = 0; i < 2; i += 1) {
      serverTime.advance(15_000);
      flow();
    }
    expect(client.serverNow()).toBe(serverTime.now());
    server.stop();
  });

  test('one late heartbeat says nothing about the clock', () => {
    const { serverTime, server, client, flow } = setUpClocks();
    serverTime.advance(15_000);
    flow();
    serverTime.advance(20_000);
    flow();
    expect(client.serverNow()).toBe(serverTime.now());
    server.stop();
  });

  test("the delay of the newest record is measured on the server's clock, not on this machine's", () => {
    const clock = new ManualClock(1_000_000);
    const server = new SimulatedServer(clock);
    function Socket(_url: string, protocols: string[]): unknown {
      return server.connect(protocols[0] ?? '');
    }
    const client = new LiveClient({
      url: 'http://127.0.0.1:7070',
      WebSocket: Socket as unknown as SocketConstructor,
      clock: {
        now: () => clock.now() - 60_000,
        monotonic: () => clock.monotonic(),
        after: (ms, fn) => clock.after(ms, fn),
      },
    });
    client.subscribe(query, { onSnapshot: () => {}, onDelta: () => {} });
    server.accept();
    server.socket!.deliverAll();
    expect(client.serverNow()).toBe(1_000_000);
    server.publish('cpu', 0, 1);
    clock.advance(250);
    server.socket!.deliverAll();
    expect(client.lagMs).toBe(250);
  });
});
