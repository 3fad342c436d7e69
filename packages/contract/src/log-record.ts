import type { AlertCommand } from './alerts/log-command.ts';

/**
 * What one record of the event log says. The log itself stores opaque bytes; `log-codec.ts` turns these into bytes
 * and back. A record belongs to one partition and is the unit of atomicity: its points, the series they define and
 * the dedupe decisions about them become durable together or not at all.
 *
 * Series are named by their *local index*: consecutive small numbers a partition assigns in order of first
 * appearance, so that a replay of the partition assigns the same ones. A record carries the definitions it is the
 * first to need.
 */
export interface SeriesDefinition {
  tenant: string;
  metric_type: string;
  source: string;
  /** Sorted by name (UTF-16 code units), no empty values. */
  labels: readonly (readonly [name: string, value: string])[];
}

/** Optional columns, one entry a row that has any of them, ascending rows. */
export interface PointExtras {
  rows: Uint32Array;
  dataIds: (string | undefined)[];
  actors: (string | undefined)[];
  messages: (string | undefined)[];
}

export interface PointsRecord {
  kind: 'points';
  tenant: string;
  /** Wall clock of the server when the request was received, epoch ms. The only "now" a replay knows. */
  receivedAt: number;
  /** API key the points came with, or `""`; for the source page's counters. */
  keyId: string;
  /** Local index of `definitions[0]`; the rest follow consecutively. */
  firstDefinition: number;
  definitions: readonly SeriesDefinition[];
  /** Local series index, event time (epoch ms, fraction allowed) and value of each point; equal lengths. */
  series: Uint32Array;
  timestamps: Float64Array;
  values: Float64Array;
  extras: PointExtras | undefined;
  /**
   * Whether a point without `data_id` that equals an earlier one is its retry (line protocol), or another (native JSON).
   * True of records from before it was written down.
   */
  equalIsRetry: boolean;
  /** Set when the request carried an `Idempotency-Key`: the key's fingerprint and the whole answer to repeat. */
  idempotency: { key: string; bodyHash: string; status: number; answer: string } | undefined;
}

/** Closes the records `[from, this record)` of the partition into one flush; replayed at the same place. */
export interface FlushRecord {
  kind: 'flush';
  receivedAt: number;
  from: number;
}

/**
 * The moment at which alert rules are evaluated: it moves the logged clock on, and says how much of each partition
 * the evaluation has seen, so that a replay sees the same.
 */
export interface TickRecord {
  kind: 'tick';
  receivedAt: number;
  /** Offset of each partition below which everything was applied. */
  at: readonly number[];
}

/** Makes, changes or removes an alert rule: it is evaluated from this record on. */
export interface AlertRecord {
  kind: 'alert';
  receivedAt: number;
  tenant: string;
  command: AlertCommand;
  /** What the rule learned from history, in the evaluator's own form; empty when it needs nothing. */
  seed: Uint8Array;
}

/** Everything but points. */
export type ControlRecord = FlushRecord | TickRecord | AlertRecord;

export type LogRecord = PointsRecord | ControlRecord;
