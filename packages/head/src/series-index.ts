import { hash } from 'node:crypto';
import { appError, limits, type SeriesDefinition, type Where } from '@nowcast/contract';
import { assert, GrowableUint32, type Unsubscribe } from '@nowcast/kernel';
import { definitionBytes } from './definition-bytes.ts';
import { DefinitionStore } from './definition-store.ts';
import { labelsOf, MetricIndex, seriesTest } from './metric-index.ts';
import type { SeriesRegistry } from './registry.ts';

/**
 * All series of one engine: definition ↔ handle ↔ (partition, local index) ↔ stable id, and the inverted index that
 * answers matchers. Kept in memory whole: opening a panel must not ask the warehouse which series exist.
 *
 * The stable id is the first 64 bits of the SHA-256 of the canonical definition, so every node computes the same one
 * and nobody can aim for a collision cheaply; by accident, a million series collide with a chance of 3e-8. The
 * partition follows from the id, so one series always lives in one partition.
 */
export class SeriesIndex implements SeriesRegistry {
  readonly #partitions: number;
  readonly #seriesLimit: (tenant: string) => number;
  readonly #definitions = new DefinitionStore();
  #partition = new Uint16Array(1024);
  #local = new Uint32Array(1024);
  #ids = new BigUint64Array(1024);
  readonly #locals: GrowableUint32[];
  readonly #metrics = new Map<string, Map<string, MetricIndex>>();
  readonly #tenants = new Map<string, { series: number; bytes: number }>();
  /** tenant → label → value → number of series. */
  readonly #labelCounts = new Map<string, Map<string, Map<string, number>>>();
  readonly #listeners = new Set<(handle: number) => void>();

  constructor(partitions: number, seriesLimit: (tenant: string) => number = () => limits.seriesPerTenant) {
    this.#partitions = partitions;
    this.#seriesLimit = seriesLimit;
    this.#locals = Array.from({ length: partitions }, () => new GrowableUint32());
  }

  get size(): number {
    return this.#definitions.size;
  }

  find(definition: SeriesDefinition): number {
    return this.#definitions.find(definition);
  }

  define(definition: SeriesDefinition): number {
    const known = this.find(definition);
    if (known >= 0) return known;
    this.#admit(definition);
    return this.#add(canonicalKey(definition), definition);
  }

  /**
   * Defines a series that a log record or the warehouse says has this local index. Replay meets definitions in the
   * order of their first appearance, so the index must be the next one, or a known one that agrees.
   */
  restore(partition: number, local: number, definition: SeriesDefinition): number {
    const key = canonicalKey(definition);
    const known = this.#definitions.find(definition);
    if (known >= 0) {
      assert(
        this.#partition[known] === partition && this.#local[known] === local,
        `series ${key} moved within the log`,
      );
      return known;
    }
    assert(
      local === this.partitionSize(partition),
      `local index ${local} of partition ${partition} skips ahead`,
    );
    const handle = this.#add(key, definition);
    assert(this.#partition[handle] === partition, `series ${key} belongs to another partition`);
    return handle;
  }

  /**
   * Nameless series of no tenant in place of those below `end` whose definitions are lost, so that those defined after
   * them keep their local indexes. The same ones in every replay.
   */
  restoreLost(partition: number, end: number): void {
    for (let local = this.partitionSize(partition); local < end; local++) {
      for (let attempt = 0; this.partitionSize(partition) === local; attempt++) {
        const source = `lost-${partition}-${local}-${attempt}`;
        const definition = { tenant: '', metric_type: '', source, labels: [] };
        const key = canonicalKey(definition);
        // A series lies where its id says.
        if (Number(seriesId(key) % BigInt(this.#partitions)) === partition) this.#add(key, definition);
      }
    }
  }

  partitionOf(handle: number): number {
    return this.#partition[handle]!;
  }

  localOf(handle: number): number {
    return this.#local[handle]!;
  }

  idOf(handle: number): bigint {
    return this.#ids[handle]!;
  }

  /** Made anew at each call; `tenantOf` and `metricOf` are cheaper. */
  definitionOf(handle: number): SeriesDefinition {
    return this.#definitions.definitionOf(handle);
  }

  tenantOf(handle: number): string {
    return this.#definitions.tenantOf(handle);
  }

  metricOf(handle: number): string {
    return this.#definitions.metricOf(handle);
  }

  partitionSize(partition: number): number {
    return this.#locals[partition]?.length ?? 0;
  }

  handleOf(partition: number, local: number): number {
    const locals = this.#locals[partition];
    assert(
      locals !== undefined && local < locals.length,
      `series ${local} of partition ${partition} is not defined`,
    );
    return locals.array[local]!;
  }

  /**
   * Ascending handles of the tenant's series of the metric that satisfy every matcher. Throws `query.invalid` for a bad
   * expression, of an unknown metric too: what is refused must not depend on what has arrived.
   */
  match(tenant: string, metric: string, where: Where): Uint32Array {
    const known = this.#metrics.get(tenant)?.get(metric);
    if (known !== undefined) return known.match(where);
    seriesTest(where);
    return new Uint32Array(0);
  }

  metric(tenant: string, metric: string): MetricIndex | undefined {
    return this.#metrics.get(tenant)?.get(metric);
  }

  metricNames(tenant: string): string[] {
    return [...(this.#metrics.get(tenant)?.keys() ?? [])];
  }

  /** Labels of all the tenant's series, their values, and how many series carry each. */
  labelCounts(tenant: string): ReadonlyMap<string, ReadonlyMap<string, number>> {
    return this.#labelCounts.get(tenant) ?? new Map<string, Map<string, number>>();
  }

  /** Calls `listener` with the handle of each series defined from now on. */
  onSeries(listener: (handle: number) => void): Unsubscribe {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  #admit(definition: SeriesDefinition): void {
    const limit = this.#seriesLimit(definition.tenant);
    const { series, bytes } = this.#countsOf(definition.tenant);
    if (series >= limit) {
      throw appError(
        'ingest.series_limit',
        `this tenant already has ${limit} series; drop a label whose values keep changing, or ask for a higher limit`,
      );
    }
    const mostBytes = limit * limits.bytesPerSeries;
    if (bytes + definitionBytes(definition) > mostBytes) {
      throw appError(
        'ingest.series_limit',
        `names and labels of this tenant's series may take ${mostBytes} bytes; shorten them, drop a label whose values keep changing, or ask for a higher limit of series`,
      );
    }
  }

  #countsOf(tenant: string): { series: number; bytes: number } {
    let counts = this.#tenants.get(tenant);
    if (counts === undefined) this.#tenants.set(tenant, (counts = { series: 0, bytes: 0 }));
    return counts;
  }

  #add(key: string, definition: SeriesDefinition): number {
    const handle = this.#definitions.add(definition);
    this.#ensure(handle + 1);
    const id = seriesId(key);
    const partition = Number(id % BigInt(this.#partitions));
    const locals = this.#locals[partition]!;
    this.#ids[handle] = id;
    this.#partition[handle] = partition;
    this.#local[handle] = locals.length;
    locals.push(handle);
    const counts = this.#countsOf(definition.tenant);
    counts.series++;
    counts.bytes += definitionBytes(definition);
    this.#metricOf(definition).add(handle, definition);
    this.#countLabels(definition);
    for (const listener of this.#listeners) listener(handle);
    return handle;
  }

  #countLabels(definition: SeriesDefinition): void {
    const { tenant } = definition;
    let labels = this.#labelCounts.get(tenant);
    if (labels === undefined)
      this.#labelCounts.set(tenant, (labels = new Map<string, Map<string, number>>()));
    for (const [name, value] of labelsOf(definition)) {
      let values = labels.get(name);
      if (values === undefined) labels.set(name, (values = new Map<string, number>()));
      values.set(value, (values.get(value) ?? 0) + 1);
    }
  }

  #metricOf(definition: SeriesDefinition): MetricIndex {
    let metrics = this.#metrics.get(definition.tenant);
    if (metrics === undefined)
      this.#metrics.set(definition.tenant, (metrics = new Map<string, MetricIndex>()));
    let metric = metrics.get(definition.metric_type);
    if (metric === undefined) metrics.set(definition.metric_type, (metric = new MetricIndex()));
    return metric;
  }

  #ensure(size: number): void {
    if (size <= this.#local.length) return;
    const capacity = this.#local.length * 2;
    const partition = new Uint16Array(capacity);
    const local = new Uint32Array(capacity);
    const ids = new BigUint64Array(capacity);
    partition.set(this.#partition);
    local.set(this.#local);
    ids.set(this.#ids);
    [this.#partition, this.#local, this.#ids] = [partition, local, ids];
  }
}

function canonicalKey({ tenant, metric_type: metric, source, labels }: SeriesDefinition): string {
  const words = [tenant, metric, source];
  for (const [name, value] of labels) words.push(name, value);
  return JSON.stringify(words);
}

const digest = Buffer.alloc(8);

function seriesId(key: string): bigint {
  // As text: an array of its own for each digest takes three times as long.
  digest.write(hash('sha256', key, 'latin1'), 0, digest.length, 'latin1');
  return digest.readBigUInt64LE(0);
}
