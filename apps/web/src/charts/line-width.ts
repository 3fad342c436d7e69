import type { PlotKind } from './plot-kind.ts';

const usual: Readonly<Record<PlotKind, number>> = { line: 1.75, area: 1.75, stacked: 1.25, bar: 0 };
const thin = 1;
/** Samples for each device pixel from which a line is dense. */
const denseFrom = 0.75;

/**
 * Width of a line, CSS px. Where there is about a sample for every pixel the line goes up and down within its own width: drawn
 * thick it becomes a band that hides its shape. It is also what a live board costs most: without a GPU a line of more
 * than one device pixel takes seven times as long as one of one (four lines of 400 samples: 4.8 ms against 0.7), and twelve live
 * panels of them twice the main thread.
 */
export function lineWidth(kind: PlotKind, samples: number, devicePixels: number): number {
  return Math.min(usual[kind], samples >= devicePixels * denseFrom ? thin : usual[kind]);
}
