import type { ByteReader, ByteWriter, RuleCondition } from '@nowcast/contract';
import type { Baseline, Limits } from './baseline.ts';

const slotMs = 5 * 60_000;
const hoursOfWeek = 168;
/** Slots that must have been learned before anything can be unusual: half a day. */
const leastLearned = 144;

/** How many robust deviations from the usual are still usual. */
const widths = { low: 8, medium: 6, high: 4.5 } as const;

/**
 * A robust seasonal band, learned value by value.
 *
 * Mean and standard deviation would follow every spike they are meant to find. Instead the usual value (a level, and its
 * offset for the hour of the day and for the hour of the week) and the usual distance from it move by bounded steps:
 * a value that is far off moves them as little as one that is a bit off, so that an hour of outage does not become usual.
 */
export class SeasonalBand implements Baseline {
  readonly #condition: Extract<RuleCondition, { kind: 'anomaly' }>;
  #learned = 0;
  #slot = -1;
  #level = 0;
  #spread = 0;
  readonly #hours = new Float64Array(hoursOfWeek);
  readonly #seen = new Float64Array(hoursOfWeek);

  constructor(condition: Extract<RuleCondition, { kind: 'anomaly' }>) {
    this.#condition = condition;
  }

  limits(at: number): Limits | undefined {
    if (this.#learned < leastLearned) return undefined;
    const usual = this.#usual(at);
    const distance = widths[this.#condition.sensitivity] * this.#spread;
    const { direction } = this.#condition;
    return {
      lower: direction === 'above' ? -Infinity : usual - distance,
      upper: direction === 'below' ? Infinity : usual + distance,
    };
  }

  learn(at: number, value: number): void {
    const slot = Math.floor(at / slotMs);
    if (slot <= this.#slot) return;
    this.#slot = slot;
    this.#learned += 1;
    if (this.#learned === 1) {
      this.#level = value;
      return;
    }
    const error = value - this.#usual(at);
    this.#learnSpread(Math.abs(error));
    const bounded = Math.max(-2 * this.#spread, Math.min(2 * this.#spread, error));
    this.#level += bounded * Math.max(0.02, 1 / this.#learned);
    const hour = hourOfWeek(at);
    this.#seen[hour] = this.#seen[hour]! + 1;
    this.#hours[hour] = this.#hours[hour]! + bounded * Math.max(0.02, 0.5 / this.#seen[hour]);
  }

  save(writer: ByteWriter): void {
    for (const value of [this.#learned, this.#slot, this.#level, this.#spread]) writer.f64(value);
    writer.raw(this.#hours);
    writer.raw(this.#seen);
  }

  load(reader: ByteReader): void {
    this.#learned = reader.f64();
    this.#slot = reader.f64();
    this.#level = reader.f64();
    this.#spread = reader.f64();
    for (let i = 0; i < hoursOfWeek; i += 1) this.#hours[i] = reader.f64();
    for (let i = 0; i < hoursOfWeek; i += 1) this.#seen[i] = reader.f64();
  }

  #usual(at: number): number {
    return this.#level + this.#hours[hourOfWeek(at)]!;
  }

  /** Median of the distances by stochastic steps, in units of itself; quick while little is known. */
  #learnSpread(distance: number): void {
    if (this.#spread === 0) {
      this.#spread = distance;
      return;
    }
    const rate = Math.max(0.01, 1 / this.#learned);
    this.#spread *= distance > this.#spread ? 1 + rate : 1 - rate;
    this.#spread = Math.max(this.#spread, Math.abs(this.#level) * 1e-6);
  }
}

function hourOfWeek(at: number): number {
  return Math.floor(at / 3_600_000) % hoursOfWeek;
}
