import type { Agg, DataAnswer, LabelValues, MetricInfo, Query, SourceStatus, Where } from '@nowcast/contract';
import type { Service, Unsubscribe } from '@nowcast/kernel';
import type { AlertEvaluation } from './alert-evaluation.ts';

/**
 * The data plane as the HTTP server and the gateway see it: ingest, live views, history, catalog. Embedded it is a
 * worker thread; in the cluster mode it will be the shards behind Kafka and Redis. Everything is scoped to the tenant
 * the caller names, which comes from a session or a key and never from a request.
 */
export interface Engine extends Service {
  ingest(request: IngestRequest): Promise<IngestAnswer>;
  data(tenant: string, query: Query, signal?: AbortSignal): Promise<DataAnswer>;
  metrics(tenant: string, search: string, limit: number): Promise<MetricInfo[]>;
  /** Those of these metrics that exist, in this order. */
  metricsNamed(tenant: string, names: readonly string[]): Promise<MetricInfo[]>;
  /** Values of each label of the metric (all metrics when empty) among the series that match `where`. */
  labels(tenant: string, metricType: string, where: Where, limit: number): Promise<LabelValues[]>;
  /** What one API key has sent, and its newest point. Refusals since the last checkpoint are forgotten by a crash. */
  sourceStatus(tenant: string, keyId: string): Promise<SourceStatus>;
  live: LiveViews;
  alerts: AlertEvaluation;
  stats(): Promise<EngineStats>;
  /** Why it can acknowledge nothing until a restart (the log's disk failed, or a defect); undefined: it can. Reads go on. */
  refusal(): string | undefined;
  /** What does not work for now (history, and how far it reaches) while points are acknowledged; undefined: all does. */
  degraded(): string | undefined;
}

export type IngestFormat = 'json' | 'ndjson' | 'line-protocol';

export interface IngestRequest {
  tenant: string;
  keyId: string;
  format: IngestFormat;
  /** Unit of line-protocol timestamps. */
  precision: 'ns' | 'us' | 'ms' | 's' | 'm' | 'h';
  encoding: 'identity' | 'gzip' | 'zstd' | 'deflate';
  idempotencyKey: string | undefined;
  /** Given away by the caller: embedded it is transferred to the engine's thread, not copied. */
  body: Uint8Array<ArrayBuffer>;
}

/** Status, headers and body exactly as the sender gets them; stored whole for an `Idempotency-Key`. */
export interface IngestAnswer {
  status: number;
  /** JSON text, or empty for 204. */
  body: string;
  retryAfterSeconds?: number;
}

/**
 * Shared live views. A view is one normalised query of one tenant; however many viewers it has, it is computed once
 * and each change is encoded once. The body of a frame is the binary form of `@nowcast/contract` (`live/binary.ts`)
 * without the subscription id, so that one encoding serves every viewer.
 */
export interface LiveViews {
  /** Opens or joins the view of a query. Rejects with `query.invalid`, `query.too_large` or `live.subscription_limit`. */
  open(tenant: string, query: Query): Promise<OpenView>;
  /**
   * The view as it stands: everything when `since` is undefined, else one merged delta from that position, else
   * (position unknown, other epoch, series left meanwhile) a snapshot with `recovered: false`.
   */
  read(view: number, since: { epoch: string; seq: string } | undefined): Promise<ViewFrame>;
  /** One call for each `open`. The view lingers for a while, so that a reload finds it warm. */
  close(view: number): void;
  /**
   * Deltas of all open views as they are made: at most one a view a tick. A delta's `baseSeq` is the `seq` of the one
   * before it. Deltas and `read` answers of one view arrive in order of their positions.
   */
  onFrames(listener: (frames: readonly ViewFrame[]) => void): Unsubscribe;
}

export interface OpenView {
  view: number;
  epoch: string;
  agg: Agg;
  stepMs: number;
}

export interface ViewFrame {
  view: number;
  /**
   * `ended` comes over the bus alone and has no body: the engine let go of the view, and nothing of it follows. Who
   * wants it opens it again.
   */
  kind: 'snapshot' | 'delta' | 'ended';
  /** Empty for a snapshot. */
  baseSeq: string;
  seq: string;
  recovered: boolean;
  /** Wall clock at which the newest record in this frame was received, epoch ms; 0 when it holds none. */
  receivedAt: number;
  body: Uint8Array;
}

/** A snapshot of counters and gauges; names are those of `/metrics` without the `nowcast_` prefix. */
export interface EngineStats {
  counters: Record<string, number>;
  gauges: Record<string, number>;
  histograms: Record<string, HistogramSnapshot>;
}

export interface HistogramSnapshot {
  /** Upper bounds, ascending, without +Inf. */
  bounds: readonly number[];
  /** One count a bound and one for +Inf, not cumulative. */
  counts: readonly number[];
  sum: number;
}
