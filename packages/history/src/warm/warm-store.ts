import { appError } from '@nowcast/contract';
import type { SeriesIndex } from '@nowcast/head';
import type { Clock } from '@nowcast/kernel';
import { inSlices } from '@nowcast/kernel/slices';
import type { FlushBlock, OffsetVector } from '@nowcast/ports';
import type { Piece, PieceRequest } from '../piece.ts';
import type { StoredRows } from '../stored-rows.ts';
import { type Block, bytesOf, dayMs, isAt, tidy } from './block.ts';
import { type Carried, carriedOf, metricsOf } from './carried.ts';
import { flushTables } from './flush-tables.ts';
import type { HourTable } from './hour-table.ts';
import { LoadQueue } from './load-queue.ts';
import { WarmMetric } from './metric.ts';
import { type Need, needOf } from './need.ts';
import type { PointTable } from './point-table.ts';
import { type Answer, fromHours, fromPoints, growthFromHours, type Part, rawPoints } from './read-blocks.ts';

export interface WarmOptions {
  index: SeriesIndex;
  warehouse: StoredRows;
  clock: Clock;
  /** 0: nothing is held. */
  budgetBytes: number;
  /** How long the warehouse keeps points and states by the hour, milliseconds; what is older is left to it. */
  retention: { rawMs: number; coarseMs: number };
}

export interface WarmStats {
  metrics: number;
  blocks: number;
  bytes: number;
  answered: number;
  declined: number;
  loads: number;
  failedLoads: number;
}

/** Series times buckets up to which an answer does not wait for others: it takes a few milliseconds. */
const smallCells = 20_000;

/**
 * What was asked for lately, in memory: states by the hour and points in their stored form, loaded from the warehouse
 * by the day and metric, and kept up with every flush, because the engine takes milliseconds to plan any statement
 * (docs/decisions/0008-warm-history.md).
 *
 * ```
 *  want ─► load at vector V ─► block (exactly at V) ──put(flush)──► block (exactly at flush.to)
 *                  ▲ flushes meanwhile are put beside what is being loaded
 * ```
 * A block is never almost right: it stands at one vector, it answers readers of that vector only, and a flush that does
 * not begin where it stands makes it worthless. Whatever it cannot answer, the warehouse does.
 */
export class WarmStore {
  readonly #options: WarmOptions;
  readonly #metrics = new Map<string, Map<string, WarmMetric>>();
  readonly #queue: LoadQueue;
  /** Vector that new loads read at: no flush that is put later is part of it, and none that was put is missing. */
  readonly #at: number[] = [];
  #answered = 0;
  #declined = 0;
  /** Large answers are worked out one after the other: side by side all would take as long as all together. */
  #last: Promise<void> = Promise.resolve();

  constructor(options: WarmOptions) {
    this.#options = options;
    this.#queue = new LoadQueue({
      ...options,
      at: () => [...this.#at],
      makeRoom: (keep) => this.#makeRoom(keep),
    });
  }

  /**
   * What is stored of the request's range, merged; undefined where that is not held. What is read is decided in this
   * turn: flushes that come while the answer is worked out, in slices, are not part of it.
   */
  read(request: PieceRequest): Promise<Piece> | undefined {
    if (this.#options.budgetBytes === 0) return undefined;
    this.#noteVector(request.at);
    const need = needOf(request);
    const answer = need === undefined ? undefined : this.#read(request, need);
    if (answer === undefined) return undefined;
    this.#answered++;
    if (request.selection.handles.length * request.borders.length <= smallCells) return inSlices(answer);
    const result = this.#last.then(() => {
      if (request.limits.signal?.aborted === true)
        throw appError('request.cancelled', 'the request was cancelled');
      return inSlices(answer);
    });
    this.#last = result.then(
      () => undefined,
      () => undefined,
    );
    return result;
  }

  /** Has what the request needs loaded soon. */
  want(request: PieceRequest): void {
    const need = needOf(request);
    if (this.#options.budgetBytes === 0 || need === undefined || this.#isOld(need)) return;
    this.#declined++;
    const { tenant, metric } = request.selection;
    const known = this.#metrics.get(tenant)?.get(metric);
    this.#queue.add(known ?? this.#hold(new WarmMetric(this.#options.index, tenant, metric)), need);
  }

  /** What is held at exactly the vector, for `take` of another life. Only when stopped: it is not a copy. */
  carried(at: OffsetVector): Carried {
    return carriedOf(this.#allMetrics(), at);
  }

  /** Takes what another life held at the vector at which this one begins. */
  take(carried: Carried): void {
    if (this.#options.budgetBytes === 0) return;
    for (const metric of metricsOf(carried, this.#options.index)) this.#hold(metric);
    this.#makeRoom([]);
  }

  /**
   * Takes a flush that the warehouse has committed, after which readers' vectors may reach it. Flushes of a partition
   * come in order. Until the moment this resolves readers at the old vector are answered, from then on those at `to`.
   */
  async put(flush: FlushBlock): Promise<void> {
    const { partition, to } = flush;
    if (this.#options.budgetBytes === 0) return;
    this.#at[partition] = Math.max(this.#at[partition] ?? 0, to);
    // Not after the flush: readers wait for its end.
    await inSlices(tidyAll(this.#allMetrics()));
    const wanted = this.#allMetrics().map((metric) => ({
      metric,
      blocks: [...metric.blocks].filter((block) => (block.at[partition] ?? 0) < to),
    }));
    const tables = await inSlices(flushTables(flush, wanted));
    for (const metric of this.#allMetrics()) this.#attach(metric, flush, tables);
    this.#makeRoom([]);
    this.#letGo();
  }

  /** Nothing is being loaded any more, nor waits for it. */
  settled(): Promise<void> {
    return this.#queue.settled();
  }

  stop(): Promise<void> {
    return this.#queue.stop();
  }

  stats(): WarmStats {
    const blocks = this.#allMetrics().flatMap((metric) => [...metric.blocks]);
    return {
      metrics: this.#allMetrics().length,
      blocks: blocks.length,
      bytes: blocks.reduce((sum, block) => sum + bytesOf(block), 0),
      answered: this.#answered,
      declined: this.#declined,
      loads: this.#queue.loads,
      failedLoads: this.#queue.failures,
    };
  }

  #hold(metric: WarmMetric): WarmMetric {
    let metrics = this.#metrics.get(metric.tenant);
    if (metrics === undefined) this.#metrics.set(metric.tenant, (metrics = new Map<string, WarmMetric>()));
    metrics.set(metric.name, metric);
    return metric;
  }

  #noteVector(at: OffsetVector): void {
    at.forEach((offset, partition) => {
      this.#at[partition] = Math.max(this.#at[partition] ?? 0, offset);
    });
  }

  #isOld({ kind, from }: Need): boolean {
    const { clock, retention } = this.#options;
    return from < clock.now() - (kind === 'points' ? retention.rawMs : retention.coarseMs);
  }

  #read(request: PieceRequest, need: Need): Answer | undefined {
    const { tenant, metric: name, handles } = request.selection;
    const metric = this.#metrics.get(tenant)?.get(name);
    if (metric === undefined || this.#isOld(need)) return undefined;
    const blocks = need.kind === 'points' ? this.#pointBlocks(metric, need) : this.#dayBlocks(metric, need);
    if (blocks === undefined) return undefined;
    for (const block of blocks) {
      if (!isAt(block, request.at)) return undefined;
      block.usedAt = this.#options.clock.monotonic();
    }
    const slotted = { ...request, slots: metric.slotsOf(handles) };
    if (need.kind === 'points') {
      const parts = partsOf<PointTable>(blocks, need);
      return need.growth ? rawPoints(slotted, parts) : fromPoints(slotted, parts);
    }
    const parts = partsOf<HourTable>(blocks, need);
    return need.growth ? growthFromHours(slotted, parts) : fromHours(slotted, parts);
  }

  #dayBlocks(metric: WarmMetric, { kind, firstDay, lastDay }: Need): Block[] | undefined {
    const blocks: Block[] = [];
    for (let day = firstDay; day <= lastDay; day += dayMs) {
      const block = metric.find(kind, day);
      if (block?.ready !== true) return undefined;
      blocks.push(block);
    }
    return blocks;
  }

  #pointBlocks(metric: WarmMetric, { from, to }: Need): Block[] | undefined {
    const blocks: Block[] = [];
    for (let time = from; time < to;) {
      const block = metric.pointsAt(time);
      if (block === undefined) return undefined;
      blocks.push(block);
      time = block.start + block.length;
    }
    return blocks;
  }

  #attach(metric: WarmMetric, flush: FlushBlock, tables: Map<Block, HourTable | PointTable>): void {
    const { partition, from, to } = flush;
    for (const block of metric.blocks) {
      const reached = block.at[partition] ?? 0;
      if (reached >= to) continue;
      if (reached !== from) {
        metric.drop(block);
        continue;
      }
      const table = tables.get(block);
      if (table !== undefined) block.tables.push(table);
      block.at[partition] = to;
    }
  }

  /** Drops what was not read for longest until the budget holds; what was only just made (`keep`) goes last. */
  #makeRoom(keep: readonly Block[]): void {
    const held = this.#allMetrics().flatMap((metric) =>
      [...metric.blocks].map((block) => ({ metric, block })),
    );
    let bytes = held.reduce((sum, { block }) => sum + bytesOf(block), 0);
    const rank = (block: Block) => (keep.includes(block) ? Number.POSITIVE_INFINITY : block.usedAt);
    held.sort((a, b) => rank(a.block) - rank(b.block));
    for (const { metric, block } of held) {
      if (bytes <= this.#options.budgetBytes) return;
      if (!block.ready) continue;
      bytes -= bytesOf(block);
      metric.drop(block);
    }
  }

  /** Of metrics that hold nothing: each knows the places of all its series. */
  #letGo(): void {
    // What is to be loaded knows its metric.
    if (!this.#queue.isIdle) return;
    for (const [tenant, metrics] of this.#metrics) {
      for (const [name, { size }] of metrics) if (size === 0) metrics.delete(name);
      if (metrics.size === 0) this.#metrics.delete(tenant);
    }
  }

  #allMetrics(): WarmMetric[] {
    return [...this.#metrics.values()].flatMap((metrics) => [...metrics.values()]);
  }
}

/** Joins what earlier flushes brought. */
function* tidyAll(metrics: readonly WarmMetric[]): Generator<void, void> {
  for (const metric of metrics) for (const block of metric.blocks) yield* tidy(block);
}

/** Each block with the part of the range that it answers, and the tables it has now: flushes bring further ones. */
function partsOf<T extends HourTable | PointTable>(blocks: readonly Block[], need: Need): Part<T>[] {
  let at = need.from;
  return blocks.map((block) => {
    const from = Math.max(at, block.start);
    const to = Math.min(need.to, block.start + block.length);
    at = to;
    return { start: block.start, from, to, tables: [...(block.tables as T[])] };
  });
}
