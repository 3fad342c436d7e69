/** Points of many series in order of arrival, as a tail keeps them. */
export interface ScannedPoints {
  handles: Uint32Array;
  timestamps: Float64Array;
  values: Float64Array;
}

/** Units that may be looked through for each point of a run. */
const mostUnits = 4;

/**
 * The values of a run of points by the unit of their series, with one counting sort: a sketch takes many values together
 * for a fraction of what it takes to find the place of each.
 */
export class ValuesByUnit {
  readonly #unitOf: Int32Array;
  readonly #unitCount: number;
  /** Where each unit's values end, and while they are placed, where the next one goes. */
  readonly #ends: Uint32Array;
  /** The sorted values. */
  values = new Float64Array(1024);

  /** `unitOf` has the unit of each handle, −1 where nobody asks for it. */
  constructor(unitOf: Int32Array, unitCount: number) {
    this.#unitOf = unitOf;
    this.#unitCount = unitCount;
    this.#ends = new Uint32Array(unitCount);
  }

  /** Calls `visit` with each unit that points `[from, to)` have values of, and where they lie in `values`. */
  sort(
    points: ScannedPoints,
    from: number,
    to: number,
    visit: (unit: number, from: number, to: number) => void,
  ): void {
    if (this.values.length < to - from) this.values = new Float64Array(2 * (to - from));
    if (this.#unitCount > mostUnits * (to - from)) {
      this.#visitEach(points, from, to, visit);
      return;
    }
    this.#place(points, from, to);
    let begin = 0;
    for (let unit = 0; unit < this.#unitCount; unit++) {
      const end = this.#ends[unit]!;
      if (end > begin) visit(unit, begin, end);
      begin = end;
    }
  }

  #visitEach(
    { handles, values }: ScannedPoints,
    from: number,
    to: number,
    visit: (unit: number, from: number, to: number) => void,
  ): void {
    for (let i = from; i < to; i++) {
      const unit = this.#unitOf[handles[i]!]!;
      if (unit < 0) continue;
      this.values[0] = values[i]!;
      visit(unit, 0, 1);
    }
  }

  #place({ handles, values }: ScannedPoints, from: number, to: number): void {
    const unitOf = this.#unitOf;
    const ends = this.#ends.fill(0);
    for (let i = from; i < to; i++) {
      const unit = unitOf[handles[i]!]!;
      if (unit >= 0) ends[unit]!++;
    }
    let begin = 0;
    for (let unit = 0; unit < ends.length; unit++) {
      const count = ends[unit]!;
      ends[unit] = begin;
      begin += count;
    }
    const sorted = this.values;
    for (let i = from; i < to; i++) {
      const unit = unitOf[handles[i]!]!;
      if (unit >= 0) sorted[ends[unit]!++] = values[i]!;
    }
  }
}
