import type { OffsetVector } from '@nowcast/ports';

/**
 * A position is text that is opaque to clients: which view of which process, how many deltas it had made, and the log
 * offsets it stood at. The change numbers behind a merged delta live in the process, so a position of another process
 * (or of a view that was dropped meanwhile) is answered with a snapshot.
 */
export interface Position {
  instance: string;
  view: number;
  revision: number;
}

export function formatPosition(position: Position, at: OffsetVector): string {
  return [position.instance, position.view, position.revision, at.join('_')].join('.');
}

/** Undefined for anything that `formatPosition` did not write. */
export function parsePosition(text: string): Position | undefined {
  const match = /^([^.]+)\.(\d{1,15})\.(\d{1,15})\.[\d_]*$/.exec(text);
  if (match === null) return undefined;
  return { instance: match[1]!, view: Number(match[2]), revision: Number(match[3]) };
}
