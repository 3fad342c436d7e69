/** A typed array that grows when it is full, a large one by half; hot loops index `.array` below `length`. */
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
