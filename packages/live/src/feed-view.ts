import { type NamelessRecord, rangeNow, RecordNames, type ResolvedQuery } from '@nowcast/aggregate';
import {
  encodeDeltaBody,
  encodeSnapshotBody,
  limits as wireLimits,
  type PointRecord,
  type SeriesDefinition,
} from '@nowcast/contract';
import { assert } from '@nowcast/kernel';
import type { OffsetVector } from '@nowcast/ports';
import type { LiveSources, PointRun } from './sources.ts';
import type { DeltaFrame, View } from './view.ts';

interface Entry {
  handle: number;
  record: PointRecord;
  /** Revision of the view that first carried it. */
  revision: number;
}

const noCells = {
  series: [],
  removed: [],
  count: 0,
  keys: new Uint32Array(0),
  buckets: new Float64Array(0),
  values: new Float64Array(0),
};

/**
 * A live view of `agg=none`: the newest `limit` records of the range, oldest first, late ones in their place. Records
 * are never taken back, so a delta is just the new ones; client and server both keep the newest `limit` by
 * (timestamp, received_at, data_id): an order that no flush, partition or restart can change.
 */
export class FeedView implements View {
  readonly query: ResolvedQuery;
  readonly limit: number;
  revision = 0;
  readonly wantsReload = false;
  readonly isTooLarge = false;
  readonly #tenant: string;
  readonly #sources: LiveSources;
  readonly #definitions = new Map<number, SeriesDefinition>();
  #entries: Entry[] = [];
  #fresh: Entry[] = [];
  /** So many fresh entries are looked through for those that can never be shown. */
  #trimAt: number;
  #loaded = false;
  #isSorted = false;
  readonly #names = new RecordNames();

  constructor(tenant: string, query: ResolvedQuery, sources: LiveSources) {
    assert(query.limit !== undefined, 'records have a limit');
    this.query = query;
    this.limit = query.limit;
    this.#trimAt = leastTrimmed(query.limit);
    this.#tenant = tenant;
    this.#sources = sources;
  }

  /** A series that matches; called once for each, before its points. */
  addSeries(handle: number, definition: SeriesDefinition): void {
    this.#definitions.set(handle, definition);
  }

  async load(at: OffsetVector): Promise<void> {
    const { query } = this;
    const now = rangeNow(query, this.#sources.clock.now());
    const to = query.range.kind === 'fixed' ? now.to : now.to + wireLimits.futureMs;
    const loaded = await this.#sources.loadRecords({
      tenant: this.#tenant,
      query,
      at,
      from: now.from,
      to,
      handles: Uint32Array.from(this.#definitions.keys()),
      limit: this.limit,
    });
    for (const { handle, record } of loaded) {
      this.#names.note(this.#nameless(handle, record), record.data_id);
      this.#entries.push({ handle, record, revision: 0 });
    }
    this.#loaded = true;
  }

  /** New points of one series, in order of arrival. */
  addRun(handle: number, run: PointRun): void {
    const { range } = this.query;
    const oldest = this.#entries.length >= this.limit ? this.#entries[0]!.record.timestamp : -Infinity;
    for (let i = firstOfNewest(run, this.limit); i < run.to; i += 1) {
      const timestamp = run.timestamps[i]!;
      if (timestamp < oldest) continue;
      if (range.kind === 'fixed' && (timestamp < range.from || timestamp >= range.to)) continue;
      this.#fresh.push({ handle, record: this.#recordOf(handle, run, i), revision: 0 });
    }
    if (this.#fresh.length > this.#trimAt) this.#trim();
  }

  /** Series that share a timestamp leave nothing to drop: the next look waits until there are twice as many. */
  #trim(): void {
    this.#fresh = withoutHopeless(this.#fresh, this.limit);
    this.#trimAt = Math.max(leastTrimmed(this.limit), 2 * this.#fresh.length);
  }

  settle(receivedAt: number): DeltaFrame | undefined {
    if (!this.#loaded) return undefined;
    const { from } = rangeNow(this.query, this.#sources.clock.now());
    while (this.#entries.length > 0 && this.#entries[0]!.record.timestamp < from) this.#entries.shift();
    if (this.#fresh.length === 0 && this.#isSorted) return undefined;
    this.#isSorted = true;
    const revision = this.revision + 1;
    for (const entry of this.#fresh) {
      const { handle, record } = entry;
      entry.revision = revision;
      // Only here, because the load tells which points came before.
      if (record.data_id === '') record.data_id = this.#names.next(this.#nameless(handle, record));
      this.#entries.push(entry);
    }
    this.#fresh = [];
    this.#trimAt = leastTrimmed(this.limit);
    this.#entries = newestOf(this.#entries, this.limit).filter(({ record }) => record.timestamp >= from);
    this.#forgetNames();
    const points = this.#entries.filter((entry) => entry.revision === revision).map(({ record }) => record);
    if (points.length === 0) return undefined;
    this.revision = revision;
    return {
      encode: (baseSeq, seq) => encodeDeltaBody({ baseSeq, seq, newest: receivedAt, ...noCells, points }),
    };
  }

  snapshot(seq: string): Uint8Array {
    return encodeSnapshotBody({
      epoch: this.#sources.epoch,
      seq,
      recovered: false,
      stepMs: this.query.stepMs,
      ...rangeNow(this.query, this.#sources.clock.now()),
      series: [],
      points: this.#entries.map(({ record }) => record),
    });
  }

  changesSince(revision: number, baseSeq: string, seq: string): Uint8Array {
    const points = this.#entries.filter((entry) => entry.revision > revision).map(({ record }) => record);
    return encodeDeltaBody({ baseSeq, seq, newest: 0, ...noCells, points });
  }

  #recordOf(handle: number, run: PointRun, i: number): PointRecord {
    const definition = this.#definitions.get(handle);
    assert(definition !== undefined, 'points come after their series');
    const actor = run.actors?.[i];
    const message = run.messages?.[i];
    return {
      data_id: run.dataIds?.[i] ?? '',
      source: definition.source,
      timestamp: run.timestamps[i]!,
      metric_type: definition.metric_type,
      value: run.values[i]!,
      labels: Object.fromEntries(definition.labels),
      received_at: run.receivedAt?.[i] ?? 0,
      ...(actor === undefined ? {} : { actor }),
      ...(message === undefined ? {} : { message }),
    };
  }

  #nameless(handle: number, record: PointRecord): NamelessRecord {
    const { timestamp, value, received_at: receivedAt, actor, message } = record;
    const seriesId = this.#sources.seriesId(handle);
    return { seriesId, timestamp, value, receivedAt, actor, message };
  }

  #forgetNames(): void {
    if (this.#names.size > leastTrimmed(this.limit))
      this.#names.forgetBefore(this.#entries[0]?.record.timestamp ?? Infinity);
  }
}

/** How much a feed of so many rows collects before it looks what of it can go. */
function leastTrimmed(limit: number): number {
  return 4 * limit + 1000;
}

/** The newest `limit` entries, oldest first. */
function newestOf(entries: readonly Entry[], limit: number): Entry[] {
  return entries
    .toSorted(
      ({ record: a }, { record: b }) =>
        a.timestamp - b.timestamp || a.received_at - b.received_at || (a.data_id < b.data_id ? -1 : 1),
    )
    .slice(-limit);
}

/** Without the entries that are older than `limit` others. */
function withoutHopeless(entries: Entry[], limit: number): Entry[] {
  const times = Float64Array.from(entries, ({ record }) => record.timestamp).sort();
  const oldest = times[times.length - limit]!;
  return entries.filter(({ record }) => record.timestamp >= oldest);
}

/** Where to begin in a long run of ascending times of which only the last `limit` can be shown. */
function firstOfNewest(run: PointRun, limit: number): number {
  const { from, to, timestamps } = run;
  let start = to - limit;
  if (start <= from) return from;
  for (let i = from + 1; i < to; i += 1) if (timestamps[i]! < timestamps[i - 1]!) return from;
  // Those of one time stay together: derived ids number them.
  while (start > from && timestamps[start - 1] === timestamps[start]) start -= 1;
  return start;
}
