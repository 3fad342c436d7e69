import { useState } from 'react';
import { TextInput } from '../../ui/field.tsx';

const textOf = (value: number | undefined): string => (value === undefined ? '' : String(value));

/** What a text says: nothing, a number, or NaN while it cannot be read. */
function numberOf(text: string): number | undefined {
  return text.trim() === '' ? undefined : Number(text);
}

/**
 * A number that may be absent. The text is the field's own, since "1." and "1e" are on their way to a number; a value
 * that changed elsewhere (Undo, another row in this place) and is not the one the text says replaces it.
 */
export function OptionalNumber({
  label,
  value,
  onNumber,
  ...rest
}: {
  label: string;
  value: number | undefined;
  onNumber: (value: number | undefined) => void;
  placeholder?: string;
  min?: number;
  max?: number;
}) {
  const [text, setText] = useState(textOf(value));
  const [known, setKnown] = useState(value);
  if (value !== known) {
    setKnown(value);
    if (numberOf(text) !== value) setText(textOf(value));
  }
  return (
    <TextInput
      {...rest}
      label={label}
      inputMode="decimal"
      value={text}
      error={Number.isNaN(numberOf(text)) ? 'Not a number' : ''}
      onValue={(next) => {
        setText(next);
        const number = numberOf(next);
        if (number === undefined || Number.isFinite(number)) onNumber(number);
      }}
    />
  );
}
