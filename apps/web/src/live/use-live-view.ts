import { useEffect, useMemo, useState, useSyncExternalStore } from 'react';
import type { QueryInput } from '@nowcast/contract';
import { useLive } from './live-context.ts';
import { staleLevel, type StaleLevel } from './statistics.ts';
import { type Rate, ViewStore, type ViewMeta } from './view-store.ts';

export interface LiveView {
  store: ViewStore;
  /** The query this store answers. */
  query: QueryInput;
  meta: ViewMeta;
  /** A newer query was asked and has not answered yet: the old frame stays, dimmed. */
  refreshing: boolean;
  retry: () => void;
}

interface Shown {
  store: ViewStore;
  query: QueryInput;
}

/**
 * Opens `query` as a live view for as long as the component lives; `windowMs` null: a range that stands still.
 * `rate`: how the store keeps values by the second.
 */
export function useLiveView(asked: QueryInput, windowMs: number | null, rate: Rate = 'none'): LiveView {
  const live = useLive();
  const [attempt, setAttempt] = useState(0);
  // A new object with the same content is the same view.
  const text = JSON.stringify(asked);
  const query = useMemo(() => JSON.parse(text) as QueryInput, [text]);
  const id = `${attempt} ${text}`;
  const [shown, setShown] = useState<Shown & { id: string }>(() => ({
    store: new ViewStore(windowMs, rate, query),
    query,
    id: '',
  }));
  useEffect(() => {
    const store = new ViewStore(windowMs, rate, query);
    const show = (): void => setShown((old) => (old.store === store ? old : { store, query, id }));
    return live.subscribe(query, {
      onSnapshot(snapshot) {
        store.applySnapshot(snapshot, live.serverNow());
        show();
      },
      onDelta: (delta) => store.applyDelta(delta, live.serverNow()),
      onNotice(notice) {
        store.applyNotice(notice);
        if (store.getMeta().state !== 'loading') show();
      },
    });
  }, [live, query, id, windowMs, rate]);
  const meta = useSyncExternalStore(shown.store.subscribeMeta, shown.store.getMeta);
  return {
    store: shown.store,
    query: shown.query,
    meta,
    refreshing: shown.id !== '' && shown.id !== id,
    retry: () => setAttempt((count) => count + 1),
  };
}

/** How stale a live panel is, looked at once a second. */
export function useStaleLevel(store: ViewStore, live: boolean): StaleLevel {
  const port = useLive();
  const [level, setLevel] = useState<StaleLevel>('fresh');
  useEffect(() => {
    if (!live) return undefined;
    const look = (): void => setLevel(staleLevel(store, port.serverNow()));
    look();
    const timer = setInterval(look, 1000);
    return () => clearInterval(timer);
  }, [store, live, port]);
  return live ? level : 'fresh';
}
