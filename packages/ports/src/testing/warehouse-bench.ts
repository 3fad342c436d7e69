import type { OffsetVector } from '../event-log.ts';
import type { PointColumns, PointsRequest, StateColumns, StatesRequest, Warehouse } from '../warehouse.ts';
import { flushBlock, seriesId, type TestFlush, type TestPoint } from './warehouse-blocks.ts';

export const hourMs = 3_600_000;
export const dayMs = 86_400_000;
/** A Monday, 00:00 UTC. */
export const monday = 1_789_948_800_000;
export const limits = { timeoutMs: 30_000 };
export const allResolutions = [10_000, 60_000, hourMs];
export const nothing = {
  scalar: false,
  extremes: false,
  ends: false,
  growth: false,
  quantiles: false,
  uniques: false,
};
export const scalarAndEnds = { ...nothing, scalar: true, extremes: true, ends: true };
export const forEver = new Map([['', { rawMs: Infinity, fineMs: Infinity, coarseMs: Infinity }]]);

/** One metric of the warehouse under test, and what is known about it. Log offsets are shared by all metrics. */
export class Bench {
  static #offsets = [0, 0, 0];
  readonly warehouse: Warehouse;
  readonly metric: string;
  readonly points: TestPoint[] = [];

  constructor(warehouse: () => Warehouse, metric: string) {
    // Tests reopen the warehouse; always speak to the current one.
    this.warehouse = new Proxy({} as Warehouse, {
      get: (_, name: keyof Warehouse) => {
        const current = warehouse();
        const method = current[name];
        return typeof method === 'function' ? method.bind(current) : method;
      },
    });
    this.metric = metric;
  }

  get at(): OffsetVector {
    return [...Bench.#offsets];
  }

  /** The next flush of a partition; nothing is inserted yet. */
  flush(points: readonly TestPoint[], more: Partial<TestFlush> = {}) {
    const partition = more.partition ?? 0;
    const from = Bench.#offsets[partition]!;
    const to = (Bench.#offsets[partition] = from + 10);
    return flushBlock({ metric: this.metric, points, ...more, partition, from, to });
  }

  async commit(block: { partition: number; to: number }): Promise<void> {
    await this.warehouse.commit({ partition: block.partition, to: block.to, receivedAt: block.to });
  }

  async store(points: readonly TestPoint[], more: Partial<TestFlush> = {}): Promise<void> {
    const block = this.flush(points, more);
    await this.warehouse.insertFlush(block);
    await this.commit(block);
    this.points.push(...points);
  }

  readPoints(
    request: Partial<PointsRequest> = {},
    series: readonly number[] = [0, 1, 2],
  ): Promise<PointColumns> {
    const ids = BigUint64Array.from(series, seriesId);
    const { at, metric } = this;
    return this.warehouse.readPoints({
      at,
      tenant: 'acme',
      metric,
      series: ids,
      from: 0,
      to: 1e14,
      records: false,
      limits,
      ...request,
    });
  }

  /** `groupOf[series]` is its group; buckets of `step` from `from` to `to`. */
  readStates(
    range: { from: number; to: number; step: number },
    groupOf: readonly number[],
    request: Partial<StatesRequest> = {},
  ): Promise<StateColumns> {
    const series = groupOf
      .map((group, i) => ({ id: seriesId(i), group }))
      .sort((a, b) => (a.id < b.id ? -1 : 1));
    const { at, metric } = this;
    return this.warehouse.readStates({
      at,
      tenant: 'acme',
      metric,
      series: BigUint64Array.from(series, ({ id }) => id),
      groups: Uint32Array.from(series, ({ group }) => group),
      from: range.from,
      to: range.to,
      buckets: Float64Array.from(
        { length: (range.to - range.from) / range.step + 1 },
        (_, i) => range.from + i * range.step,
      ),
      resolutions: allResolutions,
      coarse: true,
      parts: scalarAndEnds,
      limits,
      ...request,
    });
  }

  /** Upkeep at `now` until there is nothing left to do. */
  async maintain(
    now: number,
    more: { at?: OffsetVector; pinned?: OffsetVector[]; retention?: typeof forEver } = {},
  ): Promise<number> {
    for (let works = 0; ; works++) {
      const request = { at: this.at, now, lateMs: 60_000, retention: forEver, ...more };
      if (!(await this.warehouse.maintain(request))) return works;
    }
  }
}

export function at(
  series: number,
  timestamp: number,
  value: number,
  more: Partial<TestPoint> = {},
): TestPoint {
  return { series, timestamp, value, ...more };
}

/** `series@time=value`, sorted; what a test compares. */
export function shown(points: PointColumns): string[] {
  const rows = Array.from(
    points.timestamps,
    (time, i) => `${points.series[i]}@${time}=${bitsOf(points.values[i]!)}`,
  );
  return rows.sort();
}

export function expected(points: readonly TestPoint[]): string[] {
  return points.map(({ series, timestamp, value }) => `${series}@${timestamp}=${bitsOf(value)}`).sort();
}

/** Tells +0 and −0 apart, and every double from its neighbour. */
export function bitsOf(value: number): string {
  return new BigUint64Array(Float64Array.of(value).buffer)[0]!.toString(16);
}

export type Reopen = (how: 'close' | 'crash') => Promise<void>;
