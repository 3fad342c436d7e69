import { decodeRecord, type PointsRecord } from '@nowcast/contract';
import type { SeriesIndex } from '@nowcast/head';
import type { SourceTotals } from '@nowcast/ingest';
import { AppError } from '@nowcast/kernel';
import type { EventLog } from '@nowcast/ports';
import type { Checkpoint } from './checkpoint.ts';
import { type AppliedRecord, PartitionState } from './partition-state.ts';
import type { StoredPartition } from './stored-history.ts';

/** Rebuilds dedupe decisions and what each source has sent from the log; the ingest service implements it. */
export interface ReplayedDedupe {
  restore(checkpoint: Uint8Array): void;
  restoreSources(totals: readonly SourceTotals[]): void;
  replay(partition: number, offset: number, record: PointsRecord, handles: Uint32Array): void;
}

/**
 * Puts the engine where it stood: on top of what is stored (its series are in the index already) dedupe from the
 * checkpoint, then every record the log still holds, in order. Records below the watermark are in the warehouse already and only refill the hot window;
 * flush marks above it are pending again, with the same boundaries. Nothing here depends on when it runs.
 */
export async function recover(options: {
  log: EventLog;
  index: SeriesIndex;
  dedupe: ReplayedDedupe;
  /** Of this log. */
  checkpoint: Checkpoint | undefined;
  stored: readonly StoredPartition[];
}): Promise<PartitionState[]> {
  const { log, index, dedupe, checkpoint } = options;
  if (checkpoint !== undefined) {
    dedupe.restore(checkpoint.dedupe);
    dedupe.restoreSources(checkpoint.sources ?? []);
  }
  const states: PartitionState[] = [];
  for (let partition = 0; partition < log.partitions; partition++) {
    const stored = options.stored[partition]!;
    const state = new PartitionState(partition, stored.to, log.tail()[partition]!);
    checkBounds(state, log.head()[partition]!);
    state.noteStored(stored);
    if (state.nextOffset > 0) {
      const evicted = checkpoint?.evictedNewest[partition];
      state.tail.noteHistory(
        checkpoint === undefined ? Number.POSITIVE_INFINITY : (evicted ?? Number.NEGATIVE_INFINITY),
      );
    }
    await replay(log, state, index, dedupe);
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

async function replay(
  log: EventLog,
  state: PartitionState,
  index: SeriesIndex,
  dedupe: ReplayedDedupe,
): Promise<void> {
  await log.read(state.tail.partition, state.nextOffset, (offset, payload) => {
    const record = decodeRecord(payload);
    if (record.kind === 'flush') {
      state.applyFlush(offset, record.receivedAt);
    } else if (record.kind === 'tick' || record.kind === 'alert') {
      state.applyTick(offset, record.receivedAt);
    } else {
      const applied = toApplied(record, offset, state.tail.partition, index);
      dedupe.replay(state.tail.partition, offset, record, applied.handles);
      state.applyPoints(applied);
    }
  });
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
