import type { SeriesIndex, Tail } from '@nowcast/head';
import type { PageSource, PageWanted, RecordPoint } from './page-source.ts';
import type { HeadSource } from './sources.ts';
import { endOf, startOf, type TailSpan } from './tail-fold.ts';

interface TailPoint {
  handle: number;
  tail: Tail;
  timestamp: number;
  value: number;
  position: number;
}

/**
 * The tail's points from the page's beginning on: `limit` of them and all others of the last one's time. Memory may hold
 * millions of points of a metric; only those that can be on the page are kept.
 */
export function tailRecords(
  index: SeriesIndex,
  head: HeadSource,
  handles: Uint32Array,
  span: TailSpan,
  to: number,
  page: PageWanted,
): PageSource {
  const points = new FirstPoints(page.limit, page.order);
  for (const handle of handles) {
    const tail = head.tails[index.partitionOf(handle)]!;
    const keep = (timestamp: number, value: number, position: number) => {
      if (timestamp >= span.reach && timestamp < to && points.mayHold(timestamp))
        points.add({ handle, tail, timestamp, value, position });
    };
    tail.walk(handle, startOf(span, tail), endOf(span, tail), keep, span.reach);
  }
  const rows = points.take().map(({ handle, tail, timestamp, value, position }): RecordPoint => {
    const texts = tail.textsAt(position);
    return {
      handle,
      timestamp,
      value,
      receivedAt: tail.recordAt(position).receivedAt,
      dataId: texts?.dataId,
      actor: texts?.actor,
      message: texts?.message,
    };
  });
  return { rows, edge: points.edge };
}

/** Keeps the first `limit` points in the page's order, and those that share the time of the last of them. */
class FirstPoints {
  readonly #limit: number;
  readonly #ascending: boolean;
  #points: TailPoint[] = [];
  /** Points beyond this time cannot be on the page any more. */
  #edge: number;
  #most: number;

  constructor(limit: number, order: 'asc' | 'desc') {
    this.#limit = limit;
    this.#ascending = order === 'asc';
    this.#edge = this.#ascending ? Number.POSITIVE_INFINITY : Number.NEGATIVE_INFINITY;
    this.#most = 2 * limit + 1000;
  }

  mayHold(timestamp: number): boolean {
    return this.#ascending ? timestamp <= this.#edge : timestamp >= this.#edge;
  }

  add(point: TailPoint): void {
    this.#points.push(point);
    if (this.#points.length < this.#most) return;
    this.#prune();
    // Points of one time cannot be told apart by it: then there are simply many.
    this.#most = Math.max(this.#most, 2 * this.#points.length);
  }

  /** Time of the last point kept, when there may be more; undefined: these are all. */
  get edge(): number | undefined {
    return Number.isFinite(this.#edge) ? this.#edge : undefined;
  }

  take(): readonly TailPoint[] {
    this.#prune();
    return this.#points;
  }

  #prune(): void {
    if (this.#points.length <= this.#limit) return;
    const times = Float64Array.from(this.#points, ({ timestamp }) => timestamp).sort();
    this.#edge = times[this.#ascending ? this.#limit - 1 : times.length - this.#limit]!;
    this.#points = this.#points.filter(({ timestamp }) => this.mayHold(timestamp));
  }
}
