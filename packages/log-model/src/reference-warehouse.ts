import type { Rules } from './rules.ts';
import { type Bucket, type States, coarser, mergeInto, pointState } from './states.ts';
import type { FlushRange, ModelPoint } from './system.ts';

/** One chunk row: points of one flush, or of several after compaction. `to` is what its visibility hangs on. */
interface ChunkRow extends FlushRange {
  points: readonly ModelPoint[];
  /** Generation that brought the row, and the one that replaced it. */
  born: number;
  died: number;
}

/** A derived state of a sealed period; counts the rows of its partition with `to <= upTo`. */
interface CoarseRow {
  partition: number;
  upTo: number;
  state: Bucket;
  born: number;
  died: number;
}

export interface Vision {
  watermark: readonly number[];
  generation: number;
}

export const coarseMs = 10_000;

/** The warehouse, naively: everything is a list, every read looks at all of it. Survives crashes. */
export class ReferenceWarehouse {
  readonly watermark: number[];
  readonly flushes: FlushRange[] = [];
  readonly #rules: Rules;
  #chunks: ChunkRow[] = [];
  #coarse: CoarseRow[] = [];
  #generation = 0;
  readonly #pinned = new Map<object, number>();

  constructor(rules: Rules, partitions: number) {
    this.#rules = rules;
    this.watermark = Array.from({ length: partitions }, () => 0);
  }

  /** What a reader sees now. */
  vision(): Vision {
    return { watermark: [...this.watermark], generation: this.#generation };
  }

  /** Writes the rows of a flush, or only the first half of them when the process dies meanwhile. */
  insertFlush(flush: FlushRange, points: readonly ModelPoint[], onlyHalf: boolean): void {
    const rows = points.map((point) => ({
      ...flush,
      points: [point],
      born: this.#generation,
      died: Infinity,
    }));
    const written = onlyHalf ? rows.slice(0, rows.length >> 1) : rows;
    const had = this.#chunks.filter(
      ({ partition, from, to }) => partition === flush.partition && from === flush.from && to === flush.to,
    );
    const missing = this.#rules.insertIsIdempotent ? written.slice(had.length) : written;
    this.#chunks.push(...missing);
  }

  /** Moves the watermark: one row, whole or not. */
  commit(flush: FlushRange): void {
    if (this.watermark[flush.partition]! >= flush.to) return;
    this.watermark[flush.partition] = flush.to;
    this.flushes.push(flush);
  }

  /** Points of rows that `vision` shows, merged into buckets; coarse rows where the step lets them stand in. */
  read(stepMs: number, vision: Vision): States {
    const states: States = new Map();
    const coarse =
      stepMs % coarseMs === 0
        ? this.#coarse.filter((row) => isAlive(row, vision) && row.upTo <= vision.watermark[row.partition]!)
        : [];
    for (const { state } of coarse) for (const merged of coarser([state], stepMs)) mergeInto(states, merged);
    for (const row of this.#visible(vision)) {
      for (const point of row.points) {
        if (!this.#isDerived(row, point, coarse)) mergeInto(states, pointState(point, stepMs));
      }
    }
    return states;
  }

  /** Everything that may be read under `vision` stays until it is unpinned. */
  pin(vision: Vision): () => void {
    const owner = {};
    this.#pinned.set(owner, vision.generation);
    return () => this.#pinned.delete(owner);
  }

  unpinAll(): void {
    this.#pinned.clear();
  }

  /** Derives the coarse states of periods sealed by `now` and joins all visible chunks of a partition into one. */
  compact(now: number): void {
    const before = this.vision();
    this.#generation += 1;
    this.#deriveSealed(now, before);
    this.#joinChunks(before);
    const oldest = this.#rules.pinsHoldGenerations
      ? Math.min(this.#generation, ...this.#pinned.values())
      : this.#generation;
    this.#chunks = this.#chunks.filter(({ died }) => died > oldest);
    this.#coarse = this.#coarse.filter(({ died }) => died > oldest);
  }

  clone(): ReferenceWarehouse {
    const copy = new ReferenceWarehouse(this.#rules, this.watermark.length);
    copy.watermark.splice(0, this.watermark.length, ...this.watermark);
    copy.flushes.push(...this.flushes);
    copy.#chunks = this.#chunks.map((row) => ({ ...row }));
    copy.#coarse = this.#coarse.map((row) => ({ ...row }));
    copy.#generation = this.#generation;
    return copy;
  }

  #visible(vision: Vision): ChunkRow[] {
    return this.#chunks.filter(
      (row) =>
        isAlive(row, vision) && (!this.#rules.watermarkDecides || row.to <= vision.watermark[row.partition]!),
    );
  }

  #isDerived(row: ChunkRow, point: ModelPoint, coarse: readonly CoarseRow[]): boolean {
    const { series, start } = pointState(point, coarseMs);
    return coarse.some(
      ({ partition, upTo, state }) =>
        partition === row.partition &&
        state.series === series &&
        state.start === start &&
        (!this.#rules.coarseKnowsItsVector || row.to <= upTo),
    );
  }

  /** Only periods with something new: the old coarse row dies, one that counts all visible rows is born. */
  #deriveSealed(now: number, before: Vision): void {
    const fresh = new Map<string, { partition: number; state: Bucket }>();
    for (const row of this.#visible(before)) {
      const states: States = new Map();
      for (const point of row.points) mergeInto(states, pointState(point, coarseMs));
      for (const [key, state] of states) {
        if (state.start + coarseMs > now) continue;
        const merged: States = new Map();
        const had = fresh.get(key);
        if (had !== undefined) mergeInto(merged, had.state);
        mergeInto(merged, state);
        fresh.set(key, { partition: row.partition, state: merged.get(key)! });
      }
    }
    for (const row of this.#coarse) if (isAlive(row, before)) row.died = this.#generation;
    for (const { partition, state } of fresh.values()) {
      const upTo = before.watermark[partition]!;
      this.#coarse.push({ partition, state, upTo, born: this.#generation, died: Infinity });
    }
  }

  #joinChunks(before: Vision): void {
    for (const partition of this.watermark.keys()) {
      const rows = this.#visible(before).filter((row) => row.partition === partition);
      if (rows.length < 2) continue;
      for (const row of rows) row.died = this.#generation;
      const from = Math.min(...rows.map((row) => row.from));
      const to = Math.max(...rows.map((row) => row.to));
      const points = rows.flatMap((row) => row.points);
      this.#chunks.push({ partition, from, to, points, born: this.#generation, died: Infinity });
    }
  }
}

function isAlive(row: { born: number; died: number }, vision: Vision): boolean {
  return row.born <= vision.generation && vision.generation < row.died;
}
