import type { RefObject } from 'react';
import { Menu as AriaMenu, MenuItem, Separator } from 'react-aria-components/Menu';
import { Popover } from 'react-aria-components/Popover';
import type { MenuEntry } from './menu-entry.ts';

export function MenuList({
  label,
  entries,
  note,
  triggerRef,
  onClose,
}: {
  label: string;
  entries: readonly MenuEntry[];
  note: string;
  triggerRef: RefObject<HTMLButtonElement | null>;
  onClose: () => void;
}) {
  return (
    <Popover
      isOpen
      onOpenChange={(open) => !open && onClose()}
      triggerRef={triggerRef}
      placement="bottom end"
      offset={4}
      trigger="MenuTrigger"
      aria-label={label}
      className="overlay min-w-48 p-1"
    >
      <AriaMenu aria-label={label} autoFocus onClose={onClose} className="outline-none">
        {entries.flatMap((entry) => [
          ...(entry.apart === true
            ? [<Separator key={`${entry.id}-line`} className="my-1 border-t border-line" />]
            : []),
          <MenuItem
            key={entry.id}
            id={entry.id}
            textValue={entry.title}
            isDisabled={entry.disabled === true}
            onAction={entry.run}
            className="menu-item"
            {...(entry.danger === true ? { 'data-danger': true } : {})}
          >
            {entry.icon}
            <span className="grow">{entry.title}</span>
            {entry.hint !== undefined && (
              <span aria-hidden className="text-xs text-muted">
                {entry.hint}
              </span>
            )}
          </MenuItem>,
        ])}
      </AriaMenu>
      {note !== '' && <p className="mt-1 border-t border-line px-2.5 pt-2 pb-1 text-xs text-muted">{note}</p>}
    </Popover>
  );
}
