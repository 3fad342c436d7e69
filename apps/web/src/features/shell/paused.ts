import { useSyncExternalStore } from 'react';

/** Whether the screen in view shows a range that stands still. */
let paused = false;
const listeners = new Set<() => void>();

export function setPaused(next: boolean): void {
  if (next === paused) return;
  paused = next;
  for (const listener of listeners) listener();
}

export function usePaused(): boolean {
  return useSyncExternalStore(
    (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    () => paused,
  );
}
