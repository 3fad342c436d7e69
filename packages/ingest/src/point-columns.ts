/**
 * The points of one request as columns, filled by a decoder and reused by the next request. Nothing here is
 * allocated for a point: arrays double when they are full and stay.
 */
import { type PointExtras, appError } from '@nowcast/contract';

const firstCapacity = 1024;

export class PointColumns {
  /** Handles of the registry. */
  series = new Uint32Array(firstCapacity);
  /** Event times, epoch ms. */
  timestamps = new Float64Array(firstCapacity);
  values = new Float64Array(firstCapacity);
  /** Memory for the record of these points, as long as they are in use. */
  encoded = new ArrayBuffer(0);
  length = 0;
  /** 1 for rows that got the server's time; all 0 from `length` on. Undefined until there is one. */
  #untimed: Uint8Array | undefined;
  #hasUntimed = false;
  #extraRows: number[] = [];
  #dataIds: (string | undefined)[] = [];
  #actors: (string | undefined)[] = [];
  #messages: (string | undefined)[] = [];
  readonly #maxPoints: number;

  constructor(maxPoints: number) {
    this.#maxPoints = maxPoints;
  }

  get capacity(): number {
    return this.series.length;
  }

  clear(): void {
    this.truncate(0);
    this.#hasUntimed = false;
  }

  /** Makes room for one more row. Throws `request.too_large` beyond the points a request may have. */
  grow(): void {
    if (this.length >= this.#maxPoints) {
      throw appError(
        'request.too_large',
        `the request has more than ${this.#maxPoints} points; send it in smaller pieces, nothing was kept`,
      );
    }
    const capacity = Math.min(this.capacity * 2, Math.max(this.#maxPoints, firstCapacity));
    const series = new Uint32Array(capacity);
    const timestamps = new Float64Array(capacity);
    const values = new Float64Array(capacity);
    series.set(this.series);
    timestamps.set(this.timestamps);
    values.set(this.values);
    this.series = series;
    this.timestamps = timestamps;
    this.values = values;
    if (this.#hasUntimed) this.#lengthenUntimed();
  }

  /** The rows from `firstRow` on came without a time of their own. */
  markUntimed(firstRow: number): void {
    const untimed = this.#lengthenUntimed();
    untimed.fill(1, firstRow, this.length);
    this.#hasUntimed = true;
  }

  #lengthenUntimed(): Uint8Array {
    if (this.#untimed !== undefined && this.#untimed.length >= this.capacity) return this.#untimed;
    const longer = new Uint8Array(this.capacity);
    if (this.#untimed !== undefined) longer.set(this.#untimed);
    this.#untimed = longer;
    return longer;
  }

  isUntimed(row: number): boolean {
    return this.#hasUntimed && this.#untimed![row] === 1;
  }

  /** Attaches optional columns to a row; rows must ascend. */
  setExtra(
    row: number,
    dataId: string | undefined,
    actor: string | undefined,
    message: string | undefined,
  ): void {
    this.#extraRows.push(row);
    this.#dataIds.push(dataId);
    this.#actors.push(actor);
    this.#messages.push(message);
  }

  /** Forgets the rows from `length` on. */
  truncate(length: number): void {
    if (this.#hasUntimed) this.#untimed!.fill(0, length, this.length);
    this.length = length;
    while (this.#extraRows.length > 0 && this.#extraRows.at(-1)! >= length) {
      this.#extraRows.pop();
      this.#dataIds.pop();
      this.#actors.pop();
      this.#messages.pop();
    }
  }

  get hasExtras(): boolean {
    return this.#extraRows.length > 0;
  }

  /** A copy: it outlives this object's next use. */
  extras(): PointExtras | undefined {
    if (this.#extraRows.length === 0) return undefined;
    return {
      rows: Uint32Array.from(this.#extraRows),
      dataIds: this.#dataIds.slice(),
      actors: this.#actors.slice(),
      messages: this.#messages.slice(),
    };
  }

  /** Drops the rows in `dropped` (ascending), moving the later ones up. */
  remove(dropped: readonly number[]): void {
    if (dropped.length === 0) return;
    const untimed = this.#hasUntimed ? this.#untimed : undefined;
    let kept = dropped[0]!;
    for (let i = 0; i < dropped.length; i++) {
      const from = dropped[i]! + 1;
      const to = dropped[i + 1] ?? this.length;
      this.series.copyWithin(kept, from, to);
      this.timestamps.copyWithin(kept, from, to);
      this.values.copyWithin(kept, from, to);
      untimed?.copyWithin(kept, from, to);
      kept += to - from;
    }
    this.#removeExtras(dropped);
    untimed?.fill(0, kept, this.length);
    this.length = kept;
  }

  #removeExtras(dropped: readonly number[]): void {
    let gone = 0;
    let kept = 0;
    for (let i = 0; i < this.#extraRows.length; i++) {
      const row = this.#extraRows[i]!;
      while (gone < dropped.length && dropped[gone]! < row) gone++;
      if (dropped[gone] === row) continue;
      this.#extraRows[kept] = row - gone;
      this.#dataIds[kept] = this.#dataIds[i];
      this.#actors[kept] = this.#actors[i];
      this.#messages[kept] = this.#messages[i];
      kept++;
    }
    for (const column of [this.#extraRows, this.#dataIds, this.#actors, this.#messages]) column.length = kept;
  }
}
