import type { StateGrid } from '@nowcast/aggregate';
import type { ChunkRows, FlushBlock, SketchRows, StateRows } from '@nowcast/ports';

type StateSource = Parameters<StateGrid['mergeColumns']>[1];

/** What a state row takes with its share of the index: the unit of the budget. */
export const rowBytes = 128;
const pointBytes = 24;
const sketchRowBytes = 96;
const pairBytes = 12;
const textBytes = 24;

/** Finest resolutions: points stated at these are in the warehouse only. */
export const finestState = 10_000;
export const finestSketch = 60_000;

/** Rows `[start, end)` of one series in a block: one resolution, ascending in time. */
export interface Run {
  block: HotBlock;
  start: number;
  end: number;
  res: number;
}

export interface PointRun extends Run {
  /** `res` is the resolution of the states that count the points; this is that of the sketches. */
  sketchRes: number;
}

/** Points of the sparse series of a flush. */
export interface HotPoints {
  timestamps: Float64Array;
  values: Float64Array;
  receivedAt: Float64Array;
  dataIds: (string | undefined)[] | undefined;
  actors: (string | undefined)[] | undefined;
  messages: (string | undefined)[] | undefined;
}

/** One flush, copied out of the columns it was built in (which hold all its points, and room for more rows). */
export interface HotBlock {
  partition: number;
  to: number;
  receivedAt: number;
  /** Newest event time of all its points, held or not; −Infinity when it has none. */
  newestMs: number;
  bytes: number;
  /** Every series that has runs. */
  series: Set<bigint>;
  stateBucket: Float64Array;
  states: StateSource;
  sketchBucket: Float64Array;
  sketches: StateSource;
  points: HotPoints;
}

const none = {
  floats: new Float64Array(0),
  offsets: new Uint32Array(0),
  index: new Int32Array(0),
  registers: new Uint16Array(0),
  ranks: new Uint8Array(0),
};

export function newestOf({ chunks }: FlushBlock): number {
  let newest = Number.NEGATIVE_INFINITY;
  for (let i = 0; i < chunks.count; i++) {
    const end = chunks.offsets[i + 1]!;
    if (end > chunks.offsets[i]! && chunks.timestamps[end - 1]! > newest)
      newest = chunks.timestamps[end - 1]!;
  }
  return newest;
}

/** Bytes the block would take, before anything is copied. */
export function bytesOf({ states, sketches, chunks }: FlushBlock): number {
  let bytes = states.length * rowBytes + sketches.length * sketchRowBytes;
  bytes += (sketches.ddIndex.length + sketches.hllRank.length) * pairBytes;
  const texts = [chunks.dataIds, chunks.actors, chunks.messages];
  for (let i = 0; i < chunks.count; i++) {
    if (!isSparse(chunks, i)) continue;
    const [start, end] = [chunks.offsets[i]!, chunks.offsets[i + 1]!];
    bytes += rowBytes + (end - start) * pointBytes;
    for (const text of texts) {
      if (text === undefined) continue;
      for (let k = start; k < end; k++) bytes += textBytes + 2 * (text[k]?.length ?? 0);
    }
  }
  return bytes;
}

function isSparse(chunks: ChunkRows, i: number): boolean {
  return chunks.stateRes[i]! > finestState || chunks.sketchRes[i]! > finestSketch;
}

export function copyBlock(flush: FlushBlock, bytes: number, points: HotPoints): HotBlock {
  const { states, sketches } = flush;
  return {
    partition: flush.partition,
    to: flush.to,
    receivedAt: flush.receivedAt,
    newestMs: newestOf(flush),
    bytes,
    series: new Set(),
    stateBucket: states.bucket.slice(),
    states: copyStates(states),
    sketchBucket: sketches.bucket.slice(),
    sketches: copySketches(sketches),
    points,
  };
}

function copyStates(rows: StateRows): StateSource {
  return {
    count: rows.count.slice(),
    sum: rows.sum.slice(),
    min: rows.min.slice(),
    max: rows.max.slice(),
    first: rows.first.slice(),
    firstAt: rows.firstAt.slice(),
    last: rows.last.slice(),
    lastAt: rows.lastAt.slice(),
    growth: rows.growth.slice(),
    ddOffsets: none.offsets,
    ddIndex: none.index,
    ddCount: none.floats,
    hllOffsets: none.offsets,
    hllRegister: none.registers,
    hllRank: none.ranks,
  };
}

function copySketches(rows: SketchRows): StateSource {
  const { floats } = none;
  return {
    count: floats,
    sum: floats,
    min: floats,
    max: floats,
    first: floats,
    firstAt: floats,
    last: floats,
    lastAt: floats,
    growth: floats,
    ddOffsets: rows.ddOffsets.slice(),
    ddIndex: rows.ddIndex.slice(),
    ddCount: rows.ddCount.slice(),
    hllOffsets: rows.hllOffsets.slice(),
    hllRegister: rows.hllRegister.slice(),
    hllRank: rows.hllRank.slice(),
  };
}

/** Calls `visit` for each run of rows that share series and resolution and ascend in time. */
export function* runsOf(rows: {
  length: number;
  series: BigUint64Array;
  res: Uint32Array;
  bucket: Float64Array;
}): Generator<{ id: bigint; start: number; end: number; res: number }> {
  const { length, series, res, bucket } = rows;
  for (let start = 0; start < length;) {
    const id = series[start]!;
    let end = start + 1;
    while (end < length && series[end] === id && res[end] === res[start] && bucket[end]! > bucket[end - 1]!)
      end++;
    yield { id, start, end, res: res[start]! };
    start = end;
  }
}

/** The points of sparse series, and where those of each chunk row went. */
export function copyPoints(chunks: ChunkRows): {
  points: HotPoints;
  runs: { id: bigint; row: number; start: number; end: number; res: number; sketchRes: number }[];
} {
  const rows = Array.from({ length: chunks.count }, (_, i) => i).filter((i) => isSparse(chunks, i));
  const count = rows.reduce((sum, i) => sum + chunks.offsets[i + 1]! - chunks.offsets[i]!, 0);
  const numbers = (from: Float64Array): Float64Array => {
    const out = new Float64Array(count);
    let end = 0;
    for (const i of rows) {
      const piece = from.subarray(chunks.offsets[i], chunks.offsets[i + 1]);
      out.set(piece, end);
      end += piece.length;
    }
    return out;
  };
  const texts = (from: readonly (string | undefined)[] | undefined) =>
    from === undefined
      ? undefined
      : rows.flatMap((i) => from.slice(chunks.offsets[i], chunks.offsets[i + 1]));
  let end = 0;
  const runs = rows.map((i) => {
    const start = end;
    end += chunks.offsets[i + 1]! - chunks.offsets[i]!;
    const [res, sketchRes] = [chunks.stateRes[i]!, chunks.sketchRes[i]!];
    return { id: chunks.series[i]!, row: i, start, end, res, sketchRes };
  });
  const points: HotPoints = {
    timestamps: numbers(chunks.timestamps),
    values: numbers(chunks.values),
    receivedAt: numbers(chunks.receivedAt),
    dataIds: texts(chunks.dataIds),
    actors: texts(chunks.actors),
    messages: texts(chunks.messages),
  };
  return { points, runs };
}

/** First index in `[start, end)` of an ascending column that is not below `bound`. */
export function lowerBound(column: Float64Array, start: number, end: number, bound: number): number {
  let low = start;
  let high = end;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (column[middle]! < bound) low = middle + 1;
    else high = middle;
  }
  return low;
}
