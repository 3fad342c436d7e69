import { useEffect, useState } from 'react';
import { useLive } from '../../live/live-context.ts';
import { ViewStore } from '../../live/view-store.ts';

const watchedMetrics = 8;

/** Points that arrived since `sinceMs` while the board stands still, counted by live views of their own. */
export function useNewPoints(metrics: readonly string[], sinceMs: number | null): number {
  const live = useLive();
  const [count, setCount] = useState(0);
  const id = metrics.slice(0, watchedMetrics).join('\n');
  useEffect(() => {
    setCount(0);
    if (sinceMs === null || id === '') return undefined;
    const stores = id.split('\n').map((metric) => {
      const store = new ViewStore(null);
      const close = live.subscribe(
        { metric_type: metric, agg: 'count', window: '15m', step: '10s' },
        {
          onSnapshot: (snapshot) => store.applySnapshot(snapshot, live.serverNow()),
          onDelta: (delta) => store.applyDelta(delta, live.serverNow()),
          onNotice: () => undefined,
        },
      );
      return { store, close };
    });
    const timer = setInterval(() => {
      let total = 0;
      for (const { store } of stores) {
        for (const { t, v } of store.series) {
          for (let i = t.length - 1; i >= 0 && t[i]! >= sinceMs; i--) total += v[i] ?? 0;
        }
      }
      setCount(total);
    }, 1000);
    return () => {
      clearInterval(timer);
      for (const { close } of stores) close();
    };
  }, [live, id, sinceMs]);
  return count;
}
