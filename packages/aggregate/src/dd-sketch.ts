/**
 * Quantiles that merge: DDSketch (Masson, Rim, Lee, VLDB 2019), relative accuracy 1 %.
 *
 * Sampling or t-digest would be smaller, but their result depends on the order in which points arrive and partitions
 * merge; a DDSketch is a multiset of logarithmic buckets, so any order gives the same sketch bit for bit, and
 * ClickHouse merges it with `sumMap`. For the same reason there is no collapsing of buckets when a sketch grows:
 * collapsing depends on the order too. It is not needed: the key of every double lies within ± 80,000, so a sketch
 * holds at most that many pairs, and a realistic one (five decades) some 600.
 *
 * A key is one Int32: 0 for zero, otherwise sign · (ceil(log_γ |v|) + 40,000). Keys therefore sort like the values.
 * The mapping is a constant of the contract: sketches are stored, so neither α nor the bias may ever change.
 */
const relativeAccuracy = 0.01;
const gamma = (1 + relativeAccuracy) / (1 - relativeAccuracy);
const logGamma = Math.log(gamma);
/** By how much what stands for a bucket lies below its border. */
const logMiddle = Math.log((gamma + 1) / 2);
/** Larger than the magnitude of any exponent: log_γ of the least double is −37,221. */
const keyBias = 40_000;

/**
 * Doubles by exponent and the first seven bits of their fraction: such a slice is less than a bucket wide, so it meets
 * one border at most. With the bucket it begins in and that border a key is two look-ups, a tenth of a logarithm.
 */
const sliceShift = 13;
const sliceCount = 2 ** (31 - sliceShift);
const sliceKeys = new Int32Array(sliceCount);
/** The largest value in the slice that still has its first key; 0 while the slice has not been looked at. */
const sliceBorders = new Float64Array(sliceCount);
/** Below it a slice holds many buckets. */
const leastNormal = 2 ** -1022;
const bits = new Float64Array(1);
const words = new Uint32Array(bits.buffer);

/** Key of the bucket that holds the value; finite values only. */
export function ddIndex(value: number): number {
  if (value === 0) return 0;
  const key = magnitudeKey(Math.abs(value));
  return value > 0 ? key : -key;
}

function magnitudeKey(magnitude: number): number {
  if (magnitude < leastNormal) return computeKey(magnitude);
  bits[0] = magnitude;
  const slice = words[1]! >>> sliceShift;
  if (sliceBorders[slice] === 0) fillSlice(slice);
  // No branch: which side of the border a value lies on cannot be foretold.
  return sliceKeys[slice]! + +(magnitude > sliceBorders[slice]!);
}

/** Key of a positive value as it is defined. */
export function computeKey(magnitude: number): number {
  return Math.ceil(Math.log(magnitude) / logGamma) + keyBias;
}

function fillSlice(slice: number): void {
  let low = fromWords(slice << sliceShift, 0);
  let high = fromWords((slice << sliceShift) + 2 ** sliceShift - 1, 2 ** 32 - 1);
  const key = computeKey(low);
  sliceKeys[slice] = key;
  sliceBorders[slice] = high;
  if (computeKey(high) === key) return;
  // The slice's first values have its key, its last ones the next: halve what lies between, down to two neighbours.
  for (;;) {
    const middle = low + (high - low) / 2;
    if (!(middle > low && middle < high)) break;
    if (computeKey(middle) === key) low = middle;
    else high = middle;
  }
  sliceBorders[slice] = low;
}

function fromWords(high: number, low: number): number {
  words[0] = low;
  words[1] = high;
  return bits[0]!;
}

/** The value that stands for a bucket: within 1 % of everything the bucket holds (normal doubles). */
export function ddValue(key: number): number {
  if (key === 0) return 0;
  const power = (Math.abs(key) - keyBias) * logGamma;
  let magnitude = (2 * Math.exp(power)) / (gamma + 1);
  // Twice the border of the last buckets is no double any more, though what stands for them is.
  if (magnitude === Infinity) magnitude = Math.exp(power - logMiddle);
  return Math.sign(key) * Math.min(magnitude, Number.MAX_VALUE);
}

const initialCapacity = 8;

/** Keys of the run at hand, and how often each occurs above the least of them: zero between calls. */
let runKeys = new Int32Array(256);
/** Eight decades of values are 922 keys. */
const runCounts = new Uint32Array(1024);
/** Shorter runs are not worth counting. */
const leastCounted = 8;
/** Keys between the least and the largest that may be looked through for each value; beyond it sorting costs less. */
const mostSpread = 32;
/** Finding the place of a key costs as much as looking at so many in a row. */
const mergeCost = 12;

/** Sparse, sorted by key. `keys` and `counts` are valid below `length`. */
export class DdSketch {
  keys: Int32Array = new Int32Array(initialCapacity);
  counts: Float64Array = new Float64Array(initialCapacity);
  length = 0;
  /** Number of points. */
  total = 0;

  add(value: number): void {
    this.addKey(ddIndex(value), 1);
  }

  addKey(key: number, count: number): void {
    const at = this.#lowerBound(key);
    this.total += count;
    if (at < this.length && this.keys[at] === key) {
      this.counts[at] = this.counts[at]! + count;
      return;
    }
    this.#reserve(this.length + 1);
    this.keys.copyWithin(at + 1, at, this.length);
    this.counts.copyWithin(at + 1, at, this.length);
    this.keys[at] = key;
    this.counts[at] = count;
    this.length += 1;
  }

  /**
   * Adds the values `[from, to)`: the same as adding each. Values of one series lie close together, so that counting
   * their keys in place and merging the few that there are costs less than finding the place of each.
   */
  addRun(values: Float64Array, from: number, to: number): void {
    if (to - from > runKeys.length) runKeys = new Int32Array(2 * (to - from));
    const keys = runKeys;
    let n = 0;
    let low = 2_147_483_647;
    let high = -2_147_483_648;
    for (let i = from; i < to; i += 1) {
      const key = ddIndex(values[i]!);
      // Zero lies far from all other keys, and occurs often.
      if (key === 0) continue;
      keys[n++] = key;
      if (key < low) low = key;
      if (key > high) high = key;
    }
    if (n < to - from) this.addKey(0, to - from - n);
    // A merge looks at all keys that are here.
    if (n < leastCounted || n * mergeCost < this.length) {
      for (let i = 0; i < n; i += 1) this.addKey(keys[i]!, 1);
      return;
    }
    const run = this.length === 0 ? this : counted;
    counted.clear();
    if (high - low < Math.min(runCounts.length, n * mostSpread)) run.#addCounted(n, low, high);
    else run.#addSorted(keys.subarray(0, n).sort());
    if (run !== this) this.merge(run);
  }

  /** Of an empty sketch: the first `n` keys of the run, which lie between `low` and `high`. */
  #addCounted(n: number, low: number, high: number): void {
    for (let i = 0; i < n; i += 1) runCounts[runKeys[i]! - low]!++;
    this.#reserve(Math.min(n, high - low + 1));
    for (let key = low; key <= high; key += 1) {
      const count = runCounts[key - low]!;
      if (count === 0) continue;
      runCounts[key - low] = 0;
      this.keys[this.length] = key;
      this.counts[this.length++] = count;
    }
    this.total += n;
  }

  /** Of an empty sketch: ascending keys, some of them equal. */
  #addSorted(sorted: Int32Array): void {
    for (let i = 0; i < sorted.length;) {
      let next = i + 1;
      while (next < sorted.length && sorted[next] === sorted[i]) next += 1;
      this.#append(sorted[i]!, next - i);
      i = next;
    }
  }

  /** Adds a key above all that there are. */
  #append(key: number, count: number): void {
    this.#reserve(this.length + 1);
    this.keys[this.length] = key;
    this.counts[this.length++] = count;
    this.total += count;
  }

  /** Adds the pairs `[from, to)` of sparse columns, in any order. */
  mergePairs(keys: Int32Array, counts: Float64Array, from: number, to: number): void {
    if (this.length === 0) this.#reserve(to - from);
    if (!isAscending(keys, from, to)) {
      for (let i = from; i < to; i += 1) this.addKey(keys[i]!, counts[i]!);
      return;
    }
    const run = this.length === 0 ? this : counted;
    counted.clear();
    for (let i = from; i < to; i += 1) run.#append(keys[i]!, counts[i]!);
    if (run !== this) this.merge(run);
  }

  /** Both are sorted, so it is one pass from the back, into room made for the keys that are new here. */
  merge(other: DdSketch): void {
    const { keys: theirs, counts: theirCounts } = other;
    const fresh = this.#countMissing(other);
    this.#reserve(this.length + fresh);
    const { keys, counts } = this;
    let i = this.length - 1;
    let to = this.length + fresh - 1;
    for (let j = other.length - 1; j >= 0; j -= 1) {
      for (; i >= 0 && keys[i]! > theirs[j]!; i -= 1, to -= 1) {
        keys[to] = keys[i]!;
        counts[to] = counts[i]!;
      }
      const same = i >= 0 && keys[i] === theirs[j];
      counts[to] = theirCounts[j]! + (same ? counts[i]! : 0);
      keys[to] = theirs[j]!;
      to -= 1;
      if (same) i -= 1;
    }
    this.length += fresh;
    this.total += other.total;
  }

  clear(): void {
    this.length = 0;
    this.total = 0;
  }

  /**
   * Within 1 % of the element at index floor(q · (n − 1)) of the sorted points; NaN when there is none.
   * `fraction` is 0 … 1.
   */
  quantile(fraction: number): number {
    if (this.total <= 0) return Number.NaN;
    const rank = Math.floor(fraction * (this.total - 1));
    let seen = 0;
    for (let i = 0; i < this.length; i += 1) {
      seen += this.counts[i]!;
      if (seen > rank) return ddValue(this.keys[i]!);
    }
    return ddValue(this.keys[this.length - 1]!);
  }

  /** How many keys of the other sketch this one does not have. */
  #countMissing(other: DdSketch): number {
    let missing = 0;
    let i = 0;
    for (let j = 0; j < other.length; j += 1) {
      while (i < this.length && this.keys[i]! < other.keys[j]!) i += 1;
      if (i === this.length) return missing + other.length - j;
      if (this.keys[i] !== other.keys[j]) missing += 1;
    }
    return missing;
  }

  #lowerBound(key: number): number {
    const keys = this.keys;
    let low = 0;
    let high = this.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (keys[middle]! < key) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  #reserve(capacity: number): void {
    if (capacity <= this.keys.length) return;
    const size = Math.max(capacity, this.keys.length * 2);
    const keys = new Int32Array(size);
    keys.set(this.keys);
    this.keys = keys;
    const counts = new Float64Array(size);
    counts.set(this.counts);
    this.counts = counts;
  }
}

function isAscending(keys: Int32Array, from: number, to: number): boolean {
  for (let i = from + 1; i < to; i += 1) if (keys[i]! <= keys[i - 1]!) return false;
  return true;
}

/** A run on its way into a sketch that has keys already. */
const counted = new DdSketch();
