import { MemoryHotStore } from '@nowcast/adapter-memory';
import { normaliseQuery } from '@nowcast/aggregate';
import { differences, evaluate, type ReferencePoint } from '@nowcast/aggregate/testing';
import { type Query, type QueryInput, querySchema } from '@nowcast/contract';
import { SeriesIndex } from '@nowcast/head';
import { QueryService } from '@nowcast/history';
import { ManualClock } from '@nowcast/kernel';
import { LiveViewRegistry } from '@nowcast/live';
import type { Warehouse } from '@nowcast/ports';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { LivePass } from './live-pass.ts';
import { createLiveSources } from './live-sources.ts';
import { NewPoints } from './new-points.ts';
import { PartitionState } from './partition-state.ts';
import { Pins } from './pins.ts';
import { SeriesWatch } from './series-watch.ts';
import { Watcher } from './testing/watcher.ts';

const start = 1_800_000_000_000;
/** A view that nobody watches is dropped soon, and counters are loaded anew as often as they need. */
const limits = { lingerMs: 500, reloadMs: 100, reloadShare: 1000 };
const turn = () => new Promise<void>((resolve) => void setImmediate(resolve));
const retention = { rawMs: Infinity, fineMs: Infinity };
const nothingStored = {
  readPoints: () => Promise.reject(new Error('all of it is in memory')),
} as Partial<Warehouse> as Warehouse;

/** The first three are added up together, and so are what each loses when another leaves. */
const questions = (
  [
    { agg: 'sum', group_by: ['zone'] },
    { agg: 'count', group_by: ['zone'] },
    { agg: 'max', group_by: ['zone'] },
    { agg: 'max', group_by: ['host'], limit: 3, step: '10s' },
    { agg: 'avg', across: 'sum' },
    { agg: 'increase', step: '10s' },
  ] satisfies Partial<QueryInput>[]
).map((question): Query => querySchema.parse({ metric_type: 'm', window: '2m', step: '5s', ...question }));

/** The views of an engine without log and warehouse: all points are in memory, and a pass yields wherever it may. */
class Bench {
  readonly points: ReferencePoint[] = [];
  readonly clock = new ManualClock(start);
  readonly watchers: Watcher[];
  readonly core: { readonly live: LiveViewRegistry };
  readonly #index = new SeriesIndex(1);
  readonly #state = new PartitionState(0, 0, 0);
  readonly #pass: LivePass;
  #time = 0;
  /** Passes that ended, and those of them that did not in the turn in which they began. */
  ended = 0;
  interrupted = 0;

  constructor() {
    const { clock } = this;
    const index = this.#index;
    const pins = new Pins([this.#state]);
    const parts = { index, head: pins, warehouse: nothingStored, clock };
    const hot = new MemoryHotStore({ budgetRows: 0, keepMs: 1 });
    const { reader } = new QueryService({ ...parts, hot, warm: undefined, retention });
    const points = new NewPoints(index, pins.tails);
    const sources = createLiveSources({
      ...parts,
      epoch: 'e',
      watch: new SeriesWatch(index),
      reader,
      points,
      finishPass: () => pass.finish(),
      log: (_level, message, fields) => {
        throw new Error(`${message}: ${JSON.stringify(fields)}`);
      },
    });
    const pass = new LivePass({
      live: new LiveViewRegistry(sources, [0], limits),
      points,
      at: () => [this.#state.nextOffset],
      publish: (frames) => this.watchers.forEach((watcher) => watcher.receive(frames)),
      now: () => (this.#time += 1000),
      ended: () => void (this.ended += 1),
    });
    this.#pass = pass;
    this.core = {
      get live() {
        return pass.views;
      },
    };
    this.watchers = questions.map((query) => new Watcher(this, 't', query));
  }

  /** So many points of the series from `first` on, durable and applied; some of them come late. */
  send(count: number, first: number, series: number): void {
    const now = this.clock.now();
    const handles = new Uint32Array(count);
    const timestamps = new Float64Array(count);
    const values = new Float64Array(count);
    for (let i = 0; i < count; i++) {
      const number = first + (i % series);
      const definition: ReferencePoint['series'] = {
        tenant: 't',
        metric_type: 'm',
        source: 's',
        labels: [
          ['host', `h${number}`],
          ['zone', `z${number % 3}`],
        ],
      };
      handles[i] = this.#index.define(definition);
      timestamps[i] = now - 1000 + Math.floor((i * 1000) / count) - (i % 97 === 0 ? 15_000 : 0);
      values[i] = i % 50;
      this.points.push({ series: definition, timestamp: timestamps[i]!, value: values[i]! });
    }
    this.#state.applyPoints({
      offset: this.#state.nextOffset,
      receivedAt: now,
      handles,
      timestamps,
      values,
      extras: undefined,
      seriesEnd: this.#index.size,
    });
    this.#pass.note(handles, now);
  }

  begin(): void {
    const { ended } = this;
    this.#pass.begin();
    if (this.ended === ended) this.interrupted += 1;
  }

  async settle(): Promise<void> {
    await Promise.all(this.watchers.map((watcher) => watcher.connect()));
    // Counters that meet late points are loaded anew, not more often than so.
    this.send(500, 0, 5);
    for (let second = 0; second < 4; second++) {
      this.clock.advance(1000);
      this.begin();
      for (let i = 0; i < 8; i++) await turn();
    }
  }

  problems(): string[] {
    return this.watchers.flatMap(({ query }, i) => {
      const resolved = normaliseQuery(query, this.clock.now());
      const lines = this.watchers[i]!.lines(resolved.from);
      return differences(lines, evaluate(this.points, resolved)).map((text) => `${query.agg}: ${text}`);
    });
  }
}

const step = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({
      do: fc.constant('send' as const),
      count: fc.oneof(fc.integer({ min: 9000, max: 14_000 }), fc.integer({ min: 1, max: 60 })),
      first: fc.nat(12),
      series: fc.integer({ min: 1, max: 25 }),
    }),
  },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('begin' as const) }) },
  {
    weight: 3,
    arbitrary: fc.record({ do: fc.constant('turn' as const), turns: fc.integer({ min: 1, max: 3 }) }),
  },
  {
    weight: 2,
    arbitrary: fc.record({ do: fc.constant('connect' as const), which: fc.nat(questions.length - 1) }),
  },
  {
    weight: 1,
    arbitrary: fc.record({ do: fc.constant('leave' as const), which: fc.nat(questions.length - 1) }),
  },
  {
    weight: 1,
    arbitrary: fc.record({ do: fc.constant('wait' as const), ms: fc.integer({ min: 1, max: 2000 }) }),
  },
);

test('passes in slices: views say what the reference says, whatever comes between two slices', async () => {
  let interrupted = 0;
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 5, maxLength: 20 }), async (steps) => {
      const bench = new Bench();
      const opening: Promise<void>[] = [];
      for (const one of steps) {
        if (one.do === 'send') bench.send(one.count, one.first, one.series);
        else if (one.do === 'begin') bench.begin();
        else if (one.do === 'wait') bench.clock.advance(one.ms);
        else if (one.do === 'leave') bench.watchers[one.which]!.disconnect();
        else if (one.do === 'connect') opening.push(bench.watchers[one.which]!.connect());
        else for (let i = 0; i < one.turns; i++) await turn();
      }
      await Promise.all(opening);
      await bench.settle();
      expect(bench.problems()).toEqual([]);
      interrupted += bench.interrupted;
    }),
    { numRuns: 10 },
  );
  expect(interrupted).toBeGreaterThan(5);
}, 120_000);

test('passes in slices: a view that is dropped between two of them leaves the others all points', async () => {
  const bench = new Bench();
  const [sum, count, max] = bench.watchers;
  for (const watcher of [sum!, count!, max!]) await watcher.connect();
  max!.disconnect();
  bench.send(20_000, 0, 10);
  bench.begin();
  expect(bench.interrupted).toBe(1);
  bench.clock.advance(limits.lingerMs);
  await bench.settle();
  expect(bench.problems()).toEqual([]);
});
