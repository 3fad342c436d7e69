import { mkdir, readdir, rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { appError } from '@nowcast/contract';
import type { FlushBlock, MaintainRequest, Warehouse, Watermark } from '@nowcast/ports';
import { ClickHouseWarehouse } from '../clickhouse-warehouse.ts';
import { Gate } from '../gate.ts';
import { readNative } from '../native-reader.ts';
import { tableDefinitions } from '../schema.ts';
import type { SqlConnection, StatementOptions } from '../sql-connection.ts';

/** A file of the frozen tables; `name` is `table/part/file`. */
export interface FrozenFile {
  name: string;
  path: string;
  size: number;
}

/** All tables at one moment. */
export interface FrozenTables {
  files: FrozenFile[];
  watermarks: Watermark[];
  /** table → rows. */
  rows: Readonly<Record<string, number>>;
}

export interface EmbeddedWarehouse extends Warehouse {
  /**
   * Puts hard links to all parts aside, so that they can be copied at leisure. Flushes and upkeep wait for the moment
   * that takes; reads do not. It begins when the piece of upkeep that is under way has ended, for which only further
   * upkeep waits. One freeze at a time: the next one, and the next start, drop the last one's links.
   */
  freeze(): Promise<FrozenTables>;
  /** Drops the links. Without a freeze: nothing. */
  thaw(): Promise<void>;
}

const frozenName = 'nowcast';
const options: StatementOptions = { lane: 'write', timeoutMs: 120_000 };
const tableNames = tableDefinitions.map((sql) => /EXISTS (\w+)/.exec(sql)![1]!);

/**
 * The warehouse on chDB's files. A copy must hold every table at one moment, or the manifest speaks of generations
 * whose rows are not there: nothing of ours writes while the tables are frozen one after the other. The engine's own
 * merges may go on, they change no row.
 */
export class ChdbWarehouse extends ClickHouseWarehouse implements EmbeddedWarehouse {
  readonly #files: string;
  readonly #connection: SqlConnection;
  readonly #flushes = new Gate();
  readonly #upkeep = new Gate();

  /** `files` is the folder of the engine itself. */
  constructor(files: string, connection: SqlConnection) {
    super(connection);
    this.#files = files;
    this.#connection = connection;
  }

  override async run(): Promise<void> {
    await super.run();
    await this.thaw();
  }

  override insertFlush(block: FlushBlock): Promise<void> {
    return this.#flushes.pass(() => super.insertFlush(block));
  }

  override commit(mark: Watermark): Promise<void> {
    return this.#flushes.pass(() => super.commit(mark));
  }

  override maintain(request: MaintainRequest): Promise<boolean> {
    return this.#upkeep.pass(() => super.maintain(request));
  }

  async freeze(): Promise<FrozenTables> {
    await this.thaw();
    const freezing = async () => {
      for (const table of tableNames)
        await this.#connection.command(`ALTER TABLE ${table} FREEZE WITH NAME '${frozenName}'`, {}, options);
      return { watermarks: await this.watermarks(), rows: await this.#rows() };
    };
    // A piece of upkeep may take minutes, as long as flushes cannot wait.
    const { watermarks, rows } = await this.#upkeep.alone(() => this.#flushes.alone(freezing));
    const files: FrozenFile[] = [];
    for (const [table, place] of await this.#places()) {
      const before = files.length;
      await addFiles(files, table, join(this.#shadow, 'store', place));
      if (files.length === before && rows[table]! > 0)
        throw appError('server.error', `the frozen table ${table} is gone; repeat the backup`);
    }
    return { files, watermarks, rows };
  }

  thaw(): Promise<void> {
    return rm(this.#shadow, { recursive: true, force: true });
  }

  /**
   * Takes over the parts under `from/table/`, which must be on the same file system, in a warehouse just made. Rejects
   * with what is wrong when a table then does not hold as many `rows` as it should.
   */
  async adopt(from: string, rows: Readonly<Record<string, number>>): Promise<void> {
    // A new manifest says what version it is.
    const own = await this.#rows();
    for (const [table, place] of await this.#places()) {
      const parts = await readdir(join(from, table)).catch(() => []);
      const detached = join(this.#files, 'store', place, 'detached');
      await mkdir(detached, { recursive: true });
      for (const part of parts) await rename(join(from, table, part), join(detached, part));
      if (parts.length > 0)
        await this.#connection.command(`ALTER TABLE ${table} ATTACH PARTITION ALL`, {}, options);
    }
    const found = await this.#rows();
    for (const table of tableNames) {
      const [added, expected] = [found[table]! - own[table]!, rows[table] ?? 0];
      if (added === expected) continue;
      throw appError('server.error', `the engine took ${added} of ${expected} rows of the table ${table}`);
    }
  }

  get #shadow(): string {
    return join(this.#files, 'shadow', frozenName);
  }

  /** table → its folder under `store/`. */
  async #places(): Promise<Map<string, string>> {
    const sql = `SELECT name, data_paths[1] AS place FROM system.tables WHERE database = currentDatabase()`;
    const found = readNative(await this.#connection.query(sql, {}, options));
    const places = found.strings('place');
    return new Map(
      found
        .strings('name')
        .map((name, i) => [name, places[i]!.split('/').slice(-3, -1).join('/')] as const)
        .filter(([name]) => tableNames.includes(name)),
    );
  }

  async #rows(): Promise<Record<string, number>> {
    const rows: Record<string, number> = {};
    for (const table of tableNames) {
      const sql = `SELECT count() AS c FROM ${table}`;
      rows[table] = readNative(await this.#connection.query(sql, {}, options)).numbers('c')[0] ?? 0;
    }
    return rows;
  }
}

async function addFiles(files: FrozenFile[], name: string, path: string): Promise<void> {
  const entries = await readdir(path, { withFileTypes: true }).catch((error: NodeJS.ErrnoException) => {
    // A table without parts has nothing to freeze.
    if (error.code === 'ENOENT') return [];
    throw error;
  });
  for (const entry of entries.sort((a, b) => (a.name < b.name ? -1 : 1))) {
    const at = join(path, entry.name);
    if (entry.isDirectory()) await addFiles(files, `${name}/${entry.name}`, at);
    else files.push({ name: `${name}/${entry.name}`, path: at, size: (await stat(at)).size });
  }
}
