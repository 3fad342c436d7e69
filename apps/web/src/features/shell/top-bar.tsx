import { Link, useRouterState } from '@tanstack/react-router';
import { ChevronRight, Search } from 'lucide-react';
import { Button } from '../../ui/button.tsx';
import { AccountMenu } from './account-menu.tsx';
import { Bell } from './bell.tsx';
import { ConnectionPill } from './connection-pill.tsx';
import { useCurrentCrumb } from './crumb.ts';
import { modifier } from './modifier.ts';
import { places } from './nav.ts';
import { useMe } from './use-me.ts';

/** Tenant, where we are, whether it is live, search, account. */
export function TopBar({ onSearch, onHelp }: { onSearch: () => void; onHelp: () => void }) {
  const user = useMe();
  const crumb = useCurrentCrumb();
  const path = useRouterState({ select: (state) => state.location.pathname });
  const place = places.find((one) => one.to !== '/' && path.startsWith(one.to));
  return (
    <header className="sticky top-0 z-40 flex h-12 items-center gap-2 border-b border-line bg-panel px-4 [[data-kiosk]_&]:hidden">
      <nav aria-label="Breadcrumb" className="min-w-0 flex-1">
        <ol className="flex min-w-0 items-center gap-1.5 text-sm">
          <li className="hidden max-w-40 truncate text-muted sm:block">{user.tenant_name}</li>
          {place !== undefined && (
            <>
              <li aria-hidden className="hidden text-muted sm:block">
                <ChevronRight size={14} />
              </li>
              <li
                className={
                  crumb === '' || crumb === place.title ? 'font-semibold' : 'hidden text-muted sm:block'
                }
              >
                <Link to={place.to} className="rounded-sm hover:text-text">
                  {place.title}
                </Link>
              </li>
            </>
          )}
          {crumb !== '' && crumb !== place?.title && (
            <>
              <li aria-hidden className="hidden text-muted sm:block">
                <ChevronRight size={14} />
              </li>
              <li aria-current="page" className="min-w-0 truncate font-semibold">
                {crumb}
              </li>
            </>
          )}
        </ol>
      </nav>
      <ConnectionPill />
      <Button variant="ghost" aria-label={`Search ${modifier}K`} onPress={onSearch}>
        <Search size={15} aria-hidden />
        <span className="hidden text-muted lg:inline">Search</span>{' '}
        <kbd className="hidden py-0 text-muted lg:inline">{`${modifier}K`}</kbd>
      </Button>
      <Bell />
      <AccountMenu onHelp={onHelp} />
    </header>
  );
}
