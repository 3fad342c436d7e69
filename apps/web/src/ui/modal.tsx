import { X } from 'lucide-react';
import type { ReactNode } from 'react';
import { Dialog, Heading } from 'react-aria-components/Dialog';
import { Modal as AriaModal, ModalOverlay } from 'react-aria-components/Modal';
import { Button } from './button.tsx';

/** A dialog in the middle of the screen; Esc and a press outside close it, focus returns to where it was. */
export function Modal({
  title,
  open,
  onClose,
  width = 440,
  stays = false,
  children,
}: {
  title: string;
  open: boolean;
  onClose: () => void;
  width?: number;
  /** A press outside does not close it: what is in it would be lost. */
  stays?: boolean;
  children: ReactNode;
}) {
  return (
    <ModalOverlay
      isOpen={open}
      isDismissable={!stays}
      onOpenChange={(next) => !next && onClose()}
      className="scrim"
    >
      <AriaModal
        className="overlay max-h-[calc(100dvh-32px)] w-full overflow-y-auto"
        style={{ maxWidth: width }}
      >
        <Dialog className="p-4 outline-none sm:p-6">
          <div className="mb-4 flex items-center justify-between gap-4">
            <Heading slot="title" className="text-lg font-semibold">
              {title}
            </Heading>
            <Button variant="ghost" size="small" icon aria-label="Close" onPress={onClose}>
              <X size={16} aria-hidden />
            </Button>
          </div>
          {children}
        </Dialog>
      </AriaModal>
    </ModalOverlay>
  );
}
