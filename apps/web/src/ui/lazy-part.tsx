import { startTransition, use, useCallback, useEffect, useState, type ComponentType } from 'react';
import { Button } from './button.tsx';
import { showToast } from './toast.tsx';

const retryMs = 15_000;

interface Again {
  /** Fetches it anew. */
  onAgain: () => void;
}

/**
 * Like React's `lazy`, for a part of a screen. What cannot be fetched, in an outage or after the server was upgraded, must
 * not take the screen with it, nor what is unsaved on it: `Missing` stands where the part would be. It is tried again
 * every now and then: nobody stands before a board on the wall.
 */
export function lazyPart<P extends object>(
  load: () => Promise<ComponentType<P>>,
  Missing: ComponentType<P & Again> = MissingPart,
): ComponentType<P> {
  let loading: Promise<ComponentType<P> | null> | undefined;
  return (props) => {
    const [, renew] = useState({});
    const mine = (loading ??= load().catch(() => null));
    const Part = use(mine);
    const isMissing = Part === null;
    const onAgain = useCallback(() => {
      if (loading === mine) loading = undefined;
      startTransition(() => renew({}));
    }, [mine]);
    useEffect(() => {
      if (!isMissing) return undefined;
      const timer = setInterval(onAgain, retryMs);
      return () => clearInterval(timer);
    }, [isMissing, onAgain]);
    return isMissing ? <Missing {...props} onAgain={onAgain} /> : <Part {...props} />;
  };
}

function MissingPart({ onAgain }: Again) {
  return (
    <div className="grid h-full place-items-center p-1">
      <Button size="small" title="If it stays so, save your work and reload the page." onPress={onAgain}>
        Not loaded: try again
      </Button>
    </div>
  );
}

/** What opens over the screen: without it there is a message, and the next press tries again. */
export function lazyDialog<P extends { onClose: () => void }>(
  load: () => Promise<ComponentType<P>>,
): ComponentType<P> {
  return lazyPart(load, ({ onAgain, onClose }) => {
    useEffect(() => {
      showToast('error', 'This could not be loaded. If it stays so, save your work and reload the page.');
      onClose();
      onAgain();
    });
    return null;
  });
}
