import { Pencil, Trash2 } from 'lucide-react';
import { useState, type ReactNode } from 'react';
import { messageOf } from '../../api/http.ts';
import { zoneChoices } from '../../time/zone-input.ts';
import { Button } from '../../ui/button.tsx';
import { Confirm } from '../../ui/confirm.tsx';
import { SelectInput, TextInput } from '../../ui/field.tsx';
import { Modal } from '../../ui/modal.tsx';
import { useDeletePolicy, type PolicyList } from './use-policy.ts';

/** What the screens of schedules, maintenance windows and inhibitions have in common. */

/** Edit and delete at the end of a line; `children` stand before them. */
export function LineActions({
  list,
  id,
  name,
  what,
  consequence,
  isIndented = true,
  onEdit,
  children,
}: {
  list: PolicyList;
  id: string;
  name: string;
  /** `schedule`, `maintenance window`, `inhibition`. */
  what: string;
  /** Said before it is deleted. */
  consequence: string;
  /** On phones they stand under the line's text, which an icon precedes. */
  isIndented?: boolean;
  onEdit: () => void;
  children?: ReactNode;
}) {
  const [deleting, setDeleting] = useState(false);
  const remove = useDeletePolicy(list, id, `“${name}” is deleted.`);
  return (
    <div className={`flex shrink-0 flex-wrap gap-1.5 max-sm:w-full ${isIndented ? 'max-sm:ps-8' : ''}`}>
      {children}
      <Button size="small" variant="ghost" icon aria-label={`Edit ${name}`} onPress={onEdit}>
        <Pencil size={14} aria-hidden />
      </Button>
      <Button
        size="small"
        variant="ghost"
        icon
        aria-label={`Delete ${name}`}
        isDisabled={remove.isPending}
        onPress={() => setDeleting(true)}
      >
        <Trash2 size={14} aria-hidden />
      </Button>
      {deleting && (
        <Confirm
          title={`Delete “${name}”?`}
          text={consequence}
          action={`Delete ${what}`}
          onClose={() => setDeleting(false)}
          onConfirm={() => {
            setDeleting(false);
            remove.mutate();
          }}
        />
      )}
    </div>
  );
}

/** A form in a dialog, with what went wrong and the way out at its foot. */
export function PolicyForm({
  title,
  action,
  error,
  isBusy,
  isReady,
  width = 560,
  onClose,
  onSubmit,
  children,
}: {
  title: string;
  action: string;
  /** Why the last attempt failed; null: it did not. */
  error: Error | null;
  isBusy: boolean;
  isReady: boolean;
  width?: number;
  onClose: () => void;
  onSubmit: () => void;
  children: ReactNode;
}) {
  return (
    <Modal title={title} open stays onClose={onClose} width={width}>
      <form
        className="flex flex-col gap-4"
        onSubmit={(event) => {
          event.preventDefault();
          if (isReady && !isBusy) onSubmit();
        }}
      >
        {children}
        {error !== null && (
          <p role="alert" className="text-sm text-crit">
            {messageOf(error)}
          </p>
        )}
        <div className="flex justify-end gap-2">
          <Button variant="ghost" onPress={onClose}>
            Cancel
          </Button>
          <Button variant="primary" type="submit" isDisabled={isBusy || !isReady}>
            {action}
          </Button>
        </div>
      </form>
    </Modal>
  );
}

/** The zone a wall clock is meant in; always a named one, since the server keeps it. */
export function ZoneSelect({ zone, onZone }: { zone: string; onZone: (zone: string) => void }) {
  const known = zoneChoices().filter(({ value }) => value !== 'browser');
  const choices = known.some(({ value }) => value === zone)
    ? known
    : [{ value: zone, title: zone }, ...known];
  return <SelectInput label="Time zone" value={zone} choices={choices} onValue={onZone} />;
}

export function TimeOfDayInput({
  label,
  value,
  className,
  onValue,
}: {
  label: string;
  value: string;
  className?: string;
  onValue: (value: string) => void;
}) {
  return (
    <TextInput
      label={label}
      type="time"
      required
      {...(className === undefined ? {} : { className })}
      value={value}
      onValue={(next) => next !== '' && onValue(next)}
    />
  );
}
