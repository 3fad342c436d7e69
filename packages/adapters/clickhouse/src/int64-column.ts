/**
 * A column of 64-bit integers written from doubles. A BigInt per value would be an allocation per value; two 32-bit
 * words are not. Values must be whole and below 2^53.
 */
export class Int64Column {
  readonly #words: Int32Array;
  readonly #floats: Float64Array;

  constructor(length: number) {
    this.#words = new Int32Array(length * 2);
    this.#floats = new Float64Array(this.#words.buffer);
  }

  set(i: number, value: number): void {
    this.#words[i * 2] = value | 0;
    this.#words[i * 2 + 1] = Math.floor(value / 4_294_967_296);
  }

  /** Stores the bits of a double instead. */
  setBits(i: number, value: number): void {
    this.#floats[i] = value;
  }

  /** The column as the engine reads it, little endian. */
  get values(): BigInt64Array {
    return new BigInt64Array(this.#words.buffer);
  }
}
