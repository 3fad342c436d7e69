import { createContext, useContext, useSyncExternalStore } from 'react';
import { DrawScheduler } from './draw-scheduler.ts';
import type { LinkState, LivePort } from './live-port.ts';

const LiveContext = createContext<LivePort | null>(null);
export const LiveProvider = LiveContext.Provider;

export function useLive(): LivePort {
  const live = useContext(LiveContext);
  if (live === null) throw new Error('useLive needs a LiveProvider above it');
  return live;
}

export function useLinkState(): LinkState {
  const live = useLive();
  return useSyncExternalStore(
    (fn) => live.onStatus(fn),
    () => live.status(),
  );
}

const schedulers = new WeakMap<LivePort, DrawScheduler>();

/** The page's one scheduler; its clock is the server's, so that live ranges end where its data do. */
export function useDrawScheduler(): DrawScheduler {
  const live = useLive();
  let scheduler = schedulers.get(live);
  if (scheduler === undefined) {
    const frames = {
      request: (fn: () => void) => requestAnimationFrame(fn),
      cancel: (id: number) => cancelAnimationFrame(id),
      monotonic: () => performance.now(),
    };
    scheduler = new DrawScheduler(frames, () => live.serverNow());
    schedulers.set(live, scheduler);
  }
  return scheduler;
}
