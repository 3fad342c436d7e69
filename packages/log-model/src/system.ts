/**
 * The whole path of a point, as small as it can be told: what a sender, a viewer and an operator can do to it, and
 * what they see. The reference system of this package and the real engine both stand behind this interface, and one
 * suite of commands drives either (docs/log.md numbers the invariants). A system may leave the optional methods out;
 * the commands that need them then do nothing.
 */
export interface LogSystem {
  /**
   * Resolves once the points survive a crash. A point whose `dataId` was accepted before is a retry and counts once.
   * One call may reach several partitions.
   */
  append(points: readonly ModelPoint[]): Promise<void>;
  /** Moves the logged clock on by a second and publishes what changed to the listeners. */
  tick(): Promise<void>;
  /**
   * Flushes every partition that has unflushed records. With `crashAt` the process dies at that step of it (modulo
   * the steps there are: flush record written, rows half written, rows written, watermark moved) and is started again.
   */
  flush(crashAt?: number): Promise<void>;
  /** Background upkeep until there is none left: coarse states of sealed periods, short chunks into longer ones. */
  compact(): Promise<void>;
  /** Cuts the log as far as the rules allow. */
  cut(): Promise<void>;

  /** `LiveViews.read`: a snapshot without `since`, else one merged delta, else a snapshot with `recovered: false`. */
  read(view: ModelView, since?: Position): Promise<Frame>;
  /** Every delta of every view that was read since the last start. Replaces the listener before. */
  onFrame(listener: (frame: Frame) => void): void;
  /** Holds what is visible now, as a long history query does: reading it again gives the same, until it is released. */
  pin?(view: ModelView): Promise<Pin>;

  /**
   * SIGKILL and start again. `inFlight` was handed to `append` just before and is not acknowledged: afterwards it is
   * stored, or not; a part of it that is stored is complete for its partition.
   */
  crash(inFlight: readonly ModelPoint[]): Promise<void>;
  /** A consistent copy taken online, and the way back to it on an empty machine. */
  backup?(): Promise<Backup>;
  restore?(backup: Backup): Promise<void>;

  inspect(): Promise<Inspection>;
  stop(): Promise<void>;
}

export interface ModelPoint {
  series: string;
  /** Event time, ms from a start the system chooses: under a minute, never negative. */
  timestamp: number;
  /** An integer, so that sums are exact in any order. */
  value: number;
  dataId?: string;
}

/** One aggregate of every series, by bucket: a live query grouped by the series' name. */
export interface ModelView {
  agg: 'count' | 'sum' | 'min' | 'max';
  stepMs: number;
}

export interface Cell {
  series: string;
  /** Start of the bucket, a multiple of the step. */
  start: number;
  value: number;
}

/** Opaque: only the system that made it can say what it means. */
export interface Position {
  epoch: string;
  seq: string;
}

export interface Frame extends Position {
  view: ModelView;
  kind: 'snapshot' | 'delta';
  /** Position a delta starts from; empty for a snapshot. */
  baseSeq: string;
  recovered: boolean;
  /** Whole values: everything of a snapshot, what changed of a delta. */
  cells: readonly Cell[];
}

export interface Pin {
  read(): Promise<readonly Cell[]>;
  release(): void;
}

/** Made by `backup`, understood by `restore`, nothing to anybody else. */
export interface Backup {
  readonly system: unknown;
}

export interface Inspection {
  epoch: string;
  /** Next offset of each partition. */
  head: readonly number[];
  /** Oldest offset the log still has. */
  tail: readonly number[];
  watermark: readonly number[];
  /** What a start needs the log from, apart from the watermark. */
  dedupeCheckpoint: readonly number[];
  alertCheckpoint: readonly number[];
  /** Every flush ever committed, in any order; absent where the system keeps no list of them. */
  flushes?: readonly FlushRange[];
}

export interface FlushRange {
  partition: number;
  from: number;
  /** Exclusive. */
  to: number;
}
