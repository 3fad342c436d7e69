import type { OffsetVector } from '@nowcast/ports';

/** One shared live view as the registry drives it, whatever it shows: buckets (`GridView`) or records (`FeedView`). */
export interface View {
  /** Loads what the log holds below `at`; newer points may be folded in meanwhile. */
  load(at: OffsetVector): Promise<void>;
  /** Whether a reload is needed before the view is right again. */
  readonly wantsReload: boolean;
  /** Whether it has grown beyond what a view may hold: nothing may be folded into it any more. */
  readonly isTooLarge: boolean;
  /** Works out what changed since the last call and makes it the next revision; the encoded delta, or undefined. */
  settle(receivedAt: number): DeltaFrame | undefined;
  /** The present state whole. */
  snapshot(seq: string): Uint8Array;
  /** One delta from a revision to the present, or undefined when the revision cannot be resumed. */
  changesSince(revision: number, baseSeq: string, seq: string): Uint8Array | undefined;
  /** Counts the deltas since the view was made. */
  readonly revision: number;
}

/** Encodes the delta between two positions, which only the registry can name. */
export interface DeltaFrame {
  encode(baseSeq: string, seq: string): Uint8Array;
}
