import { type AlertRecord, type ControlRecord, evaluationSchema, type TickRecord } from '@nowcast/contract';
import { SeriesIndex } from '@nowcast/head';
import { ManualClock } from '@nowcast/kernel';
import type { DecidedTransition } from '@nowcast/ports';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { PartitionState } from '../partition-state.ts';
import { SeriesWatch } from '../series-watch.ts';
import type { AlertCheckpoint } from './alert-checkpoint.ts';
import { AlertEngine } from './alert-engine.ts';
import { RulePoints } from './rule-points.ts';

const start = 1_700_000_000_000;
const turn = () => new Promise<void>((resolve) => void setImmediate(resolve));

type Control = TickRecord | AlertRecord;
type Sent = { host: string; value: number };
type Logged = { offset: number } & ({ record: Control } | { sent: readonly Sent[]; at: number });

/** An alert engine over a log of one partition that says by hand when what is on its way becomes durable. */
class Bench {
  readonly clock: ManualClock;
  readonly log: Logged[] = [];
  readonly said: string[] = [];
  /** How long reading a rule's history takes. */
  seedOf: () => Promise<Uint8Array> = () => Promise.resolve(new Uint8Array(0));
  /** On its way into the log. */
  readonly waiting: Control[] = [];
  readonly #resolves: ((offset: number) => void)[] = [];
  readonly #index = new SeriesIndex(1);
  readonly #state = new PartitionState(0, 0, 0);
  readonly #points = new RulePoints(this.#index, new SeriesWatch(this.#index), [this.#state.tail]);
  readonly engine: AlertEngine;

  constructor(clock = new ManualClock(start)) {
    this.clock = clock;
    this.engine = new AlertEngine({
      epoch: 'e',
      clock,
      states: [this.#state],
      points: this.#points,
      defaultAgg: () => 'last',
      seedOf: () => this.seedOf(),
      receivedAt: () => this.clock.now(),
      append: (_partition, record: ControlRecord) =>
        new Promise((resolve) => {
          this.waiting.push(record as Control);
          this.#resolves.push(resolve);
        }),
      report: ({ transitions }) => this.said.push(...transitions.map(textOf)),
      log: () => undefined,
    });
  }

  /** A rule that fires for a host whose last value is above 80. */
  put(id: string, host: string | { regex: string }, version = 1): Promise<void> {
    const evaluation = evaluationSchema.parse({
      query: { metric_type: 'cpu', agg: 'last', where: { host: typeof host === 'string' ? [host] : host } },
      window: '1m',
      condition: { kind: 'threshold', op: 'above', value: 80 },
    });
    return this.engine.put('acme', { rule_id: id, version, evaluation });
  }

  /** A point that is durable and applied. */
  send(host: string, value: number): void {
    this.sendAll([{ host, value }]);
  }

  sendAll(sent: readonly Sent[]): void {
    this.log.push({ offset: this.#state.nextOffset, sent, at: this.clock.now() });
    this.#apply(sent, this.clock.now());
    this.engine.request();
  }

  /** Lets time pass, and what is due then. */
  async pass(ms = 0): Promise<void> {
    if (ms > 0) this.clock.advance(ms);
    for (let i = 0; i < 5; i++) await turn();
  }

  /** Makes durable what waits, in its order. */
  async settle(): Promise<void> {
    while (this.waiting.length > 0) {
      this.store();
      await this.pass();
    }
  }

  /** Makes the next of what waits durable. */
  store(): void {
    const record = this.waiting.shift();
    if (record === undefined) return;
    const offset = this.#state.nextOffset;
    this.log.push({ offset, record });
    this.#state.applyTick(offset, record.receivedAt);
    this.engine.applied(offset, record);
    this.#resolves.shift()!(offset);
  }

  /** Points that no tick has shown to the rules. */
  get unseen(): number {
    return this.#state.tail.end - this.engine.seen[0]!;
  }

  /** A checkpoint stands behind the last record that was followed. */
  async check(): Promise<void> {
    const followed = this.log.findLast((one) => 'record' in one);
    const tick = this.log.findLast((one) => 'record' in one && one.record.kind === 'tick');
    const { size } = this.engine;
    const { seq, at } = (await this.engine.checkpoint()).checkpoint;
    if (followed === undefined || size === 0) return;
    expect(seq).toBe(followed.offset + 1);
    if (tick !== undefined && 'record' in tick && tick.record.kind === 'tick')
      expect(at).toEqual(tick.record.at);
  }

  /** Follows a log from its beginning, as a start after a crash does; its rules from a checkpoint, if there is one. */
  replay(log: readonly Logged[], checkpoint?: AlertCheckpoint): void {
    for (const one of log) {
      if ('record' in one) this.#state.applyTick(one.offset, one.record.receivedAt);
      else this.#apply(one.sent, one.at);
    }
    const controls = log.flatMap((one) => ('record' in one ? [one] : []));
    this.engine.recover(checkpoint, controls);
    this.engine.begin();
  }

  #apply(sent: readonly Sent[], at: number): void {
    const handles = Uint32Array.from(sent, ({ host }) =>
      this.#index.define({ tenant: 'acme', metric_type: 'cpu', source: '', labels: [['host', host]] }),
    );
    this.#state.applyPoints({
      offset: this.#state.nextOffset,
      receivedAt: at,
      handles,
      timestamps: Float64Array.from(sent, (_, i) => at - 1000 + (i * 1000) / sent.length),
      values: Float64Array.from(sent, ({ value }) => value),
      extras: undefined,
      seriesEnd: this.#index.size,
    });
    this.#points.note(handles);
  }
}

function textOf({ rule_id: id, from, to, transition_id: name }: DecidedTransition): string {
  return `${id} ${from} ${to} ${name}`;
}

test('a rule that is put while a tick is on its way sees that tick, live as in a replay', async () => {
  const bench = new Bench();
  bench.engine.begin();
  bench.send('a', 10);
  bench.send('b', 10);
  const first = bench.put('A', 'a');
  await bench.pass();
  await bench.settle();
  await first;
  await bench.pass(1000);
  const second = bench.put('B', 'b');
  await bench.pass();
  expect(bench.waiting.map(({ kind }) => kind)).toEqual(['alert']);
  // The rule is not in the log yet; the tick that these bring about comes behind it.
  bench.send('a', 20);
  bench.send('b', 90);
  await bench.pass(50);
  expect(bench.waiting.map(({ kind }) => kind)).toEqual(['alert', 'tick']);
  await bench.settle();
  await second;
  expect(bench.said.map((text) => text.slice(0, 11))).toEqual(['B ok firing']);

  bench.send('b', 10);
  await bench.pass(50);
  await bench.settle();
  expect(bench.said.map((text) => text.slice(0, 11))).toEqual(['B ok firing', 'B firing ok']);

  const again = new Bench();
  again.replay(bench.log);
  expect(again.said).toEqual(bench.said);
});

test('changes of one rule happen in the order in which they were asked, however long each reads history', async () => {
  const bench = new Bench();
  bench.engine.begin();
  const slow = Promise.withResolvers<Uint8Array>();
  bench.seedOf = () => slow.promise;
  const done = [bench.put('A', 'a', 1), bench.put('B', 'b', 1)];
  bench.seedOf = () => Promise.resolve(new Uint8Array(0));
  done.push(bench.put('A', 'a', 2), bench.put('B', 'b', 1), bench.engine.remove('acme', 'A'));
  await bench.pass();
  slow.resolve(new Uint8Array(0));
  for (let i = 0; i < 5; i++) {
    await bench.pass();
    await bench.settle();
  }
  await Promise.all(done);
  expect(bench.engine.statuses('acme').map(({ ruleId, version }) => [ruleId, version])).toEqual([['B', 1]]);
  // One command for each change that changed anything.
  const commands = bench.log.flatMap((one) =>
    'record' in one && one.record.kind === 'alert' ? [one.record] : [],
  );
  expect(commands).toHaveLength(4);
  bench.send('a', 90);
  bench.send('b', 90);
  await bench.pass(1000);
  await bench.settle();
  expect(bench.said.map((text) => text.slice(0, 11))).toEqual(['B ok firing']);
});

test('a rule of the log whose filter cannot be read is kept and says so, and every other one goes on', async () => {
  // Such rules were once taken in while nothing matched. Watching one threw where nothing may: no point of anybody was
  // acknowledged any more, and no start came through, neither by the checkpoint nor by the log.
  const bench = new Bench();
  bench.engine.begin();
  const done = [bench.put('bad', { regex: '(' }), bench.put('good', 'a')];
  for (let i = 0; i < 3; i++) {
    await bench.pass();
    await bench.settle();
  }
  await Promise.all(done);
  bench.send('a', 90);
  await bench.pass(1000);
  await bench.settle();
  expect(bench.said.map((text) => text.slice(0, 14))).toEqual(['good ok firing']);
  const problems = ({ engine }: Bench) =>
    Object.fromEntries(engine.statuses('acme').map(({ ruleId, problem }) => [ruleId, problem]));
  const expected = { bad: expect.stringContaining('"(" is not a regular expression'), good: undefined };
  expect(problems(bench)).toEqual(expected);

  const byLog = new Bench();
  byLog.replay(bench.log);
  expect(byLog.said).toEqual(bench.said);
  expect(problems(byLog)).toEqual(expected);
  const { checkpoint } = await bench.engine.checkpoint();
  const byCheckpoint = new Bench();
  byCheckpoint.replay(bench.log, checkpoint);
  expect(problems(byCheckpoint)).toEqual(expected);

  const removed = bench.engine.remove('acme', 'bad');
  await bench.pass();
  await bench.settle();
  await removed;
  expect(problems(bench)).toEqual({ good: undefined });
});

/** By which every look takes a second: a pass over many points yields wherever it may. */
class SlowClock extends ManualClock {
  #looks = 0;

  override monotonic(): number {
    this.#looks += 1;
    return super.monotonic() + this.#looks * 1000;
  }
}

const hosts = ['a', 'b', 'c', 'd'];
const host = fc.constantFrom(...hosts);
const step = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({
      do: fc.constant('send' as const),
      count: fc.oneof(fc.constant(36_000), fc.integer({ min: 1, max: 20 })),
      from: fc.nat(hosts.length - 1),
      value: fc.constantFrom(10, 50, 90),
    }),
  },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('put' as const), host }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('remove' as const), host }) },
  { weight: 5, arbitrary: fc.record({ do: fc.constant('store' as const) }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('turn' as const) }) },
  {
    weight: 2,
    arbitrary: fc.record({ do: fc.constant('wait' as const), ms: fc.integer({ min: 1, max: 2000 }) }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('remove all' as const) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('look' as const) }) },
);

test('rules decide as in a replay, whatever comes between two slices of a tick', async () => {
  let decided = 0;
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 10, maxLength: 40 }), async (steps) => {
      const bench = new Bench(new SlowClock(start));
      let version = 1;
      const looks: Promise<void>[] = [];
      bench.engine.begin();
      for (const name of hosts) {
        void bench.put(name, name);
        await bench.pass();
        await bench.settle();
      }
      for (const one of steps) {
        if (one.do === 'send')
          bench.sendAll(
            Array.from({ length: one.count }, (_, i) => ({
              host: hosts[(one.from + i) % hosts.length]!,
              value: one.value,
            })),
          );
        else if (one.do === 'put') void bench.put(one.host, one.host, (version += 1));
        else if (one.do === 'remove') void bench.engine.remove('acme', one.host);
        else if (one.do === 'remove all') for (const id of hosts) void bench.engine.remove('acme', id);
        else if (one.do === 'store') bench.store();
        else if (one.do === 'wait') bench.clock.advance(one.ms);
        else if (one.do === 'look') looks.push(bench.check());
        else await turn();
        // What waits for a record goes on, and the running pass does not.
        for (let i = 0; i < 20; i++) await Promise.resolve();
      }
      for (let i = 0; i < 5; i++) {
        await bench.pass(1000);
        await bench.settle();
      }
      for (let i = 0; i < 100; i++) await turn();
      await Promise.all(looks);
      // A new rule has its first look at the second's tick of the engine, which nothing brings about here.
      if (version === 1) expect(bench.unseen).toBe(0);
      const again = new Bench();
      again.replay(bench.log);
      expect(again.said).toEqual(bench.said);
      decided += bench.said.length;
    }),
    { numRuns: 30 },
  );
  expect(decided).toBeGreaterThan(0);
});
