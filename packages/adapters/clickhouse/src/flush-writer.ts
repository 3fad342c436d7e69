import { randomUUID } from 'node:crypto';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { appError } from '@nowcast/contract';
import { inSlices } from '@nowcast/kernel/slices';
import type { FlushBlock, PartitionId } from '@nowcast/ports';
import {
  chunkBlock,
  seriesBlock,
  sketchBlock,
  stateBlock,
  touchedBlock,
  touchedHours,
} from './flush-blocks.ts';
import type { Manifest } from './manifest.ts';
import { readNative } from './native-reader.ts';
import type { NativeBlock } from './native-writer.ts';
import type { SqlConnection, StatementOptions } from './sql-connection.ts';

/**
 * Stores a flush exactly once.
 *
 * Each table's part of it goes in under a token made of the flush's boundaries, so a repetition inserts nothing. That
 * alone is not relied on: the engine is understood to write a token down before it renames the part into place (a kill
 * between the two would make it drop the repetition as well), and an insert over several table partitions is several
 * parts. Therefore
 * whatever might be a repetition (the first flush of a partition since the engine started, and every flush after a
 * failure) is counted afterwards, and a table that does not hold exactly the rows of the flush is emptied of it and
 * filled again under a new token. Nobody sees any of this: the rows lie above the watermark until `commit`.
 */
const writeOptions: StatementOptions = { lane: 'write', timeoutMs: 120_000 };

interface TablePart {
  table: string;
  block: NativeBlock;
}

export class FlushWriter {
  readonly #connection: SqlConnection;
  readonly #manifest: Manifest;
  /** Incarnation of the engine in which a partition's last flush went well. */
  readonly #trusted = new Map<PartitionId, number>();

  constructor(connection: SqlConnection, manifest: Manifest) {
    this.#connection = connection;
    this.#manifest = manifest;
  }

  async insert(block: FlushBlock): Promise<void> {
    const { partition, to } = block;
    // A committed flush is in for ever; it may even have been compacted away meanwhile.
    if (to <= this.#manifest.committed(partition)) return;
    const incarnation = this.#connection.incarnation;
    const isSure = this.#trusted.get(partition) === incarnation;
    this.#trusted.delete(partition);
    const hours = touchedHours(block);
    this.#manifest.touch(hours, partition, to);
    this.#manifest.chunkSpans.note(block.chunks);
    const parts = await this.#insertAll(block, hours);
    if (!isSure) for (const part of parts) await this.#verify(block, part);
    if (this.#connection.incarnation === incarnation) this.#trusted.set(partition, incarnation);
  }

  /** The engine takes one table's block in while the next one is made. */
  async #insertAll(block: FlushBlock, hours: readonly number[]): Promise<TablePart[]> {
    const { partition, from, to } = block;
    const parts: TablePart[] = [];
    const inserts: Promise<void>[] = [];
    const add = (table: string, native: NativeBlock) => {
      parts.push({ table, block: native });
      if (native.rows === 0) return;
      const insert = this.#connection.insert(
        table,
        native,
        `${table}-${partition}-${from}-${to}`,
        writeOptions,
      );
      inserts.push(insert);
      insert.catch(() => undefined);
    };
    add('series', await inSlices(seriesBlock(block.series, block)));
    add('touched', touchedBlock(hours, block));
    add(
      'chunks',
      await inSlices(chunkBlock(block.chunks, { partition, flushTo: to, gen: 0, runs: undefined })),
    );
    add('states', await inSlices(stateBlock(block.states, block)));
    await nextTurn();
    add('sketches', sketchBlock(block.sketches, block));
    await Promise.all(inserts);
    return parts;
  }

  async #verify(block: FlushBlock, part: TablePart): Promise<void> {
    const committed = this.#manifest.committed(block.partition);
    const params = { partition: block.partition, to: block.to, committed };
    // Whatever else lies above the watermark is of a flush that was cut off too, and may have ended elsewhere: the mark
    // of its end was lost with the records behind it.
    const uncommitted = `partition = {partition:UInt16} AND flush_to > {committed:UInt64}`;
    const count = async (table: string, where: string) => {
      const sql = `SELECT count() AS c FROM ${table} WHERE ${where}`;
      return readNative(await this.#connection.query(sql, params, writeOptions)).numbers('c')[0] ?? 0;
    };
    const mine = `${uncommitted} AND flush_to = {to:UInt64}`;
    const others = `${uncommitted} AND flush_to != {to:UInt64}`;
    if ((await count(part.table, others)) > 0)
      await this.#connection.command(
        `ALTER TABLE ${part.table} DELETE WHERE ${others}`,
        params,
        writeOptions,
      );
    if ((await count(part.table, mine)) === part.block.rows) return;
    await this.#connection.command(`ALTER TABLE ${part.table} DELETE WHERE ${mine}`, params, writeOptions);
    if (part.block.rows > 0)
      await this.#connection.insert(part.table, part.block, randomUUID(), writeOptions);
    const found = await count(part.table, mine);
    if (found === part.block.rows) return;
    throw appError(
      'server.error',
      `the warehouse holds ${found} rows of a flush of ${part.block.rows} in ${part.table}`,
    );
  }
}
