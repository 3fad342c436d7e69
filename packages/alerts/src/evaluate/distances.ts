import type { ByteReader, ByteWriter } from '@nowcast/contract';

/** Half octaves from 2^−40 to 2^40: a quantile is at most 41 % too large, which the band's width allows for. */
const bucketsPerOctave = 2;
const leastOctave = -40;
const bucketCount = 160;
/** A distance of so long ago counts 1/e: three and a half days of five-minute slots. */
const memory = 1000;
const fading = 1 - 1 / memory;

/** How far values have been from what was usual, as a histogram that slowly forgets. */
export class Distances {
  readonly #buckets = new Float64Array(bucketCount);
  #total = 0;

  add(distance: number): void {
    const { length } = this.#buckets;
    for (let i = 0; i < length; i += 1) this.#buckets[i] = this.#buckets[i]! * fading;
    this.#total = this.#total * fading + 1;
    const octave = distance > 0 ? Math.log2(distance) - leastOctave : 0;
    const bucket = Math.max(0, Math.min(length - 1, Math.ceil(octave * bucketsPerOctave)));
    this.#buckets[bucket] = this.#buckets[bucket]! + 1;
  }

  /** The distance that all but this share of them stay within; 0 when that is none at all. */
  exceededBy(share: number): number {
    let left = this.#total * share;
    for (let i = bucketCount - 1; i > 0; i -= 1) {
      left -= this.#buckets[i]!;
      if (left < 0) return 2 ** (leastOctave + i / bucketsPerOctave);
    }
    return 0;
  }

  save(writer: ByteWriter): void {
    writer.f64(this.#total);
    writer.raw(this.#buckets);
  }

  load(reader: ByteReader): void {
    this.#total = reader.f64();
    for (let i = 0; i < bucketCount; i += 1) this.#buckets[i] = reader.f64();
  }
}
