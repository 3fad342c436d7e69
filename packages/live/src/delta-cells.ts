/** A growing list of cells as the encoder takes them; reused from delta to delta. */
export class DeltaCells {
  count = 0;
  keys = new Uint32Array(64);
  buckets = new Float64Array(64);
  values = new Float64Array(64);

  push(key: number, bucket: number, value: number): void {
    if (this.count === this.keys.length) this.#grow();
    this.keys[this.count] = key;
    this.buckets[this.count] = bucket;
    this.values[this.count] = value;
    this.count += 1;
  }

  clear(): void {
    this.count = 0;
  }

  #grow(): void {
    const size = this.count * 2;
    const keys = new Uint32Array(size);
    keys.set(this.keys);
    this.keys = keys;
    const buckets = new Float64Array(size);
    buckets.set(this.buckets);
    this.buckets = buckets;
    const values = new Float64Array(size);
    values.set(this.values);
    this.values = values;
  }
}
