import type { StateGrid } from '@nowcast/aggregate';
import type { SeriesDefinition } from '@nowcast/contract';
import { type Decision, noUnit, type RuleEvaluator } from './rule-evaluator.ts';

/** A series as its rule knows it, or the first of those whose points are one unit. */
interface PastSeries {
  side: number;
  definition: SeriesDefinition;
  name: string;
  /** As the rule last said. */
  unit: number;
}

/** A ready state of one part. */
interface Piece {
  series: PastSeries;
  states: StateGrid;
  row: number;
}

/**
 * What a rule would have decided over past data: its evaluator, fed with states of whole parts and asked at the end of
 * each, where live it is asked at every arrival.
 */
export class HistoryRun {
  readonly #evaluator: RuleEvaluator;
  readonly #pieces = new Map<number, Piece[]>();

  constructor(evaluator: RuleEvaluator) {
    this.#evaluator = evaluator;
  }

  /**
   * A series with ready states of its parts. What it returns takes one of them at a time, with the part's start, epoch
   * ms; the grid must stay as it is until `run`.
   */
  addSeries(
    side: number,
    definition: SeriesDefinition,
    name: string,
  ): (start: number, states: StateGrid, row: number) => void {
    const series = { side, definition, name, unit: noUnit };
    return (start, states, row) => {
      const piece = { series, states, row };
      const pieces = this.#pieces.get(start);
      if (pieces === undefined) this.#pieces.set(start, [piece]);
      else pieces.push(piece);
    };
  }

  /**
   * Goes through the parts in [from, to); both whole parts. `onPart` sees the rule after each: what it decided, with
   * the time at which it would have been decided, and through its groups every value. The last part may not be over: no
   * moment is later than `latest`. Yields after each part.
   */
  *run(
    from: number,
    to: number,
    latest: number,
    onPart: (decisions: readonly Decision[], at: number) => void,
  ): Generator<void, void> {
    const { partMs, delayMs } = this.#evaluator.plan;
    for (let start = from; start < to; start += partMs) {
      // The last moment of the part: the next one belongs to the part after it.
      const now = Math.min(start + partMs - 1, latest);
      for (const { series, states, row } of this.#pieces.get(start) ?? [])
        this.#evaluator.mergePart(series.side, this.#unitOf(series), start, states, row, now);
      onPart(this.#evaluator.evaluate(now + delayMs), now + delayMs);
      yield;
    }
  }

  #unitOf(series: PastSeries): number {
    const { side, definition, name } = series;
    if (this.#evaluator.isStale(side, series.unit))
      series.unit = this.#evaluator.addSeries(side, definition, name);
    return series.unit;
  }
}
