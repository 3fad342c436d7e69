import { type PartSet, StateGrid } from '@nowcast/aggregate';
import type { Across, AggName, ByteReader, ByteWriter } from '@nowcast/contract';
import { CounterRun } from './counter-run.ts';
import { Cut, type FoldedRun } from './folded-run.ts';

export interface WindowSpec {
  agg: AggName;
  across: Across;
  perSeries: boolean;
  zeroWhenEmpty: boolean;
  windowMs: number;
  partMs: number;
  /** How far back from the newest part values may be asked for, parts; the window itself included. */
  reachParts: number;
  /** States the aggregate is answered from. */
  states: PartSet;
}

const none: readonly number[] = [];

/**
 * The aggregate of each group over a window that slides.
 *
 * Keeping points would cost memory by the rate of the source, and taking them out again is not possible for most
 * aggregates. So the window is cut into equal parts with a mergeable state each, in a ring; a value is the merge of the
 * parts it covers: the running one and those before it. It slides part by part. Counters (`increase`) keep their points,
 * since growth merges in time order only and late points are what alerts must get right.
 */
export class SlidingWindow {
  readonly #spec: WindowSpec;
  readonly #cut: Cut;
  readonly #ring: number;
  readonly #states: StateGrid;
  readonly #scratch: StateGrid;
  /** Units of each group. */
  readonly #unitsOf: number[][] = [];
  /** Row at which each unit's ring begins, or the number of its counter; −1 once it was let go of. */
  readonly #begins: number[] = [];
  /** Those that units let go of. */
  readonly #free: number[] = [];
  readonly #counters: CounterRun[] = [];
  /** Which part each row holds; −Infinity for none. */
  #partOf = new Float64Array(0);
  #rings = 0;

  constructor(spec: WindowSpec) {
    this.#spec = spec;
    this.#cut = new Cut(spec.partMs, spec.states);
    this.#ring = spec.reachParts + 1;
    this.#states = new StateGrid(spec.states, 0);
    this.#scratch = new StateGrid(spec.states, 1);
  }

  get #counting(): boolean {
    return this.#spec.agg === 'increase';
  }

  /** Lets go of a group with its units; its number is for another from now on. */
  removeGroup(group: number): void {
    for (const unit of this.#unitsOf[group] ?? []) {
      const begin = this.#begins[unit]!;
      this.#begins[unit] = -1;
      if (this.#counting) this.#counters[begin] = new CounterRun();
      else this.#clearRing(begin);
      this.#free.push(begin);
    }
    this.#unitsOf[group] = [];
  }

  /** A unit that points may go to: a series' own, or its group's. Its number is never given again. */
  addUnit(group: number): number {
    const unit = this.#begins.length;
    this.#begins.push(this.#free.pop() ?? this.#newRing());
    (this.#unitsOf[group] ??= []).push(unit);
    return unit;
  }

  /** Whether the unit is still there. */
  has(unit: number): boolean {
    return this.#begins[unit]! >= 0;
  }

  /** Adds the points from `oldest` on and says how many those were. Times above `newest` count as `newest`. */
  add(unit: number, folded: FoldedRun, oldest: number, newest: number): number {
    const { run } = folded;
    if (!this.#counting && folded.oldest >= oldest && folded.newest <= newest)
      return this.#merge(unit, folded);
    let added = 0;
    for (let i = run.from; i < run.to; i += 1) {
      const timestamp = Math.min(run.timestamps[i]!, newest);
      if (timestamp < oldest) continue;
      this.#addPoint(unit, timestamp, run.values[i]!, run.actors?.[i]);
      added += 1;
    }
    return added;
  }

  #merge(unit: number, folded: FoldedRun): number {
    const { numbers, states } = folded.parts(this.#cut);
    for (let i = 0; i < numbers.length; i += 1) {
      const row = this.#rowOf(unit, numbers[i]!);
      if (row >= 0) this.#states.mergeRow(row, states, i);
    }
    return folded.run.to - folded.run.from;
  }

  /**
   * The aggregate of the window that ends with the part `end` lies in; NaN when there is none.
   *
   * The running part has only begun, so that this window is up to one part short, and what counts (`fullest`) would read
   * less than there is: a steady source would look slower at the start of each part. The window of whole parts before
   * it is complete but a part late. Of the two, the one that says more is taken: neither says more than there was.
   */
  valueAt(group: number, end: number, fullest = false): number {
    const running = this.#valueAt(group, end);
    if (!fullest) return running;
    const whole = this.#valueAt(group, end - this.#spec.partMs);
    return Number.isNaN(running) || Math.abs(whole) > Math.abs(running) ? whole : running;
  }

  #valueAt(group: number, end: number): number {
    const units = this.#unitsOf[group] ?? none;
    const { perSeries, across } = this.#spec;
    if (!perSeries)
      return units.length === 0 ? this.#empty() : this.#orEmpty(this.#unitValue(units[0]!, end));
    let count = 0;
    let sum = 0;
    let min = Infinity;
    let max = -Infinity;
    for (const unit of units) {
      const value = this.#unitValue(unit, end);
      if (Number.isNaN(value)) continue;
      count += 1;
      sum += value;
      min = Math.min(min, value);
      max = Math.max(max, value);
    }
    if (count === 0) return this.#empty();
    if (across === 'avg') return sum / count;
    if (across === 'min') return min;
    return across === 'max' ? max : sum;
  }

  saveUnit(unit: number, writer: ByteWriter): void {
    if (this.#counting) {
      this.#counterOf(unit).save(writer);
      return;
    }
    const begin = this.#begins[unit]!;
    const end = begin + this.#ring;
    let held = 0;
    for (let row = begin; row < end; row += 1) if (this.#partOf[row] !== -Infinity) held += 1;
    writer.varint(held);
    for (let row = begin; row < end; row += 1) {
      if (this.#partOf[row] === -Infinity) continue;
      writer.f64(this.#partOf[row]!);
      this.#states.save(row, writer);
    }
  }

  loadUnit(unit: number, reader: ByteReader): void {
    if (this.#counting) {
      this.#counterOf(unit).load(reader);
      return;
    }
    for (let left = reader.varint(); left > 0; left -= 1) {
      const row = this.#rowOf(unit, reader.f64());
      this.#states.load(row, reader);
    }
  }

  /** Merges a ready state of one part, as history has it. */
  mergePart(unit: number, start: number, states: StateGrid, row: number): void {
    const { partMs } = this.#spec;
    if (this.#counting) {
      this.#addCounterPart(unit, states, row);
      return;
    }
    const own = this.#rowOf(unit, Math.floor(start / partMs));
    if (own >= 0) this.#states.mergeRow(own, states, row);
  }

  /** A counter's part as the points at its ends; growth beyond theirs is a climb and a restart between them. */
  #addCounterPart(unit: number, states: StateGrid, row: number): void {
    const firstAt = states.read(row, 'firstAt');
    const first = states.read(row, 'first');
    const lastAt = states.read(row, 'lastAt');
    const last = states.read(row, 'last');
    const growth = states.read(row, 'growth');
    this.#addPoint(unit, firstAt, first, undefined);
    if (lastAt === firstAt) return;
    const peak = first + growth - last;
    if (growth > (last >= first ? last - first : last)) {
      this.#addPoint(unit, firstAt, peak, undefined);
      this.#addPoint(unit, lastAt, 0, undefined);
    }
    this.#addPoint(unit, lastAt, last, undefined);
  }

  /** Where in a ring a part lies; a remainder of such large numbers would cost five times as much. */
  #slotOf(part: number): number {
    return part - Math.floor(part / this.#ring) * this.#ring;
  }

  /** Row that holds a part of a unit, empty when it is new; −1 when the ring has moved past it. */
  #rowOf(unit: number, part: number): number {
    const row = this.#begins[unit]! + this.#slotOf(part);
    const held = this.#partOf[row]!;
    if (held > part) return -1;
    if (held < part) {
      this.#states.clear(row);
      this.#partOf[row] = part;
    }
    return row;
  }

  #addPoint(unit: number, timestamp: number, value: number, actor: string | undefined): void {
    const { partMs, windowMs, reachParts } = this.#spec;
    if (this.#counting) {
      this.#counterOf(unit).add(timestamp, value, partMs * reachParts + counterReachMs(windowMs));
      return;
    }
    const row = this.#rowOf(unit, Math.floor(timestamp / partMs));
    if (row >= 0) this.#states.addPoint(row, timestamp, value, actor);
  }

  #unitValue(unit: number, end: number): number {
    const { agg, windowMs, partMs } = this.#spec;
    const last = Math.floor(end / partMs);
    const first = last - Math.round(windowMs / partMs) + 1;
    if (this.#counting) {
      const reach = counterReachMs(windowMs);
      return this.#counterOf(unit).growth(first * partMs, (last + 1) * partMs, reach);
    }
    this.#scratch.clear(0);
    const begin = this.#begins[unit]!;
    let slot = this.#slotOf(first);
    for (let part = first; part <= last; part += 1) {
      const row = begin + slot;
      if (this.#partOf[row] === part) this.#scratch.mergeRow(0, this.#states, row);
      slot = slot + 1 === this.#ring ? 0 : slot + 1;
    }
    return this.#scratch.value(0, agg, windowMs / 1000);
  }

  #orEmpty(value: number): number {
    return Number.isNaN(value) ? this.#empty() : value;
  }

  #empty(): number {
    return this.#spec.zeroWhenEmpty ? 0 : Number.NaN;
  }

  #counterOf(unit: number): CounterRun {
    return this.#counters[this.#begins[unit]!]!;
  }

  #clearRing(begin: number): void {
    for (let row = begin; row < begin + this.#ring; row += 1) {
      this.#states.clear(row);
      this.#partOf[row] = -Infinity;
    }
  }

  #newRing(): number {
    if (this.#counting) return this.#counters.push(new CounterRun()) - 1;
    const begin = this.#rings * this.#ring;
    this.#rings += 1;
    this.#reserve(begin + this.#ring);
    return begin;
  }

  #reserve(rows: number): void {
    this.#states.reserve(rows);
    if (rows <= this.#partOf.length) return;
    const grown = new Float64Array(Math.max(rows, this.#partOf.length * 2)).fill(-Infinity);
    grown.set(this.#partOf);
    this.#partOf = grown;
  }
}

/** How far before the window the point may lie that a counter's growth begins at; as in charts. */
function counterReachMs(windowMs: number): number {
  return Math.max(5 * 60_000, windowMs);
}
