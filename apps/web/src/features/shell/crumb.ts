import { useEffect, useSyncExternalStore } from 'react';

/** The last part of the breadcrumb: the name of what is open. Also the document's title. */
let crumb = '';
const listeners = new Set<() => void>();

function setCrumb(next: string): void {
  crumb = next;
  for (const listener of listeners) listener();
}

export function useCrumb(title: string): void {
  useEffect(() => {
    setCrumb(title);
    document.title = title === '' ? 'Nowcast' : `${title} · Nowcast`;
    return () => setCrumb('');
  }, [title]);
}

export function useCurrentCrumb(): string {
  return useSyncExternalStore(
    (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    () => crumb,
  );
}
