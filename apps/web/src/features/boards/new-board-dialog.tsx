import { useState } from 'react';
import { Button } from '../../ui/button.tsx';
import { TextInput } from '../../ui/field.tsx';
import { Modal } from '../../ui/modal.tsx';

/** A name is all that is asked. */
export function NewBoardDialog({
  busy,
  onCreate,
  onClose,
}: {
  busy: boolean;
  onCreate: (title: string) => void;
  onClose: () => void;
}) {
  const [title, setTitle] = useState('');
  return (
    <Modal title="New board" open onClose={onClose}>
      <form
        onSubmit={(event) => {
          event.preventDefault();
          onCreate(title.trim() === '' ? 'Untitled board' : title.trim());
        }}
      >
        <TextInput
          label="Title"
          placeholder="Untitled board"
          maxLength={120}
          value={title}
          autoFocus
          autoComplete="off"
          onValue={setTitle}
        />
        <div className="mt-6 flex justify-end gap-2">
          <Button variant="ghost" onPress={onClose}>
            Cancel
          </Button>
          <Button variant="primary" type="submit" isDisabled={busy}>
            Create board
          </Button>
        </div>
      </form>
    </Modal>
  );
}
