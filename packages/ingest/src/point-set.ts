/** Which (series, time, value) the first rows of some columns hold; built only when somebody asks. */
import type { PointColumns } from './point-columns.ts';

const floats = new Float64Array(2);
const words = new Int32Array(floats.buffer);
/** Of a set without a row, as most of small requests stay; nobody writes into it. */
const noSlots = new Int32Array(1);
const firstSlots = 64;

export class PointSet {
  readonly #columns: PointColumns;
  /** Row + 1. */
  #slots = noSlots;
  #rows = 0;

  constructor(columns: PointColumns) {
    this.#columns = columns;
  }

  /** Whether one of the rows below `limit` equals the point. */
  has(limit: number, handle: number, timestamp: number, value: number): boolean {
    while (this.#rows < limit) this.#add(this.#rows);
    const { series, timestamps, values } = this.#columns;
    const mask = this.#slots.length - 1;
    for (let slot = hashPoint(handle, timestamp, value) & mask; ; slot = (slot + 1) & mask) {
      const row = this.#slots[slot]! - 1;
      if (row < 0) return false;
      if (series[row] === handle && timestamps[row] === timestamp && values[row] === value) return true;
    }
  }

  #add(row: number): void {
    if ((this.#rows + 1) * 2 > this.#slots.length) {
      this.#slots = new Int32Array(Math.max(firstSlots, this.#slots.length * 2));
      for (let known = 0; known < this.#rows; known++) this.#link(known);
    }
    this.#link(row);
    this.#rows++;
  }

  #link(row: number): void {
    const { series, timestamps, values } = this.#columns;
    const mask = this.#slots.length - 1;
    let slot = hashPoint(series[row]!, timestamps[row]!, values[row]!) & mask;
    while (this.#slots[slot] !== 0) slot = (slot + 1) & mask;
    this.#slots[slot] = row + 1;
  }
}

function hashPoint(handle: number, timestamp: number, value: number): number {
  floats[0] = timestamp;
  // −0 equals 0 and must hash alike.
  floats[1] = value + 0;
  let hash = Math.imul(handle ^ words[0]!, 0x9e3779b1);
  hash = Math.imul(hash ^ words[1]! ^ (hash >>> 15), 0x85ebca6b);
  hash = Math.imul(hash ^ words[2]! ^ (hash >>> 15), 0xc2b2ae35);
  hash = Math.imul(hash ^ words[3]! ^ (hash >>> 15), 0x85ebca6b);
  return hash ^ (hash >>> 16);
}
