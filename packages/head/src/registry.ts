import type { SeriesDefinition } from '@nowcast/contract';

/**
 * Names of series inside one engine. A *handle* is a dense small number for the life of the process; (partition,
 * local) is what the log stores. `define` is idempotent: the same definition always gives the same handle.
 */
export interface SeriesRegistry {
  /** Handle of the series, made when it is new. Throws `ingest.series_limit` when the tenant may have no more. */
  define(definition: SeriesDefinition): number;
  /** Handle of the series; −1 when there is none. */
  find(definition: SeriesDefinition): number;
  /** Series of all partitions. */
  readonly size: number;
  partitionOf(handle: number): number;
  localOf(handle: number): number;
  definitionOf(handle: number): SeriesDefinition;
  metricOf(handle: number): string;
  /** Number of series of the partition, = the next local index. */
  partitionSize(partition: number): number;
  handleOf(partition: number, local: number): number;
}

/** What the dedupe of line protocol asks of the points still in memory. */
export interface RecentPoints {
  /** Newest event time the series has had, or -Infinity. */
  newestOf(handle: number): number;
  /** Whether the hot window holds a point of the series with this very time and value. */
  has(handle: number, timestamp: number, value: number): boolean;
}
