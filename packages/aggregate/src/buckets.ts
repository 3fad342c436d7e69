import { appError, type Step } from '@nowcast/contract';
import { assert } from '@nowcast/kernel';
import { daysOfMonth, monthOfDays, TimeZone } from './calendar.ts';

/**
 * Which bucket an instant belongs to. Fixed steps are multiples of the step since the epoch, in any zone; calendar
 * steps begin at local midnight, so a day may last 23 or 25 hours and a boundary must be looked up, not computed.
 */
const fixedSteps = [
  1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 10_800, 21_600, 43_200,
].map((seconds) => seconds * 1000);
const dayMs = 86_400_000;
/** Monday, 5 January 1970. */
const firstMonday = 4;

/** The finest step that needs no more than `targetBuckets` for the range; a week at most. */
export function chooseStep(rangeMs: number, targetBuckets = 300): Step {
  const least = rangeMs / targetBuckets;
  const fixed = fixedSteps.find((ms) => ms >= least);
  if (fixed !== undefined) return { kind: 'fixed', ms: fixed };
  return { kind: 'calendar', unit: least <= dayMs ? 'day' : 'week', count: 1 };
}

/** Width of a step in ms; for calendar steps the usual one (a month counts 30 days). */
export function nominalStepMs(step: Step): number {
  if (step.kind === 'fixed') return step.ms;
  return step.count * { day: 1, week: 7, month: 30 }[step.unit] * dayMs;
}

/** `{fixed 10000}` → `10s`-like text that names the step uniquely; part of keys, not for people. */
export function stepKey(step: Step): string {
  return step.kind === 'fixed' ? `${step.ms}` : `${step.count}${step.unit}`;
}

const largestCount = { day: 366, week: 104, month: 120 } as const;

export class Buckets {
  readonly step: Step;
  /** IANA zone; plays no role for fixed steps. */
  readonly tz: string;
  readonly #fixedMs: number;
  readonly #zone: TimeZone | undefined;
  /** Calendar steps: start instant by bucket ordinal. */
  readonly #starts = new Map<number, number>();
  /** Calendar steps: ordinal of the bucket at the start of each UTC day, because asking for a local date is slow. */
  readonly #ordinals = new Map<number, number>();
  #cachedFrom = Number.NaN;
  #cachedTo = Number.NaN;

  /** Throws `query.invalid` for a step below 1 ms, an absurd count or an unknown zone. */
  constructor(step: Step, tz = 'UTC') {
    this.step = step;
    this.tz = tz;
    // A fixed step has no use for the zone, but a name that is none should be told of before a calendar step needs it.
    const zone = new TimeZone(tz);
    if (step.kind === 'fixed') {
      if (!(step.ms >= 1) || !Number.isInteger(step.ms))
        throw appError(
          'query.invalid',
          'a step is a whole number of milliseconds; write for example 500ms or 10s',
        );
      this.#fixedMs = step.ms;
      return;
    }
    if (step.count > largestCount[step.unit])
      throw appError(
        'query.invalid',
        `a step of ${step.count} ${step.unit}s is too wide; write at most 366d, 104w or 120mo`,
      );
    this.#fixedMs = 0;
    this.#zone = zone;
  }

  /** Start of the bucket that holds the instant, epoch ms. */
  start(instant: number): number {
    if (this.#fixedMs > 0) return Math.floor(instant / this.#fixedMs) * this.#fixedMs;
    this.#locate(instant);
    return this.#cachedFrom;
  }

  /** Exclusive end of the bucket that holds the instant = start of the next. */
  end(instant: number): number {
    if (this.#fixedMs > 0) return Math.floor(instant / this.#fixedMs) * this.#fixedMs + this.#fixedMs;
    this.#locate(instant);
    return this.#cachedTo;
  }

  /** Seconds of the bucket that holds the instant. */
  seconds(instant: number): number {
    return this.#fixedMs > 0 ? this.#fixedMs / 1000 : (this.end(instant) - this.start(instant)) / 1000;
  }

  /** Starts of the buckets that overlap `[from, to)`, and after them the exclusive end of the last one. */
  boundaries(from: number, to: number): Float64Array {
    assert(Number.isFinite(from) && Number.isFinite(to), 'boundaries of an endless range');
    const starts: number[] = [];
    let at = this.start(from);
    while (at < to) {
      starts.push(at);
      const end = this.end(at);
      // Beyond 2^53 the next bucket may begin where this one does.
      assert(end > at, 'a bucket that has an end');
      at = end;
    }
    starts.push(at);
    return Float64Array.from(starts);
  }

  /** How many buckets overlap the range; exact for fixed steps, within one for calendar ones. */
  countIn(from: number, to: number): number {
    if (!(to > from)) return 0;
    if (this.#fixedMs > 0) return Math.ceil(to / this.#fixedMs) - Math.floor(from / this.#fixedMs);
    return Math.ceil((to - from) / nominalStepMs(this.step)) + 1;
  }

  #locate(instant: number): void {
    if (instant >= this.#cachedFrom && instant < this.#cachedTo) return;
    const utcDay = Math.floor(instant / dayMs);
    let ordinal = this.#ordinals.get(utcDay);
    if (ordinal === undefined) {
      ordinal = this.#ordinal(this.#zone!.localDay(utcDay * dayMs));
      this.#ordinals.set(utcDay, ordinal);
    }
    // A guess: the day goes on, and where a clock goes back over midnight a local date may come twice.
    while (instant < this.#startOf(ordinal)) ordinal -= 1;
    while (instant >= this.#startOf(ordinal + 1)) ordinal += 1;
    this.#cachedFrom = this.#startOf(ordinal);
    this.#cachedTo = this.#startOf(ordinal + 1);
  }

  #ordinal(localDay: number): number {
    const { unit, count } = this.step as Step & { kind: 'calendar' };
    if (unit === 'month') return Math.floor(monthOfDays(localDay) / count);
    return unit === 'day' ? Math.floor(localDay / count) : Math.floor((localDay - firstMonday) / (7 * count));
  }

  #startOf(ordinal: number): number {
    let start = this.#starts.get(ordinal);
    if (start === undefined) {
      const { unit, count } = this.step as Step & { kind: 'calendar' };
      const day =
        unit === 'month'
          ? daysOfMonth(ordinal * count)
          : unit === 'day'
            ? ordinal * count
            : ordinal * count * 7 + firstMonday;
      start = this.#zone!.startOfDay(day);
      this.#starts.set(ordinal, start);
    }
    return start;
  }
}
