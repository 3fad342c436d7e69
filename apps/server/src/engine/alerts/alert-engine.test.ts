import { type AlertRecord, type ControlRecord, evaluationSchema, type TickRecord } from '@nowcast/contract';
import { SeriesIndex } from '@nowcast/head';
import { ManualClock } from '@nowcast/kernel';
import type { DecidedTransition } from '@nowcast/ports';
import { expect, test } from 'vitest';
import { PartitionState } from '../partition-state.ts';
import { SeriesWatch } from '../series-watch.ts';
import { AlertEngine } from './alert-engine.ts';
import { RulePoints } from './rule-points.ts';

const start = 1_700_000_000_000;
const turn = () => new Promise<void>((resolve) => void setImmediate(resolve));

type Control = TickRecord | AlertRecord;
type Logged = { offset: number } & ({ record: Control } | { host: string; value: number; at: number });

/** An alert engine over a log of one partition that says by hand when what is on its way becomes durable. */
class Bench {
  readonly clock = new ManualClock(start);
  readonly log: Logged[] = [];
  readonly said: string[] = [];
  /** On its way into the log. */
  readonly waiting: Control[] = [];
  readonly #resolves: ((offset: number) => void)[] = [];
  readonly #index = new SeriesIndex(1);
  readonly #state = new PartitionState(0, 0, 0);
  readonly #points = new RulePoints(this.#index, new SeriesWatch(this.#index), [this.#state.tail]);
  readonly engine = new AlertEngine({
    epoch: 'e',
    clock: this.clock,
    states: [this.#state],
    points: this.#points,
    defaultAgg: () => 'last',
    seedOf: () => Promise.resolve(new Uint8Array(0)),
    receivedAt: () => this.clock.now(),
    append: (_partition, record: ControlRecord) =>
      new Promise((resolve) => {
        this.waiting.push(record as Control);
        this.#resolves.push(resolve);
      }),
    report: ({ transitions }) => this.said.push(...transitions.map(textOf)),
    log: () => undefined,
  });

  /** A rule that fires for a host whose last value is above 80. */
  put(id: string, host: string): Promise<void> {
    const evaluation = evaluationSchema.parse({
      query: { metric_type: 'cpu', agg: 'last', where: { host: [host] } },
      window: '1m',
      condition: { kind: 'threshold', op: 'above', value: 80 },
    });
    return this.engine.put('acme', { rule_id: id, version: 1, evaluation });
  }

  /** A point that is durable and applied. */
  send(host: string, value: number): void {
    this.log.push({ offset: this.#state.nextOffset, host, value, at: this.clock.now() });
    this.#apply(host, value, this.clock.now());
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
      const record = this.waiting.shift()!;
      const offset = this.#state.nextOffset;
      this.log.push({ offset, record });
      this.#state.applyTick(offset, record.receivedAt);
      this.engine.applied(offset, record);
      this.#resolves.shift()!(offset);
      await this.pass();
    }
  }

  /** Follows a log from its beginning, as a start after a crash does. */
  replay(log: readonly Logged[]): void {
    for (const one of log) {
      if ('record' in one) this.#state.applyTick(one.offset, one.record.receivedAt);
      else this.#apply(one.host, one.value, one.at);
    }
    const controls = log.flatMap((one) => ('record' in one ? [one] : []));
    this.engine.recover(undefined, controls);
    this.engine.begin();
  }

  #apply(host: string, value: number, at: number): void {
    const handle = this.#index.define({
      tenant: 'acme',
      metric_type: 'cpu',
      source: '',
      labels: [['host', host]],
    });
    const handles = Uint32Array.of(handle);
    this.#state.applyPoints({
      offset: this.#state.nextOffset,
      receivedAt: at,
      handles,
      timestamps: Float64Array.of(at),
      values: Float64Array.of(value),
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
