import type { SeriesLabels } from '@nowcast/contract';
import type { ReferenceLine } from './reference.ts';

/** A line of an answer in whatever form it was read. */
export interface AnswerLine {
  labels: SeriesLabels;
  timestamps: ArrayLike<number>;
  values: ArrayLike<number | null>;
}

/**
 * Every way in which an answer departs from the reference, in words; empty when it is right. Lines are matched by
 * their labels, not by their order. A group that is really called "Other" and the line of all others look alike: they
 * may come either way round.
 */
export function differences(answer: readonly AnswerLine[], expected: readonly ReferenceLine[]): string[] {
  const given = Map.groupBy(answer, ({ labels }) => textOf(labels));
  const wanted = Map.groupBy(expected, ({ labels }) => textOf(labels));
  return [...new Set([...given.keys(), ...wanted.keys()])].flatMap((text) => {
    const lines = given.get(text) ?? [];
    const right = wanted.get(text) ?? [];
    if (lines.length !== right.length) return [`${lines.length} lines ${text}, expected ${right.length}`];
    const straight = lines.flatMap((line, i) => cellDifferences(text, line, right[i]!));
    if (straight.length === 0 || lines.length === 1) return straight;
    const crossed = lines.flatMap((line, i) => cellDifferences(text, line, right.at(-1 - i)!));
    return crossed.length === 0 ? [] : straight;
  });
}

function cellDifferences(text: string, given: AnswerLine, line: ReferenceLine): string[] {
  const found: string[] = [];
  const left = new Map(line.cells);
  for (let i = 0; i < given.timestamps.length; i += 1) {
    const start = given.timestamps[i]!;
    const value = given.values[i] ?? Number.NaN;
    const cell = left.get(start);
    left.delete(start);
    if (cell === undefined) found.push(`${text} @${start}: ${value}, expected no cell`);
    else if (!isWithin(value, cell.value, cell.tolerance))
      found.push(`${text} @${start}: ${value}, expected ${cell.value} ± ${cell.tolerance}`);
  }
  for (const [start, cell] of left) found.push(`${text} @${start}: no cell, expected ${cell.value}`);
  return found;
}

function isWithin(value: number, expected: number, tolerance: number): boolean {
  return value === expected || !Number.isFinite(expected) || Math.abs(value - expected) <= tolerance;
}

function textOf(labels: SeriesLabels): string {
  return JSON.stringify(Object.entries(labels).sort(([a], [b]) => (a < b ? -1 : 1)));
}
