import { Suspense, useRef, useState, type ReactNode } from 'react';
import { lazyDialog } from './lazy-part.tsx';
import type { MenuEntry } from './menu-entry.ts';
import type { TriggerProps } from './popover.tsx';

const importMenuList = () => import('./menu-list.tsx');
const MenuList = lazyDialog(async () => (await importMenuList()).MenuList);

/** Fetches the code of menus before somebody opens one. */
export function preloadMenus(): void {
  importMenuList().catch(() => undefined);
}

/** A button, and the list of commands it opens; the list's code comes when the page is idle or on the first press. */
export function Menu({
  label,
  entries,
  note,
  trigger,
}: {
  label: string;
  entries: readonly MenuEntry[];
  /** A line under the commands, asked for when the menu opens. */
  note?: () => string;
  trigger: (props: TriggerProps) => ReactNode;
}) {
  const button = useRef<HTMLButtonElement>(null);
  const [open, setOpen] = useState(false);
  return (
    <>
      {trigger({
        ref: button,
        'aria-haspopup': 'menu',
        'aria-expanded': open,
        onPress: () => setOpen(!open),
      })}
      {open && (
        <Suspense>
          <MenuList
            label={label}
            entries={entries}
            note={note?.() ?? ''}
            triggerRef={button}
            onClose={() => setOpen(false)}
          />
        </Suspense>
      )}
    </>
  );
}
