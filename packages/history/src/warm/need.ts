import type { PieceRequest } from '../piece.ts';
import { type BlockKind, dayMs, hourMs } from './block.ts';

/** Days of a range that are looked at: a year and a bit of hours, a month and a half of points. */
const mostDays = { scalar: 400, ends: 400, points: 45 } as const;

/** Which blocks can answer a request. */
export interface Need {
  kind: BlockKind;
  /** A counter's rows or points are handed out one by one. */
  growth: boolean;
  from: number;
  to: number;
  /** First and last day (start, epoch ms) that the range touches. */
  firstDay: number;
  lastDay: number;
}

/** Undefined for what these blocks never answer: distinct actors, and very long ranges. */
export function needOf({ parts, borders, pointsOnly }: PieceRequest): Need | undefined {
  const from = borders[0]!;
  const to = borders[borders.length - 1]!;
  if (parts.uniques || !(to > from)) return undefined;
  const byHours = !pointsOnly && !parts.quantiles && borders.every((border) => border % hourMs === 0);
  const ends = parts.ends || parts.growth;
  const kind = !byHours || ends === parts.scalar ? 'points' : ends ? 'ends' : 'scalar';
  const firstDay = Math.floor(from / dayMs) * dayMs;
  const lastDay = Math.floor((to - 1) / dayMs) * dayMs;
  if ((lastDay - firstDay) / dayMs >= mostDays[kind]) return undefined;
  return { kind, growth: parts.growth || pointsOnly, from, to, firstDay, lastDay };
}
