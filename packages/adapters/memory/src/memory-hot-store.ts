import { appError } from '@nowcast/contract';
import { inSlices } from '@nowcast/kernel/slices';
import type {
  FlushBlock,
  HotStore,
  HotStoreStats,
  OffsetVector,
  PartitionId,
  PointColumns,
  PointsRequest,
  QueryLimits,
  StateColumns,
  StatesRequest,
} from '@nowcast/ports';
import {
  bytesOf,
  copyBlock,
  copyPoints,
  finestSketch,
  finestState,
  type HotBlock,
  newestOf,
  type PointRun,
  rowBytes,
  type Run,
  runsOf,
} from './hot-block.ts';
import { PointList } from './hot-points.ts';
import { mostCells, StateMerge } from './hot-states.ts';

/** What is held of one series, in the order of the flushes. An id belongs to one tenant and metric for ever. */
interface HotSeries {
  tenant: string;
  metric: string;
  states: Run[];
  sketches: Run[];
  points: PointRun[];
}

/**
 * The hot store in process memory: the columns of each flush as they are, and an index from series to its runs of
 * rows. Merging is left to the read, as in the warehouse: a cell would have to be kept for each step and grouping
 * otherwise, and rows of late points would have to find theirs.
 *
 * Flushes are dropped whole, oldest first, when the budget is used up or they are `keepMs` older than the newest one
 * (by logged receipt time), so that memory never outlives what the warehouse keeps.
 */
export class MemoryHotStore implements HotStore {
  readonly #budgetBytes: number;
  readonly #keepMs: number;
  readonly #series = new Map<bigint, HotSeries>();
  #blocks: HotBlock[] = [];
  #bytes = 0;
  readonly #reach = new Map<PartitionId, number>();
  /** End of the newest flush taken, for each partition. */
  readonly #ends = new Map<PartitionId, number>();
  #answered = 0;
  #declined = 0;

  /** `budgetRows`: state rows; sketches and points count by what they weigh. */
  constructor(options: { budgetRows: number; keepMs: number }) {
    this.#budgetBytes = options.budgetRows * rowBytes;
    this.#keepMs = options.keepMs;
  }

  begin(partition: PartitionId, newestMs: number): void {
    this.#reach.set(partition, newestMs);
  }

  reach(partition: PartitionId): number {
    return this.#reach.get(partition) ?? Number.POSITIVE_INFINITY;
  }

  async put(flush: FlushBlock): Promise<void> {
    const { partition, to } = flush;
    if (to <= (this.#ends.get(partition) ?? 0)) return;
    this.#ends.set(partition, to);
    const bytes = bytesOf(flush);
    await this.#makeRoom(Math.min(bytes, this.#budgetBytes), flush.receivedAt);
    if (bytes > this.#budgetBytes) {
      this.#raise(partition, newestOf(flush));
      return;
    }
    if (bytes === 0) return;
    const { points, runs } = copyPoints(flush.chunks);
    await new Promise(setImmediate);
    const block = copyBlock(flush, bytes, points);
    this.#bytes += bytes;
    this.#blocks.push(block);
    await new Promise(setImmediate);
    // Readers do not see the block before their vector reaches it, so it may come in slices.
    await inSlices(this.#index(block, flush, runs));
  }

  *#index(
    block: HotBlock,
    flush: FlushBlock,
    pointRuns: ReturnType<typeof copyPoints>['runs'],
  ): Generator<void> {
    const { states, sketches, chunks } = flush;
    for (const { id, start, end, res } of runsOf(states)) {
      const name = { tenant: states.tenant[start]!, metric: states.metric[start]! };
      this.#seriesOf(block, id, name).states.push({ block, start, end, res });
      yield;
    }
    for (const { id, start, end, res } of runsOf(sketches)) {
      const name = { tenant: sketches.tenant[start]!, metric: sketches.metric[start]! };
      this.#seriesOf(block, id, name).sketches.push({ block, start, end, res });
      yield;
    }
    for (const { id, row, ...run } of pointRuns) {
      const name = { tenant: chunks.tenant[row]!, metric: chunks.metric[row]! };
      this.#seriesOf(block, id, name).points.push({ block, ...run });
      yield;
    }
  }

  #seriesOf(block: HotBlock, id: bigint, name: { tenant: string; metric: string }): HotSeries {
    let series = this.#series.get(id);
    if (series === undefined) {
      series = { ...name, states: [], sketches: [], points: [] };
      this.#series.set(id, series);
    }
    block.series.add(id);
    return series;
  }

  async #makeRoom(bytes: number, receivedAt: number): Promise<void> {
    const dropped: HotBlock[] = [];
    for (const block of this.#blocks) {
      const isOld = block.receivedAt < receivedAt - this.#keepMs;
      if (!isOld && this.#bytes + bytes <= this.#budgetBytes) break;
      this.#bytes -= block.bytes;
      this.#raise(block.partition, block.newestMs);
      dropped.push(block);
    }
    this.#blocks = this.#blocks.slice(dropped.length);
    for (const block of dropped) await inSlices(this.#forget(block));
  }

  /** Its runs are the first of each of its series: flushes are dropped in the order in which they came. */
  *#forget(block: HotBlock): Generator<void> {
    for (const id of block.series) {
      const series = this.#series.get(id)!;
      for (const runs of [series.states, series.sketches, series.points]) {
        let count = 0;
        while (count < runs.length && runs[count]!.block === block) count++;
        if (count > 0) runs.splice(0, count);
      }
      if (series.states.length + series.sketches.length + series.points.length === 0) this.#series.delete(id);
      yield;
    }
  }

  #raise(partition: PartitionId, newestMs: number): void {
    this.#reach.set(partition, Math.max(this.reach(partition), newestMs));
  }

  readStates(request: StatesRequest): Promise<StateColumns | undefined> {
    return this.#answer(request, () => {
      const groupCount = new Set(request.groups).size;
      if (groupCount * (request.buckets.length - 1) > mostCells) return undefined;
      const merge = new StateMerge(request, groupCount);
      this.#visit(request, (series, i) => {
        merge.addStates(request.groups[i]!, series.states);
        merge.addSketches(request.groups[i]!, series.sketches);
      });
      return merge.columns();
    });
  }

  readPoints(request: PointsRequest): Promise<PointColumns | undefined> {
    const finest = request.bySketch === true ? finestSketch : finestState;
    return this.#answer(request, () => {
      const { statedAt, page } = request;
      if (page !== undefined || statedAt === undefined || statedAt.includes(finest)) return undefined;
      const list = new PointList(request);
      this.#visit(request, (series, i) => list.add(i, series.points));
      return list.columns();
    });
  }

  /** All in one turn: nothing can be dropped between the look at the reach and the answer. */
  #answer<T>(
    request: { at: OffsetVector; from: number; limits: QueryLimits },
    read: () => T | undefined,
  ): Promise<T | undefined> {
    if (request.limits.signal?.aborted === true)
      return Promise.reject(appError('request.cancelled', 'the request was cancelled'));
    const isHeld = request.at.every((_, partition) => request.from > this.reach(partition));
    const answer = isHeld ? read() : undefined;
    if (answer === undefined) this.#declined++;
    else this.#answered++;
    return Promise.resolve(answer);
  }

  #visit(
    request: { tenant: string; metric: string; series: BigUint64Array },
    visit: (series: HotSeries, i: number) => void,
  ): void {
    for (let i = 0; i < request.series.length; i++) {
      const series = this.#series.get(request.series[i]!);
      if (series?.tenant === request.tenant && series.metric === request.metric) visit(series, i);
    }
  }

  stats(): HotStoreStats {
    return {
      blocks: this.#blocks.length,
      stateRows: this.#blocks.reduce((sum, block) => sum + block.stateBucket.length, 0),
      points: this.#blocks.reduce((sum, block) => sum + block.points.timestamps.length, 0),
      bytes: this.#bytes,
      answered: this.#answered,
      declined: this.#declined,
    };
  }
}
