import { appError } from '@nowcast/contract';
import { assert } from '@nowcast/kernel';
import type { EventLog, LogEntry, OffsetVector, PartitionId } from '@nowcast/ports';
import { type Disk, type DiskFile, isDiskFull, nodeDisk } from './disk.ts';
import { frameBytes, maxFrameBytes } from './frame.ts';
import { HeldLog } from './held-log.ts';
import { prepareIdentity, publishIdentity, readIdentity } from './log-identity.ts';
import { type LogAlarm, type LogStats, newLogStats } from './log-stats.ts';
import { type Recovered, recoverSegments } from './recovery.ts';
import { type Segment, createSegment } from './segment.ts';
import { readEntries } from './segment-reader.ts';
import { SegmentWriter } from './segment-writer.ts';
import { SpareSegments } from './spare-segments.ts';

export interface LocalEventLogOptions {
  /** Made when it does not exist. Belongs to the log alone. */
  directory: string;
  /** Fixed when the log is created; another number later is refused. */
  partitions: number;
  /** A segment is closed once it is this long. Cutting the log frees whole segments. */
  segmentBytes?: number;
  /** Cut segments kept to be written over, which is cheaper than new files; dropped when the disk is full. */
  spareSegments?: number;
  /** Most bytes that may wait for the disk; an append beyond them is refused with `ingest.busy`. */
  maxQueuedBytes?: number;
  /** First offsets when the log is created: after a restore, the restored watermark, so that no offset comes twice. */
  firstOffsets?: OffsetVector;
  onAlarm?: (alarm: LogAlarm) => void;
  disk?: Disk;
}

interface Call {
  entries: readonly LogEntry[];
  bytes: number;
  resolve: (offsets: number[]) => void;
  reject: (error: unknown) => void;
}

/** One write; more would only make its first caller wait for the last one's bytes. */
const maxGroupBytes = 16 * 2 ** 20;

/**
 * The event log of the embedded mode: one write-ahead log of segment files that carries all partitions, so that a
 * call with entries for several partitions is one frame and one fdatasync, and atomic.
 *
 * Group commit: while one group is written and synced, calls queue; then all of them are the next group. Nothing waits
 * for a timer. At low load a call costs one fdatasync, at high load an fdatasync is shared by as many calls as arrived
 * during the one before.
 *
 * ```
 * append ─► queue ─► group ─► writev, synced ─► advance head ─► resolve   one group at a time
 * ```
 *
 * Memory holds no entry beyond its acknowledgement; `read` reads the files. docs/log.md has the guarantees.
 */
export class LocalEventLog implements EventLog {
  readonly partitions: number;
  readonly #options: Required<Omit<LocalEventLogOptions, 'firstOffsets'>>;
  readonly #firstOffsets: OffsetVector;
  readonly #stats = newLogStats();
  readonly #queue: Call[] = [];
  #queuedBytes = 0;
  #state: 'new' | 'running' | 'stopped' = 'new';
  #epoch = '';
  #segments: Segment[] = [];
  #writer: SegmentWriter | undefined;
  #spares: SpareSegments | undefined;
  #unlock: (() => void) | undefined;
  #pumping: Promise<void> | undefined;
  #truncating: Promise<void> = Promise.resolve();

  constructor(options: LocalEventLogOptions) {
    this.#options = {
      segmentBytes: 64 * 2 ** 20,
      spareSegments: 2,
      maxQueuedBytes: 64 * 2 ** 20,
      onAlarm: () => undefined,
      disk: nodeDisk,
      ...options,
    };
    this.partitions = options.partitions;
    this.#firstOffsets = options.firstOffsets ?? Array.from({ length: options.partitions }, () => 0);
    assert(Number.isInteger(this.partitions) && this.partitions > 0, 'a log has at least one partition');
    assert(this.#firstOffsets.length === this.partitions, 'one first offset a partition');
    assert(this.#options.segmentBytes <= 2 ** 30, 'positions in a segment take four bytes');
  }

  get epoch(): string {
    assert(this.#epoch !== '', 'the log has an epoch once it runs');
    return this.#epoch;
  }

  /** Bytes of the calls that wait for the disk, those being written included. */
  get queuedBytes(): number {
    return this.#queuedBytes;
  }

  /**
   * Opens or creates the log and checks every frame in it (about a second a gigabyte). Rejects with `log.failed` when
   * the log is in use or damaged, `request.invalid` when it has another number of partitions, `log.full` when the disk
   * has no room for it; nothing is changed then.
   */
  async run(): Promise<void> {
    assert(this.#state === 'new', 'a log runs once');
    try {
      await this.#start();
    } catch (cause) {
      if (!isDiskFull(cause)) throw cause;
      const message = `the disk of ${this.#options.directory} is full: free some space, then start again`;
      throw appError('log.full', message, { cause });
    }
    this.#state = 'running';
  }

  async #start(): Promise<void> {
    const { disk, directory } = this.#options;
    await disk.makeDirectory(directory);
    this.#unlock = disk.lock(directory);
    try {
      this.#spares = await SpareSegments.open(disk, directory, this.#options.spareSegments);
      const recovered = await this.#openOrCreate();
      this.#segments = recovered.segments;
      assert(recovered.active !== undefined, 'an open log has a segment to write to');
      this.#writer = new SegmentWriter({
        ...this.#options,
        segments: this.#segments,
        spares: this.#spares,
        file: recovered.active,
        stats: this.#stats,
      });
    } catch (error) {
      this.#unlock();
      throw error;
    }
  }

  append(entries: readonly LogEntry[]): Promise<number[]> {
    const refusal = this.#refusal(entries);
    if (refusal !== undefined) throw refusal;
    if (entries.length === 0) return Promise.resolve([]);
    const bytes = frameBytes(entries);
    this.#queuedBytes += bytes;
    return new Promise((resolve, reject) => {
      this.#queue.push({ entries, bytes, resolve, reject });
      this.#pumping ??= this.#pump();
    });
  }

  head(): OffsetVector {
    return this.#segments.at(-1)?.next ?? this.#firstOffsets;
  }

  tail(): OffsetVector {
    return this.#segments[0]?.base ?? this.#firstOffsets;
  }

  async read(
    partition: PartitionId,
    from: number,
    visit: (offset: number, payload: Uint8Array) => void | Promise<void>,
  ): Promise<void> {
    this.#assertPartition(partition);
    if (this.#state !== 'running') throw notRunning();
    const oldest = this.tail()[partition]!;
    if (from < oldest) {
      const message = `offset ${from} of partition ${partition} was cut away, the oldest kept is ${oldest}`;
      throw appError('log.failed', message);
    }
    const segments = this.#segments.filter(({ next }) => next[partition]! > from);
    for (const segment of segments) segment.readers += 1;
    try {
      for (const segment of segments)
        await readEntries(this.#options.disk, segment, { partition, from, visit });
    } finally {
      for (const segment of segments) segment.readers -= 1;
    }
  }

  truncate(below: OffsetVector): Promise<void> {
    assert(below.length === this.partitions, 'one offset a partition');
    if (this.#state !== 'running') return Promise.reject(notRunning());
    const done = this.#truncating.then(() => this.#removeSegments(below));
    this.#truncating = done.catch(() => undefined);
    return done;
  }

  /** Nothing that is in the log now is cut until the hold is released. For copies of a log in use. */
  hold(): HeldLog {
    if (this.#state !== 'running') throw notRunning();
    return new HeldLog(this.#segments);
  }

  async stop(): Promise<void> {
    if (this.#state !== 'running') return;
    this.#state = 'stopped';
    await this.#pumping;
    await this.#truncating;
    try {
      await this.#writer?.close();
    } finally {
      this.#unlock?.();
    }
  }

  stats(): LogStats & { queuedBytes: number; segments: number; sizeBytes: number } {
    const sizeBytes = this.#segments.reduce((sum, { end }) => sum + end, 0);
    return { ...this.#stats, queuedBytes: this.#queuedBytes, segments: this.#segments.length, sizeBytes };
  }

  async #openOrCreate(): Promise<Recovered> {
    const { disk, directory } = this.#options;
    const identity = await readIdentity(disk, directory);
    if (identity === undefined) return this.#create();
    if (identity.partitions !== this.partitions) {
      throw appError(
        'request.invalid',
        `the log in ${directory} has ${identity.partitions} partitions, ${this.partitions} were asked for: ` +
          `the number is fixed when a log is created, so ask for ${identity.partitions}`,
      );
    }
    this.#epoch = identity.epoch;
    const recovered = await recoverSegments(disk, directory, this.partitions);
    if (recovered.cutBytes > 0) this.#reportTornTail(recovered);
    return recovered.active === undefined || recovered.failedMarks.length > 0
      ? this.#goOnInNewSegment(recovered)
      : recovered;
  }

  async #create(): Promise<Recovered> {
    const { disk, directory } = this.#options;
    const identity = await prepareIdentity(disk, directory, this.partitions);
    const { segment, file } = await createSegment(disk, directory, { index: 1, base: this.#firstOffsets });
    await closeOnFailure(file, () => publishIdentity(disk, directory));
    this.#epoch = identity.epoch;
    return { segments: [segment], active: file, cutBytes: 0, failedMarks: [] };
  }

  async #goOnInNewSegment(recovered: Recovered): Promise<Recovered> {
    const { disk, directory } = this.#options;
    const last = recovered.segments.at(-1);
    if (last === undefined) {
      throw appError('log.failed', `${directory} has no usable log segment: restore a backup`);
    }
    await recovered.active?.close();
    const { segment, file } = await createSegment(disk, directory, {
      index: last.index + 1,
      base: last.next,
    });
    await closeOnFailure(file, async () => {
      for (const mark of recovered.failedMarks) await disk.unlink(mark);
      await disk.syncDirectory(directory);
    });
    return { ...recovered, segments: [...recovered.segments, segment], active: file };
  }

  #reportTornTail({ segments, cutBytes }: Recovered): void {
    const path = segments.at(-1)?.path ?? this.#options.directory;
    const message = `cut ${cutBytes} bytes of an unfinished, unacknowledged write off ${path}`;
    this.#options.onAlarm({ kind: 'torn-tail', path, message, cause: undefined });
  }

  #refusal(entries: readonly LogEntry[]): Error | undefined {
    if (this.#state !== 'running') return notRunning();
    for (const { partition } of entries) this.#assertPartition(partition);
    const bytes = frameBytes(entries);
    if (bytes > maxFrameBytes) {
      return appError(
        'request.too_large',
        `one append holds at most ${maxFrameBytes} bytes: send smaller batches`,
      );
    }
    const { maxQueuedBytes } = this.#options;
    if (this.#queuedBytes === 0 || this.#queuedBytes + bytes <= maxQueuedBytes) return undefined;
    return appError(
      'ingest.busy',
      `${this.#queuedBytes} bytes wait for the disk already: send again in a second`,
    );
  }

  #assertPartition(partition: PartitionId): void {
    assert(
      Number.isInteger(partition) && partition >= 0 && partition < this.partitions,
      `partition ${partition} of ${this.partitions}`,
    );
  }

  async #pump(): Promise<void> {
    await Promise.resolve(); // calls of the same turn share a group
    while (this.#queue.length > 0) {
      const group = this.#takeGroup();
      try {
        const offsets = await this.#writer!.write(group.map((call) => call.entries));
        this.#stats.appends += group.length;
        for (const [i, call] of group.entries()) {
          this.#queuedBytes -= call.bytes;
          call.resolve(offsets[i]!);
        }
      } catch (error) {
        // Those behind would take the offsets of those refused, and overtake them.
        for (const call of [...group, ...this.#queue.splice(0)]) {
          this.#queuedBytes -= call.bytes;
          call.reject(error);
        }
      }
    }
    this.#pumping = undefined;
  }

  #takeGroup(): Call[] {
    let bytes = 0;
    let count = 0;
    while (count < this.#queue.length && (count === 0 || bytes < maxGroupBytes)) {
      bytes += this.#queue[count]!.bytes;
      count += 1;
    }
    return this.#queue.splice(0, count);
  }

  /** Oldest first and each one durably, so that a power cut leaves no hole. No read begins in one being removed. */
  async #removeSegments(below: OffsetVector): Promise<void> {
    while (this.#segments.length > 1) {
      const oldest = this.#segments[0]!;
      if (oldest.readers > 0 || oldest.next.some((next, partition) => next > below[partition]!)) return;
      this.#segments.shift();
      try {
        await this.#spares!.give(oldest.path);
      } catch (error) {
        this.#segments.unshift(oldest);
        throw error;
      }
    }
  }
}

async function closeOnFailure(file: DiskFile, step: () => Promise<void>): Promise<void> {
  try {
    await step();
  } catch (error) {
    await file.close();
    throw error;
  }
}

function notRunning(): Error {
  return appError('server.unavailable', 'the log is not running: send again once the server is ready');
}
