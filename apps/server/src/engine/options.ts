import { limits } from '@nowcast/contract';

/** What the engine's worker needs to know; plain data, since it crosses into a worker. */
export interface EngineOptions {
  /** Folder that holds `log/`, `warehouse/` and `engine.checkpoint`. */
  dataDir: string;
  /** Partitions of the log. Undefined: what it was made with, 1 for a new one. Another number than that is refused. */
  partitions: number | undefined;
  /** Points after which a partition is flushed. */
  flushPoints: number;
  /** Age of the oldest unflushed record, by receipt time, after which a partition is flushed, milliseconds. */
  flushAgeMs: number;
  /** Flushed points kept in memory a partition, and for how long by receipt time. */
  hotPoints: number;
  hotMs: number;
  /** Flushed state rows kept in memory, all partitions together; sketches and points of sparse series count too. */
  hotStates: number;
  /** Memory for what was asked for lately of the warehouse, bytes; 0: none. */
  warmBytes: number;
  /** Shortest time between two ticks of the live views while data flows, milliseconds. */
  tickMs: number;
  seriesPerTenant: number;
  /** How far back points are taken, milliseconds; `limits.pastMs` at most. Older ones would be dropped at once. */
  pastMs: number;
  /** How long after its end a period is still expected to change, milliseconds; then its coarse states are derived. */
  lateMs: number;
  /** How long points, fine states and coarse states are kept, milliseconds. */
  retention: { rawMs: number; fineMs: number; coarseMs: number };
}

export const defaultEngineOptions: Omit<EngineOptions, 'dataDir'> = {
  partitions: undefined,
  flushPoints: 1_000_000,
  flushAgeMs: 5 * 60_000,
  hotPoints: 2_000_000,
  hotMs: 15 * 60_000,
  hotStates: 500_000,
  warmBytes: 256 * 2 ** 20,
  tickMs: 50,
  seriesPerTenant: 1_000_000,
  pastMs: limits.pastMs,
  lateMs: 10 * 60_000,
  retention: { rawMs: 30 * 86_400_000, fineMs: 180 * 86_400_000, coarseMs: 5 * 366 * 86_400_000 },
};
