import { useEffect } from 'react';
import { setPaused } from '../shell/paused.ts';

/** Tells the connection pill that the screen stands still although the socket lives. */
export function usePausedPill(paused: boolean): void {
  useEffect(() => {
    setPaused(paused);
    return () => setPaused(false);
  }, [paused]);
}
