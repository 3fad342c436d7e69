import { type PartSet, partsNumber, StateGrid } from '@nowcast/aggregate';

/** Points `[from, to)` of columns: those of one series, in order of arrival. */
export interface WindowRun {
  from: number;
  to: number;
  timestamps: Float64Array;
  values: Float64Array;
  actors?: readonly (string | undefined)[] | undefined;
}

/** A run added up by parts: row i of `states` is part `numbers[i]`. */
export interface RunParts {
  numbers: readonly number[];
  states: StateGrid;
}

/** How a window cuts time, and what it keeps of each part. */
export class Cut {
  readonly partMs: number;
  readonly states: PartSet;
  /** Number of the states. */
  readonly kept: number;

  constructor(partMs: number, states: PartSet) {
    this.partMs = partMs;
    this.states = states;
    this.kept = partsNumber(states);
  }
}

interface Fold extends RunParts {
  cut: Cut;
  numbers: number[];
  /** Which run it was made of. */
  version: number;
}

/**
 * What one series sent, on its way to the rules that watch it. Windows that are cut into the same parts and keep the
 * same states take the sums of the run, which are made once for all of them; a dozen rules then cost a few merges
 * instead of a dozen looks at every point.
 */
export class FoldedRun {
  run: WindowRun = { from: 0, to: 0, timestamps: new Float64Array(0), values: new Float64Array(0) };
  /** Event times of its oldest and newest point. */
  oldest = Number.POSITIVE_INFINITY;
  newest = Number.NEGATIVE_INFINITY;
  /** Its least and largest value. */
  low = Number.POSITIVE_INFINITY;
  high = Number.NEGATIVE_INFINITY;
  readonly #folds: Fold[] = [];
  #version = 0;

  static ofPoint(timestamp: number, value: number): FoldedRun {
    const [timestamps, values] = [Float64Array.of(timestamp), Float64Array.of(value)];
    return new FoldedRun().set({ from: 0, to: 1, timestamps, values });
  }

  /** From now on this is about another run. */
  set(run: WindowRun): this {
    this.run = run;
    this.#version += 1;
    let oldest = Number.POSITIVE_INFINITY;
    let newest = Number.NEGATIVE_INFINITY;
    let low = Number.POSITIVE_INFINITY;
    let high = Number.NEGATIVE_INFINITY;
    for (let i = run.from; i < run.to; i += 1) {
      const timestamp = run.timestamps[i]!;
      const value = run.values[i]!;
      if (timestamp < oldest) oldest = timestamp;
      if (timestamp > newest) newest = timestamp;
      if (value < low) low = value;
      if (value > high) high = value;
    }
    this.oldest = oldest;
    this.newest = newest;
    this.low = low;
    this.high = high;
    return this;
  }

  /** Its sums by parts; valid until the next `set`. */
  parts(cut: Cut): RunParts {
    const fold = this.#foldOf(cut);
    if (fold.version !== this.#version) this.#fill(fold);
    return fold;
  }

  #foldOf(cut: Cut): Fold {
    for (const fold of this.#folds)
      if (fold.cut.partMs === cut.partMs && fold.cut.kept === cut.kept) return fold;
    const fold = { cut, numbers: [], states: new StateGrid(cut.states), version: 0 };
    this.#folds.push(fold);
    return fold;
  }

  #fill(fold: Fold): void {
    const { cut, numbers, states } = fold;
    const { partMs } = cut;
    const { to, timestamps } = this.run;
    fold.version = this.#version;
    numbers.length = 0;
    for (let { from } = this.run; from < to;) {
      const number = Math.floor(timestamps[from]! / partMs);
      const start = number * partMs;
      const end = start + partMs;
      let next = from + 1;
      while (next < to && timestamps[next]! >= start && timestamps[next]! < end) next += 1;
      // Senders that take turns may come back to a part; there are few of them in a run.
      let row = numbers.lastIndexOf(number);
      if (row < 0) {
        row = numbers.push(number) - 1;
        states.reserve(row + 1);
        states.clear(row);
      }
      states.addRun(row, this.run, from, next);
      from = next;
    }
  }
}
