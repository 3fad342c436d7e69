/**
 * What the log says has been taken: the windows of ids and the answers given. A function of the log's records alone,
 * applied in order: `apply` is called for a record the moment it is durable and by the replay of a restart, and there
 * is no other way in. Decisions are made before the log (`request-dedupe.ts`) and are not repeated here.
 *
 * One window for each tenant and partition, since partitions replay independently; a question is put to all of them.
 */
import { ByteReader, ByteWriter, type LogRecord, type PointsRecord, appError } from '@nowcast/contract';
import { Fingerprint } from './fingerprint.ts';
import { IdWindow } from './id-window.ts';
import { IdempotencyStore, type StoredAnswer } from './idempotency-store.ts';

/** How much is remembered of each tenant; docs/log.md, L12. */
export interface DedupeLimits {
  /** As many texts are remembered besides. */
  idsPerTenant: number;
  idAgeMs: number;
  answersPerTenant: number;
  answerBytesPerTenant: number;
  answerAgeMs: number;
}

export const dedupeLimits: DedupeLimits = {
  idsPerTenant: 1_000_000,
  idAgeMs: 15 * 60_000,
  answersPerTenant: 200_000,
  answerBytesPerTenant: 64 * 1024 * 1024,
  answerAgeMs: 24 * 3_600_000,
};

/**
 * 2: ids as columns, since a million of them written one by one stop the thread for 150 ms. 3: answers by tenant. 4:
 * texts beside the ids. Those before are still read.
 */
const checkpointVersion = 4;
type Windows = Map<string, IdWindow>;

/** Whose answers a checkpoint was silent about; keys of different tenants differ anyway. */
const unknownTenant = '';

export class DedupeState {
  readonly partitions: number;
  readonly #limits: DedupeLimits;
  readonly #fingerprint = new Fingerprint();
  /** First offset of each partition that is not in the state. */
  readonly #applied: number[];
  /** Newest receipt time of the records applied. */
  #newest = 0;
  /** By partition and tenant. Texts are apart from ids: however many come, they push no id out of its window. */
  #ids: Windows[];
  #texts: Windows[];
  #answers: Map<string, IdempotencyStore>[];

  constructor(partitions: number, limits: DedupeLimits = dedupeLimits) {
    this.partitions = partitions;
    this.#limits = limits;
    this.#applied = Array.from({ length: partitions }, () => 0);
    this.#ids = this.#applied.map(() => new Map());
    this.#texts = this.#applied.map(() => new Map());
    this.#answers = this.#applied.map(() => new Map());
  }

  /** Exclusive offsets up to which records are in the state. */
  get applied(): readonly number[] {
    return this.#applied;
  }

  /** Whether a `data_id` was taken, by its fingerprint. */
  hasId(tenant: string, high: number, low: number, now: number): boolean {
    return isInAny(this.#ids, tenant, high, low, now);
  }

  /** Whether a text of line protocol was taken, by its fingerprint. */
  hasText(tenant: string, high: number, low: number, now: number): boolean {
    return isInAny(this.#texts, tenant, high, low, now);
  }

  answerFor(partition: number, tenant: string, key: string, now: number): StoredAnswer | undefined {
    const answers = this.#answers[partition]!;
    return answers.get(tenant)?.find(key, now) ?? answers.get(unknownTenant)?.find(key, now);
  }

  /** Takes a durable record in; one that is in already (below a checkpoint) changes nothing. */
  apply(partition: number, offset: number, record: LogRecord): void {
    if (offset < this.#applied[partition]!) return;
    this.#applied[partition] = offset + 1;
    this.#newest = Math.max(this.#newest, record.receivedAt);
    if (record.kind !== 'points') return;
    const { idempotency, receivedAt } = record;
    if (record.extras !== undefined) this.#applyIds(partition, record);
    if (idempotency !== undefined) {
      const { key, bodyHash, status, answer } = idempotency;
      this.#answersOf(partition, record.tenant).add(key, { bodyHash, status, answer, receivedAt });
    }
  }

  #applyIds(partition: number, record: PointsRecord): void {
    const extras = record.extras!;
    const ids = this.#window(this.#ids[partition]!, record.tenant);
    const texts = this.#window(this.#texts[partition]!, record.tenant);
    const fingerprint = this.#fingerprint;
    for (let i = 0; i < extras.rows.length; i++) {
      const row = extras.rows[i]!;
      const message = extras.messages[i];
      const dataId = extras.dataIds[i];
      if (dataId !== undefined) {
        fingerprint.ofDataId(dataId);
        ids.add(fingerprint.high, fingerprint.low, record.receivedAt);
      } else if (message !== undefined && record.equalIsRetry) {
        fingerprint.ofMessage(partition, record.series[row]!, record.timestamps[row]!, message);
        texts.add(fingerprint.high, fingerprint.low, record.receivedAt);
      }
    }
  }

  #window(windows: Windows, tenant: string): IdWindow {
    let window = windows.get(tenant);
    if (window === undefined) {
      window = new IdWindow(this.#limits.idsPerTenant, this.#limits.idAgeMs);
      windows.set(tenant, window);
    }
    return window;
  }

  #answersOf(partition: number, tenant: string): IdempotencyStore {
    const stores = this.#answers[partition]!;
    let store = stores.get(tenant);
    if (store === undefined) {
      const { answersPerTenant, answerBytesPerTenant, answerAgeMs } = this.#limits;
      store = new IdempotencyStore(answersPerTenant, answerBytesPerTenant, answerAgeMs);
      stores.set(tenant, store);
    }
    return store;
  }

  /** Whoever sends no more keys keeps no answers either. */
  #expire(stores: Map<string, IdempotencyStore>): void {
    for (const [tenant, answers] of stores) {
      answers.expire(this.#newest);
      if (answers.size === 0) stores.delete(tenant);
    }
  }

  /** The whole state as bytes, as of `applied`. */
  checkpoint(): Uint8Array<ArrayBuffer> {
    const writer = new ByteWriter();
    writer.u8(checkpointVersion);
    writer.varint(this.partitions);
    for (let partition = 0; partition < this.partitions; partition++) {
      writer.varint(this.#applied[partition]!);
      writeWindows(writer, this.#ids[partition]!);
      writeWindows(writer, this.#texts[partition]!);
      const stores = this.#answers[partition]!;
      this.#expire(stores);
      writer.varint(stores.size);
      for (const [tenant, answers] of stores) {
        writer.string(tenant);
        writeAnswers(writer, answers);
      }
    }
    return new Uint8Array(writer.written());
  }

  /** Replaces the state by a checkpoint's. Throws `log.failed` for bytes that are none, or of other partitions. */
  restore(bytes: Uint8Array): void {
    this.#ids = this.#applied.map(() => new Map());
    this.#texts = this.#applied.map(() => new Map());
    this.#answers = this.#applied.map(() => new Map());
    try {
      this.#restoreChecked(new ByteReader(bytes));
    } catch (cause) {
      throw appError('log.failed', 'the dedupe checkpoint cannot be read', { cause });
    }
  }

  #restoreChecked(reader: ByteReader): void {
    const version = reader.u8();
    if (version < 1 || version > checkpointVersion) throw new RangeError('unknown version');
    if (reader.varint() !== this.partitions) throw new RangeError('another number of partitions');
    for (let partition = 0; partition < this.partitions; partition++) {
      this.#applied[partition] = reader.varint();
      const ids = this.#ids[partition]!;
      const texts = this.#texts[partition]!;
      if (version < 4) this.#restoreWindows(reader, version, [ids, texts]);
      else for (const windows of [ids, texts]) this.#restoreWindows(reader, version, [windows]);
      for (let stores = version < 3 ? 1 : reader.varint(); stores > 0; stores--) {
        const tenant = version < 3 ? unknownTenant : reader.string();
        readAnswers(reader, this.#answersOf(partition, tenant));
      }
    }
  }

  /** What is read may be ids, texts or both: before version 4 nobody knows which. */
  #restoreWindows(reader: ByteReader, version: number, into: readonly Windows[]): void {
    for (let left = reader.varint(); left > 0; left--) {
      const tenant = reader.string();
      const windows = into.map((one) => this.#window(one, tenant));
      if (version === 1) readIds(reader, windows);
      else readColumns(reader, windows);
    }
  }
}

function isInAny(
  partitions: readonly Windows[],
  tenant: string,
  high: number,
  low: number,
  now: number,
): boolean {
  for (const windows of partitions) if (windows.get(tenant)?.has(high, low, now) === true) return true;
  return false;
}

function writeWindows(writer: ByteWriter, windows: Windows): void {
  writer.varint(windows.size);
  for (const [tenant, window] of windows) {
    writer.string(tenant);
    writer.varint(window.size);
    const { high, low, receivedAt } = window.columns();
    writer.raw(high);
    writer.raw(low);
    writer.raw(receivedAt);
  }
}

function writeAnswers(writer: ByteWriter, answers: IdempotencyStore): void {
  writer.varint(answers.size);
  for (const [key, { bodyHash, status, answer, receivedAt }] of answers.entries()) {
    writer.string(key);
    writer.string(bodyHash);
    writer.varint(status);
    writer.string(answer);
    writer.f64(receivedAt);
  }
}

function readAnswers(reader: ByteReader, answers: IdempotencyStore): void {
  for (let left = reader.varint(); left > 0; left--) {
    const key = reader.string();
    const bodyHash = reader.string();
    const status = reader.varint();
    const answer = reader.string();
    answers.add(key, { bodyHash, status, answer, receivedAt: reader.f64() });
  }
}

function readIds(reader: ByteReader, windows: readonly IdWindow[]): void {
  for (let ids = reader.varint(); ids > 0; ids--) {
    const high = reader.varint() | 0;
    const low = reader.varint() | 0;
    const receivedAt = reader.f64();
    for (const window of windows) window.add(high, low, receivedAt);
  }
}

function readColumns(reader: ByteReader, windows: readonly IdWindow[]): void {
  const ids = reader.varint();
  // Copies: a column of the input need not lie on a multiple of its element's size.
  const high = new Int32Array(new Uint8Array(reader.take(ids * 4)).buffer);
  const low = new Int32Array(new Uint8Array(reader.take(ids * 4)).buffer);
  const receivedAt = new Float64Array(new Uint8Array(reader.take(ids * 8)).buffer);
  for (const window of windows) {
    for (let i = 0; i < ids; i++) window.add(high[i]!, low[i]!, receivedAt[i]!);
  }
}
