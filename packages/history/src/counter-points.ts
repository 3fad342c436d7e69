import type { Piece } from './piece.ts';

/** How many places a point is carried on average before sorting all of them is cheaper. */
const mostCarries = 32;

/** Points of one counter, to be put in (time, value) order: columns that are used again for the next one. */
export class CounterPoints {
  timestamps = new Float64Array(1024);
  values = new Float64Array(1024);
  length = 0;

  clear(): void {
    this.length = 0;
  }

  add(timestamp: number, value: number): void {
    if (this.length === this.timestamps.length) this.#grow();
    this.timestamps[this.length] = timestamp;
    this.values[this.length++] = value;
  }

  sort(): void {
    if (!this.#isSorted() && !this.#insertEach()) this.#sortAll();
  }

  /**
   * Points of a few senders that take turns lie close to their places: each is carried back to its own. False when that
   * is too far, with the points in some other order.
   */
  #insertEach(): boolean {
    const { timestamps, values, length } = this;
    let carries = mostCarries * length;
    for (let i = 1; i < length; i++) {
      const timestamp = timestamps[i]!;
      const value = values[i]!;
      let at = i;
      while (
        at > 0 &&
        (timestamps[at - 1]! > timestamp || (timestamps[at - 1] === timestamp && values[at - 1]! > value))
      ) {
        timestamps[at] = timestamps[at - 1]!;
        values[at] = values[at - 1]!;
        at--;
      }
      timestamps[at] = timestamp;
      values[at] = value;
      carries -= i - at;
      if (carries < 0) return false;
    }
    return true;
  }

  #sortAll(): void {
    const { timestamps, values, length } = this;
    const order = Uint32Array.from({ length }, (_, i) => i).sort(
      (a, b) => timestamps[a]! - timestamps[b]! || values[a]! - values[b]!,
    );
    this.timestamps = Float64Array.from(order, (i) => timestamps[i]!);
    this.values = Float64Array.from(order, (i) => values[i]!);
  }

  #isSorted(): boolean {
    const { timestamps, values, length } = this;
    for (let i = 1; i < length; i++) {
      const step = timestamps[i]! - timestamps[i - 1]! || values[i]! - values[i - 1]!;
      if (step < 0) return false;
    }
    return true;
  }

  #grow(): void {
    const size = Math.max(1024, this.length * 2);
    const larger = (column: Float64Array) => {
      const out = new Float64Array(size);
      out.set(column);
      return out;
    };
    this.timestamps = larger(this.timestamps);
    this.values = larger(this.values);
  }
}

/** The points of some pieces by unit: their places, grouped by one counting sort. */
export interface StoredPoints {
  addTo(points: CounterPoints, unit: number): void;
}

export function storedPoints(pieces: readonly Piece[]): StoredPoints {
  const grouped = pieces.flatMap((piece) => {
    const { points, selection } = piece;
    return points === undefined || points.length === 0 ? [] : [{ points, ...group(points, selection.units) }];
  });
  return {
    addTo(out, unit) {
      for (const { points, starts, places } of grouped) {
        const end = starts[unit + 1] ?? 0;
        for (let k = starts[unit] ?? end; k < end; k++)
          out.add(points.timestamps[places[k]!]!, points.values[places[k]!]!);
      }
    },
  };
}

/** `places[starts[unit] … starts[unit + 1])` are the points of the unit. */
function group(
  { length, series }: { length: number; series: Uint32Array },
  units: Uint32Array,
): { starts: Uint32Array; places: Uint32Array } {
  const count = units.reduce((most, unit) => Math.max(most, unit + 1), 0);
  const starts = new Uint32Array(count + 1);
  for (let i = 0; i < length; i++) starts[units[series[i]!]! + 1]!++;
  for (let unit = 0; unit < count; unit++) starts[unit + 1]! += starts[unit]!;
  const next = starts.slice();
  const places = new Uint32Array(length);
  for (let i = 0; i < length; i++) places[next[units[series[i]!]!]!++] = i;
  return { starts, places };
}
