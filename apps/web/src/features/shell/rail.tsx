import { Link } from '@tanstack/react-router';
import { PanelLeftClose, PanelLeftOpen } from 'lucide-react';
import { useState } from 'react';
import { Logo } from '../../ui/logo.tsx';
import { placesOf, tabs } from './nav.ts';
import { useMe } from './use-me.ts';

const storageKey = 'nowcast.rail';

function storedWide(): boolean {
  try {
    return localStorage.getItem(storageKey) === 'wide';
  } catch {
    return false;
  }
}

/** Places on the left: 56 px with a mouse, 220 when expanded. */
export function Rail() {
  const user = useMe();
  const [wide, setWide] = useState(storedWide);
  const toggle = (): void => {
    setWide(!wide);
    try {
      localStorage.setItem(storageKey, wide ? 'narrow' : 'wide');
    } catch {
      // Storage may be blocked: the rail then forgets.
    }
  };
  const item = 'flex h-10 items-center gap-3 rounded-md px-3 text-sm font-medium';
  return (
    <nav
      aria-label="Main"
      className={`sticky top-0 z-40 hidden h-dvh shrink-0 flex-col gap-1 border-e border-line bg-panel p-[8px] sm:flex [[data-kiosk]_&]:hidden ${
        wide ? 'w-[56px] lg:w-[220px]' : 'w-[56px]'
      }`}
    >
      <Link to="/" aria-label="Nowcast, home" className="mb-2 flex h-10 items-center gap-3 rounded-md px-1">
        <span className="shrink-0">
          <Logo size={32} />
        </span>
        {wide && <span className="hidden text-lg font-semibold tracking-tight lg:inline">Nowcast</span>}
      </Link>
      {placesOf(user).map(({ to, title, icon: Icon }) => (
        <Link
          key={to}
          to={to}
          activeOptions={{ exact: to === '/', includeSearch: false }}
          className={item}
          activeProps={{ className: 'bg-accent/15 text-text' }}
          inactiveProps={{ className: 'text-muted hover:bg-text/8 hover:text-text' }}
          title={wide ? undefined : title}
          aria-label={title}
        >
          <Icon size={18} className="shrink-0" aria-hidden />
          {wide && <span className="hidden lg:inline">{title}</span>}
        </Link>
      ))}
      <span className="grow" />
      <button
        type="button"
        className={`${item} hidden cursor-pointer text-muted hover:bg-text/8 hover:text-text lg:flex`}
        aria-label={wide ? 'Collapse the menu' : 'Expand the menu'}
        aria-expanded={wide}
        onClick={toggle}
      >
        {wide ? <PanelLeftClose size={18} aria-hidden /> : <PanelLeftOpen size={18} aria-hidden />}
        {wide && <span>Collapse</span>}
      </button>
    </nav>
  );
}

/** Phones: four places under the thumb. */
export function BottomTabs() {
  return (
    <nav
      aria-label="Main"
      className="fixed inset-x-0 bottom-0 z-40 flex border-t border-line bg-panel pb-[env(safe-area-inset-bottom)] sm:hidden [[data-kiosk]_&]:hidden"
    >
      {tabs.map(({ to, title, icon: Icon }) => (
        <Link
          key={to}
          to={to}
          activeOptions={{ exact: to === '/', includeSearch: false }}
          className="flex h-14 flex-1 flex-col items-center justify-center gap-0.5 text-xs"
          activeProps={{ className: 'font-semibold text-accent' }}
          inactiveProps={{ className: 'text-muted' }}
        >
          <Icon size={20} aria-hidden />
          {title}
        </Link>
      ))}
    </nav>
  );
}
