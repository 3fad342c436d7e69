import { TextInput } from '../../ui/field.tsx';
import { useNumberText, type NumberBounds } from '../../ui/number-text.ts';

const unbounded: NumberBounds = {};

/** A number that may be absent, and is NaN while the field says none that can be taken. */
export function NumberInput({
  value,
  bounds = unbounded,
  problem = 'Enter a number',
  onNumber,
  ...rest
}: {
  label: string;
  hideLabel?: boolean;
  value: number | undefined;
  bounds?: NumberBounds;
  /** Said while the value is NaN. */
  problem?: string;
  placeholder?: string;
  onNumber: (value: number | undefined) => void;
}) {
  const [text, onText] = useNumberText(value, bounds, onNumber);
  return (
    <TextInput
      {...rest}
      inputMode="decimal"
      value={text}
      error={Number.isNaN(value) ? problem : ''}
      onValue={onText}
      onBlur={() => {
        // What could not be taken is not there any more, after Undo or another tab: the field says that there is none.
        if (Number.isNaN(value) && text.trim() === '') onNumber(undefined);
      }}
    />
  );
}
