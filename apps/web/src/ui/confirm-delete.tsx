import { useState } from 'react';
import { Button } from './button.tsx';
import { TextInput } from './field.tsx';
import { Modal } from './modal.tsx';

/** Asks for the name of what is to be deleted: a click is too easily made. */
export function ConfirmDelete({
  what,
  name,
  consequence,
  onClose,
  onDelete,
}: {
  /** `board`, `user`, `key`. */
  what: string;
  name: string;
  consequence: string;
  onClose: () => void;
  onDelete: () => void;
}) {
  const [typed, setTyped] = useState('');
  const matches = typed.trim() === name.trim();
  return (
    <Modal title={`Delete this ${what}?`} open onClose={onClose}>
      <form
        onSubmit={(event) => {
          event.preventDefault();
          if (matches) onDelete();
        }}
      >
        <p className="mb-4 text-muted">{consequence}</p>
        <TextInput
          label={`Type “${name}” to delete it`}
          value={typed}
          onValue={setTyped}
          autoFocus
          autoComplete="off"
          spellCheck={false}
        />
        <div className="mt-6 flex justify-end gap-2">
          <Button variant="ghost" onPress={onClose}>
            Cancel
          </Button>
          <Button variant="danger" type="submit" isDisabled={!matches}>
            {`Delete ${what}`}
          </Button>
        </div>
      </form>
    </Modal>
  );
}
