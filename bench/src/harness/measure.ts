import type { Row } from './rounds.ts';
import { isOver } from './stop.ts';

export interface Options {
  /** Beside the peers, which are installed when they are missing. */
  peers: boolean;
  /** Fewer and shorter runs: to see a direction, not to quote. */
  quick: boolean;
  /** Larger data where a measure has it (`query`: 50 M points). */
  full: boolean;
  /** Where `query` keeps what it has loaded, for another run; absent: nowhere. */
  data: string | undefined;
  /** Only the cases whose name matches. */
  only: RegExp | undefined;
}

/** A figure that must hold, and whether it does. */
export interface Check {
  measure: string;
  what: string;
  limit: string;
  got: number;
  holds: boolean;
}

export interface Outcome {
  rows: Row[];
  checks: Check[];
  /** What a reader must know of the conditions: sizes, versions, what was left out. */
  notes?: string[];
}

export type Measure = (options: Options) => Promise<Outcome>;

export function wanted(options: Options, name: string): boolean {
  return !isOver() && (options.only === undefined || options.only.test(name));
}

export function runsOf(options: Options, full = 5): number {
  return options.quick ? 3 : full;
}

/** The median of a figure; NaN where it was not measured. */
export function figure(rows: readonly Row[], of: { case: string; subject: string; name: string }): number {
  const row = rows.find((one) => one.case === of.case && one.subject === of.subject);
  return row?.figures[of.name]?.median ?? Number.NaN;
}

/** A check of a figure that was measured in this run; none when it was not. */
export function check(measure: string, what: string, got: number, sign: '≥' | '≤', limit: number): Check[] {
  if (Number.isNaN(got)) return [];
  const holds = sign === '≥' ? got >= limit : got <= limit;
  return [{ measure, what, limit: `${sign} ${limit}`, got: Number(got.toPrecision(4)), holds }];
}
