import { randomUUID } from 'node:crypto';
import type { OffsetVector, PartitionId, Watermark } from '@nowcast/ports';
import { ChunkSpans } from './chunk-spans.ts';
import { type NativeAnswer, readNative } from './native-reader.ts';
import { NativeWriter } from './native-writer.ts';
import { dayMs, hourMs, schemaVersion } from './schema.ts';
import type { SqlConnection, StatementOptions } from './sql-connection.ts';

/**
 * What is true of the tables, kept in memory and written as one row a decision.
 *
 * A row of the `manifest` table takes effect at once and wholly; rows of data that no manifest row speaks of do not
 * exist for a read. So a kill at any point leaves either the old truth with some leftovers, which `load` removes, or
 * the new one.
 *
 * ```
 * commit   watermark of a partition
 * seal     (res, period) is derived as generation g from everything up to `vector`
 * compact  the chunks of day `period` up to `vector` are generation g
 * clean    generations below g of (res, period) are deleted (res 0: chunks)
 * trim     fine rows before `period` are no longer all there
 * schema   version of the tables
 * ```
 */
const writeOptions: StatementOptions = { lane: 'write', timeoutMs: 30_000 };
const readOptions: StatementOptions = { lane: 'read', timeoutMs: 60_000 };

/** One generation of a period. `vector[p]` is the `flush_to` up to which partition p went into it. */
export interface Generation {
  gen: number;
  vector: readonly number[];
  /** Logged time of the decision. */
  atMs: number;
}

/** Stands for chunks where a resolution is asked for. */
export const chunkRes = 0;
export const coarseResolutions = [hourMs, dayMs] as const;

type Decision = {
  kind: 'commit' | 'seal' | 'compact' | 'clean' | 'trim' | 'schema';
  partition?: number;
  flushTo?: number;
  receivedAt?: number;
  period?: number;
  res?: number;
  gen?: number;
  vector?: readonly number[];
  atMs?: number;
};

export class Manifest {
  readonly #connection: SqlConnection;
  /** Of all chunks in the tables, visible or not. */
  readonly chunkSpans = new ChunkSpans();
  readonly #watermarks = new Map<PartitionId, Watermark>();
  /** hour → partition → highest `flush_to` of a flush with fine rows in it. */
  readonly #touched = new Map<number, Map<PartitionId, number>>();
  /** res → period → generations, oldest first; chunks by day under `chunkRes`. */
  readonly #generations = new Map<number, Map<number, Generation[]>>();
  /** res → period → generation below which every row is deleted. */
  readonly #cleaned = new Map<number, Map<number, number>>();
  #lastGen = 0;
  /** Newest number that was given out. */
  #begunGen = 0;
  #version = 0;
  #fineFrom = Number.NEGATIVE_INFINITY;
  /** Generation whose rows may be in the tables without a decision about them. */
  pendingGen: number | undefined;

  constructor(connection: SqlConnection) {
    this.#connection = connection;
    for (const res of [chunkRes, ...coarseResolutions]) {
      this.#generations.set(res, new Map());
      this.#cleaned.set(res, new Map());
    }
  }

  /** From the tables alone: whatever an earlier call, cut off in the middle, had found is forgotten. */
  async load(): Promise<void> {
    this.#watermarks.clear();
    this.#touched.clear();
    for (const periods of [...this.#generations.values(), ...this.#cleaned.values()]) periods.clear();
    await this.#loadWatermarks();
    await this.#loadTouched();
    await this.#loadDecisions(`kind IN ('seal', 'compact', 'clean', 'trim')`);
    const version = await this.#query(
      `SELECT gen FROM manifest WHERE kind = 'schema' ORDER BY gen DESC LIMIT 1`,
    );
    this.#version = version.rows === 0 ? 0 : version.fixed('gen', 'UInt32')[0]!;
    if (this.#version > schemaVersion) {
      throw new Error(
        `the warehouse was written by a newer version (schema ${this.#version}, this one knows ${schemaVersion})`,
      );
    }
  }

  /** Of the tables; 0 before the first `migrated`. */
  get version(): number {
    return this.#version;
  }

  /** After the tables are what `schemaVersion` says. */
  async migrated(): Promise<void> {
    await this.#decide({ kind: 'schema', gen: schemaVersion });
    this.#version = schemaVersion;
  }

  watermarks(): Watermark[] {
    return [...this.#watermarks.values()].sort((a, b) => a.partition - b.partition);
  }

  committed(partition: PartitionId): number {
    return this.#watermarks.get(partition)?.to ?? 0;
  }

  /** Never moves backwards; the same mark again is nothing new. */
  async commit(mark: Watermark): Promise<void> {
    if (mark.to <= this.committed(mark.partition)) return;
    await this.#decide({
      kind: 'commit',
      partition: mark.partition,
      flushTo: mark.to,
      receivedAt: mark.receivedAt,
    });
    this.#watermarks.set(mark.partition, { ...mark });
  }

  touch(hours: readonly number[], partition: PartitionId, flushTo: number): void {
    for (const hour of hours) {
      const byPartition = this.#touched.get(hour) ?? new Map<PartitionId, number>();
      byPartition.set(partition, Math.max(byPartition.get(partition) ?? 0, flushTo));
      this.#touched.set(hour, byPartition);
    }
  }

  isTouched(hour: number): boolean {
    return this.#touched.has(hour);
  }

  touchedHours(): number[] {
    return [...this.#touched.keys()];
  }

  /** Whether fine rows of the hour lie above `vector`. */
  hasLater(hour: number, vector: readonly number[]): boolean {
    const byPartition = this.#touched.get(hour);
    if (byPartition === undefined) return false;
    for (const [partition, flushTo] of byPartition) if (flushTo > (vector[partition] ?? 0)) return true;
    return false;
  }

  /** Partitions with fine rows of the hour above `vector`, and the vector's offset of each. */
  later(hour: number, vector: readonly number[]): Map<PartitionId, number> {
    const above = new Map<PartitionId, number>();
    for (const [partition, flushTo] of this.#touched.get(hour) ?? [])
      if (flushTo > (vector[partition] ?? 0)) above.set(partition, vector[partition] ?? 0);
    return above;
  }

  /** All generations of the period that still have rows, oldest first. */
  generations(res: number, period: number): readonly Generation[] {
    return this.#generations.get(res)?.get(period) ?? [];
  }

  /** The newest generation that holds nothing above `at`. */
  generationAt(res: number, period: number, at: OffsetVector): Generation | undefined {
    return this.generations(res, period).findLast(({ vector }) => isBelow(vector, at));
  }

  /** Whether what `gen` replaced is deleted. */
  isClean(res: number, period: number, gen: number): boolean {
    return (this.#cleaned.get(res)?.get(period) ?? 0) >= gen;
  }

  periods(res: number): IterableIterator<[number, Generation[]]> {
    return this.#generations.get(res)!.entries();
  }

  /** Gives out a number, once; rows under it stay invisible until `adopt`. */
  beginGeneration(): number {
    this.#begunGen = Math.max(this.#begunGen, this.#lastGen) + 1;
    this.pendingGen = this.#begunGen;
    return this.#begunGen;
  }

  async adopt(res: number, period: number, generation: Generation): Promise<void> {
    const { gen, vector, atMs } = generation;
    await this.#decide({ kind: res === chunkRes ? 'compact' : 'seal', period, res, gen, vector, atMs });
    this.#put(res, period, generation);
    this.pendingGen = undefined;
  }

  /** Takes over adoptions that are in the table while nobody heard of them: `adopt` rejected, or ended with its process. */
  async recall(): Promise<void> {
    await this.#loadDecisions(`kind IN ('seal', 'compact') AND gen > ${this.#lastGen}`);
  }

  /** After the rows of all older generations of the period are gone. */
  async cleaned(res: number, period: number, gen: number): Promise<void> {
    await this.#decide({ kind: 'clean', period, res, gen });
    this.#clean(res, period, gen);
  }

  /** Every fine row of a visible flush from this time on is still there. */
  get fineFrom(): number {
    return this.#fineFrom;
  }

  /** Before fine rows older than `time` are dropped. */
  async trimFine(time: number): Promise<void> {
    if (time <= this.#fineFrom) return;
    await this.#decide({ kind: 'trim', period: time });
    this.#fineFrom = time;
  }

  /** Newest generation that was adopted; what lies above it is nobody's yet. */
  get lastGen(): number {
    return this.#lastGen;
  }

  #put(res: number, period: number, generation: Generation): void {
    const periods = this.#generations.get(res);
    if (periods === undefined) return;
    periods.set(period, [...(periods.get(period) ?? []), generation]);
    this.#lastGen = Math.max(this.#lastGen, generation.gen);
  }

  #clean(res: number, period: number, gen: number): void {
    const periods = this.#generations.get(res);
    this.#cleaned.get(res)?.set(period, gen);
    const kept = (periods?.get(period) ?? []).filter((generation) => generation.gen >= gen);
    if (kept.length > 0) periods?.set(period, kept);
    else periods?.delete(period);
    this.#lastGen = Math.max(this.#lastGen, gen);
  }

  async #loadWatermarks(): Promise<void> {
    const marks = await this.#query(
      `SELECT partition, max(flush_to) AS mark, argMax(received_at, flush_to) AS receipt FROM manifest WHERE kind = 'commit' GROUP BY partition`,
    );
    const to = marks.numbers('mark');
    const receivedAt = marks.numbers('receipt');
    for (const [i, partition] of marks.numbers('partition').entries()) {
      this.#watermarks.set(partition, { partition, to: to[i]!, receivedAt: receivedAt[i]! });
    }
  }

  async #loadTouched(): Promise<void> {
    const rows = await this.#query(
      `SELECT hour, partition, max(flush_to) AS mark FROM touched GROUP BY hour, partition`,
    );
    const partition = rows.numbers('partition');
    const mark = rows.numbers('mark');
    for (const [i, hour] of rows.numbers('hour').entries()) this.touch([hour], partition[i]!, mark[i]!);
  }

  async #loadDecisions(where: string): Promise<void> {
    const rows = await this.#query(
      `SELECT CAST(kind, 'String') AS decision, period, res, gen, vector, at_ms FROM manifest WHERE ${where} ORDER BY gen, kind DESC`,
    );
    const kind = rows.strings('decision');
    const [period, res, gen, atMs] = ['period', 'res', 'gen', 'at_ms'].map((name) => rows.numbers(name));
    const vectors = rows.array('vector', 'UInt64');
    for (let i = 0; i < rows.rows; i++) {
      const vector = Array.from(vectors.values.subarray(vectors.offsets[i], vectors.offsets[i + 1]), Number);
      if (kind[i] === 'trim') this.#fineFrom = Math.max(this.#fineFrom, period![i]!);
      else if (kind[i] === 'clean') this.#clean(res![i]!, period![i]!, gen![i]!);
      else this.#put(res![i]!, period![i]!, { gen: gen![i]!, vector, atMs: atMs![i]! });
    }
  }

  async #query(sql: string): Promise<NativeAnswer> {
    return readNative(await this.#connection.query(sql, {}, readOptions));
  }

  /** One row in one part: there or not there. */
  async #decide(decision: Decision): Promise<void> {
    const {
      kind,
      partition = 0,
      flushTo = 0,
      receivedAt = 0,
      period = 0,
      res = 0,
      gen = 0,
      vector = [],
      atMs = 0,
    } = decision;
    const row = new NativeWriter(1);
    row.lowCardinality('kind', [kind]);
    row.constant('partition', 'UInt16', partition);
    row.constant('flush_to', 'UInt64', flushTo);
    row.fixed('received_at', 'Float64', Float64Array.of(receivedAt));
    row.fixed('period', 'Int64', BigInt64Array.of(BigInt(period)));
    row.constant('res', 'UInt32', res);
    row.constant('gen', 'UInt32', gen);
    row.array('vector', 'UInt64', Uint32Array.of(0, vector.length), BigUint64Array.from(vector, BigInt));
    row.fixed('at_ms', 'Float64', Float64Array.of(atMs));
    // A fresh token: after a crash the engine may remember a token whose part never made it, and every row here may
    // be there twice without changing what it says.
    await this.#connection.insert('manifest', row.finish(), randomUUID(), writeOptions);
  }
}

/** Whether a vector lies at or below another in every partition; missing entries are 0. */
export function isBelow(vector: readonly number[], at: OffsetVector): boolean {
  return vector.every((offset, partition) => offset <= (at[partition] ?? 0));
}
