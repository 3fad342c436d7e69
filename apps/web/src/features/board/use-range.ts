import { useCallback, useMemo, useRef } from 'react';
import { zoomSpan } from '../../charts/history-gestures.ts';
import { useLive } from '../../live/live-context.ts';
import {
  liveRange,
  rangeFromSearch,
  rangeToSearch,
  type RangeSearch,
  type TimeRange,
} from '../../time/range.ts';

export interface RangeControl {
  range: TimeRange;
  setRange: (range: TimeRange) => void;
  zoom: (fromMs: number, toMs: number) => void;
  zoomBack: () => void;
  goLive: () => void;
  /** Stands still at this moment. */
  pause: () => void;
}

/**
 * The range of a screen, kept in its address. Zooming pushes, so that the browser's Back works as well as a double
 * click; pausing replaces. "Go live" returns to the sliding range that was left.
 */
export function useRange(
  search: RangeSearch,
  defaultWindow: string,
  navigate: (search: RangeSearch, replace: boolean) => void,
): RangeControl {
  const live = useLive();
  const trail = useRef<TimeRange[]>([]);
  const lastLive = useRef<TimeRange | null>(null);
  const go = useRef(navigate);
  go.current = navigate;
  const { from, to } = search;
  const range = useMemo(
    () => rangeFromSearch({ from, to }) ?? liveRange(defaultWindow),
    [from, to, defaultWindow],
  );
  if (range.kind === 'live') lastLive.current = range;

  const setRange = useCallback(
    (next: TimeRange, replace = false) => go.current(rangeToSearch(next), replace),
    [],
  );
  return useMemo(
    () => ({
      range,
      setRange: (next) => {
        trail.current = [];
        setRange(next);
      },
      zoom: (start, end) => {
        trail.current.push(range);
        setRange({ kind: 'fixed', from: start, to: end });
      },
      zoomBack: () => {
        const before = trail.current.pop();
        if (before !== undefined) setRange(before);
        else if (range.kind === 'fixed')
          setRange({ kind: 'fixed', ...zoomSpan(range, 0.5, 2, live.serverNow()) });
      },
      goLive: () => {
        trail.current = [];
        setRange(lastLive.current ?? liveRange(defaultWindow));
      },
      pause: () => {
        if (range.kind !== 'live') return;
        const now = live.serverNow();
        setRange({ kind: 'fixed', from: now - range.windowMs, to: now }, true);
      },
    }),
    [range, setRange, live, defaultWindow],
  );
}
