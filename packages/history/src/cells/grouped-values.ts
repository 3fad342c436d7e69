/** Points of many series in order of arrival, as a tail keeps them. */
export interface ScannedPoints {
  handles: Uint32Array;
  timestamps: Float64Array;
  values: Float64Array;
}

/** Groups that may be looked through for each value. */
const mostGroups = 4;
const leastRoom = 1024;

/**
 * Values on their way into sketches: put in order by group with one counting sort, because a sketch takes many together
 * for a fraction of what it takes to find the place of each.
 */
export class GroupedValues {
  #groups = new Uint32Array(0);
  #values = new Float64Array(0);
  #length = 0;
  /** By group. */
  #sorted = new Float64Array(0);
  /** Where each group's values end, and while they are placed, where the next one goes. */
  #ends = new Uint32Array(0);

  get length(): number {
    return this.#length;
  }

  add(group: number, value: number): void {
    if (this.#length === this.#values.length) this.#reserve(this.#length + 1);
    this.#groups[this.#length] = group;
    this.#values[this.#length++] = value;
  }

  /** Adds those of the points `[from, to)` whose series has a group: `groupOf` has one for each handle, or −1. */
  addScanned(groupOf: Int32Array, { handles, values }: ScannedPoints, from: number, to: number): void {
    this.#reserve(this.#length + to - from);
    const [groups, found] = [this.#groups, this.#values];
    let length = this.#length;
    for (let i = from; i < to; i++) {
      const group = groupOf[handles[i]!]!;
      if (group < 0) continue;
      groups[length] = group;
      found[length++] = values[i]!;
    }
    this.#length = length;
  }

  /** Calls `visit` with runs `[from, to)` of values of one group, of `groupCount` in all, and forgets them. */
  drain(
    groupCount: number,
    visit: (group: number, values: Float64Array, from: number, to: number) => void,
  ): void {
    const length = this.#length;
    this.#length = 0;
    if (groupCount === 1 || groupCount > mostGroups * length) {
      for (let i = 0; i < length;) {
        let next = i + 1;
        while (next < length && this.#groups[next] === this.#groups[i]) next++;
        visit(this.#groups[i]!, this.#values, i, next);
        i = next;
      }
      return;
    }
    this.#sort(groupCount, length);
    let begin = 0;
    for (let group = 0; group < groupCount; group++) {
      const end = this.#ends[group]!;
      if (end > begin) visit(group, this.#sorted, begin, end);
      begin = end;
    }
  }

  #sort(groupCount: number, length: number): void {
    if (this.#sorted.length < length) this.#sorted = new Float64Array(this.#values.length);
    if (this.#ends.length < groupCount) this.#ends = new Uint32Array(groupCount);
    const [groups, values, sorted] = [this.#groups, this.#values, this.#sorted];
    const ends = this.#ends.fill(0, 0, groupCount);
    for (let i = 0; i < length; i++) ends[groups[i]!]!++;
    let begin = 0;
    for (let group = 0; group < groupCount; group++) {
      const count = ends[group]!;
      ends[group] = begin;
      begin += count;
    }
    for (let i = 0; i < length; i++) sorted[ends[groups[i]!]!++] = values[i]!;
  }

  #reserve(length: number): void {
    if (length <= this.#values.length) return;
    const room = Math.max(leastRoom, length, 2 * this.#values.length);
    const groups = new Uint32Array(room);
    groups.set(this.#groups);
    this.#groups = groups;
    const values = new Float64Array(room);
    values.set(this.#values);
    this.#values = values;
  }
}
