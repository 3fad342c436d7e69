import { StateGrid } from '@nowcast/aggregate';
import type { StateColumns, StatesRequest } from '@nowcast/ports';
import { type HotBlock, lowerBound, type Run } from './hot-block.ts';

const nothing = { scalar: false, ends: false, growth: false, quantiles: false, uniques: false };
/** Cells of one answer: a slot is kept for each, filled or not. */
export const mostCells = 4_000_000;

/** Rows a merge has room for at first: one line of a chart. */
const firstRows = 512;

/** Merges rows into the (group, bucket) cells of one request. */
export class StateMerge {
  readonly #request: StatesRequest;
  readonly #numbers: StateGrid | undefined;
  readonly #sketches: StateGrid | undefined;
  /** Groups as 0, 1, 2 …, in order of appearance. */
  readonly #groups = new Map<number, number>();
  readonly #bucketCount: number;
  /** Row of each cell plus one; 0 for none. */
  readonly #rowOf: Int32Array;
  readonly #cells: number[] = [];
  /** Rows that the numbers know: the others come from sketches alone. */
  readonly #counted: boolean[] = [];
  /** Rows whose growth is not known. */
  readonly #broken = new Set<number>();

  constructor(request: StatesRequest, groupCount: number) {
    const { scalar, ends, growth, quantiles, uniques } = request.parts;
    this.#request = request;
    if (scalar || ends || growth)
      this.#numbers = new StateGrid({ ...nothing, scalar, ends: ends || growth, growth }, firstRows);
    if (quantiles || uniques) this.#sketches = new StateGrid({ ...nothing, quantiles, uniques }, firstRows);
    this.#bucketCount = request.buckets.length - 1;
    this.#rowOf = new Int32Array(groupCount * this.#bucketCount);
  }

  addStates(group: number, runs: readonly Run[]): void {
    const grid = this.#numbers;
    if (grid === undefined) return;
    if (grid.parts.growth) {
      this.#addInTimeOrder(grid, group, runs);
      return;
    }
    this.#visit(group, runs, stateBucketOf, (row, { states }, i) => {
      this.#reserve(grid, row);
      grid.mergeColumns(row, states, i);
      this.#counted[row] = true;
    });
  }

  addSketches(group: number, runs: readonly Run[]): void {
    const grid = this.#sketches;
    if (grid === undefined) return;
    this.#visit(group, runs, sketchBucketOf, (row, { sketches }, i) => {
      this.#reserve(grid, row);
      grid.mergeColumns(row, sketches, i);
    });
  }

  /** A counter's rows chain in time order; flushes come in the order of arrival. */
  #addInTimeOrder(grid: StateGrid, group: number, runs: readonly Run[]): void {
    const found: { row: number; states: HotBlock['states']; i: number }[] = [];
    this.#visit(group, runs, stateBucketOf, (row, { states }, i) => found.push({ row, states, i }));
    found.sort(({ states: a, i }, { states: b, i: k }) => {
      const begin = a.firstAt[i]! - b.firstAt[k]! || a.first[i]! - b.first[k]!;
      return begin || a.lastAt[i]! - b.lastAt[k]! || a.last[i]! - b.last[k]!;
    });
    for (const { row, states, i } of found) {
      this.#reserve(grid, row);
      grid.mergeColumns(row, states, i);
      this.#counted[row] = true;
      if (grid.counterOverlap) this.#broken.add(row);
      grid.counterOverlap = false;
    }
  }

  #visit(
    group: number,
    runs: readonly Run[],
    bucketOf: (block: HotBlock) => Float64Array,
    visit: (row: number, block: HotBlock, i: number) => void,
  ): void {
    const { at, resolutions, from, to, buckets } = this.#request;
    for (const { block, start, end, res } of runs) {
      if (block.to > (at[block.partition] ?? 0) || !resolutions.includes(res)) continue;
      const starts = bucketOf(block);
      if (starts[end - 1]! < from || starts[start]! >= to) continue;
      let i = lowerBound(starts, start, end, from);
      if (i === end) continue;
      let bucket = lowerBound(buckets, 0, buckets.length, starts[i]!) - 1;
      for (; i < end && starts[i]! < to; i++) {
        while (bucket < this.#bucketCount && buckets[bucket + 1]! <= starts[i]!) bucket++;
        if (bucket >= this.#bucketCount) break;
        if (bucket >= 0) visit(this.#row(group, bucket), block, i);
      }
    }
  }

  #row(group: number, bucket: number): number {
    let base = this.#groups.get(group);
    if (base === undefined) this.#groups.set(group, (base = this.#groups.size));
    const slot = base * this.#bucketCount + bucket;
    const known = this.#rowOf[slot]!;
    if (known > 0) return known - 1;
    this.#cells.push(group, bucket);
    this.#counted.push(false);
    return (this.#rowOf[slot] = this.#counted.length) - 1;
  }

  #reserve(grid: StateGrid, row: number): void {
    if (row >= grid.capacity) grid.reserve(row + 1);
  }

  columns(): StateColumns {
    const { parts, groups } = this.#request;
    const length = this.#counted.length;
    const numbers = this.#numbers;
    // Plain loops: `Float64Array.from` with a mapper costs more than the merge itself.
    const pick = (wanted: boolean, read: (grid: StateGrid, row: number) => number, missing = Number.NaN) => {
      if (numbers === undefined || !wanted) return new Float64Array(0);
      const column = new Float64Array(length);
      for (let row = 0; row < length; row++) column[row] = this.#counted[row]! ? read(numbers, row) : missing;
      return column;
    };
    const group = new Uint32Array(length);
    const bucket = new Uint32Array(length);
    for (let row = 0; row < length; row++) {
      group[row] = this.#cells[2 * row]!;
      bucket[row] = this.#cells[2 * row + 1]!;
    }
    const ends = parts.ends || parts.growth;
    const chained = parts.growth && new Set(groups).size === groups.length;
    return {
      length,
      group,
      bucket,
      count: pick(parts.scalar, (grid, row) => grid.read(row, 'count'), 0),
      sum: pick(parts.scalar, (grid, row) => grid.sumOf(row)),
      min: pick(parts.extremes, (grid, row) => grid.read(row, 'min')),
      max: pick(parts.extremes, (grid, row) => grid.read(row, 'max')),
      first: pick(ends, (grid, row) => grid.read(row, 'first')),
      firstAt: pick(ends, (grid, row) => grid.read(row, 'firstAt')),
      last: pick(ends, (grid, row) => grid.read(row, 'last')),
      lastAt: pick(ends, (grid, row) => grid.read(row, 'lastAt')),
      growth: pick(parts.growth, (grid, row) =>
        chained && !this.#broken.has(row) ? grid.read(row, 'growth') : Number.NaN,
      ),
      ...this.#quantiles(length),
      ...this.#uniques(length),
    };
  }

  #quantiles(length: number): Pick<StateColumns, 'ddOffsets' | 'ddIndex' | 'ddCount'> {
    const { offsets, first, second } = pairs(length, (row, push) => {
      const sketch = this.#sketches?.sketchOf(row);
      for (let i = 0; i < (sketch?.length ?? 0); i++) push(sketch!.keys[i]!, sketch!.counts[i]!);
    });
    return { ddOffsets: offsets, ddIndex: Int32Array.from(first), ddCount: Float64Array.from(second) };
  }

  #uniques(length: number): Pick<StateColumns, 'hllOffsets' | 'hllRegister' | 'hllRank'> {
    const { offsets, first, second } = pairs(length, (row, push) =>
      this.#sketches?.uniquesOf(row)?.forEach(push),
    );
    return { hllOffsets: offsets, hllRegister: Uint16Array.from(first), hllRank: Uint8Array.from(second) };
  }
}

const stateBucketOf = (block: HotBlock) => block.stateBucket;
const sketchBucketOf = (block: HotBlock) => block.sketchBucket;

function pairs(length: number, read: (row: number, push: (a: number, b: number) => void) => void) {
  const offsets = new Uint32Array(length + 1);
  const first: number[] = [];
  const second: number[] = [];
  for (let row = 0; row < length; row++) {
    read(row, (a, b) => {
      first.push(a);
      second.push(b);
    });
    offsets[row + 1] = first.length;
  }
  return { offsets, first, second };
}
