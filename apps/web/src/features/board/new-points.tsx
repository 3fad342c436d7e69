import { useEffect, useState } from 'react';
import { useLive } from '../../live/live-context.ts';
import type { LivePort } from '../../live/live-port.ts';
import { lookBack, PointCount } from './point-count.ts';

const watchedMetrics = 8;
const counts = new Intl.NumberFormat('en', { notation: 'compact' });

/** Says how many points arrived since `sinceMs` while the board stands still. */
export function NewPoints({ metrics, sinceMs }: { metrics: readonly string[]; sinceMs: number }) {
  const live = useLive();
  const [total, setTotal] = useState(0);
  const id = metrics.slice(0, watchedMetrics).join('\n');
  useEffect(() => {
    setTotal(0);
    if (id === '') return undefined;
    const watched = id.split('\n').map((metric) => watch(live, metric, sinceMs));
    const timer = setInterval(() => {
      const now = live.serverNow();
      setTotal(watched.reduce((sum, { count }) => sum + count.total(now), 0));
    }, 1000);
    return () => {
      clearInterval(timer);
      for (const { close } of watched) close();
    };
  }, [live, id, sinceMs]);
  return total > 0 ? ` · ${counts.format(total)} new` : null;
}

function watch(live: LivePort, metric: string, sinceMs: number): { count: PointCount; close: () => void } {
  const count = new PointCount(sinceMs);
  const close = live.subscribe(
    { metric_type: metric, agg: 'count', window: lookBack, step: '10s' },
    {
      onSnapshot: ({ series }) => {
        for (const { timestamps, values } of series)
          timestamps.forEach((bucketMs, i) => count.put(bucketMs, values[i] ?? 0));
      },
      onDelta: (delta) => {
        for (let i = 0; i < delta.count; i++) count.put(delta.buckets[i]!, delta.values[i]!);
      },
      onNotice: () => undefined,
    },
  );
  return { count, close };
}
