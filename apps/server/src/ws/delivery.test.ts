import { type DownMessage, jsonProtocol, querySchema } from '@nowcast/contract';
import { ManualClock } from '@nowcast/kernel';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import * as z from 'zod/mini';
import { createLogger } from '../log.ts';
import { ScriptedEngine } from '../testing/scripted-engine.ts';
import { Connection, type Sink, type Subscription } from './connection.ts';
import { Delivery } from './delivery.ts';
import { acknowledge, drained } from './flow-control.ts';
import { SharedViews } from './shared-views.ts';

const metrics = ['alpha', 'beta', 'gamma'] as const;

/** What one viewer has, put together from the frames it was sent; throws where a delta does not join up. */
class Viewer implements Sink {
  readonly connection: Connection;
  readonly subscriptions = new Map<string, { subscription: Subscription; metric: string }>();
  readonly seen = new Map<string, { seq: string; cells: Map<number, number | null> }>();
  /** Subscriptions of which anything was heard. */
  readonly answered = new Set<string>();
  writableLength = 0;
  readonly destroyed = false;
  asked = 0;
  subscribed = 0;
  /** What it has received and not read yet: less than a frame. */
  #bytes = Buffer.alloc(0);
  /** The socket took less than it was given: what comes now waits in the stream. */
  #full = false;
  #waiting: Uint8Array[] = [];

  /** With a descriptor it is sent to directly. */
  constructor(now: number, fd: number) {
    this.connection = new Connection(this, jsonProtocol, now, 0, 0, fd);
  }

  write(bytes: Uint8Array): void {
    if (!this.#full) {
      this.#receive(bytes);
      return;
    }
    this.#waiting.push(bytes);
    this.writableLength += bytes.length;
  }

  /** As many bytes as the socket takes at the `n`th time of asking. */
  take(bytes: Uint8Array, n: number): number {
    expect(this.#waiting, 'sent past what waits').toEqual([]);
    expect(this.connection.closed, 'sent to who has left').toBe(false);
    const taken = [bytes.length, bytes.length, 0, bytes.length, 3, bytes.length - 1][n % 6]!;
    this.#full = taken < bytes.length;
    this.#receive(bytes.subarray(0, taken));
    return taken;
  }

  /** Something was written that its stream cannot get rid of. */
  clog(): void {
    this.connection.writeControl(new Uint8Array(0));
    this.writableLength = 10_000_000;
  }

  unclog(): void {
    this.#full = false;
    this.writableLength = 0;
    for (const bytes of this.#waiting.splice(0)) this.#receive(bytes);
  }

  #receive(bytes: Uint8Array): void {
    this.#bytes = Buffer.concat([this.#bytes, bytes]);
    while (this.#bytes.length >= 4) {
      const short = this.#bytes[1]!;
      const [head, length] = short < 126 ? [2, short] : [4, this.#bytes.readUInt16BE(2)];
      if (this.#bytes.length < head + length) return;
      const text = this.#bytes.toString('utf8', head, head + length);
      this.#bytes = this.#bytes.subarray(head + length);
      this.#take(JSON.parse(text) as DownMessage);
    }
  }

  #take(message: DownMessage): void {
    if ('ack' in message) this.asked = message.ack;
    if (message.type !== 'snapshot' && message.type !== 'delta') return;
    if (!this.subscriptions.has(message.id)) return;
    this.answered.add(message.id);
    if (message.type === 'snapshot') {
      const cells = message.series.flatMap(({ timestamp, value }) =>
        timestamp.map((time, i): [number, number | null] => [time, value[i] ?? null]),
      );
      this.seen.set(message.id, { seq: message.seq, cells: new Map(cells) });
      return;
    }
    const state = this.seen.get(message.id);
    expect(message.base_seq, `${message.id} after ${state?.seq}`).toBe(state?.seq);
    state!.seq = message.seq;
    for (const [, bucket, value] of message.cells) state!.cells.set(bucket, value);
  }

  end(): void {}

  destroy(): void {}
}

type Step =
  | { kind: 'tick'; metrics: number[]; bucket: number; value: number }
  | { kind: 'subscribe'; who: number; metric: number; slow: boolean; resume?: boolean }
  | { kind: 'unsubscribe' | 'pause' | 'resume' | 'acknowledge' | 'clog' | 'unclog' | 'leave'; who: number }
  | { kind: 'wait'; turns: number; ms: number };

/** What stops a viewer is rarer than what lets it go on: else nobody is there when a tick comes. */
const viewerSteps = [
  ...(['unsubscribe', 'pause', 'clog', 'leave'] as const),
  ...(['resume', 'resume', 'unclog', 'unclog', 'acknowledge', 'acknowledge', 'acknowledge'] as const),
];

const who = fc.nat(5);
const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.record({
      kind: fc.constant('tick' as const),
      metrics: fc.subarray([0, 1, 2]),
      bucket: fc.nat(3),
      value: fc.nat(99),
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      kind: fc.constant('subscribe' as const),
      who,
      metric: fc.nat(2),
      slow: fc.boolean(),
      resume: fc.boolean(),
    }),
  },
  {
    weight: 5,
    arbitrary: fc.record({
      kind: fc.constantFrom(...viewerSteps),
      who,
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({ kind: fc.constant('wait' as const), turns: fc.nat(4), ms: fc.nat(300) }),
  },
);

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/** The gateway's part of the work, without sockets: opens, pauses, acknowledges. */
class Harness {
  readonly engine = new ScriptedEngine();
  readonly views: SharedViews;
  readonly delivery: Delivery;
  viewers: Viewer[];
  readonly #clock = new ManualClock();
  readonly #byDescriptor = new Map<number, Viewer>();
  #sends = 0;
  /** Sockets take whatever they are sent. */
  allTake = false;

  constructor() {
    const now = (): number => this.#clock.now();
    this.views = new SharedViews(this.engine.live, now);
    const write = (line: string): void => {
      throw new Error(line);
    };
    const log = createLogger({ level: 'warn', format: 'json', write, now });
    this.delivery = new Delivery({
      views: this.views,
      clock: this.#clock,
      log,
      observeDelayMs: () => undefined,
      onUnreadable: (_connection, _subscription, error) => {
        throw error;
      },
      onEnded: ({ view }) => {
        throw new Error(`view ${view} ended`);
      },
      writesPerTurn: 2,
      directSend: { way: 'test', send: (bytes, fds, count, taken) => this.#send(bytes, fds, count, taken) },
    });
    this.engine.live.onFrames((frames) => this.delivery.tick(frames));
    this.viewers = Array.from({ length: 6 }, (_, i) => this.#viewer(i % 3 > 0));
  }

  #viewer(direct: boolean): Viewer {
    const fd = direct ? 3 + this.#byDescriptor.size : -1;
    const viewer = new Viewer(this.#clock.now(), fd);
    if (direct) this.#byDescriptor.set(fd, viewer);
    return viewer;
  }

  #send(bytes: Uint8Array, fds: Int32Array, count: number, taken: Int32Array): void {
    for (let i = 0; i < count; i++)
      taken[i] = this.#byDescriptor.get(fds[i]!)!.take(bytes, this.allTake ? 0 : this.#sends++);
  }

  async take(action: Step): Promise<void> {
    if (action.kind === 'tick') {
      const { bucket, value } = action;
      this.engine.publish(
        Object.fromEntries(action.metrics.map((i) => [metrics[i]!, { bucket: bucket * 1000, value }])),
      );
      return;
    }
    if (action.kind === 'wait') {
      this.#clock.advance(action.ms);
      for (let i = 0; i < action.turns; i++) await turn();
      return;
    }
    const viewer = this.viewers[action.who]!;
    const { connection } = viewer;
    switch (action.kind) {
      case 'subscribe':
        this.#subscribe(viewer, metrics[action.metric]!, action.slow ? 50 : 0, action.resume === true);
        break;
      case 'unsubscribe':
        for (const [id, { subscription }] of [...viewer.subscriptions].slice(0, 1)) {
          viewer.subscriptions.delete(id);
          connection.subscriptions.delete(id);
          subscription.ended = true;
          this.delivery.leave(connection, subscription);
        }
        break;
      case 'pause':
        connection.paused = true;
        this.delivery.hold(connection);
        break;
      case 'resume':
        connection.paused = false;
        this.delivery.release(connection);
        break;
      case 'acknowledge':
        connection.look();
        if (acknowledge(connection.flow, viewer.asked)) this.delivery.release(connection);
        break;
      case 'clog':
        viewer.clog();
        break;
      case 'unclog':
        viewer.unclog();
        if (drained(connection.flow)) this.delivery.release(connection);
        break;
      case 'leave':
        connection.closed = true;
        connection.look();
        for (const { subscription } of viewer.subscriptions.values()) subscription.ended = true;
        this.delivery.gone(connection);
        this.viewers[action.who] = this.#viewer(action.who % 3 > 0);
        break;
      default:
    }
  }

  /** `resume`: goes on from what the viewer has of the metric, if it has any. */
  #subscribe(viewer: Viewer, metric: string, intervalMs: number, resume: boolean): void {
    // The same for all who come the same way, so that they share a cohort; never the same again for one of them.
    const id = `${metric}.${intervalMs}.${++viewer.subscribed}`;
    const known = [...viewer.subscriptions].find(
      (one) => one[1].metric === metric && viewer.seen.has(one[0]),
    );
    const state = resume && known !== undefined ? viewer.seen.get(known[0]) : undefined;
    if (state !== undefined) viewer.seen.set(id, { seq: state.seq, cells: new Map(state.cells) });
    const subscription: Subscription = {
      id,
      intervalMs,
      view: undefined,
      held: undefined,
      state: 'opening',
      position: state === undefined ? undefined : { epoch: this.views.epoch, seq: state.seq },
      answered: false,
      ended: false,
    };
    viewer.connection.subscriptions.set(id, subscription);
    viewer.subscriptions.set(id, { subscription, metric });
    void this.#open(viewer, subscription, metric);
  }

  async #open(viewer: Viewer, subscription: Subscription, metric: string): Promise<void> {
    const query = z.parse(querySchema, { metric_type: metric, window: '1m' });
    const view = await this.views.acquire('tenant', query);
    if (subscription.ended || viewer.connection.closed) this.views.release(view);
    else {
      subscription.view = view;
      this.delivery.start(viewer.connection, subscription);
    }
  }

  /** Everybody goes on and acknowledges until nothing moves any more. */
  settle(): Promise<void> {
    return this.#repeat(['resume', 'unclog', 'acknowledge'], 30);
  }

  /** Everybody reads and acknowledges for a while; who paused stays so. */
  read(): Promise<void> {
    return this.#repeat(['unclog', 'acknowledge'], 5);
  }

  async #repeat(kinds: readonly ('resume' | 'unclog' | 'acknowledge')[], rounds: number): Promise<void> {
    for (let round = 0; round < rounds; round++) {
      for (let i = 0; i < this.viewers.length; i++) {
        for (const kind of kinds) await this.take({ kind, who: i });
      }
      await this.take({ kind: 'wait', turns: 4, ms: 100 });
    }
  }
}

/** Every subscription had its first message, also of viewers that paused. */
function expectAnswers({ viewers }: Pick<Harness, 'viewers'>): void {
  for (const { subscriptions, answered } of viewers)
    for (const id of subscriptions.keys()) expect(answered.has(id), `${id} was answered`).toBe(true);
}

/** Everybody has all of what they still watch. */
function expectTruth({ engine, viewers }: Harness): void {
  for (const viewer of viewers) {
    for (const [id, { metric }] of viewer.subscriptions) {
      const view = [...engine.views.values()].find(({ query }) => query.metric_type === metric)!;
      const truth = new Map(view.cells.map(({ bucket, value }) => [bucket, value]));
      const seen = { seq: String(view.cells.length), cells: truth };
      expect(viewer.seen.get(id), `${id} of ${metric}`).toEqual(seen);
    }
  }
  expectAnswers({ viewers });
}

test('whatever viewers do and when, their deltas join up and in the end they all have the whole truth', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 50, maxLength: 150, size: 'max' }), async (steps) => {
      const harness = new Harness();
      for (const action of steps) await harness.take(action);
      await harness.read();
      expectAnswers(harness);
      await harness.settle();
      expectTruth(harness);
      for (let who = 0; who < harness.viewers.length; who++) await harness.take({ kind: 'leave', who });
      await turn();
      expect([...harness.engine.views.values()].every(({ opens }) => opens === 0)).toBe(true);
      harness.delivery.stop();
    }),
    { numRuns: 100 },
  );
}, 60_000);

test('whoever leaves a crowd, the others are sent to directly and miss nothing', async () => {
  const crowd = [1, 2, 4, 5];
  const tick: Step = { kind: 'tick', metrics: [0, 1], bucket: 0, value: 1 };
  const settled: Step = { kind: 'wait', turns: 4, ms: 10 };
  for (const who of crowd) {
    const harness = new Harness();
    harness.allTake = true;
    const takeAll = async (actions: readonly Step[]): Promise<void> => {
      for (const action of actions) await harness.take(action);
    };
    for (const metric of [0, 1])
      await takeAll(crowd.map((one) => ({ kind: 'subscribe', who: one, metric, slow: false })));
    await takeAll([settled, tick, settled, tick, settled]);
    await takeAll([{ kind: 'unsubscribe', who }, settled, tick, settled, tick, settled]);
    await harness.settle();
    expectTruth(harness);
    harness.delivery.stop();
  }
});

test('who is behind, pauses and then subscribes has the first message as soon as it has caught up', async () => {
  const harness = new Harness();
  const subscribe = { kind: 'subscribe', who: 0, metric: 0, slow: false } as const;
  const settled: Step = { kind: 'wait', turns: 4, ms: 10 };
  const tick: Step = { kind: 'tick', metrics: [0], bucket: 0, value: 1 };
  // A frame asks for an acknowledgement, which does not come in time.
  for (const action of [
    subscribe,
    settled,
    { kind: 'wait', turns: 1, ms: 600 },
    tick,
    settled,
    { kind: 'wait', turns: 1, ms: 1100 },
    { kind: 'pause', who: 0 },
    { ...subscribe, metric: 1 },
    settled,
  ] satisfies Step[])
    await harness.take(action);
  const viewer = harness.viewers[0]!;
  expect([viewer.connection.flow.stalled, viewer.answered.size]).toEqual([true, 1]);
  for (const action of [{ kind: 'acknowledge', who: 0 }, settled, tick, settled] satisfies Step[])
    await harness.take(action);
  expect(viewer.answered.size).toBe(2);
  expect(viewer.seen.get('alpha.0.1')?.cells.size).toBe(1);
  await harness.settle();
  expectTruth(harness);
  harness.delivery.stop();
});

test('who goes on from where it was while its stream is full is answered once there is room, also without news', async () => {
  const harness = new Harness();
  const subscribe = { kind: 'subscribe', who: 0, metric: 0, slow: false } as const;
  const settled: Step = { kind: 'wait', turns: 4, ms: 10 };
  for (const action of [
    subscribe,
    settled,
    { kind: 'tick', metrics: [0], bucket: 0, value: 1 },
    settled,
    { kind: 'clog', who: 0 },
    { ...subscribe, resume: true },
    settled,
  ] satisfies Step[])
    await harness.take(action);
  const viewer = harness.viewers[0]!;
  expect(viewer.answered.size).toBe(1);
  await harness.settle();
  expect(viewer.answered.size).toBe(2);
  expectTruth(harness);
  harness.delivery.stop();
});
