import type { PartitionId } from './event-log.ts';
import type { FlushBlock, PointColumns, PointsRequest, StateColumns, StatesRequest } from './warehouse.ts';

/**
 * What was flushed lately, in memory: the states and sketches of each flush, and the points of sparse series (those
 * whose states or sketches are coarser than the finest resolution). A range that it holds completely needs no
 * warehouse.
 *
 * The danger is to hold *almost* everything of a range: late points and dropped flushes leave holes that no answer
 * shows. So it knows for each partition how far it reaches, and it does not answer at all where it is not certain.
 */
export interface HotStore {
  /**
   * Says what is not here when the partition begins: no point that was flushed before has an event time above
   * `newestMs` (−Infinity: nothing was flushed, +Infinity: nobody knows). Until then the reach is +Infinity.
   */
  begin(partition: PartitionId, newestMs: number): void;
  /**
   * Takes a flush that the warehouse has committed, before readers' vectors reach it. The flushes of a partition come
   * in order and one at a time; the same one again changes nothing. Resolves when it is held or, beyond the budget,
   * counted as dropped; never rejects. The block is copied and may be let go of.
   */
  put(block: FlushBlock): Promise<void>;
  /**
   * Epoch ms: every point of the partition that was flushed and has an event time above this is held. Never falls;
   * rises when the budget or age drops a flush.
   */
  reach(partition: PartitionId): number;
  /**
   * What `Warehouse.readStates` would answer; undefined where that is not certain: `from` is not above the reach of
   * every partition of `at`, or the answer would be too wide to be made in memory.
   */
  readStates(request: StatesRequest): Promise<StateColumns | undefined>;
  /**
   * What `Warehouse.readPoints` would answer; undefined as above, for pages, and for requests that are not limited to
   * points stated at coarser resolutions than the finest (10 s; 1 min for sketches): the others are not held.
   */
  readPoints(request: PointsRequest): Promise<PointColumns | undefined>;
  stats(): HotStoreStats;
}

export interface HotStoreStats {
  /** Flushes, state rows and points held. */
  blocks: number;
  stateRows: number;
  points: number;
  /** Estimate of the memory in use. */
  bytes: number;
  /** Reads answered, and reads left to the warehouse. */
  answered: number;
  declined: number;
}
