import { Outlet, useNavigate } from '@tanstack/react-router';
import { Suspense, useEffect, useState } from 'react';
import { useLive } from '../../live/live-context.ts';
import { applyPreferences } from '../../theme/theme.ts';
import { lazyDialog } from '../../ui/lazy-part.tsx';
import { preloadMenus } from '../../ui/menu.tsx';
import { preloadPopovers } from '../../ui/popover.tsx';
import { Toasts } from '../../ui/toast.tsx';
import { BottomTabs, Rail } from './rail.tsx';
import { useShortcuts } from './shortcuts.ts';
import { TopBar } from './top-bar.tsx';
import { useMe } from './use-me.ts';

const Palette = lazyDialog(async () => (await import('./palette.tsx')).Palette);
const HelpDialog = lazyDialog(async () => (await import('./help-dialog.tsx')).HelpDialog);

/** The frame around every screen. */
export function AppShell() {
  const user = useMe();
  const navigate = useNavigate();
  const live = useLive();
  const [searching, setSearching] = useState(false);
  const [helping, setHelping] = useState(false);
  useEffect(() => live.connect(), [live]);
  useEffect(() => applyPreferences(user.preferences), [user.preferences]);
  useEffect(() => {
    const onKey = (event: KeyboardEvent): void => {
      if (event.key.toLowerCase() !== 'k' || (!event.metaKey && !event.ctrlKey)) return;
      event.preventDefault();
      setSearching((open) => !open);
    };
    addEventListener('keydown', onKey);
    return () => removeEventListener('keydown', onKey);
  }, []);
  useEffect(() => {
    const timer = setTimeout(() => {
      preloadMenus();
      preloadPopovers();
    }, 1500);
    return () => clearTimeout(timer);
  }, []);
  useShortcuts({
    '?': () => setHelping(true),
    '/': () => setSearching(true),
    'g h': () => navigate({ to: '/' }),
    'g d': () => navigate({ to: '/boards' }),
    'g e': () => navigate({ to: '/explore' }),
    'g a': () => navigate({ to: '/alerts' }),
    'g s': () => navigate({ to: '/sources' }),
  });
  return (
    <div className="flex min-h-dvh">
      <a
        href="#main"
        className="sr-only focus:not-sr-only focus:fixed focus:start-2 focus:top-2 focus:z-70 focus:rounded-md focus:bg-accent focus:p-2 focus:text-on-accent"
      >
        Skip to the content
      </a>
      <Rail />
      <div className="flex min-w-0 flex-1 flex-col">
        <TopBar onSearch={() => setSearching(true)} onHelp={() => setHelping(true)} />
        <main
          id="main"
          tabIndex={-1}
          className="flex-1 px-4 pb-20 outline-none sm:pb-8 sm:max-lg:[[data-drawer]_&]:pb-[50dvh] lg:[[data-drawer]_&]:pe-[376px]"
        >
          <Suspense>
            <Outlet />
          </Suspense>
        </main>
      </div>
      <BottomTabs />
      <Toasts />
      <Suspense>
        {searching && <Palette onClose={() => setSearching(false)} onHelp={() => setHelping(true)} />}
        {helping && <HelpDialog onClose={() => setHelping(false)} />}
      </Suspense>
    </div>
  );
}
