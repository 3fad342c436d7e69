import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createEmbeddedWarehouse } from '@nowcast/adapter-clickhouse';
import { MemoryHotStore } from '@nowcast/adapter-memory';
import { normaliseQuery } from '@nowcast/aggregate';
import { differences, evaluate, type ReferencePoint, scenario } from '@nowcast/aggregate/testing';
import { type Query, querySchema } from '@nowcast/contract';
import { ManualClock, systemClock } from '@nowcast/kernel';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { QueryService, WarmStore } from './index.ts';
import type { StoredRows } from './stored-rows.ts';
import { JoinBench, partitions } from './testing/join-bench.ts';

const isLong = process.env['NOWCAST_LONG'] === '1';
const forEver = { rawMs: Infinity, fineMs: Infinity, coarseMs: Infinity };
const dayMs = 86_400_000;

let dir: string;
let bench: JoinBench;
beforeAll(async () => {
  dir = mkdtempSync(join(tmpdir(), 'nowcast-warm-'));
  const warehouse = createEmbeddedWarehouse({ dir, clock: systemClock });
  await warehouse.run();
  bench = new JoinBench(warehouse, (budgetRows) => new MemoryHotStore({ budgetRows, keepMs: 1e15 }));
});
afterAll(async () => {
  await bench.warehouse.stop();
  rmSync(dir, { recursive: true, force: true, maxRetries: 20, retryDelay: 50 });
});

let tenants = 0;

/** A tenant of its own, asked through a warm store of its own. */
class Asker {
  readonly tenant = `tenant-${tenants++}`;
  warm!: WarmStore;
  service!: QueryService;
  readonly points: ReferencePoint[] = [];
  readonly #nowMs: number;
  readonly #begin: () => void;

  constructor(
    nowMs: number,
    budgetBytes: number,
    {
      budgetRows = 0,
      retention = forEver,
      stored = bench.warehouse,
    }: { budgetRows?: number; retention?: typeof forEver; stored?: StoredRows } = {},
  ) {
    this.#nowMs = nowMs;
    bench.newestFlushed.fill(Number.NEGATIVE_INFINITY);
    bench.restartHot(budgetRows);
    const { index, head, hot, warehouse } = bench;
    const clock = new ManualClock(nowMs);
    this.#begin = () => {
      this.warm = new WarmStore({ index, warehouse: stored, clock, budgetBytes, retention });
      bench.warm = this.warm;
      this.service = new QueryService({ index, head, hot, warm: this.warm, warehouse, clock, retention });
    };
    this.#begin();
  }

  /** Another warm store, with what this one holds. */
  async restart(): Promise<void> {
    await this.warm.stop();
    const carried = this.warm.carried(bench.watermarks);
    this.#begin();
    this.warm.take(carried);
  }

  append(point: ReferencePoint): void {
    const own = { ...point, series: { ...point.series, tenant: this.tenant } };
    this.points.push(own);
    bench.append(own);
  }

  /** What the answer has other than the reference. */
  async wrong(query: Query): Promise<unknown[]> {
    const answer = await this.service.data(this.tenant, query);
    const lines = answer.series.map(({ labels, timestamp, value }) => ({
      labels,
      timestamps: timestamp,
      values: value,
    }));
    const resolved = normaliseQuery(query, this.#nowMs);
    const reach = Math.min(resolved.from - 300_000, resolved.buckets.start(resolved.from - 1));
    const seen = this.points.filter((point) => query.agg !== 'increase' || point.timestamp >= reach);
    return differences(lines, evaluate(seen, resolved));
  }

  /** A piece of upkeep, as if all had been long ago: hours and days are sealed, chunks compacted. */
  maintain(): Promise<boolean> {
    return bench.warehouse.maintain({
      at: [...bench.watermarks],
      now: this.#nowMs + 90 * dayMs,
      lateMs: 60_000,
      retention: new Map([['', forEver]]),
    });
  }
}

const event = fc.oneof(
  {
    weight: 3,
    arbitrary: fc.record({
      kind: fc.constant('flush' as const),
      partition: fc.nat(partitions - 1),
      keep: fc.boolean(),
    }),
  },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('ask' as const), settle: fc.boolean() }) },
  { weight: 1, arbitrary: fc.constant({ kind: 'maintain' as const }) },
  { weight: 1, arbitrary: fc.constant({ kind: 'restart' as const }) },
);
const script = fc.array(fc.record({ after: fc.nat(60), event }), { maxLength: 12 });

describe('the warm store', () => {
  it(
    'never changes an answer, whatever is flushed, sealed, compacted, evicted, comes late or is carried on between the questions',
    async () => {
      let answered = 0;
      await fc.assert(
        fc.asyncProperty(
          scenario,
          script,
          fc.constantFrom(0, 3000, 20_000, 1e9),
          fc.constantFrom(0, 1e6),
          async ({ points, query, nowMs }, events, budgetBytes, budgetRows) => {
            const asker = new Asker(nowMs, budgetBytes, { budgetRows });
            for (const [i, point] of points.entries()) {
              asker.append(point);
              for (const { after, event: next } of events) {
                if (after !== i) continue;
                if (next.kind === 'flush') await bench.flush(next.partition, next.keep);
                else if (next.kind === 'maintain') await asker.maintain();
                else if (next.kind === 'restart') {
                  answered += asker.warm.stats().answered;
                  await asker.restart();
                } else {
                  expect(await asker.wrong(query)).toEqual([]);
                  if (next.settle) await asker.warm.settled();
                }
              }
            }
            for (let partition = 0; partition < partitions; partition++) await bench.flush(partition, false);
            expect(await asker.wrong(query)).toEqual([]);
            await asker.warm.settled();
            expect(await asker.wrong(query)).toEqual([]);
            answered += asker.warm.stats().answered;
            expect(asker.warm.stats()).toMatchObject({ failedLoads: 0 });
            await asker.warm.stop();
          },
        ),
        { numRuns: isLong ? 2000 : 30, endOnFailure: true },
      );
      expect(answered).toBeGreaterThan(0);
    },
    isLong ? 3_600_000 : 600_000,
  );

  const nowMs = 1_800_000_000_000;
  const hourMs = 3_600_000;
  /** A point a minute of two hosts over some hours, told by minutes before now. */
  const minutes = (from: number, to: number): ReferencePoint[] =>
    Array.from({ length: from - to }, (_, i) => ({
      series: {
        tenant: '',
        metric_type: 'm',
        source: 'a',
        labels: [['host', i % 2 === 0 ? 'h1' : 'h2'] as const],
      },
      timestamp: nowMs - (from - i) * 60_000,
      value: ((i * 37) % 101) / 10,
    }));
  const flushAll = async () => {
    for (let partition = 0; partition < partitions; partition++) await bench.flush(partition, false);
  };
  const questions = {
    'by whole hours': { agg: 'sum', step: '1h', window: '6h' },
    'by minutes, from points': { agg: 'avg', step: '1m', window: '2h' },
    'first points by the hour': { agg: 'first', step: '1h', window: '6h', group_by: ['host'] },
    'a counter by hours': { agg: 'increase', step: '1h', window: '5h' },
    'a counter by minutes': { agg: 'increase', step: '1m', window: '1h' },
    'quantiles a minute': { agg: 'p95', step: '1m', window: '1h' },
  };

  for (const [name, question] of Object.entries(questions)) {
    it(`answers ${name} without the warehouse once it was asked for, late points and new flushes included`, async () => {
      let asked = 0;
      const stored: StoredRows = {
        readStates: (request) => (asked++, bench.warehouse.readStates(request)),
        readPoints: (request) => (asked++, bench.warehouse.readPoints(request)),
      };
      const asker = new Asker(nowMs, 1e9, { stored });
      const query = querySchema.parse({ metric_type: 'm', ...question });
      for (const point of minutes(400, 30)) asker.append(point);
      await flushAll();
      expect(await asker.wrong(query)).toEqual([]);
      await asker.warm.settled();
      const loads = asked;
      expect(loads).toBeGreaterThan(0);
      for (const [from, to] of [
        [30, 10],
        [200, 190],
        [10, 0],
      ] as const) {
        for (const point of minutes(from, to)) asker.append(point);
        await flushAll();
        const before = asker.warm.stats().answered;
        expect(await asker.wrong(query)).toEqual([]);
        expect(asker.warm.stats().answered).toBeGreaterThan(before);
      }
      expect(asked).toBe(loads);
    });
  }

  it('takes flushes that come while their period is being loaded, once', async () => {
    const gate = Promise.withResolvers<void>();
    const begun = Promise.withResolvers<void>();
    const stored: StoredRows = {
      readStates: async (request) => {
        const states = await bench.warehouse.readStates(request);
        begun.resolve();
        await gate.promise;
        return states;
      },
      readPoints: (request) => bench.warehouse.readPoints(request),
    };
    const asker = new Asker(nowMs, 1e9, { stored });
    const query = querySchema.parse({ metric_type: 'm', ...questions['by whole hours'] });
    for (const point of minutes(400, 100)) asker.append(point);
    await flushAll();
    expect(await asker.wrong(query)).toEqual([]);
    const loaded = asker.warm.settled();
    await begun.promise;
    for (const point of minutes(150, 0)) asker.append(point);
    await flushAll();
    gate.resolve();
    await loaded;
    expect(await asker.wrong(query)).toEqual([]);
    expect(asker.warm.stats().answered).toBe(1);
  });

  it('goes on with what another held, and takes nothing whose series have other places', async () => {
    const asker = new Asker(nowMs, 1e9);
    const query = querySchema.parse({ metric_type: 'm', ...questions['by minutes, from points'] });
    for (const point of minutes(400, 0)) asker.append(point);
    await flushAll();
    expect(await asker.wrong(query)).toEqual([]);
    await asker.warm.settled();
    await asker.restart();
    expect(await asker.wrong(query)).toEqual([]);
    expect(asker.warm.stats()).toMatchObject({ loads: 0, answered: 1, declined: 0 });
    const carried = asker.warm.carried(bench.watermarks);
    for (const { series } of carried.metrics) series.reverse();
    await asker.restart();
    const { index, warehouse } = bench;
    const clock = new ManualClock(nowMs);
    const other = new WarmStore({ index, warehouse, clock, budgetBytes: 1e9, retention: forEver });
    other.take(carried);
    expect(other.stats().blocks).toBe(0);
    expect(asker.warm.carried(bench.watermarks.map((to) => to + 1)).blocks, 'of another vector').toEqual([]);
  });

  it('keeps within its budget, and leaves what is older than the warehouse keeps to the warehouse', async () => {
    const retention = { ...forEver, coarseMs: 3 * hourMs };
    const asker = new Asker(nowMs, 2000, { retention });
    const ask = async (window: string) => {
      expect(
        await asker.wrong(querySchema.parse({ metric_type: 'm', agg: 'sum', step: '1h', window })),
      ).toEqual([]);
      await asker.warm.settled();
    };
    for (const point of minutes(2000, 0)) asker.append(point);
    await flushAll();
    await ask('30h');
    expect(asker.warm.stats()).toMatchObject({ loads: 0, blocks: 0 });
    await ask('2h');
    expect(asker.warm.stats().loads).toBe(1);
    expect(asker.warm.stats().bytes).toBeLessThanOrEqual(2000);
  });

  it('lets go of a metric that it holds nothing of', async () => {
    const asker = new Asker(nowMs, 1);
    for (const point of minutes(100, 10)) asker.append(point);
    await flushAll();
    const query = querySchema.parse({ metric_type: 'm', agg: 'sum', step: '1h', window: '2h' });
    expect(await asker.wrong(query)).toEqual([]);
    await asker.warm.settled();
    expect(asker.warm.stats()).toMatchObject({ loads: 1, blocks: 0, metrics: 1 });
    for (const point of minutes(10, 0)) asker.append(point);
    await flushAll();
    expect(asker.warm.stats()).toMatchObject({ metrics: 0 });
    expect(await asker.wrong(query)).toEqual([]);
    await asker.warm.settled();
    expect(asker.warm.stats(), 'it is held again when it is asked for').toMatchObject({
      loads: 2,
      metrics: 1,
    });
  });
});
