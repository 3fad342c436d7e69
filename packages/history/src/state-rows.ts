import type { StateRows } from '@nowcast/ports';
import { GrowableRows } from './growable-rows.ts';

/** Collects the fine state rows of a flush; points of a row must come in time order. */
export class StateRowsBuilder {
  readonly #rows = new GrowableRows();
  readonly #tenant: string[] = [];
  readonly #metric: string[] = [];

  /** Adds the rows of one series' points `[start, end)`, ascending in time, at the given resolution. */
  add(
    name: { tenant: string; metric: string; id: bigint },
    res: number,
    timestamps: Float64Array,
    values: Float64Array,
    start: number,
    end: number,
  ): void {
    for (let i = start; i < end;) {
      const bucket = Math.floor(timestamps[i]! / res) * res;
      let stop = i + 1;
      while (stop < end && timestamps[stop]! < bucket + res) stop++;
      this.#tenant.push(name.tenant);
      this.#metric.push(name.metric);
      this.#fold(name.id, res, bucket, timestamps, values, i, stop);
      i = stop;
    }
  }

  #fold(
    id: bigint,
    res: number,
    bucket: number,
    timestamps: Float64Array,
    values: Float64Array,
    start: number,
    end: number,
  ): void {
    const rows = this.#rows;
    const row = rows.next();
    let sum = 0;
    let min = Number.POSITIVE_INFINITY;
    let max = Number.NEGATIVE_INFINITY;
    let growth = 0;
    let previous = values[start]!;
    for (let i = start; i < end; i++) {
      const value = values[i]!;
      sum += value;
      if (value < min) min = value;
      if (value > max) max = value;
      growth += value >= previous ? value - previous : value;
      previous = value;
    }
    rows.id[row] = id;
    rows.res[row] = res;
    rows.bucket[row] = bucket;
    rows.n[row] = end - start;
    rows.sum[row] = sum;
    rows.min[row] = min;
    rows.max[row] = max;
    rows.first[row] = values[start]!;
    rows.firstAt[row] = timestamps[start]!;
    rows.last[row] = previous;
    rows.lastAt[row] = timestamps[end - 1]!;
    rows.growth[row] = growth;
  }

  build(): StateRows {
    const { length, ...columns } = this.#rows.columns();
    return { length, tenant: this.#tenant, metric: this.#metric, ...columns };
  }
}
