import type { ByteReader, ByteWriter, RuleCondition } from '@nowcast/contract';
import type { Baseline, Limits } from './baseline.ts';
import { Distances } from './distances.ts';

const slotMs = 5 * 60_000;
const hourMs = 3_600_000;
const hoursOfDay = 24;
const hoursOfWeek = 168;
/** Slots that must have been learned before anything can be unusual: a day. */
const leastLearned = 288;
/** Of the distances of the last days, so many may be larger than what the band is measured by: six values a day. */
const exceptions = 0.02;
/** Beyond which multiple of that a value is unusual. */
const widths = { low: 2, medium: 1.4, high: 1.2 } as const;
/** A band is at least so wide, as a share of the level: a constant may wobble. */
const leastSpread = 0.01;
/** How much better a season must fit than the level alone before it is believed. */
const betterBy = 0.9;

/**
 * What is usual for a group, learned value by value.
 *
 * Mean and standard deviation follow every spike they are meant to find, and a few deviations say nothing of values that
 * are not normally distributed: most machines are quiet and spike on the hour, every hour. So the band is not measured in
 * deviations but by what happened: it is as wide, on each side, as all but the largest 2 % of the last days' distances,
 * times the sensitivity. What happens seven times a day is usual; what is larger than all that is not.
 *
 * Distances are taken from the level, or from what is usual at the hour of the day or of the week, whichever has fitted
 * best. All of them move by bounded steps, so that an hour of outage does not become usual.
 */
export class SeasonalBand implements Baseline {
  readonly #condition: Extract<RuleCondition, { kind: 'anomaly' }>;
  #learned = 0;
  #slot = -1;
  #level = 0;
  /** Median of the distances. */
  #spread = 0;
  readonly #day = new Float64Array(hoursOfDay).fill(Number.NaN);
  readonly #week = new Float64Array(hoursOfWeek).fill(Number.NaN);
  /** Usual distance from the level, from the hour of the day and from that of the week. */
  readonly #misses = new Float64Array(3);
  readonly #above = new Distances();
  readonly #below = new Distances();

  constructor(condition: Extract<RuleCondition, { kind: 'anomaly' }>) {
    this.#condition = condition;
  }

  limits(at: number): Limits | undefined {
    if (this.#learned < leastLearned) return undefined;
    const usual = this.#usual(at);
    const { direction, sensitivity } = this.#condition;
    const least = leastSpread * Math.abs(this.#level);
    const width = (distances: Distances) =>
      widths[sensitivity] * Math.max(least, distances.exceededBy(exceptions));
    return {
      lower: direction === 'above' ? -Infinity : usual - width(this.#below),
      upper: direction === 'below' ? Infinity : usual + width(this.#above),
    };
  }

  /** The first value of each five minutes. */
  learn(at: number, value: number): void {
    const slot = Math.floor(at / slotMs);
    if (slot <= this.#slot) return;
    this.#slot = slot;
    this.#learned += 1;
    if (this.#learned === 1) this.#level = value;
    const distance = value - this.#usual(at);
    this.#learnDistance(this.#above, distance);
    this.#learnDistance(this.#below, -distance);
    this.#learnFit(at, value);
    this.#learnSpread(Math.abs(distance));
    this.#level += this.#step(value - this.#level, Math.max(0.01, 2 / this.#learned));
    this.#learnHour(this.#day, at, value);
    this.#learnHour(this.#week, at, value);
  }

  save(writer: ByteWriter): void {
    for (const value of [this.#learned, this.#slot, this.#level, this.#spread]) writer.f64(value);
    for (const column of [this.#day, this.#week, this.#misses]) writer.raw(column);
    this.#above.save(writer);
    this.#below.save(writer);
  }

  load(reader: ByteReader): void {
    this.#learned = reader.f64();
    this.#slot = reader.f64();
    this.#level = reader.f64();
    this.#spread = reader.f64();
    for (const column of [this.#day, this.#week, this.#misses])
      for (let i = 0; i < column.length; i += 1) column[i] = reader.f64();
    this.#above.load(reader);
    this.#below.load(reader);
  }

  /** The level, unless a season has fitted clearly better. */
  #usual(at: number): number {
    const [level, day, week] = this.#misses as unknown as [number, number, number];
    const ofWeek = this.#week[hourOf(at, hoursOfWeek)]!;
    const ofDay = this.#day[hourOf(at, hoursOfDay)]!;
    if (week < betterBy * Math.min(level, day) && !Number.isNaN(ofWeek)) return ofWeek;
    return day < betterBy * level && !Number.isNaN(ofDay) ? ofDay : this.#level;
  }

  /** Once it knows what is usual, a larger distance counts as one a bit larger: an outage must not widen the band. */
  #learnDistance(distances: Distances, distance: number): void {
    const most =
      this.#learned < leastLearned
        ? Infinity
        : 2.5 * Math.max(this.#spread, distances.exceededBy(exceptions));
    distances.add(Math.max(0, Math.min(distance, most)));
  }

  #learnFit(at: number, value: number): void {
    const candidates = [
      this.#level,
      this.#day[hourOf(at, hoursOfDay)]!,
      this.#week[hourOf(at, hoursOfWeek)]!,
    ];
    candidates.forEach((usual, i) => {
      // A season that does not know the hour yet is taken to fit no better than the level.
      const miss = Math.abs(value - (Number.isNaN(usual) ? this.#level : usual));
      const before = this.#misses[i]!;
      const bounded = before === 0 ? miss : Math.min(miss, 4 * before);
      this.#misses[i] = before + (bounded - before) * Math.max(0.005, 1 / this.#learned);
    });
  }

  #learnHour(hours: Float64Array, at: number, value: number): void {
    const hour = hourOf(at, hours.length);
    const usual = hours[hour]!;
    hours[hour] = Number.isNaN(usual) ? value : usual + this.#step(value - usual, 0.05);
  }

  /** However far a value is off, it pulls no more than one that is off by two usual distances. */
  #step(distance: number, rate: number): number {
    return Math.max(-2 * this.#spread, Math.min(2 * this.#spread, distance)) * rate;
  }

  /** Median of the distances by stochastic steps, in units of itself; quick while little is known. */
  #learnSpread(distance: number): void {
    const rate = Math.min(0.5, Math.max(0.01, 5 / this.#learned));
    if (this.#spread === 0) this.#spread = distance;
    else this.#spread *= distance > this.#spread ? 1 + rate : 1 - rate;
    this.#spread = Math.max(this.#spread, Math.abs(this.#level) * 1e-6);
  }
}

/** Hour of the day or of the week, in UTC. */
function hourOf(at: number, hours: number): number {
  return Math.floor(at / hourMs) % hours;
}
