/** Many units never have a cell, and those that a query merges are told how many they will have. */
const noStarts = new Float64Array(0);
const noRows = new Int32Array(0);
const leastRoom = 4;

/**
 * The cells of one unit (a group, or a series): bucket starts in ascending order and the row of a `StateGrid` each has.
 * Points come mostly in time order and windows lose their oldest buckets, so it is an array with a moving head:
 * appending and dropping cost O(1), anything else a binary search and a move.
 */
export class UnitCells {
  #starts = noStarts;
  #rows = noRows;
  #head = 0;
  #end = 0;

  get length(): number {
    return this.#end - this.#head;
  }

  /** Bucket start of the i-th cell, i < length. */
  startAt(i: number): number {
    return this.#starts[this.#head + i]!;
  }

  rowAt(i: number): number {
    return this.#rows[this.#head + i]!;
  }

  /** Index of the first cell that starts at or after `start`; `length` when there is none. */
  lowerBound(start: number): number {
    const starts = this.#starts;
    const { length } = this;
    if (length === 0 || starts[this.#end - 1]! < start) return length;
    // Mostly it is the newest cell that is asked for.
    if (length === 1 || starts[this.#end - 2]! < start) return length - 1;
    let low = this.#head;
    let high = this.#end - 2;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (starts[middle]! < start) low = middle + 1;
      else high = middle;
    }
    return low - this.#head;
  }

  /** Index of the cell that starts exactly there, or −1. */
  find(start: number): number {
    const i = this.lowerBound(start);
    return i < this.length && this.startAt(i) === start ? i : -1;
  }

  insert(i: number, start: number, row: number): void {
    if (this.#end === this.#starts.length) this.#makeRoom(1);
    const at = this.#head + i;
    if (at < this.#end) {
      this.#starts.copyWithin(at + 1, at, this.#end);
      this.#rows.copyWithin(at + 1, at, this.#end);
    }
    this.#starts[at] = start;
    this.#rows[at] = row;
    this.#end += 1;
  }

  /** Removes the oldest cell and returns its row. */
  shift(): number {
    const row = this.#rows[this.#head]!;
    this.#head += 1;
    if (this.#head === this.#end) {
      this.#head = 0;
      this.#end = 0;
    }
    return row;
  }

  /** Makes room for further cells. */
  reserve(cells: number): void {
    if (this.#end + cells > this.#starts.length) this.#makeRoom(cells);
  }

  #makeRoom(cells: number): void {
    const { length } = this;
    if (this.#head >= this.#starts.length / 2 && length + cells <= this.#starts.length) {
      this.#starts.copyWithin(0, this.#head, this.#end);
      this.#rows.copyWithin(0, this.#head, this.#end);
    } else {
      const room = Math.max(leastRoom, 2 * length, length + cells);
      const starts = new Float64Array(room);
      starts.set(this.#starts.subarray(this.#head, this.#end));
      this.#starts = starts;
      const rows = new Int32Array(room);
      rows.set(this.#rows.subarray(this.#head, this.#end));
      this.#rows = rows;
    }
    this.#head = 0;
    this.#end = length;
  }
}
