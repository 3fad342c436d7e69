/** Splits the points of a request into one log record a partition; one partition is the fast path, without a copy. */
import type { PointExtras, PointsRecord, SeriesDefinition } from '@nowcast/contract';
import { definitionBytes, type SeriesRegistry } from '@nowcast/head';
import type { PointColumns } from './point-columns.ts';

export interface PartitionRecord {
  partition: number;
  record: PointsRecord;
  /** Handle of each point. */
  handles: Uint32Array;
}

/** What all records of a request share, and which partition keeps its idempotency entry. */
export interface RecordHead {
  tenant: string;
  keyId: string;
  receivedAt: number;
  equalIsRetry: boolean;
  idempotency: PointsRecord['idempotency'];
  idempotencyPartition: number;
}

/**
 * Records for every partition that has points, or the idempotency entry. They look into `columns` where they can, so
 * these must stay as they are until the records have been applied.
 */
export function partitionRecords(
  columns: PointColumns,
  head: RecordHead,
  partitions: number,
  registry: SeriesRegistry,
): PartitionRecord[] {
  const handles = columns.series.subarray(0, columns.length);
  const timestamps = columns.timestamps.subarray(0, columns.length);
  const values = columns.values.subarray(0, columns.length);
  const extras = columns.extras();
  if (partitions === 1) {
    if (columns.length === 0 && head.idempotency === undefined) return [];
    return [recordOf(0, head, handles, handles, timestamps, values, extras)];
  }
  const rows = rowsByPartition(handles, partitions, registry);
  const records: PartitionRecord[] = [];
  for (let partition = 0; partition < partitions; partition++) {
    const own = rows[partition]!;
    const keepsEntry = head.idempotency !== undefined && head.idempotencyPartition === partition;
    if (own.length === 0 && !keepsEntry) continue;
    const pick = <T extends Uint32Array | Float64Array>(column: T, into: T): T => {
      for (let i = 0; i < own.length; i++) into[i] = column[own[i]!]!;
      return into;
    };
    const handlesOf = pick(handles, new Uint32Array(own.length));
    records.push(
      recordOf(
        partition,
        head,
        handlesOf,
        localsOf(handlesOf, registry),
        pick(timestamps, new Float64Array(own.length)),
        pick(values, new Float64Array(own.length)),
        pickExtras(extras, own),
      ),
    );
  }
  return records;
}

function recordOf(
  partition: number,
  head: RecordHead,
  handles: Uint32Array,
  locals: Uint32Array,
  timestamps: Float64Array,
  values: Float64Array,
  extras: PointExtras | undefined,
): PartitionRecord {
  const record: PointsRecord = {
    kind: 'points',
    tenant: head.tenant,
    keyId: head.keyId,
    receivedAt: head.receivedAt,
    firstDefinition: 0,
    definitions: [],
    series: locals,
    timestamps,
    values,
    extras,
    equalIsRetry: head.equalIsRetry,
    idempotency: head.idempotencyPartition === partition ? head.idempotency : undefined,
  };
  return { partition, record, handles };
}

/** Local indexes of the handles. With one partition they are the handles themselves. */
function localsOf(handles: Uint32Array, registry: SeriesRegistry): Uint32Array {
  const locals = new Uint32Array(handles.length);
  for (let i = 0; i < handles.length; i++) locals[i] = registry.localOf(handles[i]!);
  return locals;
}

function rowsByPartition(handles: Uint32Array, partitions: number, registry: SeriesRegistry): number[][] {
  const rows: number[][] = Array.from({ length: partitions }, () => []);
  for (let row = 0; row < handles.length; row++) rows[registry.partitionOf(handles[row]!)]!.push(row);
  return rows;
}

function pickExtras(extras: PointExtras | undefined, own: readonly number[]): PointExtras | undefined {
  if (extras === undefined) return undefined;
  const picked = {
    rows: [] as number[],
    dataIds: [] as PointExtras['dataIds'],
    actors: [] as PointExtras['actors'],
    messages: [] as PointExtras['messages'],
  };
  let entry = 0;
  for (let i = 0; i < own.length; i++) {
    while (entry < extras.rows.length && extras.rows[entry]! < own[i]!) entry++;
    if (extras.rows[entry] !== own[i]) continue;
    picked.rows.push(i);
    picked.dataIds.push(extras.dataIds[entry]);
    picked.actors.push(extras.actors[entry]);
    picked.messages.push(extras.messages[entry]);
  }
  return picked.rows.length === 0 ? undefined : { ...picked, rows: Uint32Array.from(picked.rows) };
}

/** The record with its definitions alone. */
export function withoutPoints({ partition, record }: PartitionRecord): PartitionRecord {
  const none = { series: new Uint32Array(0), timestamps: new Float64Array(0), values: new Float64Array(0) };
  const bare = { ...record, ...none, extras: undefined, idempotency: undefined };
  return { partition, record: bare, handles: new Uint32Array(0) };
}

/**
 * What one record carries at most, about. Series of refused requests go into the log with whatever comes next: unbounded,
 * they could make every record larger than the log takes.
 */
const mostDefinitionBytes = 16 * 1024 * 1024;

/**
 * Which definitions a record of a partition must carry: those the log has not got yet. A definition counts as
 * written when a record with it is queued, and as unwritten again when that record fails.
 */
export class DefinitionLedger {
  readonly #registry: SeriesRegistry;
  readonly #queued: number[];
  readonly #durable: number[];
  /** Counts failures: records queued before one must not undo what was queued after it. */
  #failures = 0;

  constructor(registry: SeriesRegistry, partitions: number) {
    this.#registry = registry;
    this.#durable = Array.from({ length: partitions }, (_, partition) => registry.partitionSize(partition));
    this.#queued = [...this.#durable];
  }

  get failures(): number {
    return this.#failures;
  }

  /**
   * Puts the missing definitions into the record, which is queued next, as many as one record may carry. False when
   * others are missing still: then it has to be queued `withoutPoints`, and completed again.
   */
  complete({ partition, record }: PartitionRecord): boolean {
    const from = this.#queued[partition]!;
    const to = this.#registry.partitionSize(partition);
    const definitions: SeriesDefinition[] = [];
    let local = from;
    for (let bytes = 0; local < to && bytes < mostDefinitionBytes; local++) {
      const definition = this.#registry.definitionOf(this.#registry.handleOf(partition, local));
      definitions.push(definition);
      bytes += definitionBytes(definition);
    }
    record.firstDefinition = from;
    record.definitions = definitions;
    this.#queued[partition] = local;
    return local === to;
  }

  durable({ partition, record }: PartitionRecord): void {
    const end = record.firstDefinition + record.definitions.length;
    this.#durable[partition] = Math.max(this.#durable[partition]!, end);
  }

  /** A record queued when `failures` stood at `since` failed, and with it everything queued behind it. */
  failed(since: number): void {
    if (since !== this.#failures) return;
    this.#failures++;
    for (let partition = 0; partition < this.#queued.length; partition++) {
      this.#queued[partition] = this.#durable[partition]!;
    }
  }
}
