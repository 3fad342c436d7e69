import { Suspense, useRef, useState, type ReactNode, type RefObject } from 'react';
import { lazyDialog } from './lazy-part.tsx';

const importBody = () => import('./popover-body.tsx');
const PopoverBody = lazyDialog(async () => (await importBody()).PopoverBody);

/** Fetches the code of popovers before somebody opens one. */
export function preloadPopovers(): void {
  importBody().catch(() => undefined);
}

/** What a button needs to open something; spread it onto `Button`. */
export interface TriggerProps {
  ref: RefObject<HTMLButtonElement | null>;
  'aria-haspopup': 'menu' | 'dialog';
  'aria-expanded': boolean;
  onPress: () => void;
}

/** A button, and a small dialog anchored to it; Esc and a press outside close it, focus returns to the button. */
export function PopoverTrigger({
  label,
  className,
  bodyClassName = '',
  trigger,
  open: controlled,
  onOpenChange,
  children,
}: {
  label: string;
  className: string;
  bodyClassName?: string;
  trigger: (props: TriggerProps) => ReactNode;
  /** Present: somebody else keeps whether it is open. */
  open?: boolean;
  onOpenChange?: (open: boolean) => void;
  children: (close: () => void) => ReactNode;
}) {
  const button = useRef<HTMLButtonElement>(null);
  const [own, setOwn] = useState(false);
  const open = controlled ?? own;
  const setOpen = onOpenChange ?? setOwn;
  const close = (): void => setOpen(false);
  return (
    <>
      {trigger({
        ref: button,
        'aria-haspopup': 'dialog',
        'aria-expanded': open,
        onPress: () => setOpen(!open),
      })}
      {open && (
        <Suspense>
          <PopoverBody
            label={label}
            className={className}
            bodyClassName={bodyClassName}
            triggerRef={button}
            onClose={close}
          >
            {children(close)}
          </PopoverBody>
        </Suspense>
      )}
    </>
  );
}
