import { Link } from '@tanstack/react-router';
import type { ReactNode } from 'react';
import { useCrumb } from '../shell/crumb.ts';
import { PageHead } from '../../ui/states.tsx';

const sections = [
  { to: '/alerts', title: 'Inbox' },
  { to: '/alerts/rules', title: 'Rules' },
  { to: '/alerts/silences', title: 'Silences' },
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
  return (
    <div className="mx-auto max-w-6xl pt-4">
      <nav aria-label="Alerts" className="mb-4 flex gap-1 overflow-x-auto border-b border-line">
        {sections.map(({ to, title: name }) => (
          <Link
            key={to}
            to={to}
            activeOptions={{ exact: to === '/alerts', includeSearch: false }}
            className="-mb-px flex h-10 items-center border-b-2 px-3 text-sm font-medium whitespace-nowrap"
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
