import { useId, type InputHTMLAttributes, type ReactNode, type SelectHTMLAttributes } from 'react';

interface FieldFrameProps {
  label: string;
  /** Shown under the control until there is an error. */
  hint?: ReactNode;
  error?: string | undefined;
  /** Keeps the label for screen readers only. */
  hideLabel?: boolean;
  className?: string;
}

interface ControlIds {
  id: string;
  'aria-describedby'?: string;
  'aria-invalid'?: true;
}

function FieldFrame({
  label,
  hint,
  error,
  hideLabel = false,
  className = '',
  children,
}: FieldFrameProps & { children: (ids: ControlIds) => ReactNode }) {
  const id = useId();
  const noteId = `${id}-note`;
  const hasError = error !== undefined && error !== '';
  const note = hasError ? error : hint;
  const ids: ControlIds = { id };
  if (note !== undefined && note !== '') ids['aria-describedby'] = noteId;
  if (hasError) ids['aria-invalid'] = true;
  return (
    <div className={className}>
      <label htmlFor={id} className={hideLabel ? 'sr-only' : 'label'}>
        {label}
      </label>
      {children(ids)}
      {note !== undefined && note !== '' && (
        <p
          id={noteId}
          role={hasError ? 'alert' : undefined}
          className={`mt-1 text-xs ${hasError ? 'text-crit' : 'text-muted'}`}
        >
          {note}
        </p>
      )}
    </div>
  );
}

export type TextInputProps = FieldFrameProps &
  Omit<InputHTMLAttributes<HTMLInputElement>, 'className' | 'onChange'> & {
    onValue: (value: string) => void;
    inputRef?: React.Ref<HTMLInputElement>;
  };

export function TextInput({
  label,
  hint,
  error,
  hideLabel = false,
  className = '',
  onValue,
  inputRef,
  ...rest
}: TextInputProps) {
  return (
    <FieldFrame label={label} hint={hint} error={error} hideLabel={hideLabel} className={className}>
      {(ids) => (
        <input
          type="text"
          {...rest}
          {...ids}
          ref={inputRef}
          className="field"
          onChange={(event) => onValue(event.target.value)}
        />
      )}
    </FieldFrame>
  );
}

export interface Choice<T extends string = string> {
  value: T;
  title: string;
}

type SelectInputProps<T extends string> = FieldFrameProps &
  Omit<SelectHTMLAttributes<HTMLSelectElement>, 'className' | 'onChange' | 'value'> & {
    value: T;
    choices: readonly Choice<T>[];
    onValue: (value: T) => void;
  };

/** The platform's own list: on phones nothing beats it. */
export function SelectInput<T extends string>({
  label,
  hint,
  error,
  hideLabel = false,
  className = '',
  choices,
  onValue,
  ...rest
}: SelectInputProps<T>) {
  return (
    <FieldFrame label={label} hint={hint} error={error} hideLabel={hideLabel} className={className}>
      {(ids) => (
        <select {...rest} {...ids} className="field" onChange={(event) => onValue(event.target.value as T)}>
          {choices.map((choice) => (
            <option key={choice.value} value={choice.value}>
              {choice.title}
            </option>
          ))}
        </select>
      )}
    </FieldFrame>
  );
}

export function Check({
  label,
  hint,
  checked,
  onChecked,
  disabled = false,
}: {
  label: string;
  hint?: string;
  checked: boolean;
  onChecked: (checked: boolean) => void;
  disabled?: boolean;
}) {
  const id = useId();
  return (
    <div className="flex items-start gap-2">
      <input
        id={id}
        type="checkbox"
        checked={checked}
        disabled={disabled}
        aria-describedby={hint === undefined ? undefined : `${id}-hint`}
        onChange={(event) => onChecked(event.target.checked)}
        className="mt-[3px] size-4 accent-accent"
      />
      <div>
        <label htmlFor={id} className="text-sm">
          {label}
        </label>
        {hint !== undefined && (
          <p id={`${id}-hint`} className="text-xs text-muted">
            {hint}
          </p>
        )}
      </div>
    </div>
  );
}
