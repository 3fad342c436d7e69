/**
 * What viewers have been told about one line: bucket starts in ascending order, the value last sent and the revision
 * of the view that sent it. A value of NaN was taken back.
 */
export class LineCells {
  starts = new Float64Array(8);
  values = new Float64Array(8);
  revisions = new Float64Array(8);
  /** Cells are valid from `head` to `end`. */
  head = 0;
  end = 0;

  /** Records a value; false when it is what viewers already have. */
  set(start: number, value: number, revision: number): boolean {
    const at = this.#lowerBound(start);
    if (at < this.end && this.starts[at] === start) {
      if (Object.is(this.values[at], value)) return false;
      this.values[at] = value;
      this.revisions[at] = revision;
      return true;
    }
    if (Number.isNaN(value)) return false;
    this.#insert(at, start, value, revision);
    return true;
  }

  /** Forgets cells that begin before the range. */
  dropBefore(from: number): void {
    while (this.head < this.end && this.starts[this.head]! < from) this.head += 1;
  }

  /** Start of the newest cell, or −∞. */
  get newest(): number {
    return this.end > this.head ? this.starts[this.end - 1]! : Number.NEGATIVE_INFINITY;
  }

  /** The cells that have a value, as columns of their own. */
  columns(): { timestamps: Float64Array; values: Float64Array } {
    const { head, end } = this;
    const values = this.values.slice(head, end);
    const timestamps = this.starts.slice(head, end);
    if (!values.some((value) => Number.isNaN(value))) return { timestamps, values };
    return {
      timestamps: timestamps.filter((_, i) => !Number.isNaN(values[i]!)),
      values: values.filter((value) => !Number.isNaN(value)),
    };
  }

  #lowerBound(start: number): number {
    if (this.end === this.head || this.starts[this.end - 1]! < start) return this.end;
    let low = this.head;
    let high = this.end - 1;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.starts[middle]! < start) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  #insert(at: number, start: number, value: number, revision: number): void {
    let index = at;
    if (this.end === this.starts.length) {
      index -= this.head;
      this.#makeRoom();
    }
    if (index < this.end)
      for (const column of [this.starts, this.values, this.revisions])
        column.copyWithin(index + 1, index, this.end);
    this.starts[index] = start;
    this.values[index] = value;
    this.revisions[index] = revision;
    this.end += 1;
  }

  #makeRoom(): void {
    const { head, end } = this;
    const size = end - head > this.starts.length / 2 ? this.starts.length * 2 : this.starts.length;
    const moved = (column: Float64Array) => {
      const next = new Float64Array(size);
      next.set(column.subarray(head, end));
      return next;
    };
    this.starts = moved(this.starts);
    this.values = moved(this.values);
    this.revisions = moved(this.revisions);
    this.head = 0;
    this.end = end - head;
  }
}
