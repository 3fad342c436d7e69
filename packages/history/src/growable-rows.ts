import type { StateRows } from '@nowcast/ports';

/** The numeric columns of state rows, doubling together. */
export class GrowableRows {
  #length = 0;
  #capacity = 1024;
  id = new BigUint64Array(this.#capacity);
  res = new Uint32Array(this.#capacity);
  bucket = new Float64Array(this.#capacity);
  n = new Float64Array(this.#capacity);
  sum = new Float64Array(this.#capacity);
  min = new Float64Array(this.#capacity);
  max = new Float64Array(this.#capacity);
  first = new Float64Array(this.#capacity);
  firstAt = new Float64Array(this.#capacity);
  last = new Float64Array(this.#capacity);
  lastAt = new Float64Array(this.#capacity);
  growth = new Float64Array(this.#capacity);

  /** Makes room for one more row and returns its number. */
  next(): number {
    if (this.#length === this.#capacity) this.#grow();
    return this.#length++;
  }

  #grow(): void {
    this.#capacity *= 2;
    this.id = copyInto(new BigUint64Array(this.#capacity), this.id);
    this.res = copyInto(new Uint32Array(this.#capacity), this.res);
    const floats = [
      'bucket',
      'n',
      'sum',
      'min',
      'max',
      'first',
      'firstAt',
      'last',
      'lastAt',
      'growth',
    ] as const;
    for (const name of floats) this[name] = copyInto(new Float64Array(this.#capacity), this[name]);
  }

  columns(): Omit<StateRows, 'tenant' | 'metric'> {
    const n = this.#length;
    return {
      length: n,
      series: this.id.subarray(0, n),
      res: this.res.subarray(0, n),
      bucket: this.bucket.subarray(0, n),
      count: this.n.subarray(0, n),
      sum: this.sum.subarray(0, n),
      min: this.min.subarray(0, n),
      max: this.max.subarray(0, n),
      first: this.first.subarray(0, n),
      firstAt: this.firstAt.subarray(0, n),
      last: this.last.subarray(0, n),
      lastAt: this.lastAt.subarray(0, n),
      growth: this.growth.subarray(0, n),
    };
  }
}

function copyInto<T extends Uint32Array | Float64Array | BigUint64Array>(target: T, source: T): T {
  (target as Uint32Array).set(source as Uint32Array);
  return target;
}
