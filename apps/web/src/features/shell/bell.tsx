import { Bell as BellIcon } from 'lucide-react';
import { lazy, Suspense, useEffect, useState } from 'react';

/**
 * The bell of the top bar. What it does (follow, list, toast) is a chunk of its own that comes once the screen has
 * been painted: nobody waits for their board because of their inbox.
 */
const Inbox = lazy(async () => ({ default: (await import('../alerts/inbox-bell.tsx')).InboxBell }));

export function Bell() {
  const [due, setDue] = useState(false);
  useEffect(() => {
    const timer = setTimeout(() => setDue(true), 300);
    return () => clearTimeout(timer);
  }, []);
  const still = (
    <span aria-hidden className="btn btn-ghost btn-icon">
      <BellIcon size={16} />
    </span>
  );
  return due ? (
    <Suspense fallback={still}>
      <Inbox />
    </Suspense>
  ) : (
    still
  );
}
