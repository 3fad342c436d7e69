import type { Tail } from '@nowcast/head';
import type { OffsetVector } from '@nowcast/ports';

/** What history needs of the engine: the tails, and where the warehouse stands in them. */
export interface HeadSource {
  readonly tails: readonly Tail[];
  /**
   * Holds the present watermark and the tail above it until released, so that a snapshot that waits for the warehouse
   * still finds every point exactly once.
   */
  pin(): Pin;
}

export interface Pin {
  /** Watermark of each partition. */
  at: OffsetVector;
  /** Position in each tail that the watermark corresponds to. */
  positions: readonly number[];
  release(): void;
}
