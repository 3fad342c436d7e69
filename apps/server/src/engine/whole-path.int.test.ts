import { createKillableWarehouse } from '@nowcast/adapter-clickhouse/testing';
import { LocalEventLog } from '@nowcast/adapter-local-log';
import { MemoryHotStore } from '@nowcast/adapter-memory';
import { normaliseQuery } from '@nowcast/aggregate';
import { differences, evaluate, type ReferencePoint, scenario } from '@nowcast/aggregate/testing';
import { type PointRecord, type Query, querySchema } from '@nowcast/contract';
import fc from 'fast-check';
import { afterAll, describe, expect, it } from 'vitest';
import { EngineBench } from './testing/engine-bench.ts';
import { flushDeaths } from './testing/mortal.ts';
import { type Manner, notNumbers, Sender } from './testing/sender.ts';
import { Watcher } from './testing/watcher.ts';

const isLong = process.env['NOWCAST_LONG'] === '1';

/** How much of what is flushed stays in memory, as points and as states: none of it, some, everything. */
const memories = [
  { hotPoints: 0, hotMs: 0, hotStates: 0 },
  { hotPoints: 0, hotMs: 0, hotStates: 30 },
  { hotPoints: 0, hotMs: 0, hotStates: 1e9 },
  { hotPoints: 20, hotMs: 1e12, hotStates: 30 },
  { hotPoints: 1e9, hotMs: 1e12, hotStates: 1e9 },
];
type Memory = (typeof memories)[number];

const benches = new Map<string, Promise<EngineBench>>();
afterAll(async () => {
  for (const bench of benches.values()) await (await bench).destroy();
});

/** A start costs half a second: runs share benches, each with a tenant of its own. */
function benchOf(nowMs: number, memory: Memory): Promise<EngineBench> {
  const name = `${nowMs} ${memory.hotPoints} ${memory.hotStates}`;
  let bench = benches.get(name);
  if (bench === undefined) {
    bench = startBench(nowMs, memory);
    benches.set(name, bench);
  }
  return bench;
}

async function startBench(nowMs: number, memory: Memory): Promise<EngineBench> {
  const bench = new EngineBench({
    adapters: {
      openLog: (directory) => new LocalEventLog({ directory, partitions: 3, segmentBytes: 4096 }),
      openWarehouse: createKillableWarehouse,
      openHotStore: (budgetRows) => new MemoryHotStore({ budgetRows, keepMs: 86_400_000 }),
    },
    nowMs,
    engine: memory,
  });
  await bench.start();
  return bench;
}

const manner: fc.Arbitrary<Manner> = fc.record({
  format: fc.constantFrom('json', 'ndjson', 'line-protocol'),
  ids: fc.boolean(),
  keyed: fc.boolean(),
  twice: fc.boolean(),
  badLine: fc.option(fc.nat({ max: 20 }), { nil: undefined, freq: 3 }),
});

const action = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      do: fc.constant('send' as const),
      count: fc.integer({ min: 1, max: 12 }),
      manner,
    }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('repeat' as const), which: fc.nat() }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('flush' as const), ticked: fc.boolean() }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('ask during a flush' as const) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('maintain' as const) }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('tick' as const) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('reconnect' as const), which: fc.nat({ max: 3 }) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('restart' as const) }) },
  {
    weight: 1,
    arbitrary: fc.record({
      do: fc.constant('crash' as const),
      at: fc.constantFrom(...flushDeaths, undefined),
    }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('check' as const) }) },
);
type Action = typeof action extends fc.Arbitrary<infer T> ? T : never;

let tenants = 0;

/** One tenant's points, questions and screens on a bench. */
class Run {
  readonly bench: EngineBench;
  readonly sender: Sender;
  readonly watchers: Watcher[];
  readonly queue: ReferencePoint[];
  readonly problems: string[] = [];

  constructor(bench: EngineBench, points: readonly ReferencePoint[], query: Query) {
    this.bench = bench;
    tenants += 1;
    const tenant = `tenant-${tenants}`;
    this.sender = new Sender(bench, tenant);
    this.queue = [...points];
    const { limit: _limit, ...unranked } = query;
    const questions: Query[] = [
      query,
      { ...unranked, agg: 'count', across: 'merge' },
      { ...unranked, agg: 'none', group_by: [], limit: 7, order: 'desc' },
    ];
    this.watchers = questions.map((question) => new Watcher(bench, tenant, question));
    bench.onFrames = (frames) => {
      for (const watcher of this.watchers) watcher.receive(frames);
    };
  }

  async do(step: Action): Promise<void> {
    const { bench, sender } = this;
    if (step.do === 'send')
      this.problems.push(...(await sender.send(this.queue.splice(0, step.count), step.manner)));
    else if (step.do === 'repeat') this.problems.push(...(await sender.repeat(step.which)));
    else if (step.do === 'flush') await (step.ticked ? bench.flush() : bench.core.flush());
    else if (step.do === 'ask during a flush') {
      const flush = bench.core.flush();
      await this.checkAnswers();
      await flush;
    } else if (step.do === 'maintain') await bench.maintain(12);
    else if (step.do === 'tick') bench.tick();
    else if (step.do === 'reconnect') {
      const watcher = this.watchers[step.which % this.watchers.length]!;
      watcher.disconnect();
      await watcher.connect();
    } else if (step.do === 'restart') await this.reborn(() => bench.restart());
    else if (step.do === 'crash') await this.reborn(() => this.crash(step.at));
    else await this.check();
    expect(this.problems).toEqual([]);
  }

  crash(at: (typeof flushDeaths)[number] | undefined): Promise<void> {
    return at === undefined ? this.bench.crash() : this.bench.crashInFlush({ at, flushesBefore: 1 });
  }

  async reborn(death: () => Promise<void>): Promise<void> {
    for (const watcher of this.watchers) watcher.connectionLost();
    await death();
    for (const watcher of this.watchers) await watcher.connect();
  }

  /** Everything at hand says the same, once it has settled. */
  async check(): Promise<void> {
    await this.bench.settle();
    await this.checkAnswers();
    const now = this.bench.clock.now();
    for (const watcher of this.watchers.slice(0, 2)) {
      const resolved = normaliseQuery(watcher.query, now);
      const range = { from: resolved.from, to: Number.POSITIVE_INFINITY };
      const expected = evaluate(this.sender.points, resolved, range);
      expect(differences(watcher.lines(resolved.from), expected), `live ${watcher.query.agg}`).toEqual([]);
    }
    await this.checkFeed(this.watchers[2]!, now);
  }

  async checkAnswers(): Promise<void> {
    for (const { query } of this.watchers.slice(0, 2)) {
      const answer = await this.bench.core.data(this.sender.tenant, query, new AbortController().signal);
      const lines = answer.series.map(({ labels, timestamp, value }) => ({
        labels,
        timestamps: timestamp,
        values: value,
      }));
      const expected = evaluate(this.sender.points, normaliseQuery(query, this.bench.clock.now()));
      expect(differences(lines, expected), `GET /data ${query.agg}`).toEqual([]);
    }
    await this.checkRecords();
  }

  /** All pages of records together are the points of the range, each once. */
  async checkRecords(): Promise<void> {
    const { where, metric_type } = this.watchers[2]!.query;
    const to = this.bench.clock.now() + 300_000;
    const from = to - 50 * 86_400_000;
    const base = querySchema.parse({ metric_type, agg: 'none', where, from, to, limit: 9 });
    const records = await this.pages(base);
    const asked = normaliseQuery({ ...base, agg: 'count', step: '1h', group_by: [] }, to);
    const seen = evaluate(this.sender.points, asked).flatMap(({ cells }) => [...cells.values()]);
    expect(records.length, 'records of all pages').toBe(seen.reduce((sum, { value }) => sum + value, 0));
    expect(new Set(records.map(({ data_id }) => data_id)).size, 'ids of records').toBe(records.length);
    const sent = new Map<string, number>();
    for (const point of this.sender.points) sent.set(textOf(point), (sent.get(textOf(point)) ?? 0) + 1);
    for (const record of records) {
      const text = textOf({ ...record, series: record });
      sent.set(text, (sent.get(text) ?? 0) - 1);
      expect(sent.get(text), text).toBeGreaterThanOrEqual(0);
    }
  }

  async pages(base: Query): Promise<PointRecord[]> {
    const records: PointRecord[] = [];
    for (let cursor: string | undefined; ;) {
      const query = cursor === undefined ? base : { ...base, cursor };
      const page = await this.bench.core.data(this.sender.tenant, query, new AbortController().signal);
      records.push(...(page.points ?? []));
      if (page.cursor === undefined) return records;
      cursor = page.cursor;
    }
  }

  async checkFeed(watcher: Watcher, now: number): Promise<void> {
    const { window: _window, step: _step, ...query } = watcher.query;
    const { from } = normaliseQuery(watcher.query, now);
    const answer = await this.bench.core.data(
      this.sender.tenant,
      { ...query, from, to: now + 300_000 },
      new AbortController().signal,
    );
    watcher.state.trim(from);
    const shown = watcher.state.points.map(({ data_id }) => data_id);
    expect(shown.sort(), 'live records').toEqual((answer.points ?? []).map(({ data_id }) => data_id).sort());
  }
}

function textOf(point: {
  series: { source: string; labels: ReferencePoint['series']['labels'] | Record<string, string> };
  timestamp: number;
  value: number;
  actor?: string | undefined;
}): string {
  const { source, labels } = point.series;
  const named = Array.isArray(labels) ? Object.fromEntries(labels as [string, string][]) : labels;
  return JSON.stringify([source, named, point.timestamp, point.value, point.actor ?? null]);
}

describe('the whole path of a point', () => {
  it(
    'gives one answer, whatever is asked of history, of live views and of the naive reference, across flushes, evictions, restarts and kills',
    async () => {
      await fc.assert(
        fc.asyncProperty(
          scenario,
          fc.array(action, { minLength: 4, maxLength: 14, size: 'max' }),
          fc.constantFrom(...memories),
          async ({ points, query, nowMs }, actions, memory) => {
            const bench = await benchOf(nowMs, memory);
            // The clock of a bench only moves on; the points come along.
            const passed = bench.clock.now() - nowMs;
            const run = new Run(
              bench,
              points.map((point) => ({ ...point, timestamp: point.timestamp + passed })),
              query,
            );
            for (const watcher of run.watchers) await watcher.connect();
            for (const step of actions) await run.do(step);
            run.problems.push(...(await run.sender.send(run.queue, plain)));
            await run.check();
            for (const watcher of run.watchers) watcher.disconnect();
            expect(run.problems).toEqual([]);
            expect(bench.warnings).toEqual([]);
          },
        ),
        // Shrinking takes as long as a hundred runs; the seed is enough to see a failure again.
        { numRuns: isLong ? 160 : 16, endOnFailure: true },
      );
    },
    isLong ? 7_200_000 : 600_000,
  );

  it('refuses what is no number, names its line, and keeps all the others', async () => {
    const bench = await benchOf(Date.UTC(2026, 5, 1), memories[0]!);
    const json = (value: string) => `{"metric_type":"n","source":"a","labels":{},"value":${value}}`;
    const bodies = [
      { format: 'ndjson', make: json, join: (lines: string[]) => lines.join('\n'), bad: notNumbers.ndjson },
      {
        format: 'json',
        make: json,
        join: (lines: string[]) => `[${lines.join(',')}]`,
        bad: ['1e999', '-1e999'],
      },
      {
        format: 'line-protocol',
        make: (value: string, i: number) => `n,i=${i} value=${value}`,
        join: (lines: string[]) => lines.join('\n'),
        bad: notNumbers['line-protocol'],
      },
    ] as const;
    let kept = 0;
    for (const { format, make, join, bad } of bodies) {
      const lines = bad.flatMap((value, i) => [make(String(i), i), make(value, i)]);
      const { status, body } = await bench.ingest(join([...lines]), { tenant: 'numbers', format });
      const report = JSON.parse(body) as { accepted: number; rejected: { index: number; message: string }[] };
      expect(status).toBe(422);
      expect(report.accepted).toBe(bad.length);
      expect(report.rejected.map(({ index }) => index)).toEqual(bad.map((_, i) => 2 * i + 1));
      expect(report.rejected.every(({ message }) => message.length > 10)).toBe(true);
      kept += bad.length;
    }
    const query = querySchema.parse({ metric_type: 'n', agg: 'count', window: '5m', step: '1h' });
    const { series } = await bench.core.data('numbers', query, new AbortController().signal);
    expect(series.flatMap(({ value }) => value).reduce((sum, value) => sum! + value!, 0)).toBe(kept);
  });
});

const plain: Manner = { format: 'ndjson', ids: false, keyed: false, twice: false, badLine: undefined };
