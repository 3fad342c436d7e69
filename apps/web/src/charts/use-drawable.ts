import { useEffect, type RefObject } from 'react';
import type { Drawable } from '../live/draw-scheduler.ts';
import { useDrawScheduler } from '../live/live-context.ts';

/** Draws through the page's scheduler for as long as the component lives and `ref` is on screen. */
export function useDrawable(ref: RefObject<Element | null>, drawable: Drawable | null): void {
  const scheduler = useDrawScheduler();
  useEffect(() => {
    const element = ref.current;
    if (drawable === null || element === null) return undefined;
    const remove = scheduler.add(drawable);
    const observer = new IntersectionObserver(
      ([entry]) => scheduler.setVisible(drawable, entry?.isIntersecting ?? true),
      { rootMargin: '64px' },
    );
    observer.observe(element);
    return () => {
      observer.disconnect();
      remove();
    };
  }, [ref, drawable, scheduler]);
}

/** Silence moves no store, but ages grow and ranges slide: what does not hold is drawn again after this time, ms. */
export const quietMs = 1000;

/**
 * A drawable that repeats `draw` when the store moved, at most every `everyMs`; for figures that are read, not watched.
 * `holds`: whether what was drawn then is true still, as far as the clock goes.
 */
export function pacedDrawable(
  revision: () => string,
  everyMs: number,
  holds: (drawnAtMs: number, nowMs: number) => boolean,
  draw: (nowMs: number) => void,
): Drawable {
  let drawn = '';
  let drawnAt = Number.NEGATIVE_INFINITY;
  return {
    needsDraw(nowMs) {
      const restedMs = Math.abs(nowMs - drawnAt);
      if (restedMs >= quietMs && !holds(drawnAt, nowMs)) return true;
      return restedMs >= everyMs && revision() !== drawn;
    },
    draw(nowMs) {
      drawn = revision();
      drawnAt = nowMs;
      draw(nowMs);
    },
  };
}
