import type { PointColumns, PointsRequest } from '@nowcast/ports';
import { lowerBound, type PointRun } from './hot-block.ts';

type Text = string | undefined;

/** Collects the points of one request. */
export class PointList {
  readonly #request: PointsRequest;
  readonly #series: number[] = [];
  readonly #timestamps: number[] = [];
  readonly #values: number[] = [];
  readonly #receivedAt: number[] = [];
  readonly #dataIds: Text[] = [];
  readonly #actors: Text[] = [];
  readonly #messages: Text[] = [];

  constructor(request: PointsRequest) {
    this.#request = request;
  }

  /** `series` is the index in the request. */
  add(series: number, runs: readonly PointRun[]): void {
    const { at, from, to, statedAt, bySketch, records } = this.#request;
    for (const { block, start, end, res, sketchRes } of runs) {
      if (block.to > (at[block.partition] ?? 0)) continue;
      if (statedAt?.includes(bySketch === true ? sketchRes : res) !== true) continue;
      const { points } = block;
      for (let i = lowerBound(points.timestamps, start, end, from); i < end; i++) {
        if (points.timestamps[i]! >= to) break;
        this.#series.push(series);
        this.#timestamps.push(points.timestamps[i]!);
        this.#values.push(points.values[i]!);
        if (!records) continue;
        this.#receivedAt.push(points.receivedAt[i]!);
        this.#dataIds.push(points.dataIds?.[i]);
        this.#actors.push(points.actors?.[i]);
        this.#messages.push(points.messages?.[i]);
      }
    }
  }

  columns(): PointColumns {
    const { records } = this.#request;
    return {
      length: this.#series.length,
      series: Uint32Array.from(this.#series),
      timestamps: Float64Array.from(this.#timestamps),
      values: Float64Array.from(this.#values),
      receivedAt: Float64Array.from(this.#receivedAt),
      dataIds: records ? this.#dataIds : undefined,
      actors: records ? this.#actors : undefined,
      messages: records ? this.#messages : undefined,
    };
  }
}
