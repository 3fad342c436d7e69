import { randomUUID } from 'node:crypto';
import { inSlices } from '@nowcast/kernel/slices';
import type { ChunkRows, MaintainRequest } from '@nowcast/ports';
import { ChunkReader, type TextName, textNames } from './chunk-reader.ts';
import type { ChunkSpans } from './chunk-spans.ts';
import { generationConditions, shortPoints } from './chunk-sql.ts';
import { chunkBlock, type FlushRuns } from './flush-blocks.ts';
import { chunkRes, type Manifest } from './manifest.ts';
import { type NativeAnswer, readNative } from './native-reader.ts';
import type { NativeBlock } from './native-writer.ts';
import { chunkFlushColumns } from './chunk-reader.ts';
import { chunkRecordColumns, chunkValueColumns } from './read-points.ts';
import { dayMs } from './schema.ts';
import { type SqlConnection, upkeepOptions } from './sql-connection.ts';
import { vectorLiteral } from './sql-literals.ts';

/**
 * Joins the short chunks of a closed day, one row a flush and series, into long ones. What the points say stays the
 * same to the last bit, the flush of each point included: a compacted row tells in runs which flush its points came
 * from, so that ties in time are still broken as the log breaks them.
 */
const targetPoints = 2_000;
/** Points decoded at once. */
const slicePoints = 500_000;
/** A day is worth it when its series have this many short chunks on average. */
const worthRows = 4;
/** Chunks of a day keep coming for a while; a day is closed for compaction this long after its end. */
const closedMs = dayMs / 4;

/** The closed days that are worth compacting, newest first. */
export async function daysToCompact(
  connection: SqlConnection,
  manifest: Manifest,
  { at, now, lateMs }: MaintainRequest,
): Promise<number[]> {
  const closed = Math.floor((now - lateMs - closedMs) / dayMs) * dayMs;
  const where = [
    `start < ${closed}`,
    `n < ${shortPoints}`,
    visible(at),
    ...generationConditions(manifest, at),
  ];
  const sql = `SELECT intDiv(start, ${dayMs}) * ${dayMs} AS day, count() AS c, uniq(series, state_res, sketch_res) AS s
    FROM chunks WHERE ${where.join(' AND ')} GROUP BY day HAVING c >= ${worthRows} * s ORDER BY day DESC`;
  const days = readNative(await connection.query(sql, {}, upkeepOptions)).numbers('day');
  // One generation at a time: the last one is cleaned before the next is made.
  return Array.from(days).filter((day) =>
    manifest.generations(chunkRes, day).every(({ gen }) => manifest.isClean(chunkRes, day, gen)),
  );
}

export async function compactDay(
  connection: SqlConnection,
  manifest: Manifest,
  day: number,
  { at, now }: MaintainRequest,
): Promise<void> {
  const where = [`start >= ${day}`, `start < ${day + dayMs}`, `n < ${shortPoints}`, visible(at)];
  const source = [...where, ...generationConditions(manifest, at)].join(' AND ');
  const counts = readNative(
    await connection.query(
      `SELECT partition, sum(n) AS c FROM chunks WHERE ${source} GROUP BY partition`,
      {},
      upkeepOptions,
    ),
  );
  const partitions = counts.fixed('partition', 'UInt16');
  const points = counts.numbers('c');
  const gen = manifest.beginGeneration();
  for (const [i, partition] of partitions.entries()) {
    const slices = Math.max(1, Math.ceil(points[i]! / slicePoints));
    for (let slice = 0; slice < slices; slice++) {
      const sql = `SELECT CAST(tenant, 'String') AS tenant_name, CAST(metric, 'String') AS metric_name, state_res, sketch_res, ${chunkValueColumns}, ${chunkRecordColumns}, ${chunkFlushColumns}
        FROM chunks WHERE ${source} AND partition = ${partition} AND series % ${slices} = ${slice}
        ORDER BY tenant, metric, series, state_res, sketch_res, start, flush_to`;
      const answer = readNative(await connection.query(sql, {}, upkeepOptions));
      if (answer.rows === 0) continue;
      const block = await join(answer, partition, gen, manifest.chunkSpans);
      await connection.insert('chunks', block, randomUUID(), upkeepOptions);
    }
  }
  await manifest.adopt(chunkRes, day, { gen, vector: [...at], atMs: now });
}

function visible(at: readonly number[]): string {
  return `flush_to <= ${vectorLiteral(at)}[partition + 1]`;
}

function join(answer: NativeAnswer, partition: number, gen: number, spans: ChunkSpans): Promise<NativeBlock> {
  const { rows, runs, flushTo } = new Joiner(answer).build();
  spans.note(rows);
  return inSlices(chunkBlock(rows, { partition, flushTo, gen, runs }));
}

/** Rows of one series, sorted together, become rows of `targetPoints`. */
class Joiner {
  readonly #reader: ChunkReader;
  readonly #answer: NativeAnswer;
  readonly #names: { tenant: string[]; metric: string[]; stateRes: Uint32Array; sketchRes: Uint32Array };
  readonly #timestamps: Float64Array;
  readonly #values: Float64Array;
  readonly #receivedAt: Float64Array;
  readonly #flushes: Float64Array;
  readonly #texts: Record<TextName, (string | undefined)[] | undefined>;
  /** First input row of each output row, and where its points begin. */
  readonly #heads: number[] = [];
  readonly #offsets: number[] = [0];

  constructor(answer: NativeAnswer) {
    this.#answer = answer;
    this.#reader = new ChunkReader(answer, true);
    this.#names = {
      tenant: answer.strings('tenant_name'),
      metric: answer.strings('metric_name'),
      stateRes: answer.fixed('state_res', 'UInt32'),
      sketchRes: answer.fixed('sketch_res', 'UInt32'),
    };
    const total = this.#reader.n.reduce((sum, n) => sum + n, 0);
    this.#timestamps = new Float64Array(total);
    this.#values = new Float64Array(total);
    this.#receivedAt = new Float64Array(total);
    this.#flushes = new Float64Array(total);
    const text = (name: TextName) =>
      this.#reader.texts![name].values.length > 0
        ? Array.from<string | undefined>({ length: total })
        : undefined;
    this.#texts = { dataIds: text('dataIds'), actors: text('actors'), messages: text('messages') };
  }

  build(): { rows: ChunkRows; runs: FlushRuns; flushTo: BigUint64Array } {
    let at = 0;
    for (let row = 0; row < this.#answer.rows;) {
      let end = row + 1;
      while (end < this.#answer.rows && this.#isSame(row, end)) end++;
      const start = at;
      for (let i = row; i < end; i++) at = this.#decode(i, at);
      this.#order(start, at);
      for (let from = start; from < at; from += targetPoints) {
        this.#heads.push(row);
        this.#offsets.push(Math.min(from + targetPoints, at));
      }
      row = end;
    }
    return { rows: this.#rows(), ...this.#runs() };
  }

  #isSame(a: number, b: number): boolean {
    const { tenant, metric, stateRes, sketchRes } = this.#names;
    const { series } = this.#reader;
    return (
      series[a] === series[b] &&
      stateRes[a] === stateRes[b] &&
      sketchRes[a] === sketchRes[b] &&
      metric[a] === metric[b] &&
      tenant[a] === tenant[b]
    );
  }

  #decode(row: number, at: number): number {
    const end = at + this.#reader.n[row]!;
    this.#reader.times(row, this.#timestamps.subarray(at, end));
    this.#reader.values(row, this.#values.subarray(at, end));
    this.#reader.receipts(row, this.#receivedAt.subarray(at, end));
    this.#reader.flushes(row, this.#flushes.subarray(at, end));
    for (const name of textNames) {
      const { offsets, values } = this.#reader.texts![name];
      const base = offsets[row]!;
      const target = this.#texts[name];
      if (target === undefined || offsets[row + 1] === base) continue;
      for (let i = at; i < end; i++)
        target[i] = values[base + i - at] === '' ? undefined : values[base + i - at];
    }
    return end;
  }

  /** By time, then by flush, then as they lay: what a reader of the separate rows would have seen. */
  #order(start: number, end: number): void {
    const times = this.#timestamps;
    const flushes = this.#flushes;
    const order = Array.from({ length: end - start }, (_, i) => start + i);
    order.sort((a, b) => times[a]! - times[b]! || flushes[a]! - flushes[b]! || a - b);
    for (const column of [times, this.#values, this.#receivedAt, flushes]) {
      column.set(
        Float64Array.from(order, (i) => column[i]!),
        start,
      );
    }
    for (const name of textNames) {
      const column = this.#texts[name];
      const moved = column === undefined ? [] : order.map((i) => column[i]);
      for (const [i, text] of moved.entries()) column![start + i] = text;
    }
  }

  #rows(): ChunkRows {
    const heads = this.#heads;
    const { tenant, metric, stateRes, sketchRes } = this.#names;
    return {
      count: heads.length,
      tenant: heads.map((row) => tenant[row]!),
      metric: heads.map((row) => metric[row]!),
      series: BigUint64Array.from(heads, (row) => this.#reader.series[row]!),
      stateRes: Uint32Array.from(heads, (row) => stateRes[row]!),
      sketchRes: Uint32Array.from(heads, (row) => sketchRes[row]!),
      offsets: Uint32Array.from(this.#offsets),
      timestamps: this.#timestamps,
      values: this.#values,
      receivedAt: this.#receivedAt,
      ...this.#texts,
    };
  }

  #runs(): { runs: FlushRuns; flushTo: BigUint64Array } {
    const offsets = [0];
    const lengths: number[] = [];
    const flushes: bigint[] = [];
    const flushTo = new BigUint64Array(this.#heads.length);
    for (let row = 0; row < this.#heads.length; row++) {
      let highest = 0;
      for (let at = this.#offsets[row]!; at < this.#offsets[row + 1]!;) {
        const flush = this.#flushes[at]!;
        let end = at + 1;
        while (end < this.#offsets[row + 1]! && this.#flushes[end] === flush) end++;
        lengths.push(end - at);
        flushes.push(BigInt(flush));
        highest = Math.max(highest, flush);
        at = end;
      }
      flushTo[row] = BigInt(highest);
      offsets.push(lengths.length);
    }
    const runs = {
      offsets: Uint32Array.from(offsets),
      lengths: Uint32Array.from(lengths),
      flushes: BigUint64Array.from(flushes),
    };
    return { runs, flushTo };
  }
}
