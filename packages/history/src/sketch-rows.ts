import { ddIndex, hllSlot } from '@nowcast/aggregate';
import type { SketchRows } from '@nowcast/ports';
import type { SortedPoints } from './flush-points.ts';

/** Collects the sketch rows of a flush, sparse: runs of equal DDSketch indexes, the highest rank a HLL register. */
export class SketchRowsBuilder {
  readonly #tenant: string[] = [];
  readonly #metric: string[] = [];
  readonly #series: bigint[] = [];
  readonly #res: number[] = [];
  readonly #bucket: number[] = [];
  readonly #ddOffsets: number[] = [0];
  readonly #ddIndex: number[] = [];
  readonly #ddCount: number[] = [];
  readonly #hllOffsets: number[] = [0];
  readonly #hllRegister: number[] = [];
  readonly #hllRank: number[] = [];
  #scratch = new Int32Array(64);
  /** Zero between calls. Three decades of values are 346 indexes. */
  readonly #counts = new Uint32Array(512);

  add(
    name: { tenant: string; metric: string; id: bigint },
    res: number,
    points: SortedPoints,
    start: number,
    end: number,
  ): void {
    const { timestamps } = points;
    for (let i = start; i < end;) {
      const bucket = Math.floor(timestamps[i]! / res) * res;
      let stop = i + 1;
      while (stop < end && timestamps[stop]! < bucket + res) stop++;
      this.#tenant.push(name.tenant);
      this.#metric.push(name.metric);
      this.#series.push(name.id);
      this.#res.push(res);
      this.#bucket.push(bucket);
      this.#quantiles(points.values, i, stop);
      if (points.actors !== undefined) this.#uniques(points.actors, i, stop);
      this.#ddOffsets.push(this.#ddIndex.length);
      this.#hllOffsets.push(this.#hllRegister.length);
      i = stop;
    }
  }

  #quantiles(values: Float64Array, start: number, end: number): void {
    const n = end - start;
    if (n > this.#scratch.length) this.#scratch = new Int32Array(n * 2);
    const indexes = this.#scratch;
    let low = 2_147_483_647;
    let high = -2_147_483_648;
    for (let i = 0; i < n; i++) {
      const index = ddIndex(values[start + i]!);
      indexes[i] = index;
      if (index < low) low = index;
      if (index > high) high = index;
    }
    if (high - low < this.#counts.length) this.#countRange(n, low, high);
    else this.#countSorted(indexes.subarray(0, n).sort());
  }

  /** Values of one series lie close together: their indexes are counted in place, not sorted. */
  #countRange(n: number, low: number, high: number): void {
    const counts = this.#counts;
    for (let i = 0; i < n; i++) counts[this.#scratch[i]! - low]!++;
    for (let index = low; index <= high; index++) {
      const count = counts[index - low]!;
      if (count === 0) continue;
      this.#ddIndex.push(index);
      this.#ddCount.push(count);
      counts[index - low] = 0;
    }
  }

  #countSorted(indexes: Int32Array): void {
    for (let i = 0; i < indexes.length;) {
      let stop = i + 1;
      while (stop < indexes.length && indexes[stop] === indexes[i]) stop++;
      this.#ddIndex.push(indexes[i]!);
      this.#ddCount.push(stop - i);
      i = stop;
    }
  }

  #uniques(actors: readonly (string | undefined)[], start: number, end: number): void {
    const ranks = new Map<number, number>();
    for (let i = start; i < end; i++) {
      const actor = actors[i];
      if (actor === undefined) continue;
      const { register, rank } = hllSlot(actor);
      if (rank > (ranks.get(register) ?? 0)) ranks.set(register, rank);
    }
    for (const [register, rank] of [...ranks].sort(([a], [b]) => a - b)) {
      this.#hllRegister.push(register);
      this.#hllRank.push(rank);
    }
  }

  build(): SketchRows {
    return {
      length: this.#series.length,
      tenant: this.#tenant,
      metric: this.#metric,
      series: BigUint64Array.from(this.#series),
      res: Uint32Array.from(this.#res),
      bucket: Float64Array.from(this.#bucket),
      ddOffsets: Uint32Array.from(this.#ddOffsets),
      ddIndex: Int32Array.from(this.#ddIndex),
      ddCount: Float64Array.from(this.#ddCount),
      hllOffsets: Uint32Array.from(this.#hllOffsets),
      hllRegister: Uint16Array.from(this.#hllRegister),
      hllRank: Uint8Array.from(this.#hllRank),
    };
  }
}
