/**
 * Puts series on each other: values above zero grow up from it and those below grow down, so that neither hides in the
 * other, and every shape has two ends of its own.
 */
export type Column = (number | null | undefined)[];

export interface Stack {
  /** Where each value ends, seen from zero; null: nothing is drawn. */
  drawn: Column[];
  /** Where it begins: at zero or at the end of the one before. */
  bases: Column[];
}

interface Totals {
  up: number[];
  down: number[];
}

/** A zero has no side: it stays where its series is, or an area would jump across the whole stack for it. */
function firstSide(values: Column): number {
  return values.find((value) => value !== null && value !== undefined && value !== 0) ?? 0;
}

function pile(values: Column, { up, down }: Totals, hold: boolean): { ends: Column; begins: Column } {
  let held = 0;
  let isOpen = false;
  let side = firstSide(values);
  const ends: Column = [];
  const begins: Column = [];
  for (let row = 0; row < up.length; row++) {
    const value = values[row];
    if (value !== undefined) isOpen = value !== null;
    held = value ?? (hold ? held : 0);
    if (!isOpen) {
      ends.push(null);
      begins.push(null);
      continue;
    }
    if (held !== 0) side = held;
    const totals = side < 0 ? down : up;
    begins.push(totals[row]);
    totals[row]! += held;
    ends.push(totals[row]);
  }
  return { ends, begins };
}

/**
 * The last column is next to zero, the first farthest from it. `hold`: a level without a bucket keeps its value until
 * its line breaks; an amount without a bucket is none.
 */
export function stack(values: readonly Column[], rows: number, hold: boolean): Stack {
  const zeros = (): number[] => Array.from<number>({ length: rows }).fill(0);
  const totals: Totals = { up: zeros(), down: zeros() };
  const drawn: Column[] = [];
  const bases: Column[] = [];
  for (let s = values.length - 1; s >= 0; s--) {
    const { ends, begins } = pile(values[s]!, totals, hold);
    drawn[s] = ends;
    bases[s] = begins;
  }
  return { drawn, bases };
}
