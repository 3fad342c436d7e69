import type { SeriesDefinition } from '@nowcast/contract';
import type { Service } from '@nowcast/kernel';
import type { OffsetVector, PartitionId } from './event-log.ts';

/**
 * History, as chunk rows and state rows, never a row a point (docs/ARCHITECTURE.md, "History").
 *
 * Every flushed point is in exactly one chunk row and counted in exactly one *fine* state row (10 s, 1 min or 1 h,
 * the finest that holds more than two points a bucket in that flush) and one sketch row (1 min or 1 h). The chunk row
 * says which resolution its points were stated at (`stateRes`), so that a query can take the states that divide its
 * step and read the rest from chunks, without counting a point twice. Coarse states (1 h, 1 d) are derived per sealed
 * period and replace the fine ones of that period in a plan; late points after the sealing add fine rows beside them.
 */
export interface Warehouse extends Service {
  /**
   * Stores the rows of one flush. Idempotent: the same (partition, from, to) again changes nothing, also after a
   * crash in the middle of the first call. Nothing of it is visible to reads before `commit`.
   */
  insertFlush(block: FlushBlock): Promise<void>;
  /** Moves the watermark of the partition to `to` in one row: everything of the flush becomes visible at once. */
  commit(mark: Watermark): Promise<void>;
  /** Committed watermark of each partition that has one. */
  watermarks(): Promise<Watermark[]>;

  /** Every series committed so far, in (partition, local) order. */
  loadSeries(visit: (rows: readonly SeriesRow[]) => void): Promise<void>;

  /**
   * Merged states of the matching fine and coarse rows at or below the vector `at`, one output row for each
   * (group, bucket) that has any. Order within the answer is undefined.
   */
  readStates(request: StatesRequest): Promise<StateColumns>;
  /**
   * Points of chunk rows at or below `at` that overlap the range, cut to the range; unordered across rows. Rejects with
   * `query.too_large` when there are more than the caller could fold: some ten million.
   */
  readPoints(request: PointsRequest): Promise<PointColumns>;

  /**
   * Background upkeep for one tenant-independent period: derives coarse states of sealed periods, compacts short
   * chunks into a new generation, drops what retention says. Safe to interrupt; `true` when there was work.
   */
  maintain(request: MaintainRequest): Promise<boolean>;
  /** Rows, bytes and parts for `/metrics`, detached parts among them. */
  stats(): Promise<WarehouseStats>;
}

export interface Watermark {
  partition: PartitionId;
  /** Exclusive log offset. */
  to: number;
  /** Receipt time of the last record below `to`, epoch ms: "complete to". */
  receivedAt: number;
}

export interface SeriesRow {
  partition: PartitionId;
  local: number;
  /** Stable 64-bit id of (tenant, metric, source, labels). */
  id: bigint;
  definition: SeriesDefinition;
}

/** Read one after the other: all at once, a flush of a million new series would be half a gigabyte of objects. */
export interface SeriesRows extends Iterable<SeriesRow> {
  readonly length: number;
}

/** One flush of one partition: the records `[from, to)`, complete, nothing carried over. */
export interface FlushBlock {
  partition: PartitionId;
  from: number;
  to: number;
  receivedAt: number;
  series: SeriesRows;
  chunks: ChunkRows;
  states: StateRows;
  sketches: SketchRows;
}

/** Chunk rows: row i holds the points `offsets[i]` … `offsets[i + 1]` of the flat columns, ascending in time. */
export interface ChunkRows {
  count: number;
  tenant: readonly string[];
  metric: readonly string[];
  series: BigUint64Array;
  /** Resolution (ms) of the fine states that count these points: 10_000, 60_000 or 3_600_000. */
  stateRes: Uint32Array;
  /** The same for sketches: 60_000 or 3_600_000. */
  sketchRes: Uint32Array;
  /** `count + 1` entries. */
  offsets: Uint32Array;
  timestamps: Float64Array;
  values: Float64Array;
  receivedAt: Float64Array;
  /** Present when any point of the flush has one; one entry a point. */
  dataIds: readonly (string | undefined)[] | undefined;
  actors: readonly (string | undefined)[] | undefined;
  messages: readonly (string | undefined)[] | undefined;
}

/** Fine state rows of a flush: one for each (series, bucket); equal lengths. */
export interface StateRows {
  length: number;
  tenant: readonly string[];
  metric: readonly string[];
  series: BigUint64Array;
  res: Uint32Array;
  /** Bucket start, epoch ms, a multiple of `res`. */
  bucket: Float64Array;
  count: Float64Array;
  sum: Float64Array;
  min: Float64Array;
  max: Float64Array;
  first: Float64Array;
  firstAt: Float64Array;
  last: Float64Array;
  lastAt: Float64Array;
  /** Counter growth inside the row, from its first to its last point, resets handled. */
  growth: Float64Array;
}

/**
 * Sketch rows of a flush, one for each (series, bucket): a DDSketch as (index, count) pairs and, for points that have
 * an actor, a HyperLogLog as (register, rank) pairs; ragged, `…Offsets` have `length + 1` entries.
 */
export interface SketchRows {
  length: number;
  tenant: readonly string[];
  metric: readonly string[];
  series: BigUint64Array;
  res: Uint32Array;
  bucket: Float64Array;
  ddOffsets: Uint32Array;
  ddIndex: Int32Array;
  ddCount: Float64Array;
  hllOffsets: Uint32Array;
  hllRegister: Uint16Array;
  hllRank: Uint8Array;
}

/** Which parts of the state an answer needs; unneeded columns come back empty. */
export interface StateParts {
  /** count, sum. */
  scalar: boolean;
  /** min, max; beside `scalar`. Few answers want them, and finding them costs as much as the sums. */
  extremes: boolean;
  /** first, last and their times. */
  ends: boolean;
  /**
   * Growth of a counter, followed series by series: every series must be a group of its own (else the column is NaN).
   * Implies `ends`.
   */
  growth: boolean;
  quantiles: boolean;
  uniques: boolean;
}

export interface StatesRequest {
  /** Rows with `flushTo <= at[partition]` only. */
  at: OffsetVector;
  tenant: string;
  metric: string;
  /** Stable ids; `groups[i]` is the output group of `series[i]`. Ascending ids. */
  series: BigUint64Array;
  groups: Uint32Array;
  /** Epoch ms, `to` exclusive; both multiples of the finest resolution asked for. */
  from: number;
  to: number;
  /**
   * Bucket starts of the answer, ascending, last one exclusive end (`buckets.length − 1` buckets). A row belongs to
   * the bucket that holds its own start; the planner only asks for resolutions that do not straddle one.
   */
  buckets: Float64Array;
  /** Resolutions (ms) of fine rows to read, of {10_000, 60_000, 3_600_000}. */
  resolutions: readonly number[];
  /**
   * Use derived coarse rows where a sealed period lies wholly inside one bucket. They count points of every
   * resolution, so this only takes effect when `resolutions` names all there are: 10 s, 1 min and 1 h for states,
   * 1 min and 1 h for sketches.
   */
  coarse: boolean;
  parts: StateParts;
  limits: QueryLimits;
}

/**
 * Merged states; row i is (group[i], bucket[i]). With `parts.ends`, ties in time go by value: the smaller one is first,
 * the larger one last, whatever flush, partition or series they came from (docs/decisions/0004-ties-in-time.md).
 *
 * A (group, bucket) that only the sketches know (or only the scalar states) has count 0, NaN in the other float
 * columns and an empty sketch. `sum` agrees with the points to 1e-12 · Σ|v|; count, min, max, first and last exactly.
 */
export interface StateColumns {
  length: number;
  group: Uint32Array;
  /** Index into `buckets`. */
  bucket: Uint32Array;
  count: Float64Array;
  sum: Float64Array;
  min: Float64Array;
  max: Float64Array;
  first: Float64Array;
  firstAt: Float64Array;
  last: Float64Array;
  lastAt: Float64Array;
  /**
   * Growth from the first to the last point of the bucket, resets handled. NaN when rows of the bucket overlap in time
   * (a late point arrived in a later flush): rows cannot be chained then, the points must be read.
   */
  growth: Float64Array;
  ddOffsets: Uint32Array;
  ddIndex: Int32Array;
  ddCount: Float64Array;
  hllOffsets: Uint32Array;
  hllRegister: Uint16Array;
  hllRank: Uint8Array;
}

export interface PointsRequest {
  at: OffsetVector;
  tenant: string;
  metric: string;
  series: BigUint64Array;
  from: number;
  to: number;
  /** Only chunks whose points were stated (`stateRes`, or `sketchRes` when `bySketch`) at one of these; absent: all. */
  statedAt?: readonly number[];
  bySketch?: boolean;
  /** Also data ids, actors, messages and receipt times. */
  records: boolean;
  /**
   * For record pages: newest (or oldest) points first, by (time, value); `limit` of them, and all others that share the
   * time of the last one.
   */
  page?: { limit: number; order: 'asc' | 'desc' };
  limits: QueryLimits;
}

export interface PointColumns {
  length: number;
  /** Index into `request.series`. */
  series: Uint32Array;
  timestamps: Float64Array;
  values: Float64Array;
  receivedAt: Float64Array;
  dataIds: readonly (string | undefined)[] | undefined;
  actors: readonly (string | undefined)[] | undefined;
  messages: readonly (string | undefined)[] | undefined;
}

export interface QueryLimits {
  timeoutMs: number;
  signal?: AbortSignal;
}

export interface MaintainRequest {
  /** Visible vector; nothing above it is touched. */
  at: OffsetVector;
  /**
   * Vectors that snapshots still read at, besides `at`. What a newer generation replaced is deleted only when every
   * one of them has reached that generation. Absent: none.
   */
  pinned?: readonly OffsetVector[];
  /** Logged clock: a period is sealed when it ended this long before it. */
  now: number;
  lateMs: number;
  /** Milliseconds to keep: raw chunks, fine states, coarse states. By tenant, `""` for the default. */
  retention: ReadonlyMap<string, { rawMs: number; fineMs: number; coarseMs: number }>;
}

export interface WarehouseStats {
  bytes: number;
  rows: number;
  parts: number;
  detachedParts: number;
}
