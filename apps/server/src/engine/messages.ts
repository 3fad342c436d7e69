import type { EvaluatedRule, Evaluation, Query, Where } from '@nowcast/contract';
import type { IngestRequest, TransitionBatch } from '@nowcast/ports';

/**
 * What crosses between the main thread and the engine's worker. Several go together (`Outbox`).
 * Requests carry a number, answers repeat it. Large bodies (ingest) are transferred, and their memory comes back with the
 * answer; the frames of a tick travel packed in one transferred buffer, since cloning a view clones the whole buffer
 * behind it.
 */
export type EngineCall =
  | { method: 'ingest'; request: IngestRequest }
  | { method: 'data'; tenant: string; query: Query }
  | { method: 'metrics'; tenant: string; search: string; limit: number }
  | { method: 'metricsNamed'; tenant: string; names: readonly string[] }
  | { method: 'labels'; tenant: string; metricType: string; where: Where; limit: number }
  | { method: 'sourceStatus'; tenant: string; keyId: string }
  | { method: 'open'; tenant: string; query: Query }
  | { method: 'read'; view: number; since: { epoch: string; seq: string } | undefined }
  | { method: 'close'; view: number }
  | { method: 'stats' }
  | { method: 'putRule'; tenant: string; rule: EvaluatedRule }
  | { method: 'removeRule'; tenant: string; ruleId: string }
  | { method: 'rules'; tenant: string | undefined }
  | { method: 'preview'; tenant: string; evaluation: Evaluation; from: number; to: number }
  | { method: 'confirm'; seq: number }
  | { method: 'hold' }
  | { method: 'release' }
  | { method: 'stop' };

export type ToEngine = { kind: 'call'; id: number; call: EngineCall } | { kind: 'cancel'; id: number };

export interface FrameHead {
  view: number;
  kind: 'snapshot' | 'delta' | 'ended';
  baseSeq: string;
  seq: string;
  recovered: boolean;
  receivedAt: number;
  /** Where the body ends in the packed buffer; it begins where the one before it ends. */
  end: number;
}

export type FromEngine =
  | { kind: 'ready' }
  | { kind: 'failed'; error: WireError }
  /** The log has failed: nothing is acknowledged until a restart. */
  | { kind: 'refusing'; reason: string }
  /** What does not work for now, although points are acknowledged; undefined: everything does. */
  | { kind: 'degraded'; why: string | undefined }
  | { kind: 'answer'; id: number; value: unknown; body?: ArrayBuffer | undefined }
  | { kind: 'error'; id: number; error: WireError; body?: ArrayBuffer | undefined }
  | { kind: 'transitions'; batch: TransitionBatch }
  | { kind: 'frames'; heads: FrameHead[]; bodies: Uint8Array<ArrayBuffer> }
  | {
      kind: 'log';
      level: 'debug' | 'info' | 'warn' | 'error';
      message: string;
      fields: Record<string, unknown>;
    };

/** An error without its prototype, as a structured clone leaves it. */
export interface WireError {
  code: string;
  message: string;
  retryable: boolean;
  details: Readonly<Record<string, unknown>> | undefined;
}
