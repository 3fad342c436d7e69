import {
  type DeltaColumns,
  type PointRecord,
  type SeriesLabels,
  type SnapshotColumns,
  appError,
} from '@nowcast/contract';

const defaultMaxPoints = 1_000;

/**
 * One line of a view: bucket starts and values as two ascending columns that grow in place. Almost every change is a
 * new last bucket or a new value for the last one; only a late point pays for a search and a move.
 */
export class ViewSeries {
  readonly key: number;
  readonly labels: SeriesLabels;
  #timestamps: Float64Array;
  #values: Float64Array;
  /** Cells in use are [start, end): trimming only moves the start. */
  #start = 0;
  #end: number;

  /** Copies the columns: what a snapshot carried stays as it was. */
  constructor(key: number, labels: SeriesLabels, timestamps: ArrayLike<number>, values: ArrayLike<number>) {
    const capacity = Math.max(16, Math.ceil(timestamps.length * 1.25));
    this.key = key;
    this.labels = labels;
    this.#timestamps = new Float64Array(capacity);
    this.#timestamps.set(timestamps);
    this.#values = new Float64Array(capacity);
    this.#values.set(values);
    this.#end = timestamps.length;
  }

  get length(): number {
    return this.#end - this.#start;
  }

  /** Bucket starts, epoch ms, ascending. A window onto the live column: valid until the next change. */
  get timestamps(): Float64Array {
    return this.#timestamps.subarray(this.#start, this.#end);
  }

  /** One value a bucket, NaN for none. A window onto the live column: valid until the next change. */
  get values(): Float64Array {
    return this.#values.subarray(this.#start, this.#end);
  }

  set(bucket: number, value: number): void {
    const last = this.#end - 1;
    if (this.length > 0 && this.#timestamps[last]! >= bucket) {
      const found = this.#timestamps[last] === bucket ? last : this.#search(bucket);
      // First the room, which can replace the columns; then the value.
      const at = this.#timestamps[found] === bucket ? found : this.#insert(found, bucket);
      this.#values[at] = value;
      return;
    }
    this.#reserve();
    this.#timestamps[this.#end] = bucket;
    this.#values[this.#end] = value;
    this.#end++;
  }

  /** Drops the buckets that start before `from`. */
  trim(from: number): void {
    if (this.length === 0 || this.#timestamps[this.#start]! >= from) return;
    this.#start = this.#search(from);
  }

  /** First index in use whose bucket is not before `bucket`. */
  #search(bucket: number): number {
    let low = this.#start;
    let high = this.#end;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.#timestamps[middle]! < bucket) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  /** Makes a cell before index `at`; returns where it came to be, since making room can move the columns. */
  #insert(at: number, bucket: number): number {
    const cellsBefore = at - this.#start;
    this.#reserve();
    const target = this.#start + cellsBefore;
    this.#timestamps.copyWithin(target + 1, target, this.#end);
    this.#values.copyWithin(target + 1, target, this.#end);
    this.#timestamps[target] = bucket;
    this.#end++;
    return target;
  }

  /** Makes room for one more cell: by moving down what trimming left behind, or by growing. */
  #reserve(): void {
    if (this.#end < this.#timestamps.length) return;
    const { length } = this;
    const capacity =
      length * 2 > this.#timestamps.length ? Math.max(16, length * 2) : this.#timestamps.length;
    const timestamps = new Float64Array(capacity);
    const values = new Float64Array(capacity);
    timestamps.set(this.timestamps);
    values.set(this.values);
    this.#timestamps = timestamps;
    this.#values = values;
    this.#start = 0;
    this.#end = length;
  }
}

/** A live view in memory: what the snapshot said, kept up to date by deltas. Applying a delta twice is harmless. */
export class ViewState {
  readonly series = new Map<number, ViewSeries>();
  /** Records of an `agg=none` view, oldest first, the newest `maxPoints` of them. */
  points: PointRecord[] = [];
  epoch = '';
  seq = '';
  stepMs = 0;
  from = 0;
  to = 0;
  note: string | undefined;
  readonly #maxPoints: number;
  readonly #pointIds = new Set<string>();

  constructor(options: { maxPoints?: number } = {}) {
    this.#maxPoints = options.maxPoints ?? defaultMaxPoints;
  }

  applySnapshot(snapshot: SnapshotColumns): void {
    this.epoch = snapshot.epoch;
    this.seq = snapshot.seq;
    this.stepMs = snapshot.stepMs;
    this.from = snapshot.from;
    this.to = snapshot.to;
    this.note = snapshot.note;
    this.series.clear();
    for (const { key, labels, timestamps, values } of snapshot.series)
      this.series.set(key, new ViewSeries(key, labels, timestamps, values));
    this.points = [];
    this.#pointIds.clear();
    if (snapshot.points !== undefined) this.#addPoints(snapshot.points);
  }

  /** Throws `live.message_invalid` for a cell of a series that was never announced, and then has changed nothing. */
  applyDelta(delta: DeltaColumns): void {
    this.#check(delta);
    for (const key of delta.removed) this.series.delete(key);
    for (const { key, labels } of delta.series)
      if (!this.series.has(key)) this.series.set(key, new ViewSeries(key, labels, [], []));
    let line: ViewSeries | undefined;
    for (let index = 0; index < delta.count; index++) {
      const key = delta.keys[index]!;
      if (line?.key !== key) line = this.series.get(key)!;
      line.set(delta.buckets[index]!, delta.values[index]!);
    }
    if (delta.points !== undefined) this.#addPoints(delta.points);
    this.seq = delta.seq;
  }

  /** Drops buckets and records before `from`: the page calls it as its window slides. */
  trim(from: number): void {
    this.from = Math.max(this.from, from);
    for (const series of this.series.values()) series.trim(from);
    const kept = this.points.findIndex((point) => point.timestamp >= from);
    const dropped = this.points.splice(0, kept === -1 ? this.points.length : kept);
    for (const point of dropped) this.#pointIds.delete(point.data_id);
  }

  #check(delta: DeltaColumns): void {
    const added = new Set(delta.series.map(({ key }) => key));
    const removed = new Set(delta.removed);
    for (let index = 0; index < delta.count; index++) {
      const key = delta.keys[index]!;
      if (added.has(key) || (this.series.has(key) && !removed.has(key))) continue;
      throw appError(
        'live.message_invalid',
        `a delta has a cell of series ${key}, which the view does not have`,
      );
    }
  }

  #addPoints(points: readonly PointRecord[]): void {
    for (const point of points) {
      if (this.#pointIds.has(point.data_id)) continue;
      this.#pointIds.add(point.data_id);
      let at = this.points.length;
      while (at > 0 && this.points[at - 1]!.timestamp > point.timestamp) at--;
      this.points.splice(at, 0, point);
    }
    const excess = this.points.length - this.#maxPoints;
    if (excess <= 0) return;
    for (const point of this.points.splice(0, excess)) this.#pointIds.delete(point.data_id);
  }
}
