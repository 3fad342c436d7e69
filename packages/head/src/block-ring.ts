/** Points in order of arrival. */
export interface Block {
  handles: Uint32Array;
  timestamps: Float64Array;
  values: Float64Array;
  /** Distance to the previous point of the same series, 0 for none. */
  back: Uint32Array;
  /** Newest event time the series had before this point: a look back for an older time may stop here. */
  newestBefore: Float64Array;
}

const blockBits = 16;
export const blockSize = 1 << blockBits;
export const blockMask = blockSize - 1;
/** Empty blocks kept for reuse: two megabytes each. */
const mostSpare = 8;

/**
 * The blocks of a tail: a window over positions that moves forward only.
 *
 * Blocks that empty are used again. V8 answers every 64 MB of new array memory with a collection of the whole heap,
 * whose helper threads cost more than the points themselves did; a tail in full flow allocates nothing.
 */
export class BlockRing {
  #blocks: Block[] = [];
  readonly #spare: Block[] = [];
  /** Number of the first block. */
  #first = 0;

  /** The block that holds `position`, which has been made and not dropped. */
  at(position: number): Block {
    return this.#blocks[Math.floor(position / blockSize) - this.#first]!;
  }

  /** The same, made if it is the next one. */
  make(position: number): Block {
    const number = Math.floor(position / blockSize);
    if (this.#blocks.length === 0) this.#first = number;
    const index = number - this.#first;
    if (index === this.#blocks.length) this.#blocks.push(this.#spare.pop() ?? newBlock());
    return this.#blocks[index]!;
  }

  /** Forgets the blocks all of whose positions lie below `position`. */
  dropBelow(position: number): void {
    const count = Math.min(Math.floor(position / blockSize) - this.#first, this.#blocks.length);
    if (count <= 0) return;
    for (const block of this.#blocks.splice(0, count)) {
      if (this.#spare.length < mostSpare) this.#spare.push(block);
    }
    this.#first += count;
  }
}

function newBlock(): Block {
  return {
    handles: new Uint32Array(blockSize),
    timestamps: new Float64Array(blockSize),
    values: new Float64Array(blockSize),
    back: new Uint32Array(blockSize),
    newestBefore: new Float64Array(blockSize),
  };
}
