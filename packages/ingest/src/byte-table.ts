/**
 * A hash table from byte strings to small entry numbers, for the raw bytes that name a series on the wire. A `Map`
 * would need a JavaScript string for every line; this compares the bytes of the request with bytes it kept, eight at
 * a time, and allocates only when it learns something new.
 *
 * Entry numbers start at 1; 0 means absent. Equality is decided through `Float64` loads, which is exact for the
 * bytes stored here: valid UTF-8 never spells a NaN, and strings with NUL bytes (where −0 would equal 0) are not
 * stored. Bytes that do spell a NaN in a request are merely unequal to everything.
 */
const maxProbes = 128;

/** Whether two byte ranges are equal. Both must lie inside their views. */
export function sameBytes(a: DataView, aAt: number, b: DataView, bAt: number, length: number): boolean {
  let i = 0;
  for (; i + 8 <= length; i += 8) {
    if (a.getFloat64(aAt + i, true) !== b.getFloat64(bAt + i, true)) return false;
  }
  // What is left over of a longer text is looked at with some bytes before it.
  if (i === length) return true;
  if (i > 0) return a.getFloat64(aAt + length - 8, true) === b.getFloat64(bAt + length - 8, true);
  if (i + 4 <= length) {
    if (a.getInt32(aAt + i, true) !== b.getInt32(bAt + i, true)) return false;
    i += 4;
  }
  for (; i < length; i++) {
    if (a.getUint8(aAt + i) !== b.getUint8(bAt + i)) return false;
  }
  return true;
}

/** Hash of a byte range, four bytes at a time; `owner` separates equal bytes of different owners. */
export function hashBytes(view: DataView, at: number, length: number, owner: number): number {
  let hash = Math.imul(owner ^ length, 0x9e3779b1);
  const end = at + length;
  let i = at;
  for (; i + 4 <= end; i += 4) {
    hash = Math.imul(hash ^ view.getInt32(i, true), 0x85ebca6b);
    hash ^= hash >>> 15;
  }
  for (; i < end; i++) hash = Math.imul(hash ^ view.getUint8(i), 0xc2b2ae35);
  hash ^= hash >>> 16;
  hash = Math.imul(hash, 0x85ebca6b);
  return hash ^ (hash >>> 13);
}

/** Bytes that are kept, back to back; tables whose texts contain each other share one. */
export class ByteArena {
  #bytes = new Uint8Array(4096);
  view = new DataView(this.#bytes.buffer);
  #used = 0;

  /** Bytes of memory held. */
  get size(): number {
    return this.#bytes.length;
  }

  /** Keeps a copy and says where it starts. */
  keep(bytes: Uint8Array, at: number, length: number): number {
    if (this.#used + length > this.#bytes.length) this.#grow(length);
    const start = this.#used;
    this.#bytes.set(bytes.subarray(at, at + length), start);
    this.#used += length;
    return start;
  }

  /** Whether the same bytes are kept at `start`. */
  holds(start: number, bytes: Uint8Array, at: number, length: number): boolean {
    if (start < 0 || start + length > this.#used) return false;
    for (let i = 0; i < length; i++) if (this.#bytes[start + i] !== bytes[at + i]) return false;
    return true;
  }

  #grow(more: number): void {
    const { length } = this.#bytes;
    const grown = new Uint8Array(Math.max(Math.ceil(length * 1.5), this.#used + more));
    grown.set(this.#bytes);
    this.#bytes = grown;
    this.view = new DataView(grown.buffer);
  }
}

export class ByteTable {
  readonly #arena: ByteArena;
  /** Where the bytes of an entry start and how many there are. Entry 0 is free for the caller's use. */
  starts = new Int32Array(64);
  lengths = new Int32Array(64);
  entries = 0;
  #owners = new Int32Array(64);
  #hashes = new Int32Array(64);
  #slots = new Int32Array(256);

  constructor(arena = new ByteArena()) {
    this.#arena = arena;
  }

  /** The kept bytes. */
  get view(): DataView {
    return this.#arena.view;
  }

  /** Bytes of memory held beside the arena's. */
  get size(): number {
    return this.#slots.length * 4 + this.starts.length * 16;
  }

  /** Entries there is room for before the arrays double; callers keep arrays of their own beside. */
  get capacity(): number {
    return this.starts.length;
  }

  find(view: DataView, at: number, length: number, owner: number, hash: number): number {
    const mask = this.#slots.length - 1;
    for (let probe = 0, slot = hash & mask; probe < maxProbes; probe++, slot = (slot + 1) & mask) {
      const entry = this.#slots[slot]!;
      if (entry === 0) return 0;
      if (
        this.#hashes[entry] === hash &&
        this.lengths[entry] === length &&
        this.#owners[entry] === owner &&
        sameBytes(view, at, this.view, this.starts[entry]!, length)
      ) {
        return entry;
      }
    }
    return 0;
  }

  /**
   * Keeps the bytes under a new entry; 0 when too many others share their place, which only costs time. `hint` is where
   * the arena may have them already.
   */
  add(bytes: Uint8Array, at: number, length: number, owner: number, hash: number, hint = -1): number {
    if ((this.entries + 1) * 2 > this.#slots.length) this.#rehash();
    const slot = this.#freeSlot(hash);
    if (slot < 0) return 0;
    if (this.entries + 1 >= this.starts.length) this.#growEntries();
    const entry = ++this.entries;
    const isKept = this.#arena.holds(hint, bytes, at, length);
    this.starts[entry] = isKept ? hint : this.#arena.keep(bytes, at, length);
    this.lengths[entry] = length;
    this.#owners[entry] = owner;
    this.#hashes[entry] = hash;
    this.#slots[slot] = entry;
    return entry;
  }

  #freeSlot(hash: number): number {
    const mask = this.#slots.length - 1;
    for (let probe = 0, slot = hash & mask; probe < maxProbes; probe++, slot = (slot + 1) & mask) {
      if (this.#slots[slot] === 0) return slot;
    }
    return -1;
  }

  #rehash(): void {
    this.#slots = new Int32Array(this.#slots.length * 2);
    for (let entry = 1; entry <= this.entries; entry++) {
      const slot = this.#freeSlot(this.#hashes[entry]!);
      // Beyond the probe limit an entry is only reachable by prediction.
      if (slot >= 0) this.#slots[slot] = entry;
    }
  }

  #growEntries(): void {
    this.starts = doubled(this.starts);
    this.lengths = doubled(this.lengths);
    this.#owners = doubled(this.#owners);
    this.#hashes = doubled(this.#hashes);
  }
}

/** A copy with twice the room. */
export function doubled(column: Int32Array): Int32Array<ArrayBuffer> {
  const grown = new Int32Array(column.length * 2);
  grown.set(column);
  return grown;
}
