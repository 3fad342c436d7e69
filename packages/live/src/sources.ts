import type { QueryGrid, ResolvedQuery } from '@nowcast/aggregate';
import type { PointRecord, SeriesDefinition } from '@nowcast/contract';
import type { Clock, Unsubscribe } from '@nowcast/kernel';
import type { OffsetVector } from '@nowcast/ports';

/** What live views need of the engine around them. Everything here is called on the engine's own thread. */
export interface LiveSources {
  clock: Clock;
  /** Identity of the log's history (`EventLog.epoch`). */
  epoch: string;
  /** Unlike any other process' text: change numbers die with the process, so positions carry it. */
  instance: string;
  /**
   * Calls `onSeries` for every series that matches the query: at once for those that exist, then for each new one before
   * its first point is given to `advance`. Throws `query.invalid` for a bad regular expression.
   */
  watchSeries(
    tenant: string,
    query: ResolvedQuery,
    onSeries: (handle: number, definition: SeriesDefinition) => void,
  ): Unsubscribe;
  definitionOf(handle: number): SeriesDefinition;
  /** Told of a defect of this program that a view was dropped for; its viewers open it again. */
  onDefect(error: unknown, consequence: string): void;
  /** Stable 64-bit id of a series, from which ids of records without a `data_id` derive. */
  seriesId(handle: number): bigint;
  /**
   * Fills `grid` with everything the log holds below `at` in `[from, to)`, and for counters (`grid.parts.growth`)
   * each series' last point before `from` through `seedCounter`; no counter may be left in `grid.overlapping`. Called while the engine stands exactly at `at`, the
   * vector of the last `advance`; newer points must stay out, they come through `advance`. Resolves with what the grid
   * lacks of the answer, in words for people, or undefined.
   */
  loadGrid(request: GridLoad): Promise<string | undefined>;
  /**
   * The newest `limit` records below `at` in `[from, to)` by (timestamp, received_at, data_id), in any order.
   */
  loadRecords(request: RecordLoad): Promise<readonly FeedRecord[]>;
}

interface Load {
  tenant: string;
  query: ResolvedQuery;
  at: OffsetVector;
  /** Epoch ms; whole buckets for grids. */
  from: number;
  to: number;
  /** Series of the view; for grids `units[i]` is the unit of `handles[i]`. */
  handles: Uint32Array;
}

export interface GridLoad extends Load {
  grid: QueryGrid;
  units: Uint32Array;
}

export interface RecordLoad extends Load {
  limit: number;
}

export interface FeedRecord {
  handle: number;
  record: PointRecord;
}

/** New points since the last tick. */
export interface Tick {
  /** Log position after these points: next offset of each partition. */
  at: OffsetVector;
  /** Receipt time of the newest of them, epoch ms; 0 when there are none. */
  receivedAt: number;
  /** Handles that have new points, each once, valid below `touchedCount`. */
  touched: Uint32Array;
  touchedCount: number;
  /** Makes the new points of the first `count` of these of the touched series ready to be read. */
  gather(handles: Uint32Array, count: number): Generator<void, void>;
  /** The new points of the one that was given at `i`; valid until the next call. */
  read(i: number, wants: RunWants): PointRun;
}

/** What a run must carry beside times and values; the rest may be left out. */
export interface RunWants {
  actors: boolean;
  /** Data ids, messages, actors and receipt times. */
  records: boolean;
}

/** Points `[from, to)` of columns: those of one series, in order of arrival. */
export interface PointRun {
  from: number;
  to: number;
  timestamps: Float64Array;
  values: Float64Array;
  actors?: readonly (string | undefined)[] | undefined;
  dataIds?: readonly (string | undefined)[] | undefined;
  messages?: readonly (string | undefined)[] | undefined;
  receivedAt?: Float64Array | undefined;
}

export interface LiveLimits {
  /** Views that exist at once, lingering ones included, and how many of them one tenant may have. */
  views: number;
  viewsPerTenant: number;
  /** How long a view without viewers stays warm, ms, and how many may do so. */
  lingerMs: number;
  lingering: number;
  /** Groups a view may return; more need a `limit`. Those that appear later are left out, and the view says so. */
  groups: number;
  /** Weighted cells a view may hold: units × buckets × the weight of what a cell keeps. Later series as above. */
  cells: number;
  /** Shortest time between two reloads of a view whose counters got late points, ms, … */
  reloadMs: number;
  /** … and the share of its time a view may spend reloading: two senders of one counter make every point late. */
  reloadShare: number;
}

export const defaultLiveLimits: LiveLimits = {
  views: 5000,
  viewsPerTenant: 1000,
  lingerMs: 60_000,
  lingering: 200,
  groups: 2000,
  cells: 1_000_000,
  reloadMs: 1000,
  reloadShare: 0.1,
};
