/**
 * The decisions that make the log hold, each on its own, so that a test can break one of them and see the suite find
 * it. docs/log.md has the rules.
 */
export interface Rules {
  /** A flush's boundaries are in the log before its rows are anywhere else. */
  flushRecordFirst: boolean;
  /** Rows are read only once the watermark is at or above their end. */
  watermarkDecides: boolean;
  /** A repeated insert of the same flush changes nothing. */
  insertIsIdempotent: boolean;
  /** Entries of one call become durable before they are applied, published and acknowledged. */
  durableBeforeAcknowledged: boolean;
  /** The tail keeps what lies at or above the watermark, and forgets what lies below. */
  tailFollowsWatermark: boolean;
  /** A replay repeats the dedupe decisions. */
  dedupeIsReplayed: boolean;
  /** Coarse states count rows up to the vector they were derived at; later rows are added beside them. */
  coarseKnowsItsVector: boolean;
  /** A pinned snapshot keeps the generation it was taken from. */
  pinsHoldGenerations: boolean;
  /** Positions from before a restart are only known above the watermark. */
  changesDieWithTheProcess: boolean;
  /** The log is cut at the minimum of watermark, dedupe checkpoint and alert checkpoint. */
  cutWaitsForCheckpoints: boolean;
  /** A restore begins a new epoch. */
  restoreBeginsEpoch: boolean;
}

export const soundRules: Rules = {
  flushRecordFirst: true,
  watermarkDecides: true,
  insertIsIdempotent: true,
  durableBeforeAcknowledged: true,
  tailFollowsWatermark: true,
  dedupeIsReplayed: true,
  coarseKnowsItsVector: true,
  pinsHoldGenerations: true,
  changesDieWithTheProcess: true,
  cutWaitsForCheckpoints: true,
  restoreBeginsEpoch: true,
};
