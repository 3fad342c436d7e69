/**
 * Which buckets of which groups changed since the last tick. A tick touches few buckets of many series, nearly always
 * the same one again, so each group has a short list whose last entry is compared first; duplicates are removed when
 * the list is read.
 */
export class DirtyCells {
  readonly #starts: (number[] | undefined)[] = [];
  #groups: number[] = [];

  mark(group: number, start: number): void {
    let starts = this.#starts[group];
    if (starts === undefined) {
      starts = [];
      this.#starts[group] = starts;
    }
    if (starts.length === 0) this.#groups.push(group);
    else if (starts.at(-1) === start) return;
    starts.push(start);
    if (starts.length % 4096 === 0) this.#starts[group] = [...new Set(starts)];
  }

  get isEmpty(): boolean {
    return this.#groups.length === 0;
  }

  /** Hands out every changed group with its distinct bucket starts, and forgets them. */
  drain(visit: (group: number, starts: Iterable<number>) => void): void {
    const groups = this.#groups;
    this.#groups = [];
    for (const group of groups) {
      const starts = this.#starts[group]!;
      this.#starts[group] = undefined;
      visit(group, starts.length === 1 ? starts : new Set(starts));
    }
  }
}
