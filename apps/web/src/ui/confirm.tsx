import { Button } from './button.tsx';
import { Modal } from './modal.tsx';

/** A question with one serious answer. */
export function Confirm({
  title,
  text,
  action,
  onClose,
  onConfirm,
}: {
  title: string;
  text: string;
  action: string;
  onClose: () => void;
  onConfirm: () => void;
}) {
  return (
    <Modal title={title} open onClose={onClose}>
      <p className="text-muted">{text}</p>
      <div className="mt-6 flex justify-end gap-2">
        <Button variant="ghost" onPress={onClose} autoFocus>
          Cancel
        </Button>
        <Button variant="danger" onPress={onConfirm}>
          {action}
        </Button>
      </div>
    </Modal>
  );
}
