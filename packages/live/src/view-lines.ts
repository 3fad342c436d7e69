import type { DeltaColumns, SeriesColumns, SeriesLabels } from '@nowcast/contract';
import { DeltaCells } from './delta-cells.ts';
import { LineCells } from './line-cells.ts';

/** One line as viewers know it. A line that left and returns gets a new key: nothing of the old one holds. */
export interface Line {
  key: number;
  labels: SeriesLabels;
  /** Revision that introduced it. */
  added: number;
  cells: LineCells;
}

/** Removed lines that are remembered; a position from before the oldest forgotten one cannot be resumed. */
const rememberedRemovals = 10_000;

type LinePart = Pick<DeltaColumns, 'series' | 'removed' | 'count' | 'keys' | 'buckets' | 'values'>;

/**
 * What the viewers of one view have been told, with a revision on every cell, so that one merged delta leads from any
 * revision to the present: cells are whole values and the latest wins, hence the changes of a thousand revisions cost
 * no more than the cells they touched.
 */
export class ViewLines {
  /** Counts the deltas; cells changed since the last `commit` carry the next one. */
  revision = 0;
  readonly #lines = new Map<number, Line>();
  readonly #removals: { key: number; revision: number; added: number }[] = [];
  #oldestResumable = 0;
  #nextKey = 0;
  readonly #cells = new DeltaCells();
  #added: Line[] = [];
  #removed: number[] = [];

  add(labels: SeriesLabels): Line {
    const line: Line = { key: this.#nextKey, labels, added: this.revision + 1, cells: new LineCells() };
    this.#nextKey += 1;
    this.#lines.set(line.key, line);
    this.#added.push(line);
    return line;
  }

  remove(line: Line): void {
    this.#lines.delete(line.key);
    if (line.added > this.revision) {
      // Nobody has seen it: it comes and goes within one tick.
      this.#added = this.#added.filter((other) => other !== line);
      return;
    }
    this.#removed.push(line.key);
    this.#removals.push({ key: line.key, revision: this.revision + 1, added: line.added });
    if (this.#removals.length <= rememberedRemovals) return;
    const forgotten = this.#removals.splice(0, rememberedRemovals / 2).at(-1)!;
    this.#oldestResumable = forgotten.revision;
  }

  set(line: Line, start: number, value: number): void {
    if (line.cells.set(start, value, this.revision + 1)) this.#cells.push(line.key, start, value);
  }

  get size(): number {
    return this.#lines.size;
  }

  /** Forgets cells that left the range; viewers know the range and do the same. */
  dropBefore(from: number): void {
    for (const { cells } of this.#lines.values()) cells.dropBefore(from);
  }

  /** Start of the newest cell of any line, or −∞. */
  newest(): number {
    let newest = Number.NEGATIVE_INFINITY;
    for (const { cells } of this.#lines.values()) newest = Math.max(newest, cells.newest);
    return newest;
  }

  hasChanges(): boolean {
    return this.#cells.count > 0 || this.#added.length > 0 || this.#removed.length > 0;
  }

  /** The changes since the last commit, which becomes the new revision. Valid until the next change. */
  commit(from: number): LinePart {
    this.revision += 1;
    const { keys, buckets, values } = this.#cells;
    let count = 0;
    for (let i = 0; i < this.#cells.count; i += 1) {
      // What was set before its line left, or left the range, must not be sent.
      if (buckets[i]! < from || !this.#lines.has(keys[i]!)) continue;
      keys[count] = keys[i]!;
      buckets[count] = buckets[i]!;
      values[count] = values[i]!;
      count += 1;
    }
    const part = { series: this.#added, removed: this.#removed, count, keys, buckets, values };
    this.#cells.clear();
    this.#added = [];
    this.#removed = [];
    return part;
  }

  canResume(revision: number): boolean {
    return revision >= this.#oldestResumable && revision <= this.revision;
  }

  /** Everything that changed after `revision`. */
  changesSince(revision: number): LinePart {
    const cells = new DeltaCells();
    const series: Line[] = [];
    for (const line of this.#lines.values()) {
      if (line.added > revision) series.push(line);
      const { starts, values, revisions, head, end } = line.cells;
      for (let i = head; i < end; i += 1) {
        if (revisions[i]! > revision) cells.push(line.key, starts[i]!, values[i]!);
      }
    }
    const removed = this.#removals.filter((gone) => gone.revision > revision && gone.added <= revision);
    const { count, keys, buckets, values } = cells;
    return { series, removed: removed.map(({ key }) => key), count, keys, buckets, values };
  }

  /** All lines with their cells, `last` at the end. */
  snapshot(last: Line | undefined): SeriesColumns[] {
    const lines = [...this.#lines.values()].filter((line) => line !== last);
    return (last === undefined ? lines : [...lines, last]).map(({ key, labels, cells }) => ({
      key,
      labels,
      ...cells.columns(),
    }));
  }
}
