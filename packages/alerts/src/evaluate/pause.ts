/** The last time nobody listened, as the log has it: the first tick after it, epoch ms, and how long it was. */
export interface Pause {
  end: number;
  ms: number;
}

export const noPause: Pause = { end: 0, ms: 0 };

/** After a pause everybody has so long to be heard again, or as long as it was. */
const leastGraceMs = 60_000;

export function graceOf({ ms }: Pause): number {
  return Math.max(leastGraceMs, ms);
}
