/**
 * What crowds do to the real program: they sign in at once, they come and say nothing, they come back all together.
 * Each test carries the number of its promise.
 */
import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { LiveClient, type LiveStatus } from '@nowcast/client';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { DrippingPeer, guessFrom } from '../fixtures/attackers.ts';
import { ingest, readFigure } from '../fixtures/data.ts';
import { LivePeer, patience } from '../fixtures/live-peer.ts';
import { addPerson, type Person, signInOwner } from '../fixtures/people.ts';
import { type RunningServer, serve, startServer } from './server.ts';

/** A slow machine needs minutes for what takes seconds here; nobody waits that long for what happens. */
const longPatience = { timeout: 120_000, interval: 100 };
const point = (metric: string): string => JSON.stringify({ metric_type: metric, value: 1 });

describe('C3: a flood of logins', () => {
  let server: RunningServer;
  beforeAll(async () => {
    server = await startServer(['--no-collector']);
  });
  afterAll(() => server?.destroy());

  test('C3: two passwords are compared at once, a bounded number waits, the rest is told when to come back, and points are taken meanwhile', async () => {
    const checksBefore = await readFigure(server, 'password_checks_total');
    const statuses: number[] = [];
    let guesses = 0;
    const enough = new AbortController();
    // Three hundred at once, each from an address and for a name that nothing else slows down.
    const guessOn = async (): Promise<void> => {
      while (!enough.signal.aborted) {
        const n = guesses++;
        const address = `127.${1 + (n % 250)}.${1 + (Math.floor(n / 250) % 250)}.1`;
        const status = await guessFrom(server.url, address, `stranger${n}`);
        statuses.push(status);
        // As the answer says.
        if (status === 429) await sleep(1000);
      }
    };
    const flood = Promise.all(Array.from({ length: 300 }, guessOn));
    // Each of these points is sent, and acknowledged, while passwords wait to be compared.
    let takenMeanwhile = 0;
    let mostWaiting = 0;
    await vi.waitFor(async () => {
      const before = await readFigure(server, 'password_checks_waiting');
      expect((await ingest(server, point('flooded'))).status).toBe(200);
      const after = await readFigure(server, 'password_checks_waiting');
      if (before > 0 && after > 0) takenMeanwhile++;
      mostWaiting = Math.max(mostWaiting, before, after);
      expect(takenMeanwhile).toBeGreaterThanOrEqual(10);
      expect(statuses).toContain(429);
      expect(statuses).toContain(401);
    }, longPatience);
    enough.abort();
    await flood;
    expect(statuses.filter((status) => status !== 401 && status !== 429)).toEqual([]);
    expect(mostWaiting).toBeLessThanOrEqual(64);
    expect(await readFigure(server, 'password_checks_peak')).toBe(2);
    const compared = (await readFigure(server, 'password_checks_total')) - checksBefore;
    expect(compared).toBe(statuses.filter((status) => status === 401).length);
    expect(await readFigure(server, 'password_checks_waiting')).toBe(0);
  });
});

describe('C19: thousands of slow sockets', () => {
  const perAddress = 250;
  /** As many as the descriptors of this process and of the server allow; each has one end. */
  const slowCount = Math.min(5000, Math.floor((openFileLimit() - 1000) / perAddress) * perAddress);
  const spare = 100;
  let server: RunningServer;
  beforeAll(async () => {
    const caps = ['--max-connections', slowCount + spare, '--max-connections-per-address', perAddress];
    server = await startServer(['--no-collector', ...caps.map(String)]);
  });
  afterAll(() => server?.destroy());

  test('C19: thousands are held to the cap of each address and of all, and good clients go on', async () => {
    expect(slowCount).toBeGreaterThanOrEqual(1000);
    const good = await LivePeer.open(server.url, server.key);
    await good.watch('steady');
    const addressOf = (n: number): string => `127.1.${1 + Math.floor(n / perAddress)}.1`;
    const slow: DrippingPeer[] = [];
    const drip = setInterval(() => slow.forEach((peer) => peer.drip()), 1000);
    const connections = (): Promise<number> => readFigure(server, 'connections');
    try {
      for (let n = 0; n < slowCount; n++) slow.push(new DrippingPeer(server.port, 'body', addressOf(n)));
      await vi.waitFor(async () => expect(await connections()).toBeGreaterThan(slowCount), longPatience);

      const greedy = Array.from({ length: 50 }, () => new DrippingPeer(server.port, 'headers', addressOf(0)));
      await vi.waitFor(() => expect(greedy.every(({ ended }) => ended)).toBe(true), longPatience);
      expect(greedy.map(({ status }) => status)).toEqual(greedy.map(() => ''));
      expect(await readFigure(server, 'connections_refused_total')).toBe(50);

      for (let i = 1; i <= 50; i++) {
        expect((await ingest(server, point('steady'))).status).toBe(200);
        await vi.waitFor(() => expect(newest(good)).toBe(i), patience);
      }

      // One address after another, until nobody new gets in at all.
      const late = Array.from(
        { length: 3 * spare },
        (_, n) => new DrippingPeer(server.port, 'body', `127.2.${1 + (n % 250)}.1`),
      );
      slow.push(...late);
      await vi.waitFor(
        () => expect(late.filter(({ ended }) => ended).length).toBeGreaterThanOrEqual(2 * spare),
        longPatience,
      );
      expect(good.closed).toBeUndefined();
      expect(slow.slice(0, slowCount).filter(({ ended, status }) => ended && status !== '408')).toEqual([]);
    } finally {
      clearInterval(drip);
      slow.forEach((peer) => peer.close());
    }
    // Whoever was kept out gets in once the slow ones are gone.
    await vi.waitFor(async () => expect(await connections()).toBeLessThan(50), longPatience);
    expect((await ingest(server, point('steady'))).status).toBe(200);
    await vi.waitFor(() => expect(newest(good)).toBe(51), patience);
    good.close();
  });

  /** The count that a viewer of `steady` has. */
  function newest(peer: LivePeer): number {
    return peer.total('steady');
  }
});

/** Descriptors this process may have; its children inherit the limit. */
function openFileLimit(): number {
  return Number(/Max open files\s+(\d+)/.exec(readFileSync('/proc/self/limits', 'utf8'))![1]);
}

/** A page with two panels that remembers what its client did. */
class Viewer {
  snapshots = 0;
  deltas = 0;
  /** The first wait after the link was lost, ms. */
  firstWaitMs: number | undefined;
  state: LiveStatus['state'] = 'idle';
  readonly #client: LiveClient;

  constructor(url: string, token: string) {
    this.#client = new LiveClient({ url, token, onError: () => undefined });
    this.#client.onStatus(({ state, retryInMs }) => {
      this.state = state;
      if (state === 'waiting') this.firstWaitMs ??= retryInMs;
    });
    for (const step of ['5m', '1m']) {
      this.#client.subscribe(
        { metric_type: 'crowded', agg: 'count', window: '5m', step },
        { onSnapshot: () => this.snapshots++, onDelta: () => this.deltas++ },
      );
    }
  }

  get answers(): number {
    return this.snapshots + this.deltas;
  }

  close(): void {
    this.#client.close();
  }
}

describe('F13: a crowd that comes back', () => {
  const crowdSize = Math.min(2000, openFileLimit() - 1000);
  let server: RunningServer;
  beforeAll(async () => {
    server = await startServer(['--no-collector']);
  });
  afterAll(() => server?.destroy());

  test('F13: thousands of clients spread their return, and cost a read for each person and an open for each panel', async () => {
    const owner = await signInOwner(server);
    const people: Person[] = [];
    for (let i = 0; i < 5; i++) people.push(await addPerson(server.url, owner, `viewer${i}`, 'viewer'));
    expect((await ingest(server, point('crowded'))).status).toBe(200);
    const crowd = Array.from(
      { length: crowdSize },
      (_, i) => new Viewer(server.url, people[i % people.length]!.token),
    );
    const { dataDir, port, login, key } = server;
    try {
      await vi.waitFor(() => expect(crowd.filter(({ answers }) => answers < 2).length).toBe(0), longPatience);
      await server.kill();
      server = { ...(await serve(dataDir, { port, args: ['--no-collector'] })), login, key };
      const answered = crowd.map(({ answers }) => answers);
      await vi.waitFor(
        () => expect(crowd.filter(({ answers }, i) => answers < answered[i]! + 2).length).toBe(0),
        longPatience,
      );

      // Full jitter over the first second: no tenth of it has much more than its share.
      const tenths = Array.from({ length: 10 }, () => 0);
      for (const { firstWaitMs } of crowd) {
        expect(firstWaitMs).toBeLessThan(1000);
        tenths[Math.floor(firstWaitMs! / 100)]!++;
      }
      expect(Math.max(...tenths)).toBeLessThan(crowdSize / 5);
      expect(Math.min(...tenths)).toBeGreaterThan(crowdSize / 20);

      const figure = (name: string): Promise<number> => readFigure(server, name);
      expect(await figure('viewers')).toBe(crowdSize);
      expect(await figure('subscriptions')).toBe(2 * crowdSize);
      expect(await figure('shared_views')).toBe(2);
      // Everybody's right is remembered for some seconds; a slow crowd makes it be read a few times.
      expect(await figure('credential_reads_total')).toBeLessThan(people.length * 40);
      expect((await ingest(server, point('crowded'))).status).toBe(200);
      const before = crowd.map(({ deltas }) => deltas);
      await vi.waitFor(
        () => expect(crowd.filter(({ deltas }, i) => deltas < before[i]! + 1).length).toBe(0),
        longPatience,
      );
    } finally {
      crowd.forEach((viewer) => viewer.close());
    }
  });
});
