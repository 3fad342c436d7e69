/** Typed arrays that grow when they are full, large ones by half; index with `at` inside hot loops only through `.array`. */
export class GrowableUint32 {
  array = new Uint32Array(4);
  length = 0;

  push(value: number): void {
    if (this.length === this.array.length) {
      const larger = new Uint32Array(this.length < 65_536 ? this.length * 2 : Math.ceil(this.length * 1.5));
      larger.set(this.array);
      this.array = larger;
    }
    this.array[this.length++] = value;
  }

  /** The filled part, without a copy; valid until the next push. */
  view(): Uint32Array {
    return this.array.subarray(0, this.length);
  }
}

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
