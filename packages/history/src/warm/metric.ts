import type { SeriesIndex } from '@nowcast/head';
import { type Block, type BlockKind, dayMs, pointPeriods } from './block.ts';

/**
 * The blocks of one metric. A slot is the place of a series among the metric's handles, which only ever grow: a table
 * knows the slots that there were when it was made, and series defined later have none of its rows.
 */
export class WarmMetric {
  readonly tenant: string;
  readonly name: string;
  readonly #index: SeriesIndex;
  readonly #blocks = new Map<string, Block>();
  readonly #slotOf = new Map<bigint, number>();

  constructor(index: SeriesIndex, tenant: string, name: string) {
    this.#index = index;
    this.tenant = tenant;
    this.name = name;
  }

  get #handles(): Uint32Array {
    return this.#index.metric(this.tenant, this.name)?.handles ?? new Uint32Array(0);
  }

  get slotCount(): number {
    return this.#handles.length;
  }

  get blocks(): IterableIterator<Block> {
    return this.#blocks.values();
  }

  get size(): number {
    return this.#blocks.size;
  }

  find(kind: BlockKind, start: number, length = dayMs): Block | undefined {
    return this.#blocks.get(keyOf(kind, start, length));
  }

  put(block: Block): void {
    this.#blocks.set(keyOf(block.kind, block.start, block.length), block);
  }

  drop({ kind, start, length }: Block): void {
    this.#blocks.delete(keyOf(kind, start, length));
  }

  /** The block of points that holds the instant, of whatever length. */
  pointsAt(time: number): Block | undefined {
    for (const length of pointPeriods) {
      const block = this.find('points', Math.floor(time / length) * length, length);
      if (block?.ready === true) return block;
    }
    return undefined;
  }

  /** Slots of handles of this metric. */
  slotsOf(handles: Uint32Array): Uint32Array {
    const all = this.#handles;
    return handles.map((handle, i) => (all[i] === handle ? i : placeOf(all, handle)));
  }

  /** Slot of a stable id; undefined for a series of another metric. */
  slotOf(id: bigint): number | undefined {
    const handles = this.#handles;
    for (let slot = this.#slotOf.size; slot < handles.length; slot++)
      this.#slotOf.set(this.#index.idOf(handles[slot]!), slot);
    return this.#slotOf.get(id);
  }

  /** Stable ids of all series. */
  idsBySlot(): BigUint64Array {
    return BigUint64Array.from(this.#handles, (handle) => this.#index.idOf(handle));
  }

  /** Ascending stable ids of all series, and the slot of each. */
  ids(): { series: BigUint64Array; slots: Uint32Array } {
    const ids = this.idsBySlot();
    const slots = Uint32Array.from(ids.keys()).sort((a, b) => (ids[a]! < ids[b]! ? -1 : 1));
    return { series: ids.sort(), slots };
  }
}

function keyOf(kind: BlockKind, start: number, length: number): string {
  return `${kind} ${length} ${start}`;
}

function placeOf(handles: Uint32Array, handle: number): number {
  let low = 0;
  let high = handles.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (handles[middle]! < handle) low = middle + 1;
    else high = middle;
  }
  return low;
}
