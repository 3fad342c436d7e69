import { useEffect, useState } from 'react';
import { useLinkState } from './live-context.ts';

/** Gaps that are shorter are not worth a word, ms. */
const patienceMs = 5000;

/** Since when there is no live connection, epoch ms by the page's own clock; null while there is one. */
export function useLostLink(): number | null {
  const isLive = useLinkState().state === 'live';
  const [lost, setLost] = useState<number | null>(null);
  useEffect(() => {
    if (isLive) return undefined;
    const since = Date.now();
    const timer = setTimeout(() => setLost(since), patienceMs);
    return () => {
      clearTimeout(timer);
      setLost(null);
    };
  }, [isLive]);
  return lost;
}
