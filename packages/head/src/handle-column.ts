/** A column with one entry a handle, grown on demand; entries not set hold `fill`. */
export class HandleColumn {
  array: Float64Array;
  readonly #fill: number;

  constructor(fill: number) {
    this.#fill = fill;
    this.array = new Float64Array(1024).fill(fill);
  }

  /** Makes room for handles below `size`. */
  ensure(size: number): void {
    if (size <= this.array.length) return;
    const larger = new Float64Array(Math.max(size, this.array.length * 2)).fill(
      this.#fill,
      this.array.length,
    );
    larger.set(this.array);
    this.array = larger;
  }
}
