/** What each API key has sent, for its page: kept in checkpoints, and counted on from there by the replay of the log. */
import type { PointExtras, PointRecord, PointsRecord, SourceStatus } from '@nowcast/contract';
import type { SeriesRegistry } from '@nowcast/head';
import type { Rejections } from './rejections.ts';

interface Sample {
  handle: number;
  timestamp: number;
  value: number;
  receivedAt: number;
  dataId: string | undefined;
  actor: string | undefined;
  message: string | undefined;
}

/** The totals of one key as a checkpoint keeps them; first and newest point are left out. */
export interface SourceTotals {
  /** Tenant and key. */
  name: string;
  accepted: number;
  rejected: number;
  firstSeenAt: number | null;
  lastSeenAt: number | null;
  lastError: SourceStatus['last_error'];
  metrics: readonly string[];
}

interface Counters {
  accepted: number;
  rejected: number;
  firstSeenAt: number | null;
  lastSeenAt: number | null;
  lastError: SourceStatus['last_error'];
  first: Sample | undefined;
  sample: Sample | undefined;
  /** Metrics seen, the first `mostMetrics` of them. */
  metrics: Set<string>;
}

const mostMetrics = 200;
/** Points of a record whose metric is looked at: senders repeat their metrics, so a sample finds them soon. */
const sampledPoints = 64;

export class SourceCounters {
  readonly #registry: SeriesRegistry;
  readonly #sources = new Map<string, Counters>();

  constructor(registry: SeriesRegistry) {
    this.#registry = registry;
  }

  /** Points of a record that is durable; `handles` are its series. */
  accepted(record: PointsRecord, handles: Uint32Array): void {
    if (handles.length === 0) return;
    const counters = this.#counters(record.tenant, record.keyId);
    counters.accepted += handles.length;
    if (counters.firstSeenAt === null) {
      counters.firstSeenAt = record.receivedAt;
      counters.first = sampleOf(record, handles, 0);
    }
    counters.lastSeenAt = record.receivedAt;
    this.#noteMetrics(counters.metrics, handles);
    counters.sample = sampleOf(record, handles, handles.length - 1);
  }

  #noteMetrics(metrics: Set<string>, handles: Uint32Array): void {
    const stride = Math.ceil(handles.length / sampledPoints);
    for (let i = 0; i < handles.length && metrics.size < mostMetrics; i += stride) {
      metrics.add(this.#registry.metricOf(handles[i]!));
    }
  }

  rejected(tenant: string, keyId: string, rejections: Rejections, at: number): void {
    const last = rejections.list.at(-1);
    if (last !== undefined) this.failed(tenant, keyId, last, at, rejections.count);
  }

  /** A request, or `count` points of one, was refused. */
  failed(
    tenant: string,
    keyId: string,
    error: { code: string; message: string },
    at: number,
    count: number,
  ): void {
    const counters = this.#counters(tenant, keyId);
    counters.rejected += count;
    counters.lastError = { code: error.code, message: error.message, at };
  }

  status(tenant: string, keyId: string): SourceStatus {
    const counters = this.#counters(tenant, keyId);
    return {
      key_id: keyId,
      accepted: counters.accepted,
      rejected: counters.rejected,
      first_seen_at: counters.firstSeenAt,
      last_seen_at: counters.lastSeenAt,
      last_error: counters.lastError,
      first_sample: counters.first === undefined ? null : this.#pointRecord(counters.first),
      sample: counters.sample === undefined ? null : this.#pointRecord(counters.sample),
      metrics: [...counters.metrics],
    };
  }

  totals(): SourceTotals[] {
    return Array.from(this.#sources, ([name, counters]) => ({
      name,
      accepted: counters.accepted,
      rejected: counters.rejected,
      firstSeenAt: counters.firstSeenAt,
      lastSeenAt: counters.lastSeenAt,
      lastError: counters.lastError,
      metrics: [...counters.metrics],
    }));
  }

  restore(totals: readonly SourceTotals[]): void {
    for (const { name, metrics, ...counts } of totals) {
      this.#sources.set(name, { ...counts, first: undefined, sample: undefined, metrics: new Set(metrics) });
    }
  }

  #pointRecord(sample: Sample): PointRecord {
    const definition = this.#registry.definitionOf(sample.handle);
    return {
      data_id: sample.dataId ?? '',
      source: definition.source,
      timestamp: sample.timestamp,
      metric_type: definition.metric_type,
      value: sample.value,
      labels: Object.fromEntries(definition.labels),
      ...(sample.actor === undefined ? {} : { actor: sample.actor }),
      ...(sample.message === undefined ? {} : { message: sample.message }),
      received_at: sample.receivedAt,
    };
  }

  #counters(tenant: string, keyId: string): Counters {
    const name = `${tenant}\n${keyId}`;
    let counters = this.#sources.get(name);
    if (counters === undefined) {
      counters = {
        accepted: 0,
        rejected: 0,
        firstSeenAt: null,
        lastSeenAt: null,
        lastError: null,
        first: undefined,
        sample: undefined,
        metrics: new Set(),
      };
      this.#sources.set(name, counters);
    }
    return counters;
  }
}

function sampleOf(record: PointsRecord, handles: Uint32Array, row: number): Sample {
  return {
    handle: handles[row]!,
    timestamp: record.timestamps[row]!,
    value: record.values[row]!,
    receivedAt: record.receivedAt,
    ...extrasOf(record.extras, row),
  };
}

/** Only few rows have extras; `extras.rows` ascends, and only its ends are asked for. */
function extrasOf(
  extras: PointExtras | undefined,
  row: number,
): Pick<Sample, 'dataId' | 'actor' | 'message'> {
  const at = row === 0 ? 0 : (extras?.rows.length ?? 0) - 1;
  if (extras === undefined || extras.rows[at] !== row) {
    return { dataId: undefined, actor: undefined, message: undefined };
  }
  return { dataId: extras.dataIds[at], actor: extras.actors[at], message: extras.messages[at] };
}
