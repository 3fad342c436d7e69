import type { PointExtras } from '@nowcast/contract';
import { assert } from '@nowcast/kernel';
import { type Block, BlockRing, blockMask, blockSize } from './block-ring.ts';
import { HandleColumn } from './handle-column.ts';
import type { RecentPoints } from './registry.ts';

/** One applied log record: which points it brought, and what they share. */
export interface TailRecord {
  /** Position of its first point in the partition's tail. */
  start: number;
  count: number;
  offset: number;
  receivedAt: number;
  extras: PointExtras | undefined;
  /** Newest event time of its points; −Infinity without any. */
  newest: number;
  /** Bytes of all texts that came before it, about. */
  textsBefore: number;
}

export interface AppliedBatch {
  offset: number;
  receivedAt: number;
  handles: Uint32Array;
  timestamps: Float64Array;
  values: Float64Array;
  count: number;
  extras: PointExtras | undefined;
}

/** What a text takes besides its characters, bytes. */
const textOverhead = 40;
/** How many points of one series the line-protocol dedupe looks back over, newest first. */
const dedupeDepth = 4096;

/**
 * The newest points of one partition in memory: everything above the warehouse's watermark, and for a while what lies
 * below it (queries of recent ranges and the dedupe of retries live on that).
 *
 * Per point it costs a copy into columns and one link: each point knows how far back its series' previous point is,
 * so a series can be walked newest first without a column of its own, a million idle series cost nothing, and a
 * flush is one counting sort. Positions count points since the partition began; they are never reused.
 *
 * ```
 *  evicted │ retained, flushed  │ above the watermark │
 *          first                flushed               end
 * ```
 */
export class Tail implements RecentPoints {
  readonly partition: number;
  readonly #blocks = new BlockRing();
  readonly #records: TailRecord[] = [];
  #first = 0;
  #end = 0;
  #evictedNewest = Number.NEGATIVE_INFINITY;
  #textBytes = 0;
  /** Position of each series' newest point by arrival, −1 for none. */
  readonly #last = new HandleColumn(-1);
  readonly #newest = new HandleColumn(Number.NEGATIVE_INFINITY);
  readonly #newestValue = new HandleColumn(Number.NaN);

  constructor(partition: number) {
    this.partition = partition;
  }

  /** Oldest retained position. */
  get first(): number {
    return this.#first;
  }

  /** Position the next point will get. */
  get end(): number {
    return this.#end;
  }

  /** Bytes of all texts that ever came, about; those that are gone included. */
  get textBytes(): number {
    return this.#textBytes;
  }

  /** Bytes of the texts from the record on that `position` lies in. */
  textBytesFrom(position: number): number {
    const record = position >= this.#end ? undefined : this.#records[this.#recordIndex(position)];
    return record === undefined ? 0 : this.#textBytes - record.textsBefore;
  }

  /** No point that was evicted has an event time above this, epoch ms. */
  get evictedNewest(): number {
    return this.#evictedNewest;
  }

  /** Raises `evictedNewest` to what the warehouse already holds at start. */
  noteHistory(newestMs: number): void {
    this.#evictedNewest = Math.max(this.#evictedNewest, newestMs);
  }

  append(batch: AppliedBatch): void {
    const { handles, timestamps, values, count } = batch;
    let max = 0;
    let newest = Number.NEGATIVE_INFINITY;
    for (let i = 0; i < count; i++) {
      if (handles[i]! > max) max = handles[i]!;
      if (timestamps[i]! > newest) newest = timestamps[i]!;
    }
    this.#records.push({
      start: this.#end,
      count,
      offset: batch.offset,
      receivedAt: batch.receivedAt,
      extras: batch.extras,
      newest,
      textsBefore: this.#textBytes,
    });
    this.#textBytes += bytesOf(batch.extras);
    this.#last.ensure(max + 1);
    this.#newest.ensure(max + 1);
    this.#newestValue.ensure(max + 1);
    for (let done = 0; done < count;) {
      const at = this.#end & blockMask;
      const n = Math.min(count - done, blockSize - at);
      this.#copy(this.#blocks.make(this.#end), at, handles, timestamps, values, done, n);
      done += n;
    }
  }

  #copy(
    block: Block,
    at: number,
    handles: Uint32Array,
    timestamps: Float64Array,
    values: Float64Array,
    from: number,
    n: number,
  ): void {
    block.handles.set(handles.subarray(from, from + n), at);
    block.timestamps.set(timestamps.subarray(from, from + n), at);
    block.values.set(values.subarray(from, from + n), at);
    const last = this.#last.array;
    const newest = this.#newest.array;
    const newestValue = this.#newestValue.array;
    const { back, newestBefore } = block;
    let position = this.#end;
    for (let i = from; i < from + n; i++, position++) {
      const handle = handles[i]!;
      const previous = last[handle]!;
      back[at + i - from] = previous < this.#first ? 0 : position - previous;
      last[handle] = position;
      newestBefore[at + i - from] = newest[handle]!;
      if (timestamps[i]! >= newest[handle]!) {
        newest[handle] = timestamps[i]!;
        newestValue[handle] = values[i]!;
      }
    }
    this.#end = position;
  }

  /**
   * Visits the retained points of one series with positions in `[from, to)`, newest arrival first.
   * `visit` returns false to stop. It stops by itself where all that arrived earlier is older than `since`: a question
   * about the last minute does not pay for what else is in memory.
   */
  walk(
    handle: number,
    from: number,
    to: number,
    visit: (timestamp: number, value: number, position: number) => boolean | void,
    since = Number.NEGATIVE_INFINITY,
  ): void {
    const floor = Math.max(from, this.#first);
    let position = handle < this.#last.array.length ? this.#last.array[handle]! : -1;
    while (position >= floor) {
      const block = this.#blocks.at(position);
      const at = position & blockMask;
      if (position < to && visit(block.timestamps[at]!, block.values[at]!, position) === false) return;
      const back = block.back[at]!;
      if (back === 0 || block.newestBefore[at]! < since) return;
      position -= back;
    }
  }

  /** Calls `visit` once for each run of points in `[from, to)`, in order of arrival, as column slices. */
  scan(
    from: number,
    to: number,
    visit: (handles: Uint32Array, timestamps: Float64Array, values: Float64Array, position: number) => void,
  ): void {
    assert(from >= this.#first && to <= this.#end, 'scan outside the retained tail');
    for (let position = from; position < to;) {
      const at = position & blockMask;
      const n = Math.min(to - position, blockSize - at);
      const block = this.#blocks.at(position);
      visit(
        block.handles.subarray(at, at + n),
        block.timestamps.subarray(at, at + n),
        block.values.subarray(at, at + n),
        position,
      );
      position += n;
    }
  }

  /** The record that brought the point at `position`. */
  recordAt(position: number): TailRecord {
    let low = 0;
    let high = this.#records.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if (this.#records[middle]!.start <= position) low = middle;
      else high = middle - 1;
    }
    const record = this.#records[low];
    assert(
      record !== undefined && position >= record.start && position < record.start + record.count,
      'no record at that position',
    );
    return record;
  }

  #recordIndex(position: number): number {
    let low = 0;
    let high = this.#records.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if (this.#records[middle]!.start <= position) low = middle;
      else high = middle - 1;
    }
    return low;
  }

  /** Log offset of the oldest retained record; undefined when none is. */
  get firstOffset(): number | undefined {
    return this.#records[0]?.offset;
  }

  /** Position behind the points of all retained records below `offset`. */
  positionAt(offset: number): number {
    return this.#startOfFirst((record) => record.offset >= offset);
  }

  /** The last record border at or below `position`. */
  recordStart(position: number): number {
    const index = this.#recordIndex(position);
    return position >= this.#end ? this.#end : (this.#records[index]?.start ?? this.#first);
  }

  /** Position of the first retained point whose record was received after `time`; `end` when there is none. */
  firstPositionReceivedAfter(time: number): number {
    return this.#startOfFirst(({ receivedAt }) => receivedAt > time);
  }

  /** Position of the first record from which on the texts take at most so many bytes; `end` when none is. */
  firstPositionWithTexts(mostBytes: number): number {
    return this.#startOfFirst(({ textsBefore }) => this.#textBytes - textsBefore <= mostBytes);
  }

  /** Start of the first record that `isBehind` holds for, as it does for all after it; `end` when there is none. */
  #startOfFirst(isBehind: (record: TailRecord) => boolean): number {
    let low = 0;
    let high = this.#records.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (isBehind(this.#records[middle]!)) high = middle;
      else low = middle + 1;
    }
    return this.#records[low]?.start ?? this.#end;
  }

  /** Data id, actor and message of the point at `position`; undefined where it has none of them. */
  textsAt(
    position: number,
  ): { dataId: string | undefined; actor: string | undefined; message: string | undefined } | undefined {
    const { extras, start } = this.recordAt(position);
    if (extras === undefined) return undefined;
    const row = position - start;
    let low = 0;
    let high = extras.rows.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (extras.rows[middle]! < row) low = middle + 1;
      else high = middle;
    }
    if (extras.rows[low] !== row) return undefined;
    return { dataId: extras.dataIds[low], actor: extras.actors[low], message: extras.messages[low] };
  }

  /** Retained records, oldest first; points of the first one may be gone. */
  records(): IterableIterator<TailRecord> {
    return this.#records.values();
  }

  /** Retained records whose points lie in `[from, to)`, oldest first. */
  recordsIn(from: number, to: number): TailRecord[] {
    return this.#records.filter((record) => record.start >= from && record.start + record.count <= to);
  }

  newestOf(handle: number): number {
    return handle < this.#newest.array.length ? this.#newest.array[handle]! : Number.NEGATIVE_INFINITY;
  }

  newestValueOf(handle: number): number {
    return handle < this.#newestValue.array.length ? this.#newestValue.array[handle]! : Number.NaN;
  }

  has(handle: number, timestamp: number, value: number): boolean {
    let position = handle < this.#last.array.length ? this.#last.array[handle]! : -1;
    for (let depth = 0; position >= this.#first && depth < dedupeDepth; depth++) {
      const block = this.#blocks.at(position);
      const at = position & blockMask;
      if (block.timestamps[at] === timestamp && Object.is(block.values[at], value)) return true;
      // Everything that arrived earlier is older than what is looked for: senders that take turns end here at once.
      if (block.newestBefore[at]! < timestamp || block.back[at] === 0) return false;
      position -= block.back[at]!;
    }
    return false;
  }

  /** Newest event time among the retained points of the record below `position`. */
  #newestIn({ start, count }: TailRecord, position: number): number {
    let newest = Number.NEGATIVE_INFINITY;
    const from = Math.max(start, this.#first);
    this.scan(from, Math.max(from, Math.min(start + count, position)), (_handles, timestamps) => {
      for (let i = 0; i < timestamps.length; i++) if (timestamps[i]! > newest) newest = timestamps[i]!;
    });
    return newest;
  }

  /** Forgets points below `position`, and records without points up to it; whole blocks are freed as they empty. */
  evict(position: number): void {
    if (position < this.#first) return;
    assert(position <= this.#end, 'evicting points that do not exist');
    for (const record of this.#records) {
      if (record.start >= position) break;
      const isWhole = record.start >= this.#first && record.start + record.count <= position;
      const newest = isWhole ? record.newest : this.#newestIn(record, position);
      if (newest > this.#evictedNewest) this.#evictedNewest = newest;
    }
    this.#first = position;
    this.#blocks.dropBelow(position);
    let dropped = 0;
    while (
      dropped < this.#records.length &&
      this.#records[dropped]!.start + this.#records[dropped]!.count <= position
    )
      dropped++;
    this.#records.splice(0, dropped);
  }
}

function bytesOf(extras: PointExtras | undefined): number {
  if (extras === undefined) return 0;
  let bytes = 0;
  for (const texts of [extras.dataIds, extras.actors, extras.messages])
    for (const text of texts) if (text !== undefined) bytes += text.length + textOverhead;
  return bytes;
}
