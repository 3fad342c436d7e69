import type { SeriesIndex } from '@nowcast/head';
import type { IngestStats } from '@nowcast/ingest';
import type { WarmStats } from '@nowcast/history';
import type { LiveStats } from '@nowcast/live';
import type { EngineStats, HistogramSnapshot, HotStoreStats, WarehouseStats } from '@nowcast/ports';
import { type PartitionState, textBytesPerPoint } from './partition-state.ts';

/** What the log counts, whatever the adapter. */
export interface LogFigures {
  counters: Record<string, number>;
  gauges: Record<string, number>;
  histograms: Record<string, HistogramSnapshot>;
}

export function engineStats(parts: {
  ingest: IngestStats;
  live: LiveStats;
  index: SeriesIndex;
  states: readonly PartitionState[];
  log: LogFigures;
  warehouse: WarehouseStats | undefined;
  hot: HotStoreStats;
  warm: WarmStats;
  flushes: { done: number; failed: number };
  /** Records of the log that could not be read and were put aside. */
  deadLetters: number;
  alerts: { rules: number; transitions: number };
  now: number;
}): EngineStats {
  const { ingest, live, states } = parts;
  return {
    counters: {
      ingest_points_total: ingest.points,
      ingest_requests_total: ingest.requests,
      ingest_bytes_total: ingest.bytes,
      ingest_rejected_points_total: ingest.rejected,
      ingest_duplicate_points_total: ingest.duplicates,
      ingest_rounded_integers_total: ingest.roundedIntegers,
      ingest_busy_total: ingest.busy,
      flushes_total: parts.flushes.done,
      flush_failures_total: parts.flushes.failed,
      dead_letters_total: parts.deadLetters,
      alert_transitions_total: parts.alerts.transitions,
      view_reloads_total: live.reloads,
      hot_answered_total: parts.hot.answered,
      hot_declined_total: parts.hot.declined,
      warm_answered_total: parts.warm.answered,
      warm_declined_total: parts.warm.declined,
      warm_loads_total: parts.warm.loads,
      warm_load_failures_total: parts.warm.failedLoads,
      ...parts.log.counters,
    },
    gauges: {
      ...parts.log.gauges,
      series: parts.index.size,
      tail_points: states.reduce((sum, { tail }) => sum + tail.end - tail.first, 0),
      unflushed_points: unflushedPoints(states),
      hot_flushes: parts.hot.blocks,
      hot_state_rows: parts.hot.stateRows,
      hot_points: parts.hot.points,
      hot_bytes: parts.hot.bytes,
      warm_blocks: parts.warm.blocks,
      warm_bytes: parts.warm.bytes,
      ingest_bytes_in_flight: ingest.bytesInFlight,
      ingest_points_in_flight: ingest.pointsInFlight,
      views: live.views,
      alert_rules: parts.alerts.rules,
      view_cells: live.cells,
      warehouse_up: parts.warehouse === undefined ? 0 : 1,
      warehouse_lag_seconds: lagSeconds(states, parts.now),
      ...(parts.warehouse === undefined
        ? {}
        : {
            warehouse_bytes: parts.warehouse.bytes,
            warehouse_rows: parts.warehouse.rows,
            warehouse_parts: parts.warehouse.parts,
            warehouse_detached_parts: parts.warehouse.detachedParts,
          }),
    },
    histograms: parts.log.histograms,
  };
}

/** Points the warehouse does not answer for yet. */
export function unflushedPoints(states: readonly PartitionState[]): number {
  return states.reduce((sum, { tail, flushedPosition }) => sum + tail.end - flushedPosition, 0);
}

/** The same, or what the texts of those points stand for, if that is more. */
export function unflushedSize(states: readonly PartitionState[]): number {
  let textBytes = 0;
  for (const { tail, flushedPosition } of states) textBytes += tail.textBytesFrom(flushedPosition);
  return Math.max(unflushedPoints(states), textBytes / textBytesPerPoint);
}

/** Age of the oldest record that is not in the warehouse. */
function lagSeconds(states: readonly PartitionState[], now: number): number {
  let oldest = now;
  for (const state of states) {
    const record =
      state.tail.end > state.flushedPosition ? state.tail.recordAt(state.flushedPosition) : undefined;
    if (record !== undefined) oldest = Math.min(oldest, record.receivedAt);
  }
  return Math.max(0, now - oldest) / 1000;
}
