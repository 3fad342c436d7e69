import type { OffsetVector, PartitionId } from '@nowcast/ports';
import { type Generation, isBelow, type Manifest } from './manifest.ts';
import { dayMs, hourMs } from './schema.ts';

/**
 * Decides, hour by hour, which rows answer a range exactly once:
 *
 * ```
 *  range   |----------------------------------------------|
 *  days            [ day, generation 9 ]
 *  hours       [h7]                     [h8]
 *  fine    [..]                             [.............]     not sealed, or not whole inside one bucket
 *  late             ^ fine rows of a sealed hour above the vector it was sealed at
 * ```
 * Hours in which no flush ever put a row belong to whatever surrounds them, so that ranges stay few.
 */
export interface Range {
  from: number;
  to: number;
}

/** `above`: partition → its fine rows above this `flush_to` are not in what the hour was derived to. */
export interface LateHour {
  hour: number;
  above: ReadonlyMap<PartitionId, number>;
}

export interface Coverage {
  fine: Range[];
  late: LateHour[];
  /** By resolution. */
  coarse: Map<number, Range[]>;
  /** Rows of these generations in these periods are not to be read. */
  excluded: { res: number; period: number; gen: number }[];
}

/**
 * Beyond this many hours with late rows they are read from fine rows alone, which is quicker and follows counters. Hours
 * of which fine rows are gone are read from both, however many they are.
 */
const maxLateHours = 64;
const noVector: readonly number[] = [];

export interface CoverageRequest {
  at: OffsetVector;
  from: number;
  to: number;
  /** Ascending bucket starts, the last one the end of the last bucket. */
  buckets: Float64Array;
  coarse: boolean;
}

export function cover(manifest: Manifest, request: CoverageRequest): Coverage {
  const first = new CoverageBuilder(manifest, request, Number.POSITIVE_INFINITY).build();
  if (first.late.length <= maxLateHours) return first;
  return new CoverageBuilder(manifest, request, manifest.fineFrom).build();
}

class CoverageBuilder {
  readonly #manifest: Manifest;
  readonly #request: CoverageRequest;
  readonly #lateBefore: number;
  readonly #result: Coverage = { fine: [], late: [], coarse: new Map(), excluded: [] };
  #open: { kind: number; range: Range } | undefined;
  #bucket = 0;

  /** Only hours before `lateBefore` may have late rows beside derived ones. */
  constructor(manifest: Manifest, request: CoverageRequest, lateBefore: number) {
    this.#manifest = manifest;
    this.#request = request;
    this.#lateBefore = lateBefore;
  }

  build(): Coverage {
    const { from, to, coarse } = this.#request;
    if (!coarse) return { ...this.#result, fine: [{ from, to }] };
    for (let hour = Math.floor(from / hourMs) * hourMs; hour < to;) hour += this.#step(hour);
    return this.#result;
  }

  /** Covers the hour, or the day that begins with it; returns how far it got. */
  #step(hour: number): number {
    if (this.#isWhole(hour, dayMs)) {
      const day = this.#day(hour);
      if (day !== undefined) {
        this.#extend(dayMs, hour, dayMs);
        this.#result.late.push(...day);
        return dayMs;
      }
    }
    this.#coverHour(hour);
    return hourMs;
  }

  #coverHour(hour: number): void {
    if (!this.#manifest.isTouched(hour)) {
      // A range of days may not grow by it: the row of a whole day stands at the start of its first hour.
      if (this.#open !== undefined && this.#open.kind !== dayMs)
        this.#open.range.to = Math.min(hour + hourMs, this.#request.to);
      return;
    }
    const generation = this.#isWhole(hour, hourMs)
      ? this.#manifest.generationAt(hourMs, hour, this.#request.at)
      : undefined;
    if (generation === undefined || !this.#addLate(hour, generation.vector, this.#result.late)) {
      this.#extend(0, hour, hourMs);
      return;
    }
    this.#extend(hourMs, hour, hourMs);
    this.#exclude(hourMs, hour, generation);
  }

  /** The late hours of a day whose derived rows may be used; undefined when they may not. */
  #day(day: number): LateHour[] | undefined {
    const { at } = this.#request;
    const generation = this.#manifest.generationAt(dayMs, day, at);
    if (generation === undefined) return undefined;
    const late: LateHour[] = [];
    for (let hour = day; hour < day + dayMs; hour += hourMs) {
      const newest = this.#manifest.generations(hourMs, hour).at(-1);
      // Sealed again after the day was derived: what the day holds of this hour is no longer known.
      if (newest !== undefined && (newest.gen > generation.gen || !isBelow(newest.vector, at)))
        return undefined;
      if (!this.#addLate(hour, newest?.vector ?? noVector, late)) return undefined;
    }
    this.#exclude(dayMs, day, generation);
    return late;
  }

  #addLate(hour: number, vector: readonly number[], late: LateHour[]): boolean {
    const above = this.#manifest.later(hour, vector);
    if (above.size === 0) return true;
    if (hour >= this.#lateBefore) return false;
    late.push({ hour, above });
    return true;
  }

  #exclude(res: number, period: number, used: Generation): void {
    for (const { gen } of this.#manifest.generations(res, period)) {
      if (gen !== used.gen) this.#result.excluded.push({ res, period, gen });
    }
  }

  #isWhole(start: number, length: number): boolean {
    const { from, to, buckets } = this.#request;
    if (start % length !== 0 || start < from || start + length > to) return false;
    while (this.#bucket + 2 < buckets.length && buckets[this.#bucket + 1]! <= start) this.#bucket++;
    return start >= buckets[this.#bucket]! && start + length <= buckets[this.#bucket + 1]!;
  }

  #extend(kind: number, start: number, length: number): void {
    const { from, to } = this.#request;
    const end = Math.min(start + length, to);
    if (this.#open?.kind === kind) {
      this.#open.range.to = end;
      return;
    }
    const range = { from: Math.max(start, from), to: end };
    this.#open = { kind, range };
    if (kind === 0) this.#result.fine.push(range);
    else this.#result.coarse.set(kind, [...(this.#result.coarse.get(kind) ?? []), range]);
  }
}
