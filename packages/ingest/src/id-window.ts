/**
 * The ids seen last, oldest first: a ring of fingerprints with the receipt time of each, and an open-addressing table
 * from fingerprint to place in the ring. Typed arrays only: a `Map` of a million strings takes 150 MB and stops the
 * thread for its growth; this takes 24 bytes an id and doubles.
 *
 * An id is forgotten by age or by number, whichever comes first; both are functions of what was added, in that order,
 * so that a replay of the log forgets the same ones.
 */
import { assert } from '@nowcast/kernel';

const firstCapacity = 256;

export class IdWindow {
  readonly #maxIds: number;
  readonly #maxAgeMs: number;
  #high = new Int32Array(firstCapacity);
  #low = new Int32Array(firstCapacity);
  #receivedAt = new Float64Array(firstCapacity);
  /** Place in the ring + 1. */
  #slots = new Int32Array(firstCapacity * 2);
  /** Running numbers of the oldest id and of the next one; a place in the ring is the number modulo its length. */
  #oldest = 0;
  #next = 0;

  constructor(maxIds: number, maxAgeMs: number) {
    this.#maxIds = maxIds;
    this.#maxAgeMs = maxAgeMs;
  }

  get size(): number {
    return this.#next - this.#oldest;
  }

  /** Whether the id was added less than the window's age before `now`. */
  has(high: number, low: number, now: number): boolean {
    const mask = this.#slots.length - 1;
    for (let slot = low & mask; ; slot = (slot + 1) & mask) {
      const place = this.#slots[slot]! - 1;
      if (place < 0) return false;
      if (this.#low[place] === low && this.#high[place] === high) {
        if (this.#receivedAt[place]! + this.#maxAgeMs > now) return true;
      }
    }
  }

  /** Remembers an id received at `receivedAt`, and forgets what is too old by then or one too many. */
  add(high: number, low: number, receivedAt: number): void {
    const newest = (this.#next - 1) & (this.#high.length - 1);
    // Receipt times only go back across a restart; the ring stays sorted so that expiry needs no search.
    const at = this.size === 0 ? receivedAt : Math.max(receivedAt, this.#receivedAt[newest]!);
    this.#expire(at);
    if (this.size === this.#maxIds) this.dropOldest(1);
    if (this.size === this.#high.length) this.#grow();
    const place = this.#next & (this.#high.length - 1);
    this.#high[place] = high;
    this.#low[place] = low;
    this.#receivedAt[place] = at;
    this.#next++;
    this.#link(place);
  }

  dropOldest(count: number): void {
    for (let i = 0; i < count && this.size > 0; i++) {
      this.#unlink(this.#oldest & (this.#high.length - 1));
      this.#oldest++;
    }
  }

  /** Copies of the columns, oldest id first. */
  columns(): { high: Int32Array; low: Int32Array; receivedAt: Float64Array } {
    const { size } = this;
    const start = this.#oldest & (this.#high.length - 1);
    // The ring may go around its end.
    const head = Math.min(size, this.#high.length - start);
    const unroll = <T extends Int32Array | Float64Array>(ring: T, into: T): T => {
      into.set(ring.subarray(start, start + head));
      into.set(ring.subarray(0, size - head), head);
      return into;
    };
    return {
      high: unroll(this.#high, new Int32Array(size)),
      low: unroll(this.#low, new Int32Array(size)),
      receivedAt: unroll(this.#receivedAt, new Float64Array(size)),
    };
  }

  #expire(now: number): void {
    const mask = this.#high.length - 1;
    while (this.size > 0 && this.#receivedAt[this.#oldest & mask]! + this.#maxAgeMs <= now)
      this.dropOldest(1);
  }

  #link(place: number): void {
    const mask = this.#slots.length - 1;
    let slot = this.#low[place]! & mask;
    while (this.#slots[slot] !== 0) slot = (slot + 1) & mask;
    this.#slots[slot] = place + 1;
  }

  /** Removes by shifting back whatever the gap would cut off from its own place (Knuth, 6.4, algorithm R). */
  #unlink(place: number): void {
    const slots = this.#slots;
    const mask = slots.length - 1;
    let gap = this.#low[place]! & mask;
    while (slots[gap] !== place + 1) {
      assert(slots[gap] !== 0, 'an id of the window is linked');
      gap = (gap + 1) & mask;
    }
    for (let slot = (gap + 1) & mask; slots[slot] !== 0; slot = (slot + 1) & mask) {
      const home = this.#low[slots[slot]! - 1]! & mask;
      if (((slot - home) & mask) >= ((slot - gap) & mask)) {
        slots[gap] = slots[slot]!;
        gap = slot;
      }
    }
    slots[gap] = 0;
  }

  #grow(): void {
    const { size } = this;
    const { high, low, receivedAt } = this.columns();
    this.#high = new Int32Array(size * 2);
    this.#low = new Int32Array(size * 2);
    this.#receivedAt = new Float64Array(size * 2);
    this.#high.set(high);
    this.#low.set(low);
    this.#receivedAt.set(receivedAt);
    this.#oldest = 0;
    this.#next = size;
    this.#slots = new Int32Array(size * 4);
    for (let i = 0; i < size; i++) this.#link(i);
  }
}
