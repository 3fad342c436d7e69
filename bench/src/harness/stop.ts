let endMs = Number.POSITIVE_INFINITY;

/** `--within`: no run begins later than so many seconds from the start; what is measured by then is reported. */
export function stopAfter(seconds: number): void {
  endMs = seconds * 1000;
}

export function isOver(): boolean {
  return performance.now() > endMs;
}
