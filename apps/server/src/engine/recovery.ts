import { decodeRecord, type LogRecord, type PointsRecord } from '@nowcast/contract';
import type { SeriesIndex } from '@nowcast/head';
import type { SourceTotals } from '@nowcast/ingest';
import { AppError } from '@nowcast/kernel';
import type { EventLog } from '@nowcast/ports';
import { alertOwner, type LoggedControl } from './alerts/alert-engine.ts';
import type { Checkpoint, StoredPartition } from './checkpoint.ts';
import type { DeadLetters } from './dead-letters.ts';
import { type AppliedRecord, PartitionState } from './partition-state.ts';

/** Rebuilds dedupe decisions and what each source has sent from the log; the ingest service implements it. */
export interface ReplayedDedupe {
  restore(checkpoint: Uint8Array): void;
  restoreSources(totals: readonly SourceTotals[]): void;
  replay(partition: number, offset: number, record: PointsRecord, handles: Uint32Array): void;
}

/**
 * Puts the engine where it stood: on top of what is stored (its series are in the index already) dedupe from the
 * checkpoint, then every record of the log from where the checkpoint needs it, in order. Records below the watermark are
 * in the warehouse already and only refill the hot window; flush marks above it are pending again, with the same
 * boundaries. Nothing here depends on when it runs.
 */
export async function recover(options: {
  log: EventLog;
  index: SeriesIndex;
  dedupe: ReplayedDedupe;
  /** Of this log. */
  checkpoint: Checkpoint | undefined;
  stored: readonly StoredPartition[];
  deadLetters: DeadLetters;
  /** Receives the ticks and alert records of the partition that owns the rules, in order. */
  controls: LoggedControl[];
}): Promise<PartitionState[]> {
  const { log, dedupe, checkpoint } = options;
  if (checkpoint !== undefined) {
    dedupe.restore(checkpoint.dedupe);
    dedupe.restoreSources(checkpoint.sources ?? []);
  }
  const states: PartitionState[] = [];
  for (let partition = 0; partition < log.partitions; partition++) {
    const stored = options.stored[partition]!;
    // The log may reach much further back: partitions share its segments, and it is kept whole while it is copied.
    const needed = Math.min(checkpoint?.neededFrom?.[partition] ?? 0, stored.to);
    const from = Math.max(log.tail()[partition]!, needed);
    const state = new PartitionState(partition, stored.to, from);
    checkBounds(state, log.head()[partition]!);
    state.noteStored(stored);
    if (state.nextOffset > 0) {
      const evicted = checkpoint?.evictedNewest[partition];
      state.tail.noteHistory(
        checkpoint === undefined ? Number.POSITIVE_INFINITY : (evicted ?? Number.NEGATIVE_INFINITY),
      );
    }
    await replay(options, state);
    states.push(state);
  }
  return states;
}

/** The log must begin at or below the watermark and end at or above it, or acknowledged points are missing. */
function checkBounds(state: PartitionState, head: number): void {
  const { partition } = state.tail;
  if (state.nextOffset > state.watermark) {
    throw new AppError(
      'server.error',
      `the warehouse holds partition ${partition} up to ${state.watermark} but the log begins at ${state.nextOffset}: restore both from one backup`,
    );
  }
  if (head < state.watermark) {
    throw new AppError(
      'server.error',
      `the warehouse holds partition ${partition} up to ${state.watermark} but the log ends at ${head}: restore both from one backup`,
    );
  }
}

/** Reads of a record before it counts as unreadable; memory and disks do err. */
const tries = 3;
/** More series than one record can define. */
const mostLost = 1_000_000;

async function replay(
  options: {
    log: EventLog;
    index: SeriesIndex;
    dedupe: ReplayedDedupe;
    deadLetters: DeadLetters;
    controls: LoggedControl[];
  },
  state: PartitionState,
): Promise<void> {
  const { log, index, dedupe, deadLetters, controls } = options;
  const { partition } = state.tail;
  let areSeriesLost = false;
  const apply = (offset: number, record: LogRecord): void => {
    if (record.kind === 'flush') {
      state.applyFlush(offset, record.receivedAt);
    } else if (record.kind === 'tick' || record.kind === 'alert') {
      state.applyTick(offset, record.receivedAt);
      if (partition === alertOwner) controls.push({ offset, record });
    } else {
      if (areSeriesLost) index.restoreLost(partition, lostBelow(record, index.partitionSize(partition)));
      const applied = toApplied(record, offset, partition, index);
      dedupe.replay(partition, offset, record, applied.handles);
      state.applyPoints(applied);
    }
  };
  const bury = (offset: number): void => {
    areSeriesLost = true;
    state.applyDead(offset);
  };
  const retry = async (offset: number, payload: Uint8Array, error: unknown): Promise<void> => {
    for (let attempt = 1; attempt < tries; attempt++) {
      const record = tryDecode(await readAgain(log, partition, offset));
      if (!(record instanceof Error)) return apply(offset, record);
    }
    await deadLetters.add(partition, offset, payload, error);
    bury(offset);
  };
  await log.read(partition, state.nextOffset, (offset, payload) => {
    if (deadLetters.has(partition, offset)) return bury(offset);
    const record = tryDecode(payload);
    if (record instanceof Error) return retry(offset, payload.slice(), record);
    return apply(offset, record);
  });
}

function tryDecode(payload: Uint8Array): LogRecord | Error {
  try {
    return decodeRecord(payload);
  } catch (error) {
    return error instanceof Error ? error : new Error(String(error));
  }
}

/** The record from the disk once more. */
async function readAgain(log: EventLog, partition: number, wanted: number): Promise<Uint8Array> {
  let found = new Uint8Array(0);
  const isRead = new Error('the one record is read');
  try {
    await log.read(partition, wanted, (_offset, payload) => {
      found = payload.slice();
      throw isRead;
    });
  } catch (error) {
    if (error !== isRead) throw error;
  }
  return found;
}

/** Local index below which this record expects series that an unreadable record before it defined. */
function lostBelow(record: PointsRecord, size: number): number {
  if (record.definitions.length > 0) return withinReason(record.firstDefinition, size);
  let end = size;
  for (const local of record.series) if (local >= end) end = local + 1;
  return withinReason(end, size);
}

function withinReason(end: number, size: number): number {
  return end - size <= mostLost ? end : size;
}

/** Restores the definitions a record carries and turns its local indexes into handles. */
export function toApplied(
  record: PointsRecord,
  offset: number,
  partition: number,
  index: SeriesIndex,
): AppliedRecord {
  record.definitions.forEach((definition, i) =>
    index.restore(partition, record.firstDefinition + i, definition),
  );
  const handles = new Uint32Array(record.series.length);
  for (let i = 0; i < handles.length; i++) handles[i] = index.handleOf(partition, record.series[i]!);
  return {
    offset,
    receivedAt: record.receivedAt,
    handles,
    timestamps: record.timestamps,
    values: record.values,
    extras: record.extras,
    seriesEnd: record.firstDefinition + record.definitions.length,
  };
}
