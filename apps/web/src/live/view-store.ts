/**
 * The data of one panel, outside React: snapshots and deltas are written into columns that charts read when they
 * draw. React hears only of what people would call a change of the panel (its set of series, an error, no data),
 * never of a sample: a board at 10 Hz would otherwise spend its time reconciling trees that look the same.
 *
 *   socket ── applySnapshot / applyDelta ──► columns ──► draw scheduler (revision moved?) ──► canvas
 *                                   └─► meta (series set, state, note) ──► React
 */
import type {
  DeltaColumns,
  NoticeMessage,
  PointRecord,
  QueryInput,
  SnapshotColumns,
} from '@nowcast/contract';
import { bucketEnd, type BucketEnd, type Calendar } from './bucket-end.ts';
import { renewRates, withRates } from './growth-rate.ts';
import { assignSlots, seriesName } from './series-name.ts';
import type { StoredSeries } from './stored-series.ts';

/**
 * `none`: values are kept as they come. `bucket`: they are amounts of a bucket, kept divided by its seconds. `growth`:
 * growth of counters, kept divided by the time in which it happened.
 */
export type Rate = 'none' | 'bucket' | 'growth';

export interface ViewMeta {
  state: 'loading' | 'ready' | 'error' | 'forbidden';
  series: readonly StoredSeries[];
  /** Whether anything at all was in the range. */
  empty: boolean;
  note: string;
  error: string;
}

/** Records that are kept where the query does not say. */
const keptPoints = 500;

export class ViewStore {
  /** Usual width of the buckets. */
  stepMs = 1000;
  endOf: BucketEnd = (start) => start + this.stepMs;
  from = 0;
  to = 0;
  /** Moves with every change of a value in the columns. */
  revision = 0;
  /** When the panel last got something, by the server's clock and never ahead of it, epoch ms; 0: never. */
  newestMs = 0;
  /**
   * From the newest event time in what came last to its receipt by the server, at least, ms; a bucket counts as its
   * end, so that one's own rounding is not blamed on the source. Null: nothing came yet.
   */
  sourceLagMs: number | null = null;
  /** Newest last. */
  points: PointRecord[] = [];
  /** The query's sliding range, or null: nothing is forgotten. */
  readonly windowMs: number | null;
  /** How values are kept by the second. */
  readonly rate: Rate;
  readonly #query: Calendar & Pick<QueryInput, 'limit'>;
  #series = new Map<number, StoredSeries>();
  #meta: ViewMeta = { state: 'loading', series: [], empty: true, note: '', error: '' };
  #listeners = new Set<() => void>();

  constructor(
    windowMs: number | null,
    rate: Rate = 'none',
    query: Calendar & Pick<QueryInput, 'limit'> = {},
  ) {
    this.windowMs = windowMs;
    this.rate = rate;
    this.#query = query;
  }

  readonly getMeta = (): ViewMeta => this.#meta;

  readonly subscribeMeta = (listener: () => void): (() => void) => {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  };

  get series(): readonly StoredSeries[] {
    return this.#meta.series;
  }

  /** `nowMs`: the server's clock; a source's own may be minutes ahead of it. */
  applySnapshot(snapshot: SnapshotColumns, nowMs: number): void {
    this.stepMs = snapshot.stepMs > 0 ? snapshot.stepMs : 1000;
    this.endOf = bucketEnd(this.#query, this.stepMs);
    this.from = snapshot.from;
    this.to = snapshot.to;
    this.#series = new Map();
    for (const { key, labels, timestamps, values } of snapshot.series) {
      const v = Array.from(values, (value, i) => this.#kept(value, timestamps[i]!));
      const series = { key, labels, name: seriesName(labels), slot: 0, t: [...timestamps], v };
      this.#series.set(key, this.rate === 'growth' ? withRates(series, this.endOf) : series);
    }
    this.points = (snapshot.points ?? []).slice(-this.#mostPoints());
    // The range's end is no bound by itself: the server moves it on to the end of the newest bucket.
    this.newestMs = Math.min(this.#findNewest(), this.to, nowMs);
    this.revision += 1;
    this.#publish({ state: 'ready', note: snapshot.note ?? '', error: '' });
  }

  /** `nowMs`: the server's clock. */
  applyDelta(delta: DeltaColumns, nowMs: number): void {
    let changedSet = false;
    let eventMs = 0;
    let bucketMs = 0;
    for (const key of delta.removed) changedSet = this.#series.delete(key) || changedSet;
    for (const { key, labels } of delta.series) {
      if (this.#series.has(key)) continue;
      const series = { key, labels, name: seriesName(labels), slot: 0, t: [], v: [] };
      this.#series.set(key, this.rate === 'growth' ? withRates(series, this.endOf) : series);
      changedSet = true;
    }
    for (let i = 0; i < delta.count; i++) {
      const series = this.#series.get(delta.keys[i]!);
      const value = delta.values[i]!;
      const time = delta.buckets[i]!;
      if (series === undefined) continue;
      const at = writeCell(series, time, this.#kept(value, time));
      renewRates(series, at, this.endOf);
      if (time > bucketMs && !Number.isNaN(value)) bucketMs = time;
      eventMs = Math.max(eventMs, this.endOf(time));
    }
    for (const point of delta.points ?? []) eventMs = Math.max(eventMs, point.timestamp);
    if (delta.newest > 0 && eventMs > 0) this.sourceLagMs = Math.max(0, delta.newest - eventMs);
    if (delta.points !== undefined && delta.points.length > 0) this.#addPoints(delta.points);
    // The clock may have been set, and what is forgotten does not come back: data have to have come as far.
    const reachedMs = Math.min(bucketMs, nowMs);
    // Only a merged delta comes without a receipt: event time stands in for it. Neither may run ahead of the clock, or
    // silence would not show: times of receipt go on where the server's clock was set back.
    this.newestMs = Math.min(Math.max(this.newestMs, delta.newest || reachedMs), nowMs);
    if (this.windowMs !== null) this.#forgetBefore(reachedMs - this.windowMs - 2 * this.stepMs);
    this.revision += 1;
    if (changedSet || this.#meta.empty || this.#meta.state !== 'ready') this.#publish({ state: 'ready' });
  }

  applyNotice(notice: NoticeMessage): void {
    if (notice.code.startsWith('auth.')) this.#publish({ state: 'forbidden', error: notice.message });
    else if (!notice.retryable) this.#publish({ state: 'error', error: notice.message });
    else this.#publish({ note: notice.message });
  }

  fail(message: string): void {
    this.#publish({ state: 'error', error: message });
  }

  /** The value of the bucket at `time` as it is kept; growth is divided once its neighbours are known. */
  #kept(value: number, time: number): number | null {
    if (Number.isNaN(value)) return null;
    return this.rate === 'bucket' ? (value * 1000) / (this.endOf(time) - time) : value;
  }

  /** Event time of the newest bucket or point in the columns; 0: none. */
  #findNewest(): number {
    let newest = this.points.at(-1)?.timestamp ?? 0;
    for (const { t, v } of this.#series.values()) {
      for (let i = t.length - 1; i >= 0; i--) {
        if (v[i] === null) continue;
        newest = Math.max(newest, t[i]!);
        break;
      }
    }
    return newest;
  }

  #addPoints(points: readonly PointRecord[]): void {
    const known = new Set(this.points.map((point) => point.data_id));
    this.points = [...this.points, ...points.filter((point) => !known.has(point.data_id))]
      .sort((a, b) => a.timestamp - b.timestamp)
      .slice(-this.#mostPoints());
  }

  /** As many as the server keeps of this query (docs/protocol.md, "snapshot"). */
  #mostPoints(): number {
    return this.#query.limit ?? keptPoints;
  }

  /** Drops old buckets in large steps, so that a long-lived page neither grows nor copies at every delta. */
  #forgetBefore(timeMs: number): void {
    for (const series of this.#series.values()) {
      const { t, v, growths } = series;
      if (t.length < 64 || t[t.length >> 2]! >= timeMs) continue;
      const cut = lowerBound(t, timeMs);
      t.splice(0, cut);
      v.splice(0, cut);
      growths?.splice(0, cut);
    }
  }

  #publish(change: Partial<ViewMeta>): void {
    const series = assignSlots([...this.#series.values()]);
    const empty = this.points.length === 0 && !series.some((one) => one.t.length > 0);
    this.#meta = { ...this.#meta, ...change, series, empty };
    for (const listener of this.#listeners) listener();
  }
}

/** First index whose time is not before `time`. */
export function lowerBound(times: readonly number[], time: number): number {
  let low = 0;
  let high = times.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (times[middle]! < time) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** A cell is the whole new value of its bucket: newest buckets are appended, late ones find their place. Returns it. */
function writeCell({ t, v, growths }: StoredSeries, time: number, value: number | null): number {
  const last = t.length - 1;
  const at = last < 0 || t[last]! < time ? t.length : lowerBound(t, time);
  const values = growths ?? v;
  if (t[at] === time) {
    values[at] = value;
    return at;
  }
  t.splice(at, 0, time);
  v.splice(at, 0, value);
  growths?.splice(at, 0, value);
  return at;
}
