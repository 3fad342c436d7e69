import type { Service } from '@nowcast/kernel';

/** 0 … partitions − 1. The number of partitions is fixed when the log is created and never follows the cores. */
export type PartitionId = number;

/** One offset a partition: everything below it has been seen. */
export type OffsetVector = readonly number[];

export interface LogEntry {
  partition: PartitionId;
  payload: Uint8Array;
}

/** Durable, ordered record of everything that was acknowledged. */
export interface EventLog extends Service {
  readonly partitions: number;
  /**
   * Identity of this log's history: kept across restarts, new when the log was lost or restored from a backup.
   * Positions of two epochs must never be compared.
   */
  readonly epoch: string;

  /**
   * Resolves with the offset of each entry once all of them survive what the mode promises
   * (docs/ARCHITECTURE.md, "What a 2xx means"): embedded, they are fdatasynced.
   *
   * - Order: entries of one partition keep the order of the calls, and the offsets are consecutive.
   * - Atomicity: embedded, the entries of one call become durable together or not at all. An adapter without
   *   transactions may keep some partitions' entries and reject; each entry is therefore complete in itself.
   * - Failure: rejects with `log.full` (retryable; the log takes appends again once there is room, without a restart)
   *   or `log.failed` (an fsync failed: nothing is acknowledged any more on this segment, never retried as success).
   *   All calls queued behind a failed one reject too, so that no offset is used twice and order holds.
   * - Refused: *throws* in the call itself `ingest.busy` (retryable) when `queuedBytes` would grow beyond the adapter's
   *   bound, `request.too_large` for what is beyond it alone, `server.unavailable` while it does not run. Nothing is kept of the call, and calls before and after
   *   it are not affected: a caller whose later calls build on it has to know before it makes them.
   * - The payloads must not be changed, nor their buffers transferred, until the promise settles.
   * - No entries resolve with no offsets.
   */
  append(entries: readonly LogEntry[]): Promise<number[]>;

  /** Bytes of the calls that have not settled yet: what a caller watches to refuse work in time. */
  readonly queuedBytes: number;

  /** Next offset a partition will use, for all that is durable. */
  head(): OffsetVector;
  /** Oldest offset still kept, for each partition. */
  tail(): OffsetVector;

  /**
   * Calls `visit` for every durable entry of the partition from offset `from`, in order. `payload` is only valid
   * during the call. Entries appended meanwhile may or may not be visited.
   * Rejects with `log.failed` when `from` lies below `tail()`.
   */
  read(
    partition: PartitionId,
    from: number,
    visit: (offset: number, payload: Uint8Array) => void | Promise<void>,
  ): Promise<void>;

  /** Allows everything below the vector to be forgotten. Never forgets more; may forget less. */
  truncate(below: OffsetVector): Promise<void>;
}
