import { useEffect, useMemo, useRef, useState, type RefObject } from 'react';
import { standsStill } from '../live/statistics.ts';
import type { FigureProps } from './figure-props.ts';
import { pacedDrawable, useDrawable } from './use-drawable.ts';

/**
 * Repeats `draw` when the store moved (at most every `everyMs`), when the box is resized, when `id` or the range changes,
 * and as long as time changes what it says, unless `holds` knows better.
 */
export function useFigure(
  box: RefObject<HTMLElement | null>,
  { store, range }: Pick<FigureProps, 'store' | 'range'>,
  everyMs: number,
  id: string,
  draw: (nowMs: number) => void,
  holds = (drawnAtMs: number, _nowMs: number): boolean => standsStill(store, range, drawnAtMs),
): void {
  const latest = useRef({ draw, holds });
  latest.current = { draw, holds };
  const drawnFor = JSON.stringify([id, range, useBoxSize(box)]);
  const drawable = useMemo(
    () =>
      pacedDrawable(
        () => `${store.revision} ${drawnFor} ${devicePixelRatio}`,
        everyMs,
        (drawnAtMs, nowMs) => latest.current.holds(drawnAtMs, nowMs),
        (nowMs) => latest.current.draw(nowMs),
      ),
    [store, everyMs, drawnFor, latest],
  );
  useDrawable(box, drawable);
}

/** Of the box and the canvas in it, whose share changes with what is written beside it, or with a font that comes late. */
function useBoxSize(box: RefObject<HTMLElement | null>): string {
  const [size, setSize] = useState('');
  useEffect(() => {
    if (box.current === null) return undefined;
    const parts = [box.current, ...box.current.querySelectorAll('canvas')];
    const observer = new ResizeObserver(() =>
      setSize(parts.map((part) => `${part.clientWidth}x${part.clientHeight}`).join()),
    );
    for (const part of parts) observer.observe(part);
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
