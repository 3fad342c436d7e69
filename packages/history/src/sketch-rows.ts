import { DdSketch, hllSlot } from '@nowcast/aggregate';
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
  readonly #sketch = new DdSketch();

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
    const sketch = this.#sketch;
    sketch.clear();
    sketch.addRun(values, start, end);
    for (let i = 0; i < sketch.length; i++) {
      this.#ddIndex.push(sketch.keys[i]!);
      this.#ddCount.push(sketch.counts[i]!);
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
