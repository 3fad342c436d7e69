import type { ByteReader, ByteWriter, RuleCondition } from '@nowcast/contract';

/** What is usual for a group: its value must stay between these, both inclusive. Infinite where that side is free. */
export interface Limits {
  lower: number;
  upper: number;
}

/**
 * What one group of a rule is compared with. It learns from the values the rule itself computed, so that it is a
 * function of the log; a seed from history is what it would have learned had the rule been there before.
 */
export interface Baseline {
  /** Undefined: it does not know enough yet. Asked before the value of the moment is learned. */
  limits(at: number): Limits | undefined;
  learn(at: number, value: number): void;
  save(writer: ByteWriter): void;
  load(reader: ByteReader): void;
}

/** The limits that a change by so much from `base` crosses. */
export function changeLimits(
  { direction, by, unit }: Extract<RuleCondition, { kind: 'change' }>,
  base: number,
): Limits {
  const distance = unit === 'percent' ? (Math.abs(base) * by) / 100 : by;
  return {
    lower: direction === 'rises' ? -Infinity : base - distance,
    upper: direction === 'falls' ? Infinity : base + distance,
  };
}

const slotMs = 5 * 60_000;
const day = 86_400_000;

/**
 * What the value was a day or a week ago, to five minutes: the last one computed in that slot, or, where none was, the one
 * that still held then. A value stands until points come or the window slides, so that it may be one part old.
 */
export class PastValues implements Baseline {
  readonly #condition: Extract<RuleCondition, { kind: 'change' }>;
  readonly #values: Float64Array;
  readonly #reachSlots: number;
  #newest = -1;

  constructor(condition: Extract<RuleCondition, { kind: 'change' }>, partMs: number) {
    this.#condition = condition;
    this.#reachSlots = Math.max(1, Math.ceil(partMs / slotMs));
    this.#values = new Float64Array(
      (condition.against === 'week' ? 7 * day : day) / slotMs + this.#reachSlots + 1,
    ).fill(Number.NaN);
  }

  limits(at: number): Limits | undefined {
    const base = this.#held(Math.floor((at - (this.#condition.against === 'week' ? 7 * day : day)) / slotMs));
    return Number.isNaN(base) ? undefined : changeLimits(this.#condition, base);
  }

  learn(at: number, value: number): void {
    const slot = Math.floor(at / slotMs);
    const { length } = this.#values;
    if (slot <= this.#newest - length) return;
    for (let passed = Math.max(this.#newest + 1, slot - length + 1); passed < slot; passed += 1)
      this.#values[passed % length] = Number.NaN;
    this.#values[slot % length] = value;
    this.#newest = Math.max(this.#newest, slot);
  }

  /** Takes over what one that learned in parts of another length knows, for as long as its values stood. */
  takeOver(other: PastValues): void {
    for (let slot = Math.max(0, other.#newest - this.#values.length + 1); slot <= other.#newest; slot += 1) {
      const value = other.#held(slot);
      if (!Number.isNaN(value)) this.learn(slot * slotMs, value);
    }
  }

  save(writer: ByteWriter): void {
    writer.f64(this.#newest);
    writer.raw(this.#values);
  }

  load(reader: ByteReader): void {
    this.#newest = reader.f64();
    for (let i = 0; i < this.#values.length; i += 1) this.#values[i] = reader.f64();
  }

  /** The value of a slot, or the last one that still stood then; NaN when there is none. */
  #held(slot: number): number {
    for (let back = 0; back <= this.#reachSlots; back += 1) {
      const value = this.#at(slot - back);
      if (!Number.isNaN(value)) return value;
    }
    return Number.NaN;
  }

  #at(slot: number): number {
    if (slot < 0 || slot > this.#newest || slot <= this.#newest - this.#values.length) return Number.NaN;
    return this.#values[slot % this.#values.length]!;
  }
}
