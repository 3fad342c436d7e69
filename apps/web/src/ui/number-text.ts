import { useState } from 'react';

export interface NumberBounds {
  least?: number;
  most?: number;
  whole?: boolean;
}

/** What a text says: nothing, a number, or NaN: none that can be taken. */
export function numberOf(text: string, { least, most, whole = false }: NumberBounds): number | undefined {
  const written = text.trim();
  if (written === '') return undefined;
  // 1,234 is a thousand to some and one to others.
  if (/^-?[1-9]\d*,\d{3}$/.test(written)) return Number.NaN;
  // Half the world's phones have a comma on their keys for numbers, and no point.
  const number = Number(written.replace(',', '.'));
  const isTaken =
    Number.isFinite(number) &&
    (!whole || Number.isInteger(number)) &&
    number >= (least ?? number) &&
    number <= (most ?? number);
  return isTaken ? number : Number.NaN;
}

const textOf = (value: number | undefined): string =>
  value === undefined || Number.isNaN(value) ? '' : String(value);

/**
 * The text of a field that stands for a number, and what to do when it is typed in. The text is the field's own, since
 * "1." and "1e" are on their way to a number; a value that changed elsewhere (Undo, another row in this place) and is
 * not the one the text says replaces it. A text that cannot be taken is the number NaN: were the one before kept, it
 * would be saved behind a field that says something else.
 */
export function useNumberText(
  value: number | undefined,
  bounds: NumberBounds,
  onNumber: (value: number | undefined) => void,
): [text: string, onText: (text: string) => void] {
  const [text, setText] = useState(textOf(value));
  const [known, setKnown] = useState(value);
  if (!Object.is(value, known)) {
    setKnown(value);
    if (!Object.is(numberOf(text, bounds), value)) setText(textOf(value));
  }
  const onText = (next: string): void => {
    setText(next);
    onNumber(numberOf(next, bounds));
  };
  return [text, onText];
}

/** Whether a field of `part` still needs its number. */
export function lacksNumber(part: object): boolean {
  return Object.values(part).some(Number.isNaN);
}
