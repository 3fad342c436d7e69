import type { ReactNode, RefObject } from 'react';
import { Dialog } from 'react-aria-components/Dialog';
import { Popover } from 'react-aria-components/Popover';

export function PopoverBody({
  label,
  className,
  bodyClassName,
  triggerRef,
  onClose,
  children,
}: {
  label: string;
  className: string;
  bodyClassName: string;
  triggerRef: RefObject<HTMLButtonElement | null>;
  onClose: () => void;
  children: ReactNode;
}) {
  return (
    <Popover
      isOpen
      onOpenChange={(open) => !open && onClose()}
      triggerRef={triggerRef}
      placement="bottom start"
      className={`overlay ${className}`}
    >
      <Dialog aria-label={label} className={`outline-none ${bodyClassName}`}>
        {children}
      </Dialog>
    </Popover>
  );
}
