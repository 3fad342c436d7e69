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
 * their labels, so that order is not part of the comparison (a group really called "Other" is told apart by position).
 */
export function differences(answer: readonly AnswerLine[], expected: readonly ReferenceLine[]): string[] {
  const found: string[] = [];
  const open = [...answer];
  for (const line of expected) {
    const text = textOf(line.labels);
    const at = line.other
      ? open.findLastIndex(({ labels }) => textOf(labels) === text)
      : open.findIndex(({ labels }) => textOf(labels) === text);
    const [given] = at < 0 ? [] : open.splice(at, 1);
    if (given === undefined) found.push(`line ${text} is missing`);
    else found.push(...cellDifferences(text, given, line));
  }
  return [...found, ...open.map(({ labels }) => `line ${textOf(labels)} should not be there`)];
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
