import type { StateGrid } from '@nowcast/aggregate';
import type { Decision, RuleEvaluator } from './rule-evaluator.ts';

/** A ready state of one part of one unit. */
interface Piece {
  side: number;
  unit: number;
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

  /** A state of the part that starts at `start`, epoch ms. The grid must stay as it is until `run`. */
  add(side: number, unit: number, start: number, states: StateGrid, row: number): void {
    const piece = { side, unit, states, row };
    const pieces = this.#pieces.get(start);
    if (pieces === undefined) this.#pieces.set(start, [piece]);
    else pieces.push(piece);
  }

  /**
   * Goes through the parts in [from, to); both whole parts. `onPart` sees the rule after each: what it decided, with
   * the time at which it would have been decided, and through its groups every value. The last part may not be over: no moment is later than `latest`.
   */
  run(
    from: number,
    to: number,
    latest: number,
    onPart: (decisions: readonly Decision[], at: number) => void,
  ): void {
    const { partMs, delayMs } = this.#evaluator.plan;
    for (let start = from; start < to; start += partMs) {
      // The last moment of the part: the next one belongs to the part after it.
      const now = Math.min(start + partMs - 1, latest);
      for (const { side, unit, states, row } of this.#pieces.get(start) ?? [])
        this.#evaluator.mergePart(side, unit, start, states, row, now);
      onPart(this.#evaluator.evaluate(now + delayMs), now + delayMs);
    }
  }
}
