import type {
  FlushBlock,
  MaintainRequest,
  PointColumns,
  PointsRequest,
  SeriesRow,
  StateColumns,
  StatesRequest,
  Warehouse,
  WarehouseStats,
  Watermark,
} from '@nowcast/ports';
import { FlushWriter } from './flush-writer.ts';
import { Gate } from './gate.ts';
import { Manifest } from './manifest.ts';
import { Upkeep } from './upkeep.ts';
import { readNative } from './native-reader.ts';
import { RunningReads } from './running-reads.ts';
import { readPoints } from './read-points.ts';
import { readStates } from './read-states.ts';
import { migrations, schemaVersion, tableDefinitions } from './schema.ts';
import type { SqlConnection, StatementOptions } from './sql-connection.ts';

const readOptions: StatementOptions = { lane: 'read', timeoutMs: 60_000 };
const schemaOptions: StatementOptions = { lane: 'write', timeoutMs: 30_000 };
/** Series are loaded at the start; a million of them at once would be a gigabyte of answer. */
const seriesPage = 50_000;

/** The warehouse on ClickHouse's SQL; whether the engine is embedded or a server is the connection's affair. */
export class ClickHouseWarehouse implements Warehouse {
  readonly #connection: SqlConnection;
  readonly #manifest: Manifest;
  readonly #writer: FlushWriter;
  readonly #upkeep: Upkeep;
  readonly #reads = new RunningReads();
  /** Flushes beside each other; what drops rows that no flush may add to, alone. */
  readonly #flushes = new Gate();

  constructor(connection: SqlConnection) {
    this.#connection = connection;
    this.#manifest = new Manifest(connection);
    this.#writer = new FlushWriter(connection, this.#manifest);
    this.#upkeep = new Upkeep(connection, this.#manifest, (work) => this.#flushes.alone(work), this.#reads);
  }

  async run(): Promise<void> {
    await this.#connection.open();
    for (const table of tableDefinitions) await this.#connection.command(table, {}, schemaOptions);
    await this.#manifest.load();
    if (this.#manifest.version < schemaVersion) await this.#migrate();
    await this.#upkeep.removeLeftovers();
  }

  /** What is written from here on takes effect before the first row of it, so that no older program reads it wrongly. */
  async #migrate(): Promise<void> {
    for (const sql of migrations) await this.#connection.command(sql, {}, schemaOptions);
    await this.#manifest.migrated();
  }

  stop(): Promise<void> {
    return this.#connection.close();
  }

  insertFlush(block: FlushBlock): Promise<void> {
    return this.#flushes.pass(() => this.#writer.insert(block));
  }

  commit(mark: Watermark): Promise<void> {
    return this.#manifest.commit(mark);
  }

  watermarks(): Promise<Watermark[]> {
    return Promise.resolve(this.#manifest.watermarks());
  }

  async loadSeries(visit: (rows: readonly SeriesRow[]) => void): Promise<void> {
    for (const { partition, to } of this.#manifest.watermarks()) {
      for (let after = -1; ;) {
        const rows = await this.#seriesPage(partition, to, after);
        if (rows.length > 0) visit(rows);
        if (rows.length < seriesPage) break;
        after = rows.at(-1)!.local;
      }
    }
  }

  readStates(request: StatesRequest): Promise<StateColumns> {
    const read = () => readStates(this.#connection, this.#manifest, request);
    return this.#reads.during(this.#manifest.lastGen, read);
  }

  readPoints(request: PointsRequest): Promise<PointColumns> {
    const read = () => readPoints(this.#connection, this.#manifest, request);
    return this.#reads.during(this.#manifest.lastGen, read);
  }

  maintain(request: MaintainRequest): Promise<boolean> {
    return this.#upkeep.maintain(request);
  }

  async stats(): Promise<WarehouseStats> {
    const sql = `SELECT toFloat64(sum(bytes_on_disk)) AS bytes, toFloat64(sum(rows)) AS stored, toFloat64(count()) AS parts,
      assumeNotNull((SELECT toFloat64(count()) FROM system.detached_parts)) AS detached
      FROM system.parts WHERE active AND database = currentDatabase()`;
    const found = readNative(await this.#connection.query(sql, {}, readOptions));
    const number = (name: string) => found.numbers(name)[0] ?? 0;
    return {
      bytes: number('bytes'),
      rows: number('stored'),
      parts: number('parts'),
      detachedParts: number('detached'),
    };
  }

  async #seriesPage(partition: number, to: number, after: number): Promise<SeriesRow[]> {
    const sql = `SELECT local, id, tenant, metric, source, label_names, label_values FROM series
      WHERE partition = {partition:UInt16} AND local > {after:Int64} AND flush_to <= {to:UInt64} ORDER BY local LIMIT ${seriesPage}`;
    const found = readNative(await this.#connection.query(sql, { partition, to, after }, readOptions));
    const local = found.fixed('local', 'UInt32');
    const id = found.fixed('id', 'UInt64');
    const [tenant, metric, source] = [
      found.strings('tenant'),
      found.strings('metric'),
      found.strings('source'),
    ];
    const names = found.stringArray('label_names');
    const values = found.stringArray('label_values');
    return Array.from(local, (index, i) => ({
      partition,
      local: index,
      id: id[i]!,
      definition: {
        tenant: tenant[i]!,
        metric_type: metric[i]!,
        source: source[i]!,
        labels: names.values
          .slice(names.offsets[i], names.offsets[i + 1])
          .map((name, l) => [name, values.values[values.offsets[i]! + l]!] as const),
      },
    }));
  }
}
