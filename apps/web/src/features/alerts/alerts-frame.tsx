import { Link } from '@tanstack/react-router';
import { useEffect, useRef, type ReactNode } from 'react';
import { useCrumb } from '../shell/crumb.ts';
import { PageHead } from '../../ui/states.tsx';

const sections = [
  { to: '/alerts', title: 'Inbox' },
  { to: '/alerts/rules', title: 'Rules' },
  { to: '/alerts/on-call', title: 'On call' },
  { to: '/alerts/silences', title: 'Silences' },
  { to: '/alerts/maintenance', title: 'Maintenance' },
  { to: '/alerts/inhibitions', title: 'Inhibitions' },
  { to: '/alerts/channels', title: 'Channels' },
  { to: '/alerts/notifications', title: 'My notifications' },
] as const;

/** What the screens about alerts share: their heading and the way between them. */
export function AlertsFrame({
  title,
  text,
  actions,
  children,
}: {
  title: string;
  text?: string;
  actions?: ReactNode;
  children: ReactNode;
}) {
  useCrumb(title);
  const nav = useRef<HTMLElement>(null);
  useEffect(() => {
    // On a phone the row is longer than the screen: where one is must be in sight.
    const current = nav.current?.querySelector<HTMLElement>('[aria-current="page"]');
    if (nav.current !== null && current != null)
      nav.current.scrollLeft = current.offsetLeft - (nav.current.clientWidth - current.offsetWidth) / 2;
  }, []);
  return (
    <div className="mx-auto max-w-6xl pt-4">
      <nav ref={nav} aria-label="Alerts" className="scroll-row relative mb-4 flex gap-1 border-b border-line">
        {sections.map(({ to, title: name }) => (
          <Link
            key={to}
            to={to}
            activeOptions={{ exact: to === '/alerts', includeSearch: false }}
            className="flex h-10 -outline-offset-2 items-center border-b-2 px-3 text-sm font-medium whitespace-nowrap"
            activeProps={{ className: 'border-accent text-text' }}
            inactiveProps={{ className: 'border-transparent text-muted hover:text-text' }}
          >
            {name}
          </Link>
        ))}
      </nav>
      <PageHead title={title} {...(text === undefined ? {} : { text })}>
        {actions}
      </PageHead>
      {children}
    </div>
  );
}
