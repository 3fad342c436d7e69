/**
 * Which buckets of which groups changed since the last tick. A tick touches few buckets of many series, nearly always
 * the same one again, so the last mark of a group is compared first; other duplicates are removed when the list is
 * read.
 */
export class DirtyCells {
  readonly #starts: (number[] | undefined)[] = [];
  /** The start each group was last marked at. */
  #last = new Float64Array(16).fill(Number.NaN);
  #groups: number[] = [];

  mark(group: number, start: number): void {
    if (this.#last[group] === start) return;
    if (group >= this.#last.length) this.#grow(group * 2);
    this.#last[group] = start;
    let starts = this.#starts[group];
    if (starts === undefined) {
      starts = [];
      this.#starts[group] = starts;
      this.#groups.push(group);
    }
    starts.push(start);
    if (starts.length % 4096 === 0) this.#starts[group] = [...new Set(starts)];
  }

  get isEmpty(): boolean {
    return this.#groups.length === 0;
  }

  /** Hands out every changed group with its distinct bucket starts, and forgets them. */
  drain(visit: (group: number, starts: readonly number[]) => void): void {
    const groups = this.#groups;
    this.#groups = [];
    for (const group of groups) {
      const starts = this.#starts[group]!;
      this.#starts[group] = undefined;
      this.#last[group] = Number.NaN;
      visit(group, starts.length === 1 ? starts : [...new Set(starts)]);
    }
  }

  #grow(size: number): void {
    const last = new Float64Array(size).fill(Number.NaN);
    last.set(this.#last);
    this.#last = last;
  }
}
