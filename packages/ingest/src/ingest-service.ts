/**
 * From the bytes of a request to an answer that may be believed.
 *
 *     body ─► decompress ─► decode ─► drop duplicates ─► encode ─► log ══ durable ══► apply ─► answer
 *             (may wait)    └──────── one turn, in the order of the log ────────┘    (in the order of the log)
 *
 * Everything between decoding and the append happens in one turn of the event loop, so the order of requests, their
 * receipt times and their places in the log are one order. What a request changed becomes visible in `apply`, when its
 * record is durable and all before it have been applied: points go to the listeners (the engine's memory, live views),
 * ids and answers into the dedupe state. Only then the sender hears of it.
 */
import {
  type ControlRecord,
  type LogRecord,
  type PointsRecord,
  type SourceStatus,
  appError,
  encodeRecord,
  limits,
} from '@nowcast/contract';
import type { RecentPoints, SeriesRegistry } from '@nowcast/head';
import { type AppError, type Clock, type Unsubscribe, assert, isAppError } from '@nowcast/kernel';
import type { IngestAnswer, IngestRequest, LogEntry } from '@nowcast/ports';
import { errorAnswer, ingestAnswer } from './answers.ts';
import { AppendQueue } from './append-queue.ts';
import { ColumnsPool } from './columns-pool.ts';
import { DecodeCaches } from './decode-caches.ts';
import { mostNewBytes } from './decode-context.ts';
import { Decompressor } from './decompress.ts';
import { DedupeState } from './dedupe-state.ts';
import { type IdempotencyClaim, IdempotencyGate } from './idempotency-gate.ts';
import { InFlight, type Passage } from './in-flight.ts';
import { JsonDecoder } from './json-points.ts';
import { LineProtocolDecoder } from './line-protocol.ts';
import {
  DefinitionLedger,
  type PartitionRecord,
  partitionRecords,
  withoutPoints,
} from './partition-records.ts';
import type { PointColumns } from './point-columns.ts';
import { Rejections } from './rejections.ts';
import { RequestDedupe } from './request-dedupe.ts';
import { SourceCounters, type SourceTotals } from './source-counters.ts';

export interface IngestOptions {
  clock: Clock;
  registry: SeriesRegistry;
  /** Points in memory, those of every applied batch included. */
  recent: RecentPoints;
  partitions: number;
  /** `EventLog.append`. */
  append: (entries: readonly LogEntry[]) => Promise<readonly number[]>;
  /** How far back points are taken, milliseconds; at most, and by default, `limits.pastMs`. */
  pastMs?: number;
  /** Bodies (decompressed) that may be on their way at once before senders are told to wait; default 64 MiB. */
  maxBytesInFlight?: number;
  /** The same for points; default 2 million. */
  maxPointsInFlight?: number;
  /** Why nothing at all is taken for now; the sender hears it in the form of its protocol. */
  refusal?: () => AppError | undefined;
  /** Hears that nothing will be acknowledged any more until another start: an apply threw, which is a defect. */
  broken?: (error: AppError) => void;
}

/** A record that became durable, in the order of the log. Its arrays are only valid during the call. */
export type DurableRecord =
  | { kind: 'points'; partition: number; offset: number; record: PointsRecord; handles: Uint32Array }
  | { kind: 'control'; partition: number; offset: number; record: ControlRecord };

export interface IngestStats {
  requests: number;
  /** Bytes received, before decompression. */
  bytes: number;
  points: number;
  rejected: number;
  duplicates: number;
  roundedIntegers: number;
  /** Requests told to wait. */
  busy: number;
  bytesInFlight: number;
  pointsInFlight: number;
  appendsInFlight: number;
}

const noHandles = new Uint32Array(0);
const mebibyte = 1024 * 1024;

export class IngestService {
  readonly #options: IngestOptions;
  readonly #registry: SeriesRegistry;
  readonly #state: DedupeState;
  readonly #dedupe: RequestDedupe;
  readonly #gate: IdempotencyGate;
  readonly #queue: AppendQueue;
  readonly #caches = new DecodeCaches();
  readonly #lines = new LineProtocolDecoder();
  readonly #json = new JsonDecoder();
  readonly #sources: SourceCounters;
  readonly #listeners = new Set<(durable: DurableRecord) => void>();
  readonly #pool = new ColumnsPool();
  readonly #inFlight: InFlight;
  readonly #decompressor = new Decompressor();
  #ledger: DefinitionLedger | undefined;
  #lastReceivedAt = 0;
  readonly #stats: Omit<IngestStats, 'bytesInFlight' | 'pointsInFlight' | 'appendsInFlight'> = {
    requests: 0,
    bytes: 0,
    points: 0,
    rejected: 0,
    duplicates: 0,
    roundedIntegers: 0,
    busy: 0,
  };

  constructor(options: IngestOptions) {
    this.#options = options;
    this.#registry = options.registry;
    this.#state = new DedupeState(options.partitions);
    this.#dedupe = new RequestDedupe(this.#state, options.registry, options.recent);
    this.#gate = new IdempotencyGate(this.#state);
    this.#queue = new AppendQueue(options.append, options.broken);
    this.#sources = new SourceCounters(options.registry);
    this.#inFlight = new InFlight({
      bytes: options.maxBytesInFlight ?? 64 * mebibyte,
      points: options.maxPointsInFlight ?? 2_000_000,
    });
  }

  /** Puts the dedupe state of a checkpoint in place; before `replay`. Throws `log.failed` when it cannot be read. */
  restore(checkpoint: Uint8Array): void {
    this.#state.restore(checkpoint);
  }

  /**
   * Takes a record of the log in again, after a restart; `handles` are its series. Records the checkpoint covers are
   * passed over.
   */
  replay(partition: number, offset: number, record: LogRecord, handles: Uint32Array = noHandles): void {
    const isCovered = offset < this.#state.applied[partition]!;
    this.#state.apply(partition, offset, record);
    if (!isCovered && record.kind === 'points') this.#sources.accepted(record, handles);
  }

  /** What each key has sent, for a checkpoint made in the same turn as `checkpoint()`. Refusals are in no log. */
  sourceTotals(): SourceTotals[] {
    return this.#sources.totals();
  }

  restoreSources(totals: readonly SourceTotals[]): void {
    this.#sources.restore(totals);
  }

  /**
   * The registry knows every series of the log now; requests may come. Receipt times go on from the newest one of the
   * log, epoch ms: the clock may have been set back while nobody looked.
   */
  begin(lastReceivedAt = 0): void {
    this.#lastReceivedAt = Math.max(this.#lastReceivedAt, lastReceivedAt);
    this.#ledger = new DefinitionLedger(this.#registry, this.#options.partitions);
  }

  /** Dedupe state of everything applied so far, and the exclusive offsets it covers: the log may be cut below them. */
  checkpoint(): { bytes: Uint8Array<ArrayBuffer>; offsets: readonly number[] } {
    return { bytes: this.#state.checkpoint(), offsets: [...this.#state.applied] };
  }

  /** Calls `listener` for every record the moment it is durable, in order, before its sender hears of it. */
  onDurable(listener: (durable: DurableRecord) => void): Unsubscribe {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Receipt time of what arrived last, epoch ms. */
  get lastReceivedAt(): number {
    return this.#lastReceivedAt;
  }

  /** Receipt time of what arrives now: never before that of anything earlier, whatever the clock does. */
  receivedAt(): number {
    this.#lastReceivedAt = Math.max(this.#lastReceivedAt, this.#options.clock.now());
    return this.#lastReceivedAt;
  }

  /** Appends a record in its place among the points; resolves with its offset once it is applied. */
  async appendControl(partition: number, record: ControlRecord): Promise<number> {
    let offset = -1;
    await this.#queue.push([{ partition, payload: encodeRecord(record) }], {
      apply: (offsets) => {
        offset = offsets[0]!;
        this.#state.apply(partition, offset, record);
        for (const listener of this.#listeners) listener({ kind: 'control', partition, offset, record });
      },
      drop: () => undefined,
    });
    return offset;
  }

  sourceStatus(tenant: string, keyId: string): SourceStatus {
    return this.#sources.status(tenant, keyId);
  }

  stats(): IngestStats {
    const { bytes: bytesInFlight, points: pointsInFlight } = this.#inFlight.total;
    return { ...this.#stats, bytesInFlight, pointsInFlight, appendsInFlight: this.#queue.length };
  }

  /** Takes one request. Every refusal is an answer; a rejected promise is a defect of this program. */
  async handle(request: IngestRequest): Promise<IngestAnswer> {
    const stats = this.#stats;
    stats.requests++;
    stats.bytes += request.body.length;
    let passage: Passage | undefined;
    try {
      const own = (passage = this.#admit(request));
      const cap = request.format === 'json' ? limits.jsonBytes : limits.decodedBytes;
      const body = await this.#decompressor.decompress(request.body, request.encoding, cap);
      if (body.length > cap) throw tooLarge(cap);
      own.resize(body.length);
      return await this.#gate.run(
        request,
        body,
        (claim) => this.#take(request, body, claim, own),
        () => this.receivedAt(),
      );
    } catch (error) {
      if (!isAppError(error)) throw error;
      if (error.code === 'ingest.busy') stats.busy++;
      this.#sources.failed(request.tenant, request.keyId, error, this.receivedAt(), 0);
      return errorAnswer(request.format, error);
    } finally {
      passage?.leave();
    }
  }

  #admit({ tenant, body }: IngestRequest): Passage {
    const refusal = this.#options.refusal?.();
    if (refusal !== undefined) throw refusal;
    if (body.length > limits.bodyBytes) throw tooLarge(limits.bodyBytes);
    return this.#inFlight.enter(tenant, body.length);
  }

  /** Decodes, dedupes and appends in one turn; answers when that is durable and applied. */
  async #take(
    request: IngestRequest,
    body: Uint8Array,
    claim: IdempotencyClaim | undefined,
    passage: Passage,
  ): Promise<IngestAnswer> {
    const receivedAt = this.receivedAt();
    const columns = this.#pool.take();
    const rejections = new Rejections();
    let isFree = true;
    try {
      this.#decode(request, body, columns, rejections);
      const accepted = columns.length;
      const { tenant, keyId } = request;
      const equalIsRetry = request.format === 'line-protocol';
      const { batch, duplicates, depends } = this.#dedupe.run(tenant, columns, receivedAt, equalIsRetry);
      const answer = ingestAnswer(request.format, accepted, rejections);
      const kept = { idempotency: claim?.entry(answer), idempotencyPartition: claim?.partition ?? 0 };
      const head = { tenant, keyId, receivedAt, equalIsRetry, ...kept };
      const records = partitionRecords(columns, head, this.#options.partitions, this.#registry);
      const earlier = depends ? this.#queue.last : undefined;
      if (records.length > 0) {
        isFree = false;
        await this.#append(records, columns, passage, () => this.#dedupe.enter(batch));
      }
      await earlier;
      this.#count(request, rejections, duplicates, receivedAt);
      return answer;
    } finally {
      if (isFree) this.#pool.give(columns);
    }
  }

  #decode(request: IngestRequest, body: Uint8Array, columns: PointColumns, rejections: Rejections): void {
    const { tenant } = request;
    const cache = this.#caches.of(tenant);
    // Event times follow the clock as it stands. Receipt times never step back, and where it was set back they wait for
    // it: points without a time of their own would lie in the future as long.
    const receivedAt = this.#options.clock.now();
    const registry = this.#registry;
    const pastMs = Math.min(this.#options.pastMs ?? limits.pastMs, limits.pastMs);
    const left = { newBytesLeft: mostNewBytes, failedDefinitions: 0, refusal: undefined };
    const context = { tenant, receivedAt, pastMs, registry, columns, rejections, ...left };
    if (request.format === 'line-protocol') {
      this.#lines.decode(body, request.precision, cache.lines, context);
      this.#stats.roundedIntegers += this.#lines.roundedIntegers;
    } else {
      this.#json.decode(body, request.format, cache.templates, context);
    }
  }

  #append(
    records: readonly PartitionRecord[],
    columns: PointColumns,
    passage: Passage,
    enter: () => void,
  ): Promise<void> {
    const ledger = this.#ledger;
    assert(ledger !== undefined, 'begin() comes before the first request');
    const before = ledger.failures;
    // Were one of those refused, so is what comes behind it in this turn.
    for (const record of records)
      while (!ledger.complete(record) && ledger.failures === before) this.#define(record, ledger);
    const { failures } = ledger;
    const entries = records.map(({ partition, record }, i) => {
      const payload = encodeRecord(record, i === 0 ? columns.encoded : undefined);
      if (i === 0) columns.encoded = payload.buffer;
      return { partition, payload };
    });
    const points = columns.length;
    passage.addPoints(points);
    enter();
    const finish = (): void => {
      this.#dedupe.leave();
      passage.addPoints(-points);
      this.#pool.give(columns);
    };
    return this.#queue.push(entries, {
      apply: (offsets) => {
        for (let i = 0; i < records.length; i++) this.#apply(records[i]!, offsets[i]!, ledger);
        this.#stats.points += points;
        finish();
      },
      drop: () => {
        ledger.failed(failures);
        finish();
      },
    });
  }

  /** Queues the definitions of a record ahead of it; what becomes of them becomes of it. */
  #define(record: PartitionRecord, ledger: DefinitionLedger): void {
    const ahead = withoutPoints(record);
    const { failures } = ledger;
    this.#queue
      .push([{ partition: ahead.partition, payload: encodeRecord(ahead.record) }], {
        apply: (offsets) => this.#apply(ahead, offsets[0]!, ledger),
        drop: () => ledger.failed(failures),
      })
      .catch(() => undefined);
  }

  #apply(durable: PartitionRecord, offset: number, ledger: DefinitionLedger): void {
    const { partition, record, handles } = durable;
    ledger.durable(durable);
    this.#state.apply(partition, offset, record);
    this.#sources.accepted(record, handles);
    for (const listener of this.#listeners) listener({ kind: 'points', partition, offset, record, handles });
  }

  #count(request: IngestRequest, rejections: Rejections, duplicates: number, receivedAt: number): void {
    this.#stats.duplicates += duplicates;
    if (rejections.count === 0) return;
    this.#stats.rejected += rejections.count;
    this.#sources.rejected(request.tenant, request.keyId, rejections, receivedAt);
  }
}

function tooLarge(cap: number): Error {
  return appError('request.too_large', `the body is larger than ${cap} bytes; send it in smaller pieces`);
}
