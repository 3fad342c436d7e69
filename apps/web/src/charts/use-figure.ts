import { useEffect, useMemo, useRef, useState, type RefObject } from 'react';
import type { ViewStore } from '../live/view-store.ts';
import { pacedDrawable, useDrawable } from './use-drawable.ts';

/** Repeats `draw` when the store moved (at most every `everyMs`), when the box is resized, and when `id` changes. */
export function useFigure(
  box: RefObject<HTMLElement | null>,
  store: ViewStore,
  everyMs: number,
  id: string,
  draw: (nowMs: number) => void,
): void {
  const latest = useRef(draw);
  latest.current = draw;
  const size = useBoxSize(box);
  const drawable = useMemo(
    () =>
      pacedDrawable(
        () => `${store.revision} ${size} ${id}`,
        everyMs,
        (nowMs) => latest.current(nowMs),
      ),
    [store, everyMs, id, size, latest],
  );
  useDrawable(box, drawable);
}

function useBoxSize(box: RefObject<HTMLElement | null>): string {
  const [size, setSize] = useState('');
  useEffect(() => {
    if (box.current === null) return undefined;
    const observer = new ResizeObserver(([entry]) => {
      const { width = 0, height = 0 } = entry?.contentRect ?? {};
      setSize(`${Math.round(width)}x${Math.round(height)}`);
    });
    observer.observe(box.current);
    return () => observer.disconnect();
  }, [box]);
  return size;
}

/** A canvas context scaled to CSS pixels and cleared; null where the box has no size. */
export function openCanvas(
  canvas: HTMLCanvasElement,
): { ctx: CanvasRenderingContext2D; width: number; height: number } | null {
  const { clientWidth: width, clientHeight: height } = canvas;
  const ctx = canvas.getContext('2d');
  if (ctx === null || width === 0 || height === 0) return null;
  const ratio = devicePixelRatio;
  if (canvas.width !== Math.round(width * ratio) || canvas.height !== Math.round(height * ratio)) {
    canvas.width = Math.round(width * ratio);
    canvas.height = Math.round(height * ratio);
  }
  ctx.setTransform(ratio, 0, 0, ratio, 0, 0);
  ctx.clearRect(0, 0, width, height);
  return { ctx, width, height };
}
