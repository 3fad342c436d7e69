import { formatDuration, parseStep, type QueryInput } from '@nowcast/contract';
import { epochOf, wallTime } from '../time/zone.ts';

/**
 * Ends of calendar buckets that were found, by step and zone: to ask Intl for the time of a zone takes longer than
 * anything else that is done for a bucket, and the panels of a board have the same ones.
 */
const found = new Map<string, Map<number, number>>();
const mostCalendars = 50;
const mostEnds = 10_000;

function endsOf(calendar: string): Map<number, number> {
  let ends = found.get(calendar);
  if (ends === undefined || ends.size > mostEnds) {
    if (found.size >= mostCalendars) found.clear();
    found.set(calendar, (ends = new Map()));
  }
  return ends;
}

/** Exclusive end of the bucket that begins at a moment, epoch ms. */
export type BucketEnd = (start: number) => number;

/** What of a query decides how long its buckets are. */
export type Calendar = Pick<QueryInput, 'step' | 'tz'>;

/**
 * Ends of a query's buckets. `stepMs` is their usual width: a day on which clocks change is an hour shorter or longer, a
 * month up to three days. A step that the server chose is a fixed one, or a day or week of the calendar.
 */
export function bucketEnd({ step, tz = 'UTC' }: Calendar, stepMs: number): BucketEnd {
  const asked = parseStep(step ?? formatDuration(stepMs));
  if (asked.kind === 'fixed') return (start) => start + stepMs;
  const months = asked.unit === 'month' ? asked.count : 0;
  const days = asked.unit === 'month' ? 0 : asked.count * (asked.unit === 'week' ? 7 : 1);
  const known = endsOf(`${asked.count} ${asked.unit} ${tz}`);
  return (start) => {
    let end = known.get(start);
    if (end === undefined) {
      const wall = wallTime(start, tz);
      // At 1 a day begins whose midnight the clocks skip, at another hour one that a comparison moved here.
      const hour = wall.hour > 1 ? wall.hour : 0;
      end = epochOf({ ...wall, month: wall.month + months, day: wall.day + days, hour }, tz);
      known.set(start, end);
    }
    return end;
  };
}
