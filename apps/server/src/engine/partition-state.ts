import type { PointExtras } from '@nowcast/contract';
import { Tail } from '@nowcast/head';
import type { FlushRange } from '@nowcast/history';
import { assert } from '@nowcast/kernel';

/** Bytes of text that count as much as a point, wherever points in memory are limited. */
export const textBytesPerPoint = 64;

/** A points record as the engine applies it: series as handles. */
export interface AppliedRecord {
  offset: number;
  receivedAt: number;
  handles: Uint32Array;
  timestamps: Float64Array;
  values: Float64Array;
  extras: PointExtras | undefined;
  /** Local indexes below this are defined by this record or an earlier one. */
  seriesEnd: number;
}

/**
 * Where one partition stands between log and warehouse.
 *
 * ```
 *  offsets:   … │ pending flushes (marked in the log) │ open (next flush) │ nextOffset
 *           watermark                                openFrom
 * ```
 * Everything here follows from the records applied, in order; nothing reads a clock.
 */
export class PartitionState {
  readonly tail: Tail;
  /** Offset of the next record to apply. */
  nextOffset: number;
  /** Everything below it is visible in the warehouse. */
  watermark: number;
  /** Position in the tail that the watermark corresponds to. */
  flushedPosition = 0;
  /** Receipt time of the newest record applied, and of the oldest one the next flush will hold. */
  lastReceivedAt = 0;
  openSince = 0;
  readonly pending: FlushRange[] = [];
  /** Receipt time of the last record below the watermark. */
  flushedReceivedAt = 0;
  /** The warehouse knows the series below this local index. */
  flushedSeries = 0;
  #openFrom: number;
  #openRecords = 0;
  #openPosition = 0;
  /** Bytes of the texts before it. */
  #openTexts = 0;
  #openSeries = 0;
  #seriesEnd = 0;

  constructor(partition: number, watermark: number, firstOffset: number) {
    this.tail = new Tail(partition);
    this.watermark = watermark;
    this.#openFrom = watermark;
    this.nextOffset = firstOffset;
  }

  /** Points the next flush would hold. */
  get openPoints(): number {
    return this.tail.end - this.#openPosition;
  }

  /** Bytes of the texts the next flush would hold. */
  get openTextBytes(): number {
    return this.tail.textBytes - this.#openTexts;
  }

  /**
   * Records the next flush would hold. Some bring no points (a retry's, the key of a request whose points lie in other
   * partitions, a tick of the rules), but the log keeps them until they are flushed.
   */
  get openRecords(): number {
    return this.#openRecords;
  }

  /** New series whose definitions the next flush would hold. */
  get openSeries(): number {
    return this.#seriesEnd - this.#openSeries;
  }

  /** First offset the next flush will hold. */
  get openFrom(): number {
    return this.#openFrom;
  }

  /** Local indexes below this are defined by records applied so far. */
  get seriesEnd(): number {
    return this.#seriesEnd;
  }

  /** What the warehouse has, before anything is applied. */
  noteStored({ receivedAt, series }: { receivedAt: number; series: number }): void {
    this.lastReceivedAt = receivedAt;
    this.flushedReceivedAt = receivedAt;
    this.flushedSeries = series;
    this.#openSeries = series;
    this.#seriesEnd = series;
  }

  applyPoints(record: AppliedRecord): void {
    this.#advance(record.offset, record.receivedAt);
    this.#seriesEnd = Math.max(this.#seriesEnd, record.seriesEnd);
    this.#countOpen(record.receivedAt);
    this.tail.append({ ...record, count: record.handles.length });
    if (record.offset < this.watermark) this.#skipFlushed();
  }

  /** A flush mark closes what is open. Returns the range to flush, or undefined when the warehouse has it already. */
  applyFlush(offset: number, receivedAt: number): FlushRange | undefined {
    this.#advance(offset, receivedAt);
    if (offset < this.watermark) {
      this.#skipFlushed();
      return undefined;
    }
    const range: FlushRange = {
      partition: this.tail.partition,
      from: this.#openFrom,
      to: offset + 1,
      firstPosition: this.#openPosition,
      endPosition: this.tail.end,
      receivedAt,
      firstSeries: this.#openSeries,
      endSeries: this.#seriesEnd,
    };
    this.#openFrom = offset + 1;
    this.#openBehindTail();
    this.#openSeries = this.#seriesEnd;
    this.pending.push(range);
    return range;
  }

  /** A record that cannot be read: nothing but its place is known. It goes with the next flush, for the log to be cut. */
  applyDead(offset: number): void {
    this.#advance(offset, this.lastReceivedAt);
    if (offset >= this.watermark) this.#countOpen(this.lastReceivedAt);
  }

  /** A tick or a change of an alert rule. With no points at all they alone must be flushed, or the log is never cut. */
  applyTick(offset: number, receivedAt: number): void {
    this.#advance(offset, receivedAt);
    if (offset >= this.watermark) this.#countOpen(receivedAt);
  }

  /** The warehouse committed the oldest pending flush. */
  committed(range: FlushRange): void {
    assert(this.pending[0] === range, 'flushes commit in order');
    this.pending.shift();
    this.watermark = range.to;
    this.flushedPosition = range.endPosition;
    this.flushedReceivedAt = range.receivedAt;
    this.flushedSeries = range.endSeries;
  }

  /** During recovery: what lies below the watermark is flushed already. */
  #skipFlushed(): void {
    this.#openBehindTail();
    this.flushedPosition = this.tail.end;
  }

  #countOpen(receivedAt: number): void {
    if (this.#openRecords === 0) this.openSince = receivedAt;
    this.#openRecords++;
  }

  #openBehindTail(): void {
    this.#openRecords = 0;
    this.#openPosition = this.tail.end;
    this.#openTexts = this.tail.textBytes;
  }

  #advance(offset: number, receivedAt: number): void {
    assert(offset === this.nextOffset, `record ${offset} applied where ${this.nextOffset} was due`);
    this.nextOffset = offset + 1;
    this.lastReceivedAt = Math.max(this.lastReceivedAt, receivedAt);
  }
}
