import { Button } from '../../ui/button.tsx';
import { Modal } from '../../ui/modal.tsx';

/** Somebody else saved while this user was editing: whose version wins is asked, never guessed. */
export function ConflictDialog({
  theirs,
  mine,
  onKeepEditing,
  onTakeTheirs,
  onOverwrite,
}: {
  /** Version that was saved meanwhile, and the one the edit began with. */
  theirs: number;
  mine: number;
  onKeepEditing: () => void;
  onTakeTheirs: () => void;
  onOverwrite: () => void;
}) {
  return (
    <Modal title="Somebody saved a newer version" open onClose={onKeepEditing}>
      <p className="text-muted">{`Version ${theirs} was saved while you were editing version ${mine}.`}</p>
      <div className="mt-6 flex flex-wrap justify-end gap-2">
        <Button variant="ghost" onPress={onKeepEditing}>
          Keep editing
        </Button>
        <Button onPress={onTakeTheirs}>Take theirs</Button>
        <Button variant="danger" onPress={onOverwrite}>
          Save mine over it
        </Button>
      </div>
    </Modal>
  );
}
