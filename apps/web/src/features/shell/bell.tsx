import { Bell as BellIcon } from 'lucide-react';
import { Suspense } from 'react';
import { Button } from '../../ui/button.tsx';
import { lazyPart } from '../../ui/lazy-part.tsx';
import { useAfterPaint } from '../../ui/use-after-paint.ts';

/**
 * The bell of the top bar. What it does (follow, list, toast) is a chunk of its own that comes once the screen has
 * been painted: nobody waits for their board because of their inbox.
 */
const Inbox = lazyPart(
  async () => (await import('../alerts/inbox-bell.tsx')).InboxBell,
  ({ onAgain }) => (
    <Button variant="ghost" icon aria-label="Notifications were not loaded: try again" onPress={onAgain}>
      <BellIcon size={16} className="text-warn" aria-hidden />
    </Button>
  ),
);

export function Bell() {
  const due = useAfterPaint();
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
