import type { ReferencePoint } from '@nowcast/aggregate/testing';
import { SeriesIndex, Tail } from '@nowcast/head';
import { inOneTurn } from '@nowcast/kernel/slices';
import type { HotStore, Warehouse } from '@nowcast/ports';
import { buildFlush, type HeadSource, type WarmStore } from '../index.ts';

export const partitions = 3;

/** Head and warehouse as the engine wires them, small: one record a point, flushed when the test says so. */
export class JoinBench {
  readonly index = new SeriesIndex(partitions);
  readonly tails = Array.from({ length: partitions }, (_, partition) => new Tail(partition));
  readonly offsets = new Float64Array(partitions);
  readonly watermarks = Array.from({ length: partitions }, () => 0);
  readonly positions = Array.from({ length: partitions }, () => 0);
  readonly storedSeries = Array.from({ length: partitions }, () => 0);
  readonly warehouse: Warehouse;
  hot: HotStore;
  warm: WarmStore | undefined;
  readonly newestFlushed = new Float64Array(partitions);

  readonly #createHot: (budgetRows: number) => HotStore;

  constructor(warehouse: Warehouse, createHot: (budgetRows: number) => HotStore) {
    this.warehouse = warehouse;
    this.#createHot = createHot;
    this.hot = createHot(0);
  }

  readonly head: HeadSource = {
    tails: this.tails,
    pin: () => ({ at: [...this.watermarks], positions: [...this.positions], release: () => undefined }),
  };

  append(point: ReferencePoint, receivedAt = 0): void {
    const handle = this.index.define(point.series);
    const partition = this.index.partitionOf(handle);
    this.tails[partition]!.append({
      offset: this.offsets[partition]!++,
      receivedAt,
      handles: Uint32Array.of(handle),
      timestamps: Float64Array.of(point.timestamp),
      values: Float64Array.of(point.value),
      count: 1,
      extras:
        point.actor === undefined
          ? undefined
          : { rows: Uint32Array.of(0), dataIds: [undefined], actors: [point.actor], messages: [undefined] },
    });
  }

  /** Everything, and nothing of it stays in the tails. */
  async flushAll(): Promise<void> {
    for (let partition = 0; partition < partitions; partition++) await this.flush(partition, false);
  }

  /** Hours and days are sealed, and what the retention no longer keeps at `nowMs` is dropped. */
  async growOld(
    nowMs: number,
    retention: { rawMs: number; fineMs: number; coarseMs: number },
  ): Promise<void> {
    const request = { at: [...this.watermarks], now: nowMs, lateMs: 60_000 };
    while (await this.warehouse.maintain({ ...request, retention: new Map([['', retention]]) }));
  }

  async flush(partition: number, keepInMemory: boolean): Promise<void> {
    const tail = this.tails[partition]!;
    const to = this.offsets[partition]!;
    const steps = buildFlush(
      {
        partition,
        from: this.watermarks[partition]!,
        to,
        firstPosition: this.positions[partition]!,
        endPosition: tail.end,
        receivedAt: 0,
        firstSeries: this.storedSeries[partition]!,
        endSeries: this.index.partitionSize(partition),
      },
      tail,
      this.index,
    );
    const block = inOneTurn(steps);
    await this.warehouse.insertFlush(block);
    await this.warehouse.commit({ partition, to, receivedAt: 0 });
    await this.hot.put(block);
    await this.warm?.put(block);
    for (const timestamp of block.chunks.timestamps)
      this.newestFlushed[partition] = Math.max(this.newestFlushed[partition]!, timestamp);
    this.watermarks[partition] = to;
    this.positions[partition] = tail.end;
    this.storedSeries[partition] = this.index.partitionSize(partition);
    if (!keepInMemory) tail.evict(tail.end);
  }

  /** Another hot store, as after a restart of the engine. */
  restartHot(budgetRows: number): void {
    this.hot = this.#createHot(budgetRows);
    this.newestFlushed.forEach((newestMs, partition) => this.hot.begin(partition, newestMs));
  }
}
