import { groupLabels, RecordNames, type ResolvedQuery } from '@nowcast/aggregate';
import { type ReferencePoint, seriesMatches } from '@nowcast/aggregate/testing';
import type { PointRecord, SeriesDefinition } from '@nowcast/contract';
import type { ManualClock, Unsubscribe } from '@nowcast/kernel';
import type { OffsetVector } from '@nowcast/ports';
import type { FeedRecord, GridLoad, LiveSources, RecordLoad, Tick } from '../sources.ts';

const partitions = 3;

interface LoggedPoint extends ReferencePoint {
  partition: number;
  offset: number;
  receivedAt: number;
}

/** A log in memory, with loads that take as long as the test says, for tests of live views. */
export class FakeEngine implements LiveSources {
  readonly clock: ManualClock;
  readonly epoch = 'epoch1';
  readonly instance: string;
  /** Everything that arrived, in order of arrival. */
  readonly log: LoggedPoint[] = [];
  readonly #handles = new Map<string, number>();
  readonly #definitions: SeriesDefinition[] = [];
  readonly #watchers = new Set<Watcher>();
  readonly #gates: (() => void)[] = [];
  readonly #offsets = Array.from({ length: partitions }, () => 0);
  #ticked = 0;
  /** Loads so far, failed ones included. */
  loads = 0;
  /** Whether loads wait for `releaseLoads`. */
  slow = false;
  /** The next load rejects with this. */
  failure: Error | undefined;

  constructor(clock: ManualClock, instance = 'i1') {
    this.clock = clock;
    this.instance = instance;
  }

  /** Position after everything that was given to a tick. */
  get at(): OffsetVector {
    return this.#vector(this.#ticked);
  }

  append(point: ReferencePoint): void {
    const handle = this.#define(point.series);
    const partition = handle % partitions;
    const offset = this.#offsets[partition]!++;
    const receivedAt = this.clock.now();
    this.log.push({ ...point, series: this.#definitions[handle]!, partition, offset, receivedAt });
  }

  /** What arrived since the last tick. */
  tick(): Tick {
    const fresh = this.log.slice(this.#ticked);
    this.#ticked = this.log.length;
    const handles = [...new Set(fresh.map(({ series }) => this.#define(series)))];
    let gathered: number[] = [];
    return {
      at: this.at,
      receivedAt: fresh.at(-1)?.receivedAt ?? 0,
      touched: Uint32Array.from(handles),
      touchedCount: handles.length,
      *gather(wanted, count) {
        gathered = [...wanted.subarray(0, count)];
        yield;
      },
      read: (i, wants) => {
        const points = fresh.filter(({ series }) => this.#define(series) === gathered[i]);
        return {
          from: 0,
          to: points.length,
          timestamps: Float64Array.from(points, ({ timestamp }) => timestamp),
          values: Float64Array.from(points, ({ value }) => value),
          actors: wants.actors ? points.map(({ actor }) => actor) : undefined,
          receivedAt: wants.records ? Float64Array.from(points, (point) => point.receivedAt) : undefined,
        };
      },
    };
  }

  definitionOf(handle: number): SeriesDefinition {
    return this.#definitions[handle]!;
  }

  watchSeries(tenant: string, query: ResolvedQuery, onSeries: OnSeries): Unsubscribe {
    const watcher = { tenant, query, onSeries };
    this.#definitions.forEach((definition, handle) => announce(watcher, handle, definition));
    this.#watchers.add(watcher);
    return () => this.#watchers.delete(watcher);
  }

  /** Watches that were begun and have not ended. */
  get watching(): number {
    return this.#watchers.size;
  }

  /** What the registry reported as defects. */
  readonly defects: string[] = [];

  onDefect(_error: unknown, consequence: string): void {
    this.defects.push(consequence);
  }

  seriesId(handle: number): bigint {
    return BigInt(handle);
  }

  async loadGrid(load: GridLoad): Promise<undefined> {
    const points = this.#below(load);
    await this.#gate();
    const unitOf = new Map(Array.from(load.handles, (handle, i) => [handle, load.units[i]!]));
    for (const { series, timestamp, value, actor } of points.toSorted(
      (a, b) => a.timestamp - b.timestamp || a.value - b.value,
    ))
      load.grid.addPoint(unitOf.get(this.#define(series))!, timestamp, value, actor);
  }

  async loadRecords(load: RecordLoad): Promise<FeedRecord[]> {
    const records = this.#records(this.#below(load));
    await this.#gate();
    const newest = records
      .filter(({ record }) => record.timestamp >= load.from)
      .toSorted((a, b) => compareRecords(a.record, b.record))
      .slice(-load.limit);
    const oldest = newest[0]?.record.timestamp ?? Infinity;
    return records.filter(({ record }) => record.timestamp >= oldest);
  }

  /** The records of these points, in order of receipt. */
  #records(points: readonly LoggedPoint[]): FeedRecord[] {
    const names = new RecordNames();
    const inOrder = points.toSorted((a, b) => a.receivedAt - b.receivedAt || a.value - b.value);
    return inOrder.map(({ series, timestamp, value, actor, receivedAt }) => {
      const handle = this.#define(series);
      const record: PointRecord = {
        data_id: names.next({ seriesId: BigInt(handle), timestamp, value, receivedAt, actor }),
        source: series.source,
        timestamp,
        metric_type: series.metric_type,
        value,
        labels: groupLabels(
          series,
          series.labels.map(([name]) => name),
        ),
        received_at: receivedAt,
        ...(actor === undefined ? {} : { actor }),
      };
      return { handle, record };
    });
  }

  /** The newest records of a query, worked out from the whole log. */
  newestRecords(query: ResolvedQuery, from: number): PointRecord[] {
    const matching = this.log.filter(({ series }) => seriesMatches(query.where, series));
    return this.#records(matching)
      .map(({ record }) => record)
      .filter(({ timestamp }) => timestamp >= from)
      .toSorted(compareRecords)
      .slice(-query.limit!);
  }

  releaseLoads(): void {
    for (const open of this.#gates.splice(0)) open();
  }

  get waitingLoads(): number {
    return this.#gates.length;
  }

  async #gate(): Promise<void> {
    this.loads += 1;
    if (this.slow) await new Promise<void>((resolve) => this.#gates.push(resolve));
    const { failure } = this;
    this.failure = undefined;
    if (failure !== undefined) throw failure;
  }

  #below(load: { handles: Uint32Array; at: OffsetVector }): LoggedPoint[] {
    const wanted = new Set(load.handles);
    return this.log.filter(
      ({ series, partition, offset }, i) =>
        i < this.#ticked && offset < load.at[partition]! && wanted.has(this.#define(series)),
    );
  }

  #vector(length: number): OffsetVector {
    const at = Array.from({ length: partitions }, () => 0);
    for (const { partition, offset } of this.log.slice(0, length)) at[partition] = offset + 1;
    return at;
  }

  #define(definition: SeriesDefinition): number {
    const key = JSON.stringify(definition);
    let handle = this.#handles.get(key);
    if (handle === undefined) {
      handle = this.#definitions.push(definition) - 1;
      this.#handles.set(key, handle);
      for (const watcher of this.#watchers) announce(watcher, handle, definition);
    }
    return handle;
  }
}

/** The order of a feed. */
export function compareRecords(a: PointRecord, b: PointRecord): number {
  return a.timestamp - b.timestamp || a.received_at - b.received_at || (a.data_id < b.data_id ? -1 : 1);
}

type OnSeries = (handle: number, definition: SeriesDefinition) => void;

interface Watcher {
  tenant: string;
  query: ResolvedQuery;
  onSeries: OnSeries;
}

function announce(watcher: Watcher, handle: number, definition: SeriesDefinition): void {
  const { tenant, query, onSeries } = watcher;
  const matches =
    definition.tenant === tenant &&
    definition.metric_type === query.metricType &&
    seriesMatches(query.where, definition);
  if (matches) onSeries(handle, definition);
}
