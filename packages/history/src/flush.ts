import type { SeriesIndex, Tail } from '@nowcast/head';
import type { ChunkRows, FlushBlock, SeriesRow, SeriesRows } from '@nowcast/ports';
import { FlushScratch, type SortedPoints, sortPoints } from './flush-points.ts';
import { fineResolutions, resolutionFor, sketchResolutions } from './resolutions.ts';
import { SketchRowsBuilder } from './sketch-rows.ts';
import { StateRowsBuilder } from './state-rows.ts';

/** Points of one chunk row at most; longer runs of a series become several rows. */
const chunkPoints = 8192;
/** Points after which the builder lets other work run. */
const slicePoints = 12_000;

export interface FlushRange {
  partition: number;
  /** Log offsets `[from, to)`. */
  from: number;
  to: number;
  /** Positions of the tail that these records' points have. */
  firstPosition: number;
  endPosition: number;
  /** Receipt time of the last record, epoch ms. */
  receivedAt: number;
  /** Local indexes `[firstSeries, endSeries)` were defined by these records. */
  firstSeries: number;
  endSeries: number;
}

/**
 * Builds the rows of one flush: a pure function of the log records `[from, to)`, so that a replay after a crash
 * inserts the very same rows under the very same token. Yields between slices of work; the points do not change
 * meanwhile, because the tail only grows at its end. The block looks into `scratch`: who passes the same one again
 * must be done with the block.
 */
export function* buildFlush(
  range: FlushRange,
  tail: Tail,
  index: SeriesIndex,
  scratch = new FlushScratch(),
): Generator<void, FlushBlock> {
  const localOf = (handle: number) => index.localOf(handle);
  const points = yield* sortPoints(
    tail,
    range.firstPosition,
    range.endPosition,
    range.endSeries,
    localOf,
    scratch,
  );
  const chunks = new ChunkList();
  const states = new StateRowsBuilder();
  const sketches = new SketchRowsBuilder();
  let sinceYield = 0;
  for (let s = 0; s < points.locals.length; s++) {
    const start = points.starts[s]!;
    const end = points.starts[s + 1]!;
    const handle = index.handleOf(range.partition, points.locals[s]!);
    const name = { tenant: index.tenantOf(handle), metric: index.metricOf(handle), id: index.idOf(handle) };
    const stateRes = resolutionFor(fineResolutions, points.timestamps, start, end);
    const sketchRes = resolutionFor(sketchResolutions, points.timestamps, start, end);
    chunks.add(name, stateRes, sketchRes, start, end);
    states.add(name, stateRes, points.timestamps, points.values, start, end);
    sketches.add(name, sketchRes, points, start, end);
    sinceYield += end - start;
    if (sinceYield >= slicePoints) {
      sinceYield = 0;
      yield;
    }
  }
  return {
    partition: range.partition,
    from: range.from,
    to: range.to,
    receivedAt: range.receivedAt,
    series: new NewSeries(range, index),
    chunks: chunks.build(points),
    states: states.build(),
    sketches: sketches.build(),
  };
}

/** What the index says of the series that the flush brings; definitions never change. */
class NewSeries implements SeriesRows {
  readonly #range: FlushRange;
  readonly #index: SeriesIndex;

  constructor(range: FlushRange, index: SeriesIndex) {
    this.#range = range;
    this.#index = index;
  }

  get length(): number {
    return this.#range.endSeries - this.#range.firstSeries;
  }

  *[Symbol.iterator](): Generator<SeriesRow> {
    const { partition, firstSeries, endSeries } = this.#range;
    for (let local = firstSeries; local < endSeries; local++) {
      const handle = this.#index.handleOf(partition, local);
      const [id, definition] = [this.#index.idOf(handle), this.#index.definitionOf(handle)];
      yield { partition, local, id, definition };
    }
  }
}

/** Chunk rows; series are contiguous in the sorted points, so the flat columns are used as they are. */
class ChunkList {
  readonly #tenant: string[] = [];
  readonly #metric: string[] = [];
  readonly #series: bigint[] = [];
  readonly #stateRes: number[] = [];
  readonly #sketchRes: number[] = [];
  readonly #offsets: number[] = [0];

  add(
    name: { tenant: string; metric: string; id: bigint },
    stateRes: number,
    sketchRes: number,
    start: number,
    end: number,
  ): void {
    for (let at = start; at < end; at += chunkPoints) {
      this.#tenant.push(name.tenant);
      this.#metric.push(name.metric);
      this.#series.push(name.id);
      this.#stateRes.push(stateRes);
      this.#sketchRes.push(sketchRes);
      this.#offsets.push(Math.min(at + chunkPoints, end));
    }
  }

  build(points: SortedPoints): ChunkRows {
    return {
      count: this.#series.length,
      tenant: this.#tenant,
      metric: this.#metric,
      series: BigUint64Array.from(this.#series),
      stateRes: Uint32Array.from(this.#stateRes),
      sketchRes: Uint32Array.from(this.#sketchRes),
      offsets: Uint32Array.from(this.#offsets),
      timestamps: points.timestamps,
      values: points.values,
      receivedAt: points.receivedAt,
      dataIds: points.dataIds,
      actors: points.actors,
      messages: points.messages,
    };
  }
}
